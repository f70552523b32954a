"""How often a canary is decided wrongly, and how many requests that takes, beside a test of fixed size with the same risks.

    python tests/bench/canary_decisions.py [--canaries 20000]

Versions are simulated that are healthy, at the edge of it, at the limit and beyond; each is looked at after every twenty of its requests
until `domain.sequential` decides. Ends 1 where more than one in a hundred (and what chance allows on so many) is decided wrongly, or where
a decision takes more than half of the requests of the fixed test (two thirds at the very edge of what is healthy, where it takes longest).
"""

import argparse
import math
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from argosy.domain import sequential
from argosy.domain.sequential import Beside, Distance, EventCounts, PairedLook, Question, Risks, Share, Word

RISKS = Risks(0.01, 0.01)
HEALTHY, LIMIT = 0.0025, 0.01
EACH, MOST = 20, 400
"""Requests of the new version between two looks, and looks at most; the old version has nine times as many."""


@dataclass
class Tally:
    """What became of many canaries of one kind."""

    kind: str
    canaries: int
    words: dict[Word, int]
    requests: float

    def line(self, fixed: float) -> str:
        """In one line, with how many times fewer requests than *fixed* it took."""
        shares = "  ".join(f"{word} {self.words.get(word, 0) / self.canaries:7.2%}" for word in ("go", "abort", "wait"))
        mean = self.requests / self.canaries
        return f"{self.kind:<44} {shares}  {mean:8,.0f} requests, {fixed / mean:4.1f}x fewer than {fixed:,.0f}"


def main() -> int:
    """Simulate, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--canaries", type=int, default=20_000, help="of each kind of errors; the others are a fiftieth"
    )
    canaries = parser.parse_args().canaries
    fixed = of_fixed_size(HEALTHY, LIMIT)
    few, random = max(50, canaries // 50), np.random.default_rng(7)
    wrong = []
    of_share: list[tuple[str, float, Word]] = [
        ("errors: none", 0.0, "abort"),
        ("errors: 0.10 %", 0.001, "abort"),
        (f"errors: {HEALTHY:.2%}, the edge of healthy", HEALTHY, "abort"),
        (f"errors: {LIMIT:.2%}, the limit", LIMIT, "go"),
        ("errors: 2 %", 0.02, "go"),
        ("errors: 10 %", 0.10, "go"),
    ]
    for kind, rate, mistake in of_share:
        wrong += judged(of_errors(kind, rate, canaries, random), mistake, fixed)
    of_all: list[tuple[str, float, float, Word]] = [
        ("errors, slow answers, scores: the same", 0.05, 0.0, "abort"),
        ("slow answers: four times the odds", 0.174, 0.0, "go"),
        ("scores: a deviation higher", 0.05, 1.0, "go"),
    ]
    for kind, slow, shift, mistake in of_all:
        wrong += judged(together(kind, slow, shift, few, random), mistake, fixed)
    print("\n".join(wrong) or "no more wrong decisions than promised, and each in half of the requests or fewer")
    return 1 if wrong else 0


def of_fixed_size(healthy: float, limit: float) -> float:
    """Requests of a test that looks once, at the same risks: the textbook's, by the normal approximation."""
    reach = NormalDist().inv_cdf(1 - RISKS.false_abort), NormalDist().inv_cdf(1 - RISKS.false_go)
    spread = sum(z * math.sqrt(p * (1 - p)) for z, p in zip(reach, (healthy, limit), strict=True))
    return math.ceil((spread / (limit - healthy)) ** 2)


def judged(tally: Tally, mistake: Word, fixed: float) -> list[str]:
    """Print *tally*; what of it breaks a promise."""
    print(tally.line(fixed), flush=True)
    allowed = 0.01 + 3 * math.sqrt(0.01 * 0.99 / tally.canaries)
    share = tally.words.get(mistake, 0) / tally.canaries
    said = [f"{tally.kind}: {share:.2%} {mistake}, {allowed:.2%} are allowed"] if share > allowed else []
    most = fixed * (2 / 3 if "the edge" in tally.kind else 1 / 2)
    if tally.requests / tally.canaries > most:
        said.append(f"{tally.kind}: takes more than {most:,.0f} requests")
    return said


def of_errors(kind: str, rate: float, canaries: int, random: np.random.Generator) -> Tally:
    """Canaries that are asked for their errors alone: many at once, by the bounds that the question has at each look."""
    events, words = np.zeros(canaries, dtype=np.int64), dict[Word, int]()
    requests = 0.0
    for look in range(1, MOST + 1):
        events += random.binomial(EACH, rate, len(events))
        most_go, least_abort = bounds(look * EACH)
        gone, given_up = events <= most_go, events >= least_abort
        ended: list[tuple[Word, np.ndarray]] = [("go", gone), ("abort", given_up)]
        for word, which in ended:
            words[word] = words.get(word, 0) + int(which.sum())
            requests += float(which.sum() * look * EACH)
        events = events[~gone & ~given_up]
        if not len(events):
            break
    words["wait"] = len(events)
    return Tally(kind, canaries, words, requests + len(events) * MOST * EACH)


def bounds(trials: int) -> tuple[int, int]:
    """The most events that let a version go on after *trials*, and the least that give it up; found by asking."""

    def word(events: int) -> Word:
        return Share("errors", EventCounts(events, trials), HEALTHY, LIMIT).word(RISKS)

    return first(lambda k: word(k) != "go", trials) - 1, first(lambda k: word(k) == "abort", trials)


def first(holds: Callable[[int], bool], most: int) -> int:
    """The least number up to *most* for which it *holds*; one more where there is none."""
    low, high = 0, most + 1
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low


def together(kind: str, slow: float, shift: float, canaries: int, random: np.random.Generator) -> Tally:
    """Canaries that are asked for errors, slow answers and scores at once, beside an old version that has nine times the requests."""
    words, requests = dict[Word, int](), 0.0
    for _ in range(canaries):
        word, looks = decided(questions(slow, shift, random))
        words[word] = words.get(word, 0) + 1
        requests += looks * EACH
    return Tally(kind, canaries, words, requests)


def decided(course: Iterable[list[Question]]) -> tuple[Word, int]:
    """The first decision of a *course* of looks, and after how many twenties of requests."""
    look = 0
    for look, asked in enumerate(course, start=1):
        if (word := sequential.decide(asked, RISKS).word) != "wait":
            return word, look * 3
    return "wait", look * 3


def questions(slow: float, shift: float, random: np.random.Generator) -> Iterator[list[Question]]:
    """What is asked at each third look of a canary."""
    edges = np.linspace(-1.5, 1.5, 7)
    errors, looks = 0, list[PairedLook]()
    new, old = np.zeros(7, dtype=np.int64), np.zeros(7, dtype=np.int64)
    for look in range(1, 41):
        trials, before = EACH * 3, EACH * 27
        errors += int(random.binomial(trials, 0.0005))
        looks.append(
            PairedLook(
                EventCounts(int(random.binomial(trials, slow)), trials),
                EventCounts(int(random.binomial(before, 0.05)), before),
            )
        )
        new += (random.normal(shift, 1, trials)[:, None] < edges).sum(axis=0)
        old += (random.normal(0, 1, before)[:, None] < edges).sum(axis=0)
        yield [
            Share("errors", EventCounts(errors, trials * look), HEALTHY, LIMIT),
            Beside("slow", list(looks), healthy=1.0, limit=2.0),
            Distance(
                "scores",
                [EventCounts(int(one), trials * look) for one in new],
                [EventCounts(int(one), before * look) for one in old],
                limit=0.15,
            ),
        ]


if __name__ == "__main__":
    sys.exit(main())
