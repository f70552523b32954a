"""What a holdout can show of the next candidate against the champion, in lines for a terminal."""

import math
from collections.abc import Iterator

from argosy.domain import figures, sample_size
from argosy.domain.evidence import Evidence, SampleSize
from argosy.domain.policy import ComparisonPolicy, Margin


def lines(policy: ComparisonPolicy, evidence: Evidence, rows: int | None) -> Iterator[str]:
    """A line for each measurement that *policy* compares. *rows*: held out next time; as many as *evidence* had where it is None."""
    known = {each.metric: each for each in _known(policy, evidence)}
    rules: list[ComparisonPolicy | Margin] = [policy, *policy.margins]
    for rule in rules:
        size = known.get(rule.metric)
        if size is None:
            yield f"{rule.metric}: the evidence in production does not say how far it varies; the next evaluation will"
            continue
        yield _line(policy, rule, size, rows or size.rows)


def _known(policy: ComparisonPolicy, evidence: Evidence) -> list[SampleSize]:
    """What the evidence tells; of earlier Argosys by the interval that it has."""
    result = evidence.comparison
    if evidence.sample or result is None or not result.compared:
        return evidence.sample
    error = sample_size.error_of_interval(result.low, result.high, policy.confidence)
    return [SampleSize(metric=result.metric, rows=result.rows, error=error, paired=True)]


def _line(policy: ComparisonPolicy, rule: ComparisonPolicy | Margin, size: SampleSize, rows: int) -> str:
    error = size.error * math.sqrt(size.rows / rows)
    shown = sample_size.smallest_shown(error, policy.confidence, policy.power)
    most = "" if size.paired else " at most (two models that err independently)"
    head = f"{rule.metric}: {rows:,} rows show a difference of {figures.number(shown)}{most} in {policy.power:.0%} of cases"
    if rule.goal == "better":
        return f"{head}; the policy asks for a better one"
    needed = sample_size.rows_needed(rows, error, rule.margin, policy.confidence, policy.power)
    if needed is None:
        return f"{head}; a margin of 0 is shown by no number of rows where both are equal"
    enough = "enough" if needed <= rows else "too few"
    return f"{head}; for the margin of {rule.margin:.10g} it takes {needed:,} rows: {enough}"
