"""The cause of a retraining, made from the looks at the model that is to be replaced.

An alert only says that something is wrong; which columns moved, by how much and from when is taken from the looks, which anybody can check,
and never from the alert's own texts.
"""

import datetime
import itertools
from collections.abc import Iterator, Sequence

from argosy.domain import figures, retraining_cause
from argosy.domain.drift import Finding
from argosy.domain.looks import Look
from argosy.domain.performance_report import Performance
from argosy.domain.retraining_cause import Alert, Cause, Kind, MovedColumn, PerformanceChange

DISTANCE = "Jensen-Shannon distance"
MISSING = "share missing"
TELLING = 0.05
"""From so much more or less of a column missing on, that is said too."""


def of_looks(
    kind: Kind,
    looks: Sequence[Look],
    *,
    alert: Alert | None = None,
    admission: str | None = None,
) -> Cause:
    """The cause, as *looks* (oldest first) show it; the last is the one that counts."""
    if not looks:
        return Cause(kind=kind, alert=alert, admission=admission)
    look = looks[-1]
    return Cause(
        kind=kind,
        alert=alert,
        environment=look.environment,
        model_digest=look.model_digest,
        since=look.since,
        until=look.until,
        began=_began(looks),
        columns=list(itertools.islice(_moved(look), retraining_cause.MOST_COLUMNS)),
        performance=_performance(look.performance),
        explanation=retraining_cause.shortened(_explanation(kind, look)),
        admission=admission,
    )


def _began(looks: Sequence[Look]) -> datetime.datetime | None:
    """The end of the last look before which nothing had moved yet; None where the newest shows no drift."""
    moved = list(itertools.takewhile(lambda each: each.verdict == "drift", reversed(looks)))
    if not moved:
        return None
    before = [each.until for each in looks if each.until < moved[-1].until and each.verdict == "no drift"]
    return max([moved[-1].since, *before[-1:]])


def _moved(look: Look) -> Iterator[MovedColumn]:
    """The mean prediction, then what drifted, the farthest moved first."""
    mean = look.report.mean
    if mean is not None and mean.drifted:
        size = "" if mean.relative is None else f"{mean.relative:+.0%}"
        yield MovedColumn(
            column=retraining_cause.shortened(look.report.about.score, 200),
            measure="mean",
            before=mean.before,
            now=mean.mean,
            explanation=size,
        )
    for part, finding in look.drifted:
        yield from _of_finding(part, finding)


def _of_finding(part: str, finding: Finding) -> Iterator[MovedColumn]:
    difference = finding.difference
    column = retraining_cause.shortened(f"{difference.column} ({part})" if part else difference.column, 200)
    yield MovedColumn(
        column=column,
        measure=DISTANCE,
        before=finding.usual,
        now=difference.jensen_shannon,
        explanation=f"p {finding.adjusted_p:.1g}, PSI {figures.number(difference.psi)}",
    )
    if abs(difference.missing - difference.missing_before) >= TELLING:
        yield MovedColumn(column=column, measure=MISSING, before=difference.missing_before, now=difference.missing)


def _performance(found: Performance | None) -> PerformanceChange | None:
    """The metric that is below its gate, or else the first that has one."""
    if found is None:
        return None
    for score in [*found.below, *found.gated()]:
        return PerformanceChange(metric=score.metric, before=score.approved, now=score.value)
    return None


def _explanation(kind: Kind, look: Look) -> str:
    if kind == "performance" and look.performance is not None:
        return look.performance.explanation
    return look.explanation
