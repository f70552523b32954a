"""Binds the step ``register-answers`` to its registry, its model store, and the monitoring store."""

import os

from argosy import wiring
from argosy.domain import step_times
from argosy.files import model_folder
from argosy.settings import Settings
from argosy.steps import run_notes
from argosy.steps.main import Step, main
from argosy.steps.register_answers import run
from argosy.steps.register_answers.spec import SPEC
from argosy.steps.spec import SPENT


def body(step: Step) -> None:
    here = Settings.from_environment()
    names = ("bundle", "evidence", "judged", "reference", "snapshot", "lineage")
    released = run.run(
        settings=model_folder.load_answers(step.input("settings")),
        inputs=run.Inputs(settings_file=step.input("settings"), **{name: step.input(name) for name in names}),
        registry=wiring.registry(here),
        artifacts=wiring.artifacts(here),
        objects=wiring.objects(here, here.monitoring_uri),
        image=here.serving_image,
        out=step.output("release"),
        noted=run_notes.of_environment(os.environ, step_times.parse(step.parameter(SPENT.name))),
        told=step.output("circumstances"),
    )
    step.result("version", str(released.version))
    step.result("storage-uri", released.storage_uri)


if __name__ == "__main__":
    main(SPEC, body)
