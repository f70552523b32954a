"""Whether a canary goes on, is given up, or needs more requests: decided at every look, by what was counted so far. Pure.

However often one looks, and whenever one stops, a version no worse than *healthy* is given up with at most the probability
``Risks.false_abort``, and one as bad as *limit*, or worse, goes on with at most ``Risks.false_go``. What lies between may go either way.
How long that takes follows from the requests seen, and not from a clock.

Each question is a likelihood ratio whose mean can only fall while the version is healthy (and whose inverse, while it is bad), so Ville's
inequality (1939) bounds the chance that it ever passes 1/alpha. Of a share against a limit it is Wald's sequential probability ratio test
(1945). Of two versions side by side it is the same test given how many events both had in a look: then the new version's share of them is
Fisher's noncentral hypergeometric, whatever the load did, with the odds ratio alone as its parameter (Fisher 1935; Cornfield 1956). A
distance of scores is held against confidence sequences of the shares below each edge, by Robbins' beta mixture (1970).

Left to others: where the counts come from, and what an abort leads to (``domain.rollouts``).
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from argosy.domain import figures

Word = Literal["go", "abort", "wait"]
STEPS = 60
"""Halvings of an interval's end: to the last bit that counts."""
LEAST_VARIANCE = 0.01 * 0.99
"""Of a share, however rarely the old version has an event: as if one in a hundred trials had."""


@dataclass(frozen=True)
class EventCounts:
    """Events among trials, such as errors among requests."""

    events: int
    trials: int

    def __post_init__(self) -> None:
        if not 0 <= self.events <= self.trials:
            raise ValueError(f"{self.events} events in {self.trials} trials: a counter was reset, or read twice")

    @property
    def share(self) -> float:
        """The share of events; 0 before the first trial."""
        return self.events / self.trials if self.trials else 0.0


@dataclass(frozen=True)
class PairedLook:
    """What both versions had between two looks."""

    new: EventCounts
    old: EventCounts


@dataclass(frozen=True)
class Risks:
    """How often a decision may be wrong."""

    false_abort: float = 0.01
    false_go: float = 0.01


class Question(Protocol):
    """One thing that a canary is asked, by all that was counted so far."""

    @property
    def name(self) -> str:
        """Its name, with the segment that it is about."""

    def word(self, risks: Risks) -> Word:
        """The answer at these *risks*."""

    def said(self) -> str:
        """What was counted, in words."""


@dataclass(frozen=True)
class Share:
    """Whether events are rarer than a limit, such as errors: at most *healthy*, or *limit* and more."""

    name: str
    new: EventCounts
    healthy: float
    limit: float

    def word(self, risks: Risks) -> Word:
        """The answer at these *risks*."""
        with_event = math.log(self.limit / self.healthy)
        without = math.log1p(-self.limit) - math.log1p(-self.healthy)
        return _by_ratio(self.new.events * with_event + (self.new.trials - self.new.events) * without, risks)

    def said(self) -> str:
        """What was counted, in words."""
        return f"{self.new.events:,} of {self.new.trials:,} ({self.new.share:.2%}; {self.healthy:.2%} is healthy, {self.limit:.2%} is not)"


@dataclass(frozen=True)
class Beside:
    """Whether the new version has more events than the old one at the same time, such as slow answers: odds up to *healthy* times as high,
    or *limit* times and more. What both bear alike, as a rush of requests, says nothing."""

    name: str
    looks: Sequence[PairedLook]
    healthy: float = 1.0
    limit: float = 2.0

    def word(self, risks: Risks) -> Word:
        """The answer at these *risks*."""
        return _by_ratio(sum(_log_ratio(look, self.healthy, self.limit) for look in self.looks), risks)

    def said(self) -> str:
        """What was counted, in words."""
        new, old = _sum([look.new for look in self.looks]), _sum([look.old for look in self.looks])
        return f"{new.share:.2%} of {new.trials:,}, the old version {old.share:.2%} of {old.trials:,}"


@dataclass(frozen=True)
class NoWorse:
    """Whether events are no more frequent than the old version's, such as answers that a judge does not take: by a share of *margin*
    more, or not at all. Unlike :class:`Beside` it comes to an end where neither has an event.

    The likelihood ratio is that of the difference of two shares as if it were normal, with the old version's variance: the risks hold by
    simulation (``tests/unit/domain/test_sequential.py``), not by a theorem. Before *least* trials of the old version there is no answer.
    """

    name: str
    new: EventCounts
    old: EventCounts
    margin: float
    least: int = 100

    def word(self, risks: Risks) -> Word:
        """The answer at these *risks*."""
        if self.old.trials < self.least:
            return "wait"
        share = self.old.share
        beyond = self.new.events - self.new.trials * (share + self.margin / 2)
        variance = max(share * (1 - share), LEAST_VARIANCE) * (1 + self.new.trials / self.old.trials)
        return _by_ratio(self.margin * beyond / variance, risks)

    def said(self) -> str:
        """What was counted, in words."""
        return (
            f"{self.new.share:.2%} of {self.new.trials:,}, the old version {self.old.share:.2%} of {self.old.trials:,}"
        )


