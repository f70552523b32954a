"""Who acts at one environment repo at once: two pipelines, a reviewer at the desk, somebody who rolls back, somebody who tries a version.

Each does what the program does for it, by the same functions: only signatures and the model store are left out.
"""

import contextlib
import datetime
import random
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Protocol, cast

from argosy import errors
from argosy.domain import environment_layout, merge_checks, promotion_requests
from argosy.domain.documents import sha256
from argosy.domain.environment_layout import ENVIRONMENTS, PRODUCTION, STAGING
from argosy.domain.evidence import parse
from argosy.domain.merge_checks import Check
from argosy.domain.promotion_requests import Proposal, Request, State, Subject
from argosy.domain.second_file import SecondFile
from argosy.ports.artifacts import Artifacts
from argosy.ports.forge import Forge
from argosy.ports.signer import Verifier
from argosy.promotion import following, reverting, seals, trying
from argosy.promotion.desk import Desk
from argosy.promotion.standing import Main
from argosy.testing.forge_contract import TEMPLATE, digest, proposal, version
from kit.effect_history import MODEL, OpenOne, Outside
from kit.fault_schedules import FAULTY, Schedule

FIRST, CANDIDATES, TRIED = "z", "abcdef", "s"
"""The model that both environments serve at the start, those that pipelines propose, and the one that is tried beside others."""
TRIES, LOOKS = 3, 60
"""Of a pipeline at its request, and of people at what is there to do."""
NUMBERS = {name: number for number, name in enumerate((FIRST, *CANDIDATES), start=1)}

TODAY = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)

Opened = Callable[[], Forge]
"""Opens the repository anew, as each process does."""


class FaultWorld(Protocol):
    """A forge whose calls are turns."""

    def forge(self, actor: str) -> Forge:
        """The repository as *actor* reaches it."""

    def hooked(self, schedule: Schedule) -> contextlib.AbstractContextManager[None]:
        """The forge, while *schedule* is played."""

    def outside(self) -> Outside:
        """What everybody would see now."""

    def push(self, actor: str, path: str, content: bytes) -> None:
        """*actor* pushes one file to main."""


class ActorKilled(BaseException):
    """The process ends here: nothing of ours catches it."""


class Unsealed(Desk):
    """The desk of a reviewer who takes signatures for granted, and asks all else."""

    @property
    def _seals(self) -> seals.Seals:
        return Granted(self.artifacts, self.verifier, self.now)


class Granted(seals.Seals):
    """What is signed, without a signature."""

    def checks(self, subject: Subject, files: seals.Files) -> list[Check]:
        """None."""
        del subject, files
        return []

    def of_second(self, model: str, second: SecondFile) -> list[Check]:
        """None."""
        del model, second
        return []

    def likeness(self, live: object, second: SecondFile) -> Check:
        """It is like any other."""
        del live, second
        return merge_checks.of_likeness("")


def candidate(name: str, champion: str | None = None, environment: str = STAGING) -> Proposal:
    """What a pipeline proposes of *name*, compared with *champion*: a version and its evidence, which belong together."""
    made = proposal(name, champion=champion, environment=environment)
    beside = environment_layout.evidence_folder(MODEL, environment)
    told = {f"{beside}/{file}": f"of {name}".encode() for file in ("evidence.md", "card.md")}
    judged = made.files[environment_layout.evidence_path(MODEL, environment)]
    written = version(name).model_copy(update={"version": NUMBERS[name], "evidence_digest": sha256(judged)})
    path = environment_layout.version_path(MODEL, environment)
    subject = made.subject.model_copy(update={"version": NUMBERS[name]})
    return replace(made, subject=subject, files={**made.files, **told, path: written.yaml().encode()})


START = {
    **TEMPLATE,
    environment_layout.policy_path(MODEL): b"policy",  # whose digest is the one that proposals of tests carry
    **{path: content for one in ENVIRONMENTS for path, content in candidate(FIRST, environment=one).files.items()},
}


def open_one(number: int, subject: Subject) -> OpenOne:
    """An open request, for the history."""
    place, brings = f"{subject.model}/{subject.environment} {subject.kind}", promotion_requests.branch(subject)
    return OpenOne(number, place, brings, f"{brings} beside {subject.champion_digest}, by {subject.policy_digest}")


