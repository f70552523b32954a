"""Binds the step ``converge`` to cluster, forge and registry."""

import datetime

from argosy import wiring
from argosy.settings import Settings
from argosy.steps.converge import run
from argosy.steps.converge.spec import SPEC
from argosy.steps.main import Step, main


def body(step: Step) -> None:
    settings = Settings.from_environment()
    environment = step.parameter("environment")
    lines = run.run(
        environment=environment,
        rollouts=wiring.rollouts(step.parameter("namespace") or f"argosy-{environment}"),
        forge=wiring.forge(settings),
        registry=wiring.registry(settings),
        report=lambda line: print(line, flush=True),  # noqa: T201 - the step's log
        tell=wiring.announcer(settings).tell,
        now=datetime.datetime.now(datetime.UTC),
    )
    step.result("conclusions", "\n".join(lines))


if __name__ == "__main__":
    main(SPEC, body)
