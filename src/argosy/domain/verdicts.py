"""From gates and comparison to one word and one paragraph."""

from collections.abc import Sequence

from argosy.domain.evidence import ChampionRef, ComparisonResult, GateResult, VerdictWord


def decide(
    *, model_digest: str, champion: ChampionRef, gates: Sequence[GateResult], comparison: ComparisonResult | None
) -> tuple[VerdictWord, str]:
    """The verdict and why. A model is promoted only when all gates hold and the champion is not better."""
    if model_digest == champion.model_digest:
        return "champion", "This model is in production already: same commit and data give the same digest."
    failed = [gate for gate in gates if not gate.passed and not gate.deviation]
    undecided = comparison is not None and comparison.outcome == "inconclusive"
    decisive = [
        gate for gate in failed if not (undecided and gate.reason == (comparison.reason if comparison else None))
    ]
    if decisive:
        count = f"{len(decisive)} of {len(gates)} gates failed"
        return "reject", f"{count}: {', '.join(gate.gate for gate in decisive)}."
    if undecided and comparison is not None:
        return "inconclusive", f"Every gate holds, but {comparison.reason}."
    held = (
        f"All {len(gates)} gates hold" if not any(gate.deviation for gate in gates) else "Every gate that counts holds"
    )
    if comparison is None:
        return "promote", f"{held}. There is no model in production to compare with."
    return "promote", f"{held}; {comparison.reason}."
