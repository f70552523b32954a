"""From gates and comparison to one word and one paragraph."""

import datetime
from collections.abc import Sequence

from argosy.domain import as_of as moments
from argosy.domain import column_health, evidence, figures
from argosy.domain.comparison import GATE, IMPROVES_GATE, RECENT_GATE, gate_name
from argosy.domain.evidence import ChampionRef, ComparisonResult, GateResult, VerdictWord


def decide(
    *,
    model_digest: str,
    champion: ChampionRef,
    gates: Sequence[GateResult],
    comparison: ComparisonResult | None,
    margins: Sequence[ComparisonResult] = (),
    recent: ComparisonResult | None = None,
    as_of: datetime.datetime | None = None,
) -> tuple[VerdictWord, str]:
    """The verdict and why. A model is promoted only when all gates hold and the champion is not better.

    *margins*: the other measurements that are held against the champion's. *recent*: the comparison on the newest labelled rows, where the
    cause of the retraining asks for a better model. *as_of*: the moment as of which the data was looked at, where it was not all that
    there is.
    """
    if model_digest == champion.model_digest:
        return "champion", "This model is in production already: it has the same digest."
    compared = {GATE: comparison, RECENT_GATE: recent, **{gate_name(each.metric): each for each in margins}}
    past = {gate.gate: gate.override for gate in gates if gate.override and not gate.passed}
    undecided = {
        gate: result.reason
        for gate, result in compared.items()
        if result and result.outcome == "inconclusive" and gate not in past
    }
    # What may yet turn out better is not known to be no improvement.
    waiting = {*undecided, IMPROVES_GATE} if undecided else set()
    failed = evidence.failed(gates)
    # A comparison that cannot tell is no reason to reject; it waits for more rows.
    if broken := [gate for gate in failed if gate.gate == column_health.GATE]:
        # What else failed follows from it, or says nothing.
        return "reject", f"Nothing is promoted from such data: {broken[0].reason}; {broken[0].would_pass}."
    if any(gate.gate not in waiting for gate in failed):
        return "reject", f"{evidence.tally(gates)}: {'; '.join(map(failure, failed))}."
    held = _held(gates)
    if undecided:
        return "inconclusive", f"{held} but the comparison: {'; '.join(undecided.values())}."
    if as_of is not None:
        at = moments.text(as_of)
        return (
            "promote",
            f"{held}, as of {at}. Of such a run nothing is proposed, and it is compared with no model of later.",
        )
    if comparison is None:
        return "promote", f"{held}. There is no model in production to compare with."
    reasons = [
        comparison.reason,
        *(each.reason for each in margins),
        *([f"on the newest labelled rows {recent.reason}"] if recent else []),
    ]
    return "promote", f"{held}; {'; '.join(reasons)}."


def _held(gates: Sequence[GateResult]) -> str:
    past = [f"{gate.gate} {gate.override.said()}" for gate in gates if gate.override and not gate.passed]
    all_hold = not past and not any(gate.deviation for gate in gates)
    return "; ".join(["Every gate holds" if all_hold else "Every gate that counts holds", *past])


def failure(gate: GateResult) -> str:
    """What a *gate* that failed measured, and what it must be."""
    return f"{gate.gate} is {figures.number(gate.measured, 'undefined')} and must be {gate.limit}"
