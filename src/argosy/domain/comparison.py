"""Decides how a candidate stands against the champion, from an interval of their difference; and whether the two may be compared at all.

Differences are candidate minus champion, turned so that more is better. Where the numbers come from is ``ml.paired``' business.
"""

from dataclasses import dataclass

from argosy.domain.evidence import ComparisonResult, GateResult
from argosy.domain.model_settings import EntitySplit, TimeSplit
from argosy.domain.policy import ComparisonPolicy

GATE = "champion"


@dataclass(frozen=True)
class Paired:
    """Scores of both on the same rows, and the interval of their difference."""

    candidate: float
    champion: float
    difference: float
    low: float
    high: float
    p_value: float
    rows: int


def decide(policy: ComparisonPolicy, paired: Paired) -> ComparisonResult:
    """better: the whole interval is above 0. not-inferior: above minus the margin. inferior: below it. Otherwise the sample cannot tell."""
    outcome, reason = _outcome(policy, paired)
    return ComparisonResult(
        metric=policy.metric,
        candidate=paired.candidate,
        champion=paired.champion,
        difference=paired.difference,
        low=paired.low,
        high=paired.high,
        margin=policy.margin,
        rows=paired.rows,
        p_value=paired.p_value,
        outcome=outcome,
        reason=reason,
    )


def impossible(policy: ComparisonPolicy, reason: str, rows: int) -> ComparisonResult:
    """The result where the two cannot be compared; it never promotes."""
    return ComparisonResult(
        metric=policy.metric, candidate=0, champion=0, difference=0, low=0, high=0, margin=policy.margin, rows=rows, p_value=1,
        outcome="inconclusive", reason=reason,
    )  # fmt: skip


def overlap(candidate: EntitySplit | TimeSplit, champion: EntitySplit | TimeSplit) -> str | None:
    """Why the champion may have been trained on rows of the candidate's holdout; None where it cannot have been."""
    if isinstance(candidate, EntitySplit) and isinstance(champion, EntitySplit):
        if candidate.key != champion.key:
            return "the champion's holdout was drawn with another key, so it was trained on rows of this holdout"
        # The hash of an entity is below every larger share too: a smaller holdout lies inside a larger one.
        if candidate.holdout > champion.holdout:
            return "the champion's holdout was smaller, so it was trained on some rows of this one"
        return None
    if isinstance(candidate, TimeSplit) and isinstance(champion, TimeSplit):
        if champion.holdout_from > candidate.holdout_from:
            return f"the champion was trained on rows up to {champion.holdout_from:%Y-%m-%d}, which this holdout begins before"
        return None
    return "the champion's holdout was split in another way, so it may have been trained on rows of this one"


def gate(result: ComparisonResult) -> GateResult:
    """The comparison as one gate among the others."""
    return GateResult(
        gate=GATE,
        dimension="performance",
        passed=result.outcome in ("better", "not-inferior"),
        measured=result.difference,
        limit=f"> -{result.margin:g}",
        reason=result.reason,
        would_pass=None
        if result.outcome in ("better", "not-inferior")
        else f"a {result.metric} whose difference to the champion's is above -{result.margin:g} with confidence",
    )


def _outcome(policy: ComparisonPolicy, paired: Paired) -> tuple[str, str]:
    interval = f"{paired.difference:+.4f} [{paired.low:+.4f}, {paired.high:+.4f}] on {paired.rows:,} rows"
    if paired.rows < policy.minimum_rows:
        return "inconclusive", f"{paired.rows:,} rows to compare on; the policy wants {policy.minimum_rows:,}"
    if paired.low > 0:
        return "better", f"{policy.metric} is better than the champion's: {interval}"
    if paired.low >= -policy.margin:
        return (
            "not-inferior",
            f"{policy.metric} is not worse than the champion's by more than {policy.margin:g}: {interval}",
        )
    if paired.high < -policy.margin:
        return "inferior", f"{policy.metric} is worse than the champion's: {interval}"
    return (
        "inconclusive",
        f"the sample cannot tell whether {policy.metric} is worse than the champion's by more than {policy.margin:g}: {interval}",
    )
