"""Binds the step ``register-answers`` to its registry and its model store."""

from argosy import wiring
from argosy.files import model_folder
from argosy.settings import Settings
from argosy.steps.main import Step, main
from argosy.steps.register_answers import run
from argosy.steps.register_answers.spec import SPEC


def body(step: Step) -> None:
    here = Settings.from_environment()
    names = ("bundle", "evidence", "judged", "snapshot", "lineage")
    released = run.run(
        settings=model_folder.load_answers(step.input("settings")),
        inputs=run.Inputs(settings_file=step.input("settings"), **{name: step.input(name) for name in names}),
        registry=wiring.registry(here),
        artifacts=wiring.artifacts(here),
        image=here.serving_image,
        out=step.output("release"),
    )
    step.result("version", str(released.version))
    step.result("storage-uri", released.storage_uri)


if __name__ == "__main__":
    main(SPEC, body)
