"""Pipelines, a reviewer and people at one environment repo at once, with faults at their calls: all of it follows from one seed.

Each actor is a thread, and whoever calls the outside waits for its turn; a turn is given only once every actor waits for one, so that the
order of all calls is the seed's and nobody's clock's. A call may be refused, may fail before or after its effect, or end its actor there.
"""

import contextlib
import random
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from argosy import errors
from argosy.adapters.hosted_forge import github
from argosy.adapters.hosted_forge.promotion_pulls import HostedForge
from argosy.adapters.local_forge.forge import LocalForge
from argosy.domain.promotion_requests import Proposal, State
from argosy.files import git_repository
from argosy.files.git_repository import Repository
from argosy.ports.forge import Forge
from argosy.testing.forge_contract import TEMPLATE, digest, merge, proposal
from kit.effect_history import EffectHistory, OpenOne, Outside
from kit.fake_github import Answer, FakeGithub

Opened = Callable[[], Forge]
"""Opens the repository anew, as each process does."""
Fault = Literal["none", "before", "lost", "refused", "limited", "killed", "killed after"]
FAULTS: tuple[Fault, ...] = ("before", "lost", "refused", "limited", "killed", "killed after")
FAULTY = 0.06
"""The share of calls that go wrong: a request is some twenty of them."""
TRIES, LOOKS = 3, 12
"""Of a pipeline at its request, and of the reviewer at what is open."""
CANDIDATES = "abc"
PLACE = "toy/staging"
STUCK_SECONDS = 120
"""An actor that waits so long waits for ever."""


def candidate(name: str) -> Proposal:
    """What a pipeline proposes of *name*: a version, and evidence beside it, which belong together."""
    return proposal(name, **{"evidence.md": f"of {name}", "card.md": f"of {name}"})


class ActorKilled(BaseException):
    """The process ends here: nothing of ours catches it."""


class Turns:
    """Lets one actor go on at a time, chosen by *chance* among all once all of them wait."""

    def __init__(self, chance: random.Random, actors: list[str]) -> None:
        self._chance, self._alive = chance, set(actors)
        self._waiting: set[str] = set()
        self._chosen: str | None = None
        self._changed = threading.Condition()

    def wait(self, actor: str) -> None:
        """Wait for the turn of *actor*; whoever is none, as who looks on, has it at once."""
        with self._changed:
            if actor not in self._alive:
                return
            self._waiting.add(actor)
            self._choose()
            if not self._changed.wait_for(lambda: self._chosen == actor, STUCK_SECONDS):
                raise AssertionError(f"{actor} waits for ever, beside {sorted(self._waiting)} of {sorted(self._alive)}")
            self._chosen = None
            self._waiting.remove(actor)

    def leave(self, actor: str) -> None:
        """*actor* does nothing any more."""
        with self._changed:
            self._alive.discard(actor)
            self._choose()

    def _choose(self) -> None:
        if self._chosen is None and self._alive and self._waiting >= self._alive:
            self._chosen = self._chance.choice(sorted(self._waiting))
            self._changed.notify_all()


