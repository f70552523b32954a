"""Binds the step ``retrain-admission`` to the ledgers, the looks and the channels."""

from datetime import UTC, datetime

from argosy import wiring
from argosy.files import model_folder
from argosy.monitoring.retrainings import Event
from argosy.settings import Settings
from argosy.steps.main import Step, main
from argosy.steps.retrain_admission import run
from argosy.steps.retrain_admission.spec import SPEC


def body(step: Step) -> None:
    settings = Settings.from_environment()
    model = model_folder.load_any(step.input("settings"))
    event = Event(
        kind=step.parameter("kind"),
        holder=step.parameter("holder"),
        alert=step.parameter("alert"),
        because=step.parameter("because"),
    )
    now = datetime.now(UTC)
    answered = run.run(
        event,
        settings=model,
        state=wiring.admission_state(settings),
        looks_of=wiring.looks_of(settings, model.model),
        now=now,
        tell=wiring.announcer(settings).tell,
    )
    print(answered.decision, flush=True)  # noqa: T201 - the step's log
    step.result("admitted", "true" if answered.admitted else "false")
    step.result("decision", answered.decision)
    step.result("cause", answered.cause)


if __name__ == "__main__":
    main(SPEC, body)
