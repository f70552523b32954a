"""Decides how a candidate stands against the champion, from an interval of their difference; and whether the two may be compared at all.

Differences are candidate minus champion, turned so that more is better. Where the numbers come from is ``ml.paired``' business.
"""

import datetime
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from argosy.domain import figures, multiplicity
from argosy.domain.evidence import ComparisonResult, GateResult, Table
from argosy.domain.model_settings import EntitySplit, TimeSplit
from argosy.domain.policy import ComparisonPolicy

Outcome = Literal["better", "not-inferior", "inferior", "inconclusive"]

GATE = "champion"
RECENT_GATE = "champion-on-recent-rows"
COMPARED = frozenset({GATE, RECENT_GATE})
"""Gates that hold a model against another one, and not a measurement against a limit."""
UNBOUNDED = 1e9
"""Stands for an interval's missing end, as JSON has no infinity."""


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
        low=max(paired.low, -UNBOUNDED),
        high=min(paired.high, UNBOUNDED),
        margin=policy.margin,
        rows=paired.rows,
        p_value=paired.p_value,
        outcome=outcome,
        reason=reason,
    )


def impossible(policy: ComparisonPolicy, reason: str, rows: int) -> ComparisonResult:
    """The result where the two cannot be compared; it never promotes."""
    return ComparisonResult(
        metric=policy.metric,
        candidate=0,
        champion=0,
        difference=0,
        low=0,
        high=0,
        margin=policy.margin,
        rows=rows,
        p_value=1,
        outcome="inconclusive",
        reason=reason,
        compared=False,
    )


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
        if champion.holdout_until and (not candidate.holdout_until or champion.holdout_until < candidate.holdout_until):
            return f"the champion was trained on rows from {champion.holdout_until:%Y-%m-%d} on, which this holdout ends after"
        return None
    return "the champion's holdout was split in another way, so it may have been trained on rows of this one"


def recent_overlap(
    after: datetime.datetime, champion: EntitySplit | TimeSplit, trained_until: datetime.datetime | None
) -> str | None:
    """Why the champion may have been trained on rows later than *after*; None where it cannot have been.

    *trained_until*: the newest row it was trained on, where its bundle says so.
    """
    if trained_until is None and isinstance(champion, TimeSplit) and champion.holdout_until is None:
        trained_until = champion.holdout_from
    if trained_until is None:
        return "the champion does not say up to when it was trained, as earlier releases made it; no recent row is proven new to it"
    if trained_until > after:
        return (
            f"the champion was trained on rows up to {trained_until:%Y-%m-%d %H:%M}, and the recent rows begin at {after:%Y-%m-%d %H:%M}; "
            "newer labelled rows, or a shorter `evaluation.recent`, would be new to it"
        )
    return None


def recent_gate(policy: ComparisonPolicy, result: ComparisonResult) -> GateResult:
    """The comparison on the newest labelled rows as a gate: the whole interval above 0, for equal is not enough there."""
    passed = result.outcome == "better"
    return GateResult(
        gate=RECENT_GATE,
        dimension="performance",
        passed=passed,
        measured=result.low if result.compared else None,
        limit="> 0",
        reason=result.reason,
        would_pass=None if passed else _would_beat(policy, result),
    )


def _would_beat(policy: ComparisonPolicy, result: ComparisonResult) -> str:
    if not result.compared:
        return "labelled rows that are newer than all that the champion was trained on, and that both models can answer"
    if result.rows < policy.minimum_rows:
        return f"{policy.minimum_rows:,} labelled rows or more in `evaluation.recent`; there are {result.rows:,}"
    return f"{result.metric} different from the champion's by {figures.signed(result.difference - result.low)} or more, on rows like these"


def gate(policy: ComparisonPolicy, result: ComparisonResult) -> GateResult:
    """The comparison as one gate among the others: the low end of the interval against the margin."""
    passed = result.outcome in ("better", "not-inferior")
    told = result.compared and (passed or result.low < -result.margin)
    return GateResult(
        gate=GATE,
        dimension="performance",
        passed=passed,
        measured=result.low if told else None,
        limit=f">= {-result.margin:.10g}",
        reason=result.reason,
        would_pass=None if passed else _would_pass(policy, result),
    )


def _would_pass(policy: ComparisonPolicy, result: ComparisonResult) -> str:
    if not result.compared:
        return "a champion and a holdout that can be compared; more rows do not help"
    if result.low >= -result.margin or result.rows < policy.minimum_rows:
        return f"{policy.minimum_rows:,} rows or more that both models can answer and neither was trained on"
    # The interval is taken to move with the difference.
    needed = result.difference - result.low - result.margin
    return f"{result.metric} different from the champion's by {figures.signed(needed)} or more, on rows like these"


def beside(scores: Mapping[str, Paired]) -> Table:
    """The scores that are compared without gating, with p-values adjusted for being several."""
    adjusted = multiplicity.holm([paired.p_value for paired in scores.values()])
    return Table(
        title="Other scores against the champion",
        dimension="performance",
        header=["Score", "Candidate", "Champion", "Better by", "p (Holm)"],
        rows=[
            [
                metric,
                *map(figures.number, (paired.candidate, paired.champion)),
                interval(paired),
                figures.number(p_value),
            ]
            for (metric, paired), p_value in zip(scores.items(), adjusted, strict=True)
        ],
    )


def _outcome(policy: ComparisonPolicy, paired: Paired) -> tuple[Outcome, str]:
    figures = f"{interval(paired)} on {paired.rows:,} rows"
    margin = f"by more than {policy.margin:.10g}"
    if paired.rows < policy.minimum_rows:
        return "inconclusive", f"{paired.rows:,} rows to compare on; the policy wants {policy.minimum_rows:,}"
    if paired.low > 0:
        return "better", f"{policy.metric} is better than the champion's: {figures}"
    if paired.low >= -policy.margin:
        return "not-inferior", f"{policy.metric} is not worse than the champion's {margin}: {figures}"
    if paired.high < -policy.margin:
        return "inferior", f"{policy.metric} is worse than the champion's {margin}: {figures}"
    return (
        "inconclusive",
        f"the sample cannot tell whether {policy.metric} is worse than the champion's {margin}: {figures}",
    )


def interval(paired: Paired | ComparisonResult) -> str:
    """The difference and its confidence interval."""
    return f"{figures.signed(paired.difference)} [{_end(paired.low)}, {_end(paired.high)}]"


def _end(value: float) -> str:
    """An end of an interval; it may have none."""
    return figures.signed(math.copysign(math.inf, value) if abs(value) >= UNBOUNDED else value)
