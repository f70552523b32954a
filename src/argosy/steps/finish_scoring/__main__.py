"""Binds the step ``finish-scoring`` to the place of results."""

from argosy import wiring
from argosy.scoring.plan import ScoringPlan
from argosy.settings import Settings
from argosy.steps.finish_scoring import run
from argosy.steps.finish_scoring.spec import SPEC
from argosy.steps.main import Step, main


def body(step: Step) -> None:
    """Bind the step's plan to its logic."""
    plan = ScoringPlan.read(step.input("plan"))
    results = wiring.table_files(plan.results, "out", Settings.from_environment().data_root)
    found = run.run(plan=plan, results=results)
    refused = f", {found.refused:,} refused" if found.refused else ""
    said = f"{found.scored:,} rows by version {found.version}{refused}: {plan.results}"
    step.result("summary", said)
    print(said)  # noqa: T201 - the step's log


if __name__ == "__main__":
    main(SPEC, body)
