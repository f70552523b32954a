"""Binds the step ``champion`` to its forge."""

from argosy import wiring
from argosy.domain import environment_layout
from argosy.files import model_folder
from argosy.settings import Settings
from argosy.steps.champion import run
from argosy.steps.champion.spec import SPEC
from argosy.steps.main import Step, main


def body(step: Step) -> None:
    settings = model_folder.load_any(step.input("settings"), SPEC.settings)
    forge = wiring.forge(Settings.from_environment())
    out = step.output("champion")
    digest = run.run(model=settings.model, forge=forge, out=out)
    # Here and not hours later, where it is applied; and with the name under which it can be mended.
    place = f"{environment_layout.policy_path(settings.model)} on main of the environment repo"
    model_folder.policy_of((out / "policy.yaml").read_bytes(), place)
    step.result("champion-digest", digest)


if __name__ == "__main__":
    main(SPEC, body)
