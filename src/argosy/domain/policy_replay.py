"""A verdict of before, asked again under another policy: what would have become of the model.

Pure: the evidence of then, the gates of now. What was measured does not change with a limit, so every gate can be asked again; a
comparison can where the interval it was decided by is the one that the policy asks for.
"""

import datetime
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from argosy.domain import column_health, comparison, gates, measuring, verdicts
from argosy.domain.comparison import Paired
from argosy.domain.evidence import ComparisonResult, Evidence, GateResult, VerdictWord
from argosy.domain.measuring import AS_EVER
from argosy.domain.policy import ComparisonPolicy, Policy

NO_GATE, HOLDS, FAILS, ACCEPTED, OVERRIDDEN = "no gate", "holds", "fails", "accepted deviation", "overridden"
PROVENANCE = "provenance"
"""What production asks beside the gates, by the policy's word."""
FOUND = {gates.PARITY, column_health.GATE}
"""Gates that no policy sets: what they found stays found."""


@dataclass(frozen=True)
class GateChange:
    """A gate that says something else under the policy of now."""

    gate: str
    was: str
    would_be: str
    """Each one of the words above."""
    why: str
    """What is measured, and against which bound."""


@dataclass(frozen=True)
class PolicyReplay:
    """What the policy of now says of evidence of then."""

    was: VerdictWord
    would_be: VerdictWord | None
    """None where the evidence cannot tell."""
    why: str
    changes: Sequence[GateChange]

    @property
    def flips(self) -> bool:
        """Whether the model would be promoted where it was not, or not where it was."""
        return self.would_be is not None and (self.was == "promote") != (self.would_be == "promote")


def replay(evidence: Evidence, policy: Policy, judged_by: Policy | None, day: datetime.date) -> PolicyReplay:
    """Ask *evidence* again under *policy* as on *day*, by which deviations may have run out.

    *judged_by*: the policy of then, which alone says at which confidence the models were compared; None where it is lost.
    """
    if evidence.verdict == "champion":
        return PolicyReplay(evidence.verdict, evidence.verdict, evidence.explanation, [])
    otherwise = _measured_otherwise(evidence, policy)
    rules, found = policy.comparison, _Compared(evidence.comparison, evidence.margins, _recent(evidence))
    untold = _untold(found, rules, judged_by.comparison if judged_by else None)
    if not untold:
        found = found.again(rules)
    asked = [
        *(gate for gate in gates.judge(policy, evidence.metrics, day) if gate.gate not in otherwise),
        *(gate for gate in evidence.gates if gate.gate in FOUND or (untold and comparison.is_compared(gate.gate))),
        *([] if untold else found.gates(rules)),
    ]
    asked = gates.past(asked, evidence.champion.overrides or [], evidence.model_digest, day)
    verdict, why = verdicts.decide(
        model_digest=evidence.model_digest,
        champion=evidence.champion,
        gates=asked,
        comparison=found.holdout,
        margins=found.margins,
        recent=found.recent,
    )
    refused = [*_of_provenance(evidence, policy)]
    told = [gate for gate in evidence.gates if gate.gate not in otherwise]
    changes = [*_changes(told, asked), *refused]
    untold = untold or next(iter(otherwise.values()), "")
    if untold and verdict != "reject":  # a gate that fails decides, whatever a comparison would say
        return PolicyReplay(evidence.verdict, None, untold, changes)
    if verdict == "promote" and any(change.would_be == FAILS for change in refused):
        return PolicyReplay(evidence.verdict, "reject", refused[0].why, changes)
    return PolicyReplay(evidence.verdict, verdict, why, changes)


@dataclass(frozen=True)
class _Compared:
    """The candidate against the champion, as the evidence has it or as it would be judged now."""

    holdout: ComparisonResult | None
    margins: Sequence[ComparisonResult]
    recent: ComparisonResult | None

    def again(self, rules: ComparisonPolicy) -> "_Compared":
        """The same figures, judged by *rules*."""
        if self.holdout is None:
            return _Compared(None, [], _again(self.recent, rules))
        was = {each.metric: each for each in self.margins}
        asked = [_again(self.holdout, rules), *(_again(was[each.metric], rules.of(each)) for each in rules.margins)]
        first, *others = comparison.settle(rules, [each for each in asked if each])
        return _Compared(first, others, _again(self.recent, rules))

    def gates(self, rules: ComparisonPolicy) -> Iterator[GateResult]:
        """What follows for each gate."""
        if self.holdout is not None:
            yield from comparison.gates(rules, self.holdout, self.margins)
        if self.recent is not None:
            yield comparison.recent_gate(rules, self.recent)


