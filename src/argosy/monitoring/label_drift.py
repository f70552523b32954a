"""Holds the labels that came for a version's predictions against the labels of its holdout.

By the same distance, test and limits as features and scores. Labels have no seasons in a model's reference, so nothing is said of a model
that is watched by another baseline than its holdout.
"""

from argosy.domain import drift, figures
from argosy.domain.bundle import Histogram
from argosy.domain.drift import FEWEST_REFERENCE, Finding, Thresholds
from argosy.domain.monitor_settings import Monitor
from argosy.domain.performance_report import LabelDrift
from argosy.ml import drift as measures
from argosy.ml import drift_measures

NO_CHANCE = 1e-6
"""Probability of a window, below which it is no chance."""


def of(now: Histogram, reference: Histogram, monitor: Monitor) -> LabelDrift | None:
    """The labels *now* against those of *reference*, in the same bins; None where there are too few of either to say."""
    rows, before = sum(now.counts), sum(reference.counts)
    if monitor.baseline != "holdout" or rows < monitor.minimum_rows or before < FEWEST_REFERENCE:
        return None
    thresholds = Thresholds(minimum_rows=monitor.minimum_rows, **dict(monitor.thresholds))
    difference = measures.difference(now, reference, drift_measures.named(thresholds.own))
    (finding,), _ = drift.judge([difference], None, thresholds)
    return LabelDrift(rows=rows, rows_before=before, finding=finding, explanation=_said(finding, now, reference))


def of_one_kind(now: Histogram, reference: Histogram) -> str:
    """Why the labels *now* are no measure: all are of one kind, which by those of *reference* is no chance. Empty where they are not.

    A file whose words for a class have changed says that nothing ever happens. By such labels every model is below its gate.
    """
    rows, before = sum(now.counts), sum(reference.counts)
    if not rows or rows not in now.counts:
        return ""
    place = now.counts.index(rows)
    share = (reference.counts[place] + 1) / (before + 1)  # one more than was seen: nothing is impossible
    if share**rows >= NO_CHANCE:
        return ""
    kind = repr(now.levels[place]) if now.levels and place < len(now.levels) else "in one place"
    return (
        f"all {rows:,} labels are {kind}, and of the holdout's {1 - share:.1%} were not: no gate is held against them; look at the source "
        "of labels, and at `labels.sql`"
    )


def _said(finding: Finding, now: Histogram, reference: Histogram) -> str:
    word = "drift" if finding.drifted else "no drift"
    distance = (
        f"Jensen-Shannon distance {figures.number(finding.difference.jensen_shannon)} of labels from the holdout's"
    )
    return f"{word}: {distance}, the limit is {figures.number(finding.limit)}{finding.own_words}{_most_moved(now, reference)}"


def _most_moved(now: Histogram, reference: Histogram) -> str:
    """The class whose share moved most, with both shares; nothing of a number."""
    if not now.levels:
        return ""
    shares = [
        (count / sum(now.counts), was / sum(reference.counts), level)
        for level, count, was in zip(now.levels, now.counts, reference.counts, strict=False)
    ]
    share, was, level = max(shares, key=lambda each: abs(each[0] - each[1]))
    return f"; {level} was {was:.1%} and is {share:.1%}"
