"""``python -m argosy.steps.train``: what the step's image runs."""

from argosy.files import model_folder
from argosy.steps.main import Step, main
from argosy.steps.train import run
from argosy.steps.train.spec import SPEC


def body(step: Step) -> None:
    """Bind the step's files to its logic."""
    digest = run.run(
        settings=model_folder.load_settings(step.input("settings"), SPEC.settings),
        features=step.input("features"),
        choice=step.input("choice"),
        out_bundle=step.output("bundle"),
        out_training=step.output("training"),
    )
    step.result("model-digest", digest)


if __name__ == "__main__":
    main(SPEC, body)