@dataclass(frozen=True)
class Distance:
    """Whether scores are distributed as the old version's: the largest difference of the shares below an edge, at most *limit*.

    *new*, *old*: for each edge, how many scores lay below it.
    """

    name: str
    new: Sequence[EventCounts]
    old: Sequence[EventCounts]
    limit: float

    def word(self, risks: Risks) -> Word:
        """The answer at these *risks*."""
        pairs = list(zip(self.new, self.old, strict=True))
        # Any edge may give it up, so they share the risk; all of them must let it go on, so each has the whole.
        if any(_apart(*pair, risks.false_abort / len(pairs))[0] > self.limit for pair in pairs):
            return "abort"
        return "go" if all(_apart(*pair, risks.false_go)[1] < self.limit for pair in pairs) else "wait"

    def said(self) -> str:
        """What was counted, in words."""
        farthest = max(abs(new.share - old.share) for new, old in zip(self.new, self.old, strict=True))
        return f"{figures.number(farthest)} apart on {self.new[0].trials:,} and {self.old[0].trials:,} scores (limit {self.limit:g})"


@dataclass(frozen=True)
class CanaryDecision:
    """What is to become of a canary, and by which of its questions."""

    word: Word
    reasons: tuple[str, ...]


def decide(questions: Sequence[Question], risks: Risks) -> CanaryDecision:
    """The decision by all *questions*: one that is bad gives the canary up, and it goes on once none is left open.

    Any of them may give it up wrongly, so they share that risk; for a wrong go, each that is bad would have to pass.
    """
    if not questions:
        raise ValueError("a canary that is asked nothing would always go on")
    shared = Risks(risks.false_abort / len(questions), risks.false_go)
    words = [(question, question.word(shared)) for question in questions]
    for word in ("abort", "wait"):
        if found := [f"{question.name}: {question.said()}" for question, said in words if said == word]:
            return CanaryDecision(word, tuple(found))
    return CanaryDecision("go", tuple(f"{question.name}: {question.said()}" for question in questions))


def share_interval(counts: EventCounts, alpha: float) -> tuple[float, float]:
    """An interval of the share that holds it at all times at once, but for a chance of *alpha*: where Robbins' mixture, over a uniform
    prior, stays below 1/*alpha*."""
    k, n = counts.events, counts.trials
    mixed = math.lgamma(k + 1) + math.lgamma(n - k + 1) - math.lgamma(n + 2)
    bound = math.log(1 / alpha)

    def inside(share: float) -> bool:
        return mixed - _log_likelihood(k, n, share) < bound

    return _end(inside, counts.share, 0.0), _end(inside, counts.share, 1.0)


def _by_ratio(log_ratio: float, risks: Risks) -> Word:
    if log_ratio >= -math.log(risks.false_abort):
        return "abort"
    return "go" if log_ratio <= math.log(risks.false_go) else "wait"


def _log_ratio(look: PairedLook, healthy: float, limit: float) -> float:
    """The log likelihood ratio of the odds ratio *limit* against *healthy*, given how many events both versions had."""
    events = look.new.events + look.old.events
    if not events or not look.new.trials or not look.old.trials:
        return 0.0
    least, most = max(0, events - look.old.trials), min(events, look.new.trials)
    ways = [_log_choose(look.new.trials, j) + _log_choose(look.old.trials, events - j) for j in range(least, most + 1)]

    def log_sum(odds: float) -> float:
        terms = [way + j * math.log(odds) for j, way in enumerate(ways, start=least)]
        top = max(terms)
        return top + math.log(math.fsum(math.exp(term - top) for term in terms))

    return look.new.events * math.log(limit / healthy) - log_sum(limit) + log_sum(healthy)


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)


def _apart(new: EventCounts, old: EventCounts, alpha: float) -> tuple[float, float]:
    """The least and the most that two shares may differ by, whichever is larger, but for a chance of *alpha*."""
    (low, high), (old_low, old_high) = share_interval(new, alpha / 2), share_interval(old, alpha / 2)
    return max(0.0, low - old_high, old_low - high), max(high - old_low, old_high - low)


def _log_likelihood(k: int, n: int, share: float) -> float:
    if (share <= 0 and k) or (share >= 1 and k < n):
        return -math.inf
    return (k * math.log(share) if k else 0.0) + ((n - k) * math.log1p(-share) if k < n else 0.0)


def _end(inside: Callable[[float], bool], middle: float, outermost: float) -> float:
    if inside(outermost):
        return outermost
    near, far = middle, outermost
    for _ in range(STEPS):
        between = (near + far) / 2
        near, far = (between, far) if inside(between) else (near, between)
    return far


def _sum(counts: Sequence[EventCounts]) -> EventCounts:
    return EventCounts(sum(one.events for one in counts), sum(one.trials for one in counts))
