"""The logic of ``finish-scoring``."""

from argosy import errors
from argosy.ports.table_files import TableFiles
from argosy.scoring import part_results
from argosy.scoring.plan import ScoringPlan


def run(*, plan: ScoringPlan, results: TableFiles) -> part_results.Summary:
    """Write what the *plan* came to beside its *results*, last of all: who finds it finds every part.

    Raises TryAgain where a part is missing: scoring again does what is missing.
    """
    found = plan.all_parts()
    done = [(part, part_results.result_of(results, part, plan.served)) for part in found]
    if missing := [part.name for part, result in done if result is None]:
        raise errors.TryAgain(
            f"{results.uri}: {len(missing)} of {len(found)} parts are missing, {missing[0]} first; run it again, and what is done is left"
        )
    part_results.remove_others(results, found)
    summary = part_results.summed(
        plan.served, plan.began, [(result, False) for _, result in done if result is not None], logged=True
    )
    results.put(part_results.SUMMARY, summary.canonical_json().encode())
    return summary
