"""Binds the step ``sign`` to its key and model store."""

from argosy import wiring
from argosy.settings import Settings
from argosy.steps.main import Step, main
from argosy.steps.sign import run
from argosy.steps.sign.spec import SPEC


def body(step: Step) -> None:
    here = Settings.from_environment()
    run.run(
        release=step.input("release"),
        evidence=step.input("evidence"),
        circumstances=step.optional_input("circumstances"),
        signer=wiring.signer(here),
        artifacts=wiring.artifacts(here),
        out=step.output("signatures"),
    )


if __name__ == "__main__":
    main(SPEC, body)
