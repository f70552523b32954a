"""Binds the step ``notify`` to channels and to where notices are kept."""

import sys

from argosy import errors, wiring
from argosy.files import model_folder
from argosy.monitoring.run_notices import EndedRun
from argosy.settings import Settings
from argosy.steps.main import Step, main
from argosy.steps.notify import run
from argosy.steps.notify.spec import SPEC


def body(step: Step) -> None:
    try:
        _tell(step)
    except errors.ArgosyError as error:  # how a run ended is not this step's to change
        print(f"nobody is told: {error}", file=sys.stderr)  # noqa: T201 - the step's log


def _tell(step: Step) -> None:
    settings = Settings.from_environment()
    run.run(
        ended=EndedRun(*(step.parameter(name) for name in ("run", "status", "failures", "cause"))),
        settings=model_folder.load_any(step.input("settings"), SPEC.settings),
        notifier=wiring.notifier(settings),
        objects=wiring.objects(settings, settings.monitoring_uri),
        report=lambda line: print(line, flush=True),  # noqa: T201 - the step's log
    )


if __name__ == "__main__":
    main(SPEC, body)
