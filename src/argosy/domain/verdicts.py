"""From gates and comparison to one word and one paragraph."""

from collections.abc import Sequence

from argosy.domain import evidence, figures
from argosy.domain.comparison import GATE
from argosy.domain.evidence import ChampionRef, ComparisonResult, GateResult, VerdictWord


def decide(
    *, model_digest: str, champion: ChampionRef, gates: Sequence[GateResult], comparison: ComparisonResult | None
) -> tuple[VerdictWord, str]:
    """The verdict and why. A model is promoted only when all gates hold and the champion is not better."""
    if model_digest == champion.model_digest:
        return "champion", "This model is in production already: it has the same digest."
    undecided = comparison is not None and comparison.outcome == "inconclusive"
    failed = evidence.failed(gates)
    # A comparison that cannot tell is no reason to reject; it waits for more rows.
    if any(gate.gate != GATE or not undecided for gate in failed):
        return "reject", f"{evidence.tally(gates)}: {'; '.join(map(_failure, failed))}."
    held = "Every gate that counts holds" if any(gate.deviation for gate in gates) else "Every gate holds"
    if comparison is None:
        return "promote", f"{held}. There is no model in production to compare with."
    if undecided:
        return "inconclusive", f"{held} but the comparison: {comparison.reason}."
    return "promote", f"{held}; {comparison.reason}."


def _failure(gate: GateResult) -> str:
    return f"{gate.gate} is {figures.number(gate.measured, 'undefined')} and must be {gate.limit}"