def _recent(evidence: Evidence) -> ComparisonResult | None:
    """The comparison on recent rows where it gated."""
    return evidence.recent if evidence.cause is not None and evidence.cause.must_be_better else None


def _measured_otherwise(evidence: Evidence, policy: Policy) -> dict[str, str]:
    """The measurements that *policy* limits and would have taken by other sizes, each with why the evidence cannot tell."""
    was = evidence.measuring or AS_EVER
    found = {
        bound.metric: next(measuring.differences(was, policy.measuring, bound.metric), "")
        for bound in (*policy.limits, *policy.deviations)
    }
    return {metric: f"{why}: only another evaluation tells {metric}" for metric, why in found.items() if why}


def _untold(found: _Compared, now: ComparisonPolicy, then: ComparisonPolicy | None) -> str:
    """Why the evidence cannot say what a comparison would have come to; empty where it can."""
    result, measured = found.holdout, {each.metric for each in found.margins}
    if result is None or not result.compared:
        return ""
    if now.metric != result.metric:
        return f"the models were compared by {result.metric}, and the policy asks for {now.metric}: only another evaluation tells"
    if unknown := [each.metric for each in now.margins if each.metric not in measured]:
        return (
            f"the models were not compared by {unknown[0]}, and the policy asks for it: only another evaluation tells"
        )
    if then is None:
        return "the policy of then is not in the repository, and with it the confidence that the interval was drawn at"
    if now.confidence != then.confidence:
        return (
            f"the interval was drawn at {then.confidence:g}, and the policy asks for {now.confidence:g}: "
            "only another evaluation tells"
        )
    if now.entity != then.entity:
        return "the interval was drawn by other entities than the policy asks for: only another evaluation tells"
    return ""


def _again(result: ComparisonResult | None, rules: ComparisonPolicy) -> ComparisonResult | None:
    if result is None or not result.compared:
        return result
    paired = Paired(
        candidate=result.candidate,
        champion=result.champion,
        difference=result.difference,
        low=result.low,
        high=result.high,
        p_value=result.p_value,
        rows=result.rows,
        entities=result.entities,
        error=result.error,
    )
    return comparison.decide(rules, paired)


def _changes(before: Sequence[GateResult], after: Sequence[GateResult]) -> Iterator[GateChange]:
    old, new = ({_name(gate): gate for gate in found} for found in (before, after))
    for name in {**old, **new}:
        was, would_be = _word(old.get(name)), _word(new.get(name))
        if was != would_be:
            yield GateChange(name[0], was, would_be, _why(new.get(name)))


def _name(gate: GateResult) -> tuple[str, str]:
    # Two bounds of one measurement are two gates.
    return gate.gate, gate.limit[:1]


def _word(gate: GateResult | None) -> str:
    if gate is None:
        return NO_GATE
    if gate.passed:
        return HOLDS
    return ACCEPTED if gate.deviation else OVERRIDDEN if gate.override else FAILS


def _why(gate: GateResult | None) -> str:
    if gate is None:
        return "the policy has no such gate"
    if gate.override:
        return gate.override.said()
    return verdicts.failure(gate) if not gate.passed and not comparison.is_compared(gate.gate) else gate.reason


def _of_provenance(evidence: Evidence, policy: Policy) -> Iterator[GateChange]:
    """Production's question, where the policy of now asks it and that of then did not, or the other way round."""
    doubts = "; ".join(evidence.provenance.doubts())
    if doubts and evidence.provenance_waiver and policy.provenance.required:
        yield GateChange(PROVENANCE, ACCEPTED, FAILS, f"production would refuse it: {doubts}")
    elif doubts and not evidence.provenance_waiver and not policy.provenance.required:
        yield GateChange(PROVENANCE, FAILS, ACCEPTED, f"waived: {policy.provenance.waiver}")
