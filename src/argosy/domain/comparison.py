"""Decides how a candidate stands against the champion, from an interval of their difference; and whether the two may be compared at all.

Differences are candidate minus champion, turned so that more is better. Where the numbers come from is ``ml.paired``' business.

A policy may ask this of several measurements, and all must hold. Then a model that is worse by more than a margin passes as seldom as if
that one alone were asked, so nothing is adjusted for it (Berger 1982). What comes up by chance among several is a model called inferior,
and one called better in something: those two are adjusted by Holm's method.
"""

import datetime
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from argosy.domain import figures, multiplicity, sample_size
from argosy.domain.evidence import ComparisonResult, GateResult, SampleSize, ShownDifference, Table
from argosy.domain.model_settings import EntitySplit, TimeSplit
from argosy.domain.policy import ComparisonPolicy

Outcome = Literal["better", "not-inferior", "inferior", "inconclusive"]

GATE = "champion"
RECENT_GATE = "champion-on-recent-rows"
IMPROVES_GATE = "champion-improves"
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
    entities: int | None = None
    """What was drawn as a whole; None where each row is one by itself."""
    error: float | None = None
    """Standard error of the difference; None in figures of earlier Argosys."""


def gate_name(metric: str) -> str:
    """The gate that holds *metric* against the champion's: a bare score is the one that the policy names first."""
    return f"{GATE}:{metric}" if "." in metric else GATE


def is_compared(gate: str) -> bool:
    """True for a gate that holds a model against another one, and not a measurement against a limit."""
    return gate in {GATE, RECENT_GATE, IMPROVES_GATE} or gate.startswith(f"{GATE}:")


def decide(policy: ComparisonPolicy, paired: Paired) -> ComparisonResult:
    """better: the whole interval is above 0. not-inferior: above minus the margin. inferior: below it. Otherwise the sample cannot tell."""
    outcome, reason = _outcome(policy, paired)
    error = paired.error if paired.error is not None and math.isfinite(paired.error) else None
    power = (policy.confidence, policy.power)
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
        goal=policy.goal,
        entities=paired.entities,
        error=error,
        smallest_shown=None if error is None else sample_size.smallest_shown(error, *power),
        rows_for_margin=None if error is None else sample_size.rows_needed(paired.rows, error, policy.margin, *power),
    )


def settle(policy: ComparisonPolicy, results: Sequence[ComparisonResult]) -> list[ComparisonResult]:
    """*results*, all that were asked at once, with those that are called inferior by chance alone turned to inconclusive."""
    told = [each for each in results if each.compared and each.error is not None]
    adjusted = dict(
        zip((each.metric for each in told), multiplicity.holm([_chance_if_within(each) for each in told]), strict=True)
    )
    several = len(told) > 1
    return [
        _by_chance(each, adjusted[each.metric], len(told))
        if several and each.outcome == "inferior" and adjusted.get(each.metric, 0) > _tail(policy)
        else each
        for each in results
    ]


def _by_chance(result: ComparisonResult, p_value: float, asked: int) -> ComparisonResult:
    why = f"one of {asked} comparisons is that low by chance (p {figures.number(p_value)} by Holm)"
    return result.model_copy(update={"outcome": "inconclusive", "reason": f"{result.reason}; but {why}"})


def improves_gate(policy: ComparisonPolicy, results: Sequence[ComparisonResult]) -> GateResult:
    """Whether the candidate is better in one of *results*, all that gate, at least: the smallest p-value, adjusted for their number."""
    told = [each for each in results if each.compared and each.error is not None]
    adjusted = multiplicity.holm([_chance_if_equal(each) for each in told])
    best = min(zip(adjusted, (each.metric for each in told), strict=True), default=(None, ""))
    passed = best[0] is not None and best[0] <= _tail(policy)
    names = ", ".join(each.metric for each in results)
    return GateResult(
        gate=IMPROVES_GATE,
        dimension="performance",
        passed=passed,
        measured=best[0],
        limit=f"<= {_tail(policy):.10g}",
        reason=f"better in {best[1]}, counting that {len(told)} were asked"
        if passed
        else f"better in none of {names}, counting that {len(results)} were asked",
        would_pass=None
        if passed
        else "a measurement that is better beyond chance, once all that are asked are counted (Holm)",
    )


def _chance_if_within(result: ComparisonResult) -> float:
    """The chance of a difference this low where the candidate is worse by just the margin."""
    return _chance(result.difference + result.margin, result)


def _chance_if_equal(result: ComparisonResult) -> float:
    """The chance of a difference this high where the candidate is no better."""
    return _chance(-result.difference, result)


def _chance(distance: float, result: ComparisonResult) -> float:
    """Of a standard normal number below *distance* in standard errors; what does not vary is certain."""
    if not result.error:
        return 1.0 if distance >= 0 else 0.0
    return sample_size.tail(distance / result.error)


def _tail(policy: ComparisonPolicy) -> float:
    """How often an interval may lie too far to one side."""
    return (1 - policy.confidence) / 2


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


def overlap(
    candidate: EntitySplit | TimeSplit,
    champion: EntitySplit | TimeSplit,
    *,
    entities: tuple[Sequence[str], Sequence[str]],
) -> str | None:
    """Why the champion may have been trained on rows of the candidate's holdout; None where it cannot have been.

    *entities*: the columns whose values name an entity, of the candidate and of the champion.
    """
    if isinstance(candidate, EntitySplit) and isinstance(champion, EntitySplit):
        ours, theirs = map(list, entities)
        if ours != theirs:
            return (
                f"the champion's holdout was drawn by {' and '.join(theirs)}, this one by {' and '.join(ours)}, so it was trained on rows "
                "of this one"
            )
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


