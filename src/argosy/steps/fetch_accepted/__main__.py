"""Binds the step ``fetch-accepted`` to the model store."""

from argosy import wiring
from argosy.files import model_folder
from argosy.monitoring.accepted_snapshots import AcceptedSnapshots
from argosy.settings import Settings
from argosy.steps.fetch_accepted import run
from argosy.steps.fetch_accepted.spec import SPEC
from argosy.steps.main import Step, main


def body(step: Step) -> None:
    settings = model_folder.load_settings(step.input("settings"), SPEC.settings)
    store = wiring.artifacts(Settings.from_environment())
    run.run(accepted=AcceptedSnapshots(store, settings.model), output=step.output("earlier"))


if __name__ == "__main__":
    main(SPEC, body)
