"""How often the champion test is wrong: promotions of what is no better or worse than allowed, intervals that miss, differences found.

    python tests/bench/champion_test.py [--holdouts 400] [--task binary] [--calibrated]

Holdouts of a known population are drawn, for each task, with every row by itself and with entities that have four rows each, and judged as
`evaluate` judges them. Ends 1 where more models are promoted wrongly than the policy's confidence allows, where intervals hold the truth
too seldom, or where the sample size that is told beforehand finds a difference much more seldom than it says (each with what chance allows
on so many holdouts). Beside it stands what drawing rows alone would claim where entities repeat: that is no promise, and not judged.

The worse binary model also decides less often for one group in four. With *--calibrated* the champion of a binary task says what comes
true, so that its calibration error is all noise.
"""

import argparse
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from argosy.domain import comparison, sample_size
from argosy.domain.comparison import Paired
from argosy.domain.model_settings import Task
from argosy.domain.policy import ComparisonPolicy
from argosy.ml import paired, resampling
from argosy.ml.paired import Answers, Contrast
from argosy.ml.resampling import Bootstrap, Units

ROWS, EACH, RESAMPLES, CONFIDENCE, POWER = 600, 4, 300, 0.95, 0.8
ALPHA = (1 - CONFIDENCE) / 2
LEAST_COVERAGE = 0.93
"""A percentile interval of some hundred rows holds the truth a little more seldom than told."""
POPULATION = 200_000
MEASURES: dict[Task, tuple[str, ...]] = {
    "binary": (
        "auc",
        "f1",
        "log_loss",
        "calibration.brier",
        "calibration.ece",
        "fairness.two.demographic_parity_difference",
        "fairness.four.demographic_parity_difference",
        "fairness.four.demographic_parity_ratio",
        "fairness.four.equal_opportunity_difference",
    ),
    "multiclass": ("accuracy", "log_loss", "f1", "calibration.ece"),
    "regression": ("mae", "rmse", "calibration.ece"),
}
ALIKE = 0.95
"""How far two rows of one entity go together, as a correlation's root."""
CALIBRATED = (1.44 / 1.8) / math.sqrt(1 + math.pi / 8 * 1.44 * 0.36 / 1.8)
"""What turns log odds of variance 1.44, seen with noise of variance 0.36, into those of what comes true (MacKay 1992)."""
WORSE = 0.5
"""By how much more the worse model errs."""


@dataclass(frozen=True)
class Holdout:
    """Rows, both models' answers to them, and what belongs together."""

    task: Task
    labels: np.ndarray
    candidate: Answers
    champion: Answers
    groups: dict[str, list[str]]
    units: Units

    def contrasts(self) -> dict[str, Contrast]:
        """Every measurement."""
        found: dict[str, Contrast] = {}
        for name in MEASURES[self.task]:
            kind, dotted, rest = name.partition(".")
            both = (self.labels, self.candidate, self.champion)
            if kind == "fairness":
                attribute, _, measurement = rest.partition(".")
                contrast = paired.of_fairness(self.task, measurement, *both, self.groups[attribute])
                assert contrast is not None
                found[name] = contrast
            else:
                found[name] = (
                    paired.of_calibration(self.task, rest, *both) if dotted else paired.of_score(self.task, name, *both)
                )
        return found

    def compared(self, seed: int, units: Units | None = None) -> dict[str, Paired]:
        """The figures of all that are defined."""
        found = paired.compare_all(self.contrasts(), Bootstrap(CONFIDENCE, RESAMPLES, seed), units or self.units)
        return {name: pair for name, pair in found.items() if pair is not None}


