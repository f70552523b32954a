"""Binds the step ``close-retraining`` to the ledgers."""

from datetime import UTC, datetime

from argosy import wiring
from argosy.settings import Settings
from argosy.steps.close_retraining import run
from argosy.steps.close_retraining.spec import SPEC
from argosy.steps.main import Step, main


def body(step: Step) -> None:
    entry = run.run(
        model=step.parameter("model"),
        holder=step.parameter("holder"),
        status=step.parameter("status"),
        failures=step.parameter("failures"),
        state=wiring.admission_state(Settings.from_environment()),
        now=datetime.now(UTC),
    )
    said = f"{entry.id}: {entry.outcome}" if entry is not None else "no retraining was admitted for this run"
    print(said, flush=True)  # noqa: T201 - the step's log
    step.result("held", "false" if entry is None else "true")
    step.result("cause", "" if entry is None else run.cause(entry).text())


if __name__ == "__main__":
    main(SPEC, body)
