"""``python -m argosy.steps.trial``: what the step's image runs."""

from argosy import wiring
from argosy.files import model_folder
from argosy.ml import rounds
from argosy.settings import Settings
from argosy.steps.main import Step, main
from argosy.steps.trial import run
from argosy.steps.trial.spec import SPEC


def body(step: Step) -> None:
    """Bind the step's files to its logic."""
    settings = model_folder.load_settings(step.input("settings"), SPEC.settings)
    finished = run.run(
        settings=settings,
        features=step.input("features"),
        history=step.input("history"),
        batch=rounds.points_of(step.parameter("batch"), step.input("asked")),
        storage=wiring.search_storage(Settings.from_environment(), settings),
    )
    step.result("finished", finished)


if __name__ == "__main__":
    main(SPEC, body)