@dataclass
class FaultStory:
    """One seed's actors, and what they did."""

    seed: int
    names: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Pipeline to the candidates that it proposes, one after the other."""
    did: Counter[str] = field(default_factory=Counter)
    """How often what came of it."""

    def __post_init__(self) -> None:
        chance = random.Random(self.seed)
        for pipeline in ("pipeline-1", "pipeline-2"):
            self.names[pipeline] = tuple(sorted(chance.choices(CANDIDATES, k=2)))
        self._acts: dict[str, Callable[[Opened], None]] = {one: self._run(one) for one in self.names}
        self._acts["reviewer"] = self._repeated("reviewer", self._look, 7)
        others = {
            "on call": self._repeated("on call", self._go_back, 2),
            "experimenter": self._repeated("experimenter", self._try, 3),
            "somebody": self._repeated("somebody", self._meddle, 4),
        }
        self._acts |= {one: others[one] for one in chance.sample(sorted(others), chance.randint(1, 2))}
        self.schedule = Schedule(self.seed, list(self._acts), chance.choice(FAULTY))
        self.history = self.schedule.history
        self._chances = {one: random.Random(f"{self.seed} {one}") for one in self._acts}
        self.history.asked += [candidate(FIRST, environment=one).files for one in ENVIRONMENTS]

    def played(self, world: FaultWorld) -> list[str]:
        """Play it in *world* to its end, then once more without faults, as retries do; the broken promises."""
        failed: list[BaseException] = []
        self._world = world

        def play(name: str, act: Callable[[Opened], None]) -> None:
            try:
                act(lambda: world.forge(name))
            except BaseException as error:  # noqa: BLE001 - said by the one who plays the schedule
                failed.append(error)
            finally:
                self.schedule.turns.leave(name)

        with world.hooked(self.schedule):
            self.history.seen.append(world.outside())
            threads = [threading.Thread(target=play, args=act, name=act[0]) for act in self._acts.items()]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self._settle(world)
        return [*map(repr, failed), *self.history.problems()]

    def _settle(self, world: FaultWorld) -> None:
        """What comes late comes; then everybody is retried to the end: what was left unfinished is finished by whoever comes next."""
        self.schedule.quiet = True
        self.schedule.come()
        self.history.seen.append(world.outside())
        forge = world.forge("afterwards")
        for pipeline, names in self.names.items():
            self._answered(lambda name=names[-1], by=pipeline: self._offer(forge, name, by))
        for request in forge.requests():
            if request.state is State.MERGED and request.subject.environment == STAGING:
                self._answered(lambda one=request: self._follow(forge, one))
        for act in (self._go_back, self._try, self._end_trial):
            self._answered(lambda act=act: act(forge, random.Random(0)))
        self.history.seen.append(world.outside())
        self.did["superseded"] += sum(one.state is State.SUPERSEDED for one in forge.requests())

    def _answered(self, act: Callable[[], object]) -> None:
        with contextlib.suppress(errors.Rejected):
            act()

    # The actors

    def _run(self, pipeline: str) -> Callable[[Opened], None]:
        def act(opened: Opened) -> None:
            for name in self.names[pipeline]:
                for _ in range(TRIES):
                    if self._done(lambda name=name: self._offer(opened(), name, pipeline)):
                        break

        return act

    def _repeated(
        self, actor: str, act: Callable[[Forge, random.Random], bool | None], times: int
    ) -> Callable[[Opened], None]:
        """*act*, until it did, or failed to do, something so many *times*: None where there was nothing to do."""

        def repeat(opened: Opened) -> None:
            left = times
            for _ in range(LOOKS):
                did: list[object] = []
                ended = self.schedule.turns.left >= {*self.names, "reviewer"} - {actor}
                self._done(lambda did=did: did.append(act(opened(), self._chances[actor])))
                left -= did != [None]
                if not left or (ended and did == [None]):  # nothing more is to come
                    return

        return repeat

    def _done(self, act: Callable[[], object]) -> bool:
        """Whether *act* came to an answer; where it did not, the actor begins anew, as a step that is retried."""
        try:
            act()
        except errors.Rejected:
            return True
        except (errors.ArgosyError, ActorKilled):
            return False
        finally:
            self.schedule.begin_anew(threading.current_thread().name)
        return True

    def _offer(self, forge: Forge, name: str, by: str) -> None:
        """As a pipeline does: it compares with the champion, and asks for its candidate if main is still like that."""
        champion = Main.now(forge).version(MODEL, PRODUCTION)
        known = {digest(one): one for one in NUMBERS}
        made = candidate(name, known[champion.model_digest] if champion else None)
        evidence = parse(made.files[environment_layout.evidence_path(MODEL, STAGING)], "evidence")
        state = Main.now(forge).state(MODEL, made.subject.model_digest)
        if state.serves(evidence.model_digest):
            return
        if red := [check.reason for check in merge_checks.overtaken(evidence, state) if not check.passed]:
            raise errors.Rejected("; ".join(red))
        self._asks_for(made)
        request = forge.propose(made)
        if request is None:
            return
        self.history.wanted.setdefault(f"{MODEL}/{STAGING}", set()).add(promotion_requests.branch(made.subject))
        if request.state is State.MERGED:
            self._follow(forge, request)

    def _asks_for(self, made: Proposal) -> None:
        place = [environment_layout.folder(MODEL, one) for one in ENVIRONMENTS]
        for one in place:
            files = {path.replace(place[0], one): content for path, content in made.files.items()}
            if files not in self.history.asked:
                self.history.asked.append(files)

    def _look(self, forge: Forge, chance: random.Random) -> bool | None:
        """As a reviewer: merges one that is green, with what follows, and says no to some that are red."""
        desk = Unsealed(forge, cast("Artifacts", None), cast("Verifier", None), lambda: TODAY)
        waiting = desk.requests()
        if not waiting:
            return None
        one = waiting[-1] if chance.random() < 0.7 else chance.choice(waiting)
        try:
            merged = desk.merge(one.number, by="ada").request
        except errors.Rejected:
            if chance.random() < 0.3:
                desk.close(one.number, by="ada", reason="no")
                self.history.closed.add(promotion_requests.branch(one.subject))
            return False
        if one.subject.kind == "promotion":
            self.history.merged.add((one.subject.environment, one.subject.model_digest))
        self.did["merged"] += 1
        self._follow(forge, merged)
        return True

    def _follow(self, forge: Forge, merged: Request) -> None:
        following.follow(forge, merged, on_merge=True)

    def _go_back(self, forge: Forge, chance: random.Random) -> bool | None:
        """As `argosy rollback`, or an aborted canary: back to what production served before."""
        del chance
        main = Main.now(forge)
        live = main.version(MODEL, PRODUCTION)
        earlier = main.served_before(live, PRODUCTION) if live else None
        if live and earlier and forge.propose(reverting.by_hand(live, earlier, PRODUCTION, by="eve", why="errors")):
            self.did["went back"] += 1
            return True
        return None

    def _try(self, forge: Forge, chance: random.Random) -> bool | None:
        """As `argosy shadow`: a second version beside the one that is served; with --stop where there is one."""
        main = Main.now(forge)
        live = main.version(MODEL, STAGING)
        if live is None:
            return None
        if main.names_second(MODEL, STAGING):
            return self._end_trial(forge, chance)
        signed = "signed"
        second = SecondFile(
            role="shadow",
            percent=chance.choice([10, 20]),
            version=9,
            model_digest=digest(TRIED),
            storage_uri="file:///store/s",
            signature=signed,
        )
        made = trying.proposal(
            trying.Experiment(live, STAGING, second, (None, None), ()), None, by="bob", why="is it faster"
        )
        self.history.seconds.add(second.yaml().encode())
        if forge.propose(made):
            self.did["tried"] += 1
        return True

    def _end_trial(self, forge: Forge, chance: random.Random) -> bool | None:
        del chance
        main = Main.now(forge)
        live = main.version(MODEL, STAGING)
        if live and main.names_second(MODEL, STAGING):
            forge.propose(trying.end(main, live, STAGING, by="bob", why="enough"))
            return True
        return None

    def _meddle(self, forge: Forge, chance: random.Random) -> bool | None:
        """Somebody pushes to main, closes a request, or takes one up again."""
        what = chance.choice(["push", "push", "close", "reopen"])
        if what == "push":
            number = chance.randrange(1000)
            self._world.push("somebody", f"notes/{number}.txt", b"a note\n")
            return True
        wanted = {State.OPEN} if what == "close" else {State.CLOSED, State.SUPERSEDED}
        found = [one for one in forge.requests() if one.state in wanted and one.subject.kind == "promotion"]
        if not found:
            return None
        one = chance.choice(found)
        if what == "close":
            self.history.closed.add(promotion_requests.branch(one.subject))
            forge.close(one.number, by="mallory", reason="not now")
        else:
            forge.reopen(one.number, by="mallory")
        return True
