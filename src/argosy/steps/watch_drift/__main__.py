"""Binds the step ``watch-drift`` to prediction log, monitoring store, forge and model store."""

import datetime

from argosy import wiring
from argosy.domain.monitor_settings import Monitor
from argosy.files import model_folder
from argosy.settings import Settings
from argosy.steps.main import Step, main
from argosy.steps.watch_drift import run
from argosy.steps.watch_drift.spec import SPEC


def body(step: Step) -> None:
    """Bind the step's parameters to its logic."""
    here = Settings.from_environment()
    settings = model_folder.load_settings(step.input("settings"), SPEC.settings)
    lines = run.run(
        model=settings.model,
        monitor=settings.monitor or Monitor(),
        environment=step.parameter("environment"),
        until=step.parameter("until"),
        page=step.parameter("page"),
        now=datetime.datetime.now(datetime.UTC),
        forge=wiring.forge(here),
        artifacts=wiring.artifacts(here),
        history=wiring.prediction_history(here),
        objects=wiring.objects(here, here.monitoring_uri),
        drawing=wiring.drift_pages,
        out=step.output("looks"),
    )
    for line in lines:
        print(line, flush=True)  # noqa: T201 - the step's log
    step.result("verdicts", "\n".join(lines))


if __name__ == "__main__":
    main(SPEC, body)