def gates(policy: ComparisonPolicy, result: ComparisonResult, margins: Sequence[ComparisonResult]) -> list[GateResult]:
    """The gates of all that *policy* compares: *result* by the score that it names first, *margins* by the others, in its order."""
    found = [
        gate(policy, result),
        *(gate(policy.of(rule), each) for rule, each in zip(policy.margins, margins, strict=True)),
    ]
    return [*found, *([improves_gate(policy, [result, *margins])] if policy.improves else [])]


def gate(policy: ComparisonPolicy, result: ComparisonResult) -> GateResult:
    """The comparison as one gate among the others: the low end of the interval against the margin, or above 0 where it must be better."""
    passed = result.outcome in (("better",) if policy.goal == "better" else ("better", "not-inferior"))
    least = 0.0 if policy.goal == "better" else -result.margin
    told = result.compared and (passed or result.low < least or policy.goal == "better")
    dimension, dotted, _ = result.metric.partition(".")
    return GateResult(
        gate=gate_name(result.metric),
        dimension=dimension if dotted else "performance",
        passed=passed,
        measured=result.low if told else None,
        limit="> 0" if policy.goal == "better" else f">= {-result.margin:.10g}",
        reason=result.reason,
        would_pass=None if passed else _would_pass(policy, result, least),
    )


def _would_pass(policy: ComparisonPolicy, result: ComparisonResult, least: float) -> str:
    if not result.compared:
        return "a champion and a holdout that can be compared; more rows do not help"
    if result.entities is not None and result.entities < policy.minimum_entities:
        return f"{policy.minimum_entities:,} entities or more; there are {result.entities:,}, with {result.rows:,} rows"
    if result.low > least or (result.low == least and policy.goal != "better") or result.rows < policy.minimum_rows:
        return f"{policy.minimum_rows:,} rows or more that both models can answer and neither was trained on"
    # The interval is taken to move with the difference.
    needed = result.difference - result.low + least
    words = f"{result.metric} different from the champion's by {figures.signed(needed)} or more, on rows like these"
    if policy.goal == "better" or result.outcome != "inconclusive" or result.rows_for_margin is None:
        return words
    return f"{words}; or {result.rows_for_margin:,} rows of an equal model, for {policy.power:.0%} of them"


def shown(found: Mapping[str, Paired]) -> list[ShownDifference]:
    """What is said of both models besides, by name; no gate goes by it."""
    return [
        ShownDifference(
            metric=metric,
            candidate=paired.candidate,
            champion=paired.champion,
            difference=paired.difference,
            low=max(paired.low, -UNBOUNDED),
            high=min(paired.high, UNBOUNDED),
        )
        for metric, paired in found.items()
    ]


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
    figures = f"{interval(paired)} on {_sample(paired)}"
    margin = f"by more than {policy.margin:.10g}"
    if paired.rows < policy.minimum_rows:
        return "inconclusive", f"{paired.rows:,} rows to compare on; the policy wants {policy.minimum_rows:,}"
    if paired.entities is not None and paired.entities < policy.minimum_entities:
        wanted = f"the policy wants {policy.minimum_entities:,}"
        return "inconclusive", f"{paired.entities:,} entities to compare on, of {paired.rows:,} rows; {wanted}"
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


def _sample(paired: Paired) -> str:
    return f"{paired.rows:,} rows{f' of {paired.entities:,} entities' if paired.entities is not None else ''}"


def interval(paired: Paired | ComparisonResult | ShownDifference) -> str:
    """The difference and its confidence interval."""
    return f"{figures.signed(paired.difference)} [{_end(paired.low)}, {_end(paired.high)}]"


def _end(value: float) -> str:
    """An end of an interval; it may have none."""
    return figures.signed(math.copysign(math.inf, value) if abs(value) >= UNBOUNDED else value)


def adjusted(results: Sequence[ComparisonResult]) -> list[float]:
    """The p-values of *results*, adjusted for their number; of one alone its own."""
    return multiplicity.holm([each.p_value for each in results])


def asked(result: ComparisonResult) -> str:
    """What the policy asks of the difference, in a word or two."""
    return "above 0" if result.goal == "better" else f"{-result.margin:.10g} or more"


def told(result: ComparisonResult) -> list[str]:
    """What the sample was, and how small a difference it can show: a sentence each."""
    drawn = (
        [f"Rows of one entity were drawn together: {result.rows:,} rows of {result.entities:,} entities."]
        if result.entities is not None
        else []
    )
    if not result.smallest_shown:
        return drawn
    shows = f"A holdout like this shows a difference of {figures.number(result.smallest_shown)} in {result.metric}"
    takes = (
        f"; to show an equal model not worse than the margin it takes {result.rows_for_margin:,} rows"
        if result.rows_for_margin is not None and result.goal != "better"
        else ""
    )
    return [*drawn, f"{shows}{takes}."]


def next_time(size: SampleSize) -> str:
    """What the next run can be told of *size*, in a sentence."""
    return (
        f"Standard error of a difference in {size.metric} on {size.rows:,} rows: {figures.number(size.error)}"
        f"{'' if size.paired else ' at most, for models that err independently'}."
    )