def holdout(
    task: Task, rows: int, each: int, worse: float, random: np.random.Generator, *, calibrated: bool = False
) -> Holdout:
    """*rows* rows, *each* of them to an entity whose rows are much alike; the candidate errs more by *worse*."""
    entities = np.arange(rows) // each

    def shared(shape: tuple[int, ...] = ()) -> np.ndarray:
        own = random.normal(size=(rows, *shape))
        if each == 1:
            return own
        return ALIKE * random.normal(size=(rows // each, *shape))[entities] + math.sqrt(1 - ALIKE**2) * own

    fourth = random.integers(0, 4, rows // each)[entities]
    groups = {"two": np.where(fourth % 2, "a", "b").tolist(), "four": [f"g{place}" for place in fourth]}
    units = resampling.of_rows(rows) if each == 1 else Units(entities, rows // each)
    if task == "regression":
        truth = shared()
        labels = truth + shared()
        one, two = truth + 0.4 * (1 + worse) * shared(), truth + 0.4 * shared()
    elif task == "binary":
        truth = 1.2 * shared()
        labels = (random.random(rows // each)[entities] < _chance(truth)).astype(float)
        one = _chance(truth + 0.6 * (1 + worse) * shared() - worse * (fourth == 3))
        seen = truth + 0.6 * shared()
        two = _chance(CALIBRATED * seen if calibrated else seen)
    else:
        truth = shared((3,))
        labels = np.argmax(truth + random.gumbel(size=(rows // each, 3))[entities], axis=1).astype(float)
        one, two = (_softmax(truth + 0.6 * more * shared((3,))) for more in (1 + worse, 1))
    return Holdout(task, labels, Answers(one), Answers(two), groups, units)


def _chance(logit: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-logit)))


def _softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits)
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def truth_of(task: Task, worse: float, random: np.random.Generator, *, calibrated: bool) -> dict[str, float]:
    """The differences of the whole population."""
    whole = np.ones((1, POPULATION))
    found = holdout(task, POPULATION, 1, worse, random, calibrated=calibrated).contrasts()
    return {name: float(each.differences(whole)[0]) for name, each in found.items()}


def judged(task: Task, each: int, holdouts: int, random: np.random.Generator, *, calibrated: bool) -> Iterator[str]:
    """Print the figures of *task*; what of them breaks a promise. Beside a calibrated champion no candidate is its equal."""
    kind = f"{task}, {'rows' if each == 1 else f'entities of {each} rows'}"
    equal = [] if calibrated else [holdout(task, ROWS, each, 0.0, random) for _ in range(holdouts)]
    even = [one.compared(seed) for seed, one in enumerate(equal)]
    drawn = (holdout(task, ROWS, each, WORSE, random, calibrated=calibrated) for _ in range(holdouts))
    worse = [one.compared(seed) for seed, one in enumerate(drawn)]
    apart = truth_of(task, WORSE, random, calibrated=calibrated)
    chance = 3 * math.sqrt(ALPHA * (1 - ALPHA) / holdouts)
    loose = 3 * math.sqrt(LEAST_COVERAGE * (1 - LEAST_COVERAGE) / holdouts)
    for name in MEASURES[task]:
        smooth = not name.endswith(("ece", "difference", "ratio"))
        pairs, lower = [one[name] for one in even if name in one], [one[name] for one in worse if name in one]
        better = share(one.low > 0 for one in pairs)
        # The worse model is worse by just the margin: any promotion is a wrong one.
        margin = -apart[name]
        passed = share(one.low >= -margin for one in lower) if margin > 0 else 0.0
        covered = (
            share(one.low <= 0 <= one.high for one in pairs),
            share(one.low <= -margin <= one.high for one in lower),
        )
        print(
            f"{kind:<32} {name:<38} better on A/A {better:6.2%}  promoted at the margin {passed:6.2%}"
            f"  covered {covered[0]:6.1%} equal, {covered[1]:6.1%} worse",
            flush=True,
        )
        if np.nanmax([better, passed]) > ALPHA + chance + (0 if smooth else 0.01):
            yield f"{kind}, {name}: {np.nanmax([better, passed]):.2%} promoted wrongly, {ALPHA + chance:.2%} are allowed"
        if covered[0] < LEAST_COVERAGE - loose or (smooth and covered[1] < LEAST_COVERAGE - loose):
            yield f"{kind}, {name}: intervals hold the truth in {min(covered):.1%}"
    if calibrated:
        return
    yield from improved(kind, even, chance)
    if each > 1:
        naive = [one.compared(seed, resampling.of_rows(ROWS)) for seed, one in enumerate(equal)]
        for name in MEASURES[task][:2]:
            held = share(one[name].low <= 0 <= one[name].high for one in naive)
            print(f"{kind:<32} {name:<38} drawn by rows all the same, intervals would hold the truth in {held:.1%}")
    yield from powered(kind, task, each, worse, apart, holdouts, random)


def improved(kind: str, even: list[dict[str, Paired]], chance: float) -> Iterator[str]:
    """How often a model that is equal in everything counts as better in something."""
    policy = ComparisonPolicy(metric="m", margin=0.0, confidence=CONFIDENCE)
    results = [[comparison.decide(policy, pair) for pair in one.values()] for one in even]
    adjusted = share(comparison.improves_gate(policy, each).passed for each in results)
    plain = share(any(pair.low > 0 for pair in one.values()) for one in even)
    print(f"{kind:<32} better in one at least, of equal models: {adjusted:.2%} by Holm, {plain:.2%} without")
    if adjusted > ALPHA + chance + 0.01:
        yield f"{kind}: {adjusted:.2%} of equal models are better in something"


def powered(
    kind: str,
    task: Task,
    each: int,
    first: list[dict[str, Paired]],
    apart: dict[str, float],
    holdouts: int,
    random: np.random.Generator,
) -> Iterator[str]:
    """The power curve of the first score: how often a better model is found, beside what is told before."""
    name = MEASURES[task][0]
    error = float(np.mean([one[name].error for one in first if name in one]))
    needed = sample_size.rows_needed(ROWS, error, abs(apart[name]), CONFIDENCE, POWER) or ROWS
    for part in (0.25, 0.5, 1.0, 2.0):
        rows = max(4 * EACH, int(needed * part) // EACH * EACH)
        lower = [holdout(task, rows, each, WORSE, random).compared(seed) for seed in range(holdouts // 2)]
        found = share(one[name].high < 0 for one in lower if name in one)
        told = 1 - sample_size.tail(
            sample_size.NORMAL.inv_cdf(1 - ALPHA) - abs(apart[name]) / (error * math.sqrt(ROWS / rows))
        )
        print(
            f"{kind:<32} {name}: of {rows:>6,} rows a difference of {abs(apart[name]):.4f} is found in {found:4.0%}, told {told:4.0%}"
        )
        if part == 1.0 and abs(found - told) > 0.1 + 3 * math.sqrt(POWER * (1 - POWER) / len(lower)):
            yield f"{kind}: {found:.0%} found where {told:.0%} was told"


def share(hits: Iterator[bool]) -> float:
    """Of *hits*, those that are; NaN of none."""
    found = list(hits)
    return float(np.mean(found)) if found else math.nan


def main() -> int:
    """Simulate, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--holdouts", type=int, default=400, help="of each kind")
    parser.add_argument("--task", choices=list(MEASURES))
    parser.add_argument("--calibrated", action="store_true", help="the champion is; of a binary task only")
    asked, random = parser.parse_args(), np.random.default_rng(11)
    tasks = ["binary"] if asked.calibrated else [asked.task] if asked.task else list(MEASURES)
    wrong = [
        text
        for task in tasks
        for each in (1, EACH)
        for text in judged(task, each, asked.holdouts, random, calibrated=asked.calibrated)
    ]
    print("\n".join(wrong) or "no more wrong promotions than promised, and intervals that hold the truth as told")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