@dataclass
class Schedule:
    """One seed's order of calls and faults, and what came of them."""

    seed: int
    history: EffectHistory = field(default_factory=EffectHistory)
    faults: list[str] = field(default_factory=list)
    calls: int = 0

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.turns = Turns(self.chance, [name for name, _ in self.actors()])
        self.quiet = False
        self._dead: set[str] = set()

    def fault(self, actor: str) -> Fault:
        """What happens to the next call of *actor*, whose turn it is."""
        self.calls += 1
        if actor in self._dead:  # what a killed process would have gone on to ask for
            return "before"
        if self.quiet or self.chance.random() >= FAULTY:
            return "none"
        fault = self.chance.choice(FAULTS)
        if fault in {"killed", "killed after"}:
            self._dead.add(actor)
        self.faults.append(f"{actor} {fault}")
        return fault

    def actors(self) -> list[tuple[str, Callable[[Opened], None]]]:
        """Who takes part: two pipelines, of one candidate in one of three schedules, a reviewer, and somebody who pushes."""
        first, second = CANDIDATES[self.seed % 3], CANDIDATES[self.seed // 3 % 3]
        return [
            ("pipeline-1", lambda opened: self._propose(opened, first)),
            ("pipeline-2", lambda opened: self._propose(opened, second)),
            ("reviewer", self._review),
        ]

    def _propose(self, opened: Opened, name: str) -> None:
        for _ in range(TRIES):
            if self._done(lambda: opened().propose(candidate(name))):
                return

    def _review(self, opened: Opened) -> None:
        for _ in range(LOOKS):
            if self._done(lambda: self._merge_newest(opened())) and self.history.merged:
                return

    def _merge_newest(self, forge: Forge) -> None:
        waiting = [one for one in forge.requests() if one.state is State.OPEN]
        if waiting and merge(forge, waiting[-1].number).state is State.MERGED:
            self.history.merged.add(waiting[-1].subject.model_digest)

    def _done(self, act: Callable[[], object]) -> bool:
        """Whether *act* came to an answer; where it did not, the actor begins anew, as a step that is retried."""
        try:
            act()
        except errors.Rejected:
            return True
        except (errors.ArgosyError, ActorKilled):
            return False
        finally:
            self._dead.discard(threading.current_thread().name)
        return True


def run(schedule: Schedule, world: "HostedWorld | LocalWorld") -> list[str]:
    """Play *schedule* in *world* to its end, then once more without faults, as a retry does; its broken promises."""
    history = schedule.history
    history.asked = {digest(name): dict(candidate(name).files) for name in CANDIDATES}
    failed: list[BaseException] = []

    def play(name: str, act: Callable[[Opened], None]) -> None:
        try:
            act(lambda: world.forge(name))
        except BaseException as error:  # noqa: BLE001 - said by the one who plays the schedule
            failed.append(error)
        finally:
            schedule.turns.leave(name)

    with world.hooked(schedule):
        threads = [threading.Thread(target=play, args=actor, name=actor[0]) for actor in schedule.actors()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        schedule.quiet = True
        _settle(schedule, world)
    return [*map(repr, failed), *history.problems()]


def _settle(schedule: Schedule, world: "HostedWorld | LocalWorld") -> None:
    """Each pipeline is retried to its end: what was left unfinished is finished by whoever comes next."""
    forge = world.forge("afterwards")
    for index in (0, 1):
        name = CANDIDATES[(schedule.seed, schedule.seed // 3)[index] % 3]
        with contextlib.suppress(errors.Rejected):
            forge.propose(candidate(name))
        schedule.history.wanted.setdefault(PLACE, set()).add(digest(name))
    schedule.history.seen.append(world.outside())


def _of_branch(number: int, branch: str) -> OpenOne:
    _, model, environment, short = branch.split("/")
    known = {digest(name).removeprefix("sha256:")[:12]: digest(name) for name in CANDIDATES}
    return OpenOne(number, f"{model}/{environment}", known[short.partition("-")[0]])


class HostedWorld:
    """The adapter of GitHub, against a server that hands out turns and faults."""

    def __init__(self) -> None:
        self.server = _Faulty(TEMPLATE)

    def forge(self, actor: str) -> Forge:
        """The repository as *actor* reaches it."""
        return HostedForge(github.of_token("owner/name", actor, api=self.server.api, patience=0.0))

    @contextlib.contextmanager
    def hooked(self, schedule: Schedule) -> Iterator[None]:
        """The server, while *schedule* is played."""
        self.server.schedule, self.server.world = schedule, self
        try:
            yield
        finally:
            self.server.stop()

    def outside(self) -> Outside:
        """What everybody would see now."""
        store = self.server.store
        main = store.refs["heads/main"]
        opened = [_of_branch(number, one["branch"]) for number, one in store.pulls.items() if one["state"] == "open"]
        files = {
            path: store.blobs[blob] for path, blob in store.commits[main].files.items() if path.startswith("models/")
        }
        return Outside(tuple(opened), main, frozenset(store.history(main)), files)


class _Faulty(FakeGithub):
    """The stand-in, which knows who calls by the token and lets nobody call out of turn."""

    schedule: Schedule | None = None
    world: HostedWorld | None = None

    def _handler(self) -> Any:
        fake, plain = self, super()._handler()
        self._local = threading.local()
        self._dead: set[str] = set()

        class Handler(plain):  # type: ignore[misc, valid-type]
            def parse_request(self) -> bool:
                parsed = bool(super().parse_request())
                fake._local.actor = self.headers.get("Authorization", "").split()[-1] if parsed else ""
                return parsed

        return Handler

    def answer(self, method: str, target: str, given: Any) -> Answer:
        actor, schedule = self._local.actor, self.schedule
        assert schedule
        assert self.world
        schedule.turns.wait(actor)
        fault = schedule.fault(actor)
        if fault in {"before", "killed"}:
            return 502, {"message": "Server Error"}
        if fault == "refused":
            return 401, {"message": "Bad credentials"}
        if fault == "limited":
            return 403, {"message": "You have exceeded a secondary rate limit"}
        answer = super().answer(method, target, given)
        if method != "GET":
            schedule.history.seen.append(self.world.outside())
        return answer if fault == "none" else (502, {"message": "Server Error"})


class LocalWorld:
    """The forge on this machine: every call of git is a turn, and the lock that keeps races rare is not there."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="argosy-schedule-")
        self.path = Path(self._folder.name) / "environment.git"
        LocalForge(self.path, TEMPLATE)
        Repository(self.path).git("config", "core.fsync", "none")  # nothing here is about losing power

    def forge(self, actor: str) -> Forge:
        """The repository as *actor* opens it."""
        del actor
        return LocalForge(self.path, TEMPLATE)

    @contextlib.contextmanager
    def hooked(self, schedule: Schedule) -> Iterator[None]:
        """Git, while *schedule* is played."""
        real, exclusive = git_repository._run, Repository.exclusive
        looking = threading.local()

        def turned(*given: Any, **options: Any) -> bytes:
            if getattr(looking, "on", False):
                return real(*given, **options)
            actor = threading.current_thread().name
            schedule.turns.wait(actor)
            fault = schedule.fault(actor)
            _fail(fault, ("before", "refused", "limited"), "killed")
            output = real(*given, **options)
            if "update-ref" in given[0]:
                looking.on = True
                schedule.history.seen.append(self.outside())
                looking.on = False
            _fail(fault, ("lost",), "killed after")
            return output

        git_repository._run = turned
        Repository.exclusive = lambda _self: contextlib.nullcontext()  # type: ignore[assignment, method-assign]
        try:
            yield
        finally:
            git_repository._run, Repository.exclusive = real, exclusive  # type: ignore[method-assign]
            self._folder.cleanup()

    def outside(self) -> Outside:
        """What everybody would see now."""
        forge, repository = LocalForge(self.path, TEMPLATE), Repository(self.path)
        main = forge.head()
        opened = [_of_branch(one.number, one.branch) for one in forge.requests() if one.state is State.OPEN]
        ancestors = frozenset(repository.git("rev-list", main).decode().split())
        return Outside(tuple(opened), main, ancestors, forge.contents(["models"], main))


def _fail(fault: Fault, raised: tuple[Fault, ...], killed: Fault) -> None:
    if fault in raised:
        raise errors.TryAgain(f"planted: {fault}")
    if fault == killed:
        raise ActorKilled
