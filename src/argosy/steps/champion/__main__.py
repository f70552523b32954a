"""Binds the step ``champion`` to its forge."""

from argosy import wiring
from argosy.adapters import model_folder
from argosy.settings import Settings
from argosy.steps.champion import run
from argosy.steps.champion.spec import SPEC
from argosy.steps.main import Step, main


def body(step: Step) -> None:
    """One attempt."""
    settings = model_folder.load_settings(step.input("settings"))
    forge = wiring.forge(Settings.from_environment())
    digest = run.run(model=settings.model, forge=forge, out=step.output("champion"))
    step.result("champion-digest", digest)


if __name__ == "__main__":
    main(SPEC, body)
