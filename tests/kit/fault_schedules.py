"""The order of all calls at one environment repo, and what goes wrong with them: all of it follows from one seed.

Each actor is a thread, and whoever calls the outside waits for its turn; a turn is given only once every actor waits for one, so that the
order of all calls is the seed's and nobody's clock's. A call may be refused, fail before or after its effect, have it long after its caller
gave up, or end its actor there. Who acts is in ``fault_story``, at which forge in ``fault_worlds``.
"""

import random
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

from kit.effect_history import EffectHistory

Fault = Literal[
    "none",
    "fails",
    "fails after",
    "hangs up",
    "hangs up after",
    "comes late",
    "refused",
    "limited",
    "asked to wait",
    "killed",
    "killed after",
]
FAULTS: tuple[Fault, ...] = (
    "fails",
    "fails after",
    "hangs up",
    "hangs up after",
    "comes late",
    "refused",
    "limited",
    "asked to wait",
    "killed",
    "killed after",
)
FAULTY = 0.005, 0.015, 0.03
"""The share of calls that go wrong, in one schedule or another: a request, or its merge, is some forty of them."""
LATEST = 25
"""Calls of others that pass before one comes late."""
STUCK_SECONDS = 120
"""An actor that waits so long waits for ever."""


class Turns:
    """Lets one actor go on at a time, chosen by *chance* among all once all of them wait."""

    def __init__(self, chance: random.Random, actors: Sequence[str]) -> None:
        self._chance, self._alive = chance, set(actors)
        self._waiting: set[str] = set()
        self._chosen: str | None = None
        self._changed = threading.Condition()

        self.left: set[str] = set()
        """Who does nothing any more."""

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
            self.left.add(actor)
            self._choose()

    def _choose(self) -> None:
        if self._chosen is None and self._alive and self._waiting >= self._alive:
            self._chosen = self._chance.choice(sorted(self._waiting))
            self._changed.notify_all()


@dataclass
class Schedule:
    """One seed's order of calls and faults, and what came of them."""

    seed: int
    actors: Sequence[str]
    faulty: float
    """The share of calls that go wrong."""
    history: EffectHistory = field(default_factory=EffectHistory)
    faults: list[str] = field(default_factory=list)
    calls: int = 0

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)
        self.turns = Turns(self.chance, self.actors)
        self.quiet = False
        self._dead: set[str] = set()
        self._late: list[tuple[int, Callable[[], object]]] = []

    def fault(self, actor: str, *, writes: bool) -> Fault:
        """What happens to the next call of *actor*, whose turn it is; what comes late is done first, where it is time for it."""
        self.calls += 1
        self.come(self.calls)
        if actor in self._dead:  # what a killed process would have gone on to ask for
            return "fails"
        if actor not in self.actors:  # whoever looks on
            return "none"
        if self.quiet or self.chance.random() >= self.faulty:
            return "none"
        fault = self.chance.choice(FAULTS)
        if fault == "comes late" and not writes:
            fault = "hangs up"
        if fault in {"killed", "killed after"}:
            self._dead.add(actor)
        self.faults.append(f"{actor} {fault}")
        return fault

    def later(self, act: Callable[[], object]) -> None:
        """Have *act* done after some more calls: its caller has given up by then."""
        self._late.append((self.calls + self.chance.randint(1, LATEST), act))

    def come(self, now: float = float("inf")) -> None:
        """Do what is due by the call number *now*."""
        due = [act for at, act in self._late if at <= now]
        self._late = [(at, act) for at, act in self._late if at > now]
        for act in due:
            act()

    def begin_anew(self, actor: str) -> None:
        """A new process of *actor* takes the place of one that was killed."""
        self._dead.discard(actor)
