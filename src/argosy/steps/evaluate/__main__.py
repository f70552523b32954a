"""Binds the step ``evaluate`` to the model store and a server to try the bundle in."""

import datetime

from argosy import wiring
from argosy.domain import retraining_cause
from argosy.files import model_folder, processors
from argosy.settings import Settings
from argosy.steps.evaluate import run
from argosy.steps.evaluate.spec import SPEC
from argosy.steps.main import Step, main


def body(step: Step) -> None:
    champion = step.input("champion")
    verdict = run.run(
        settings=model_folder.load_settings(step.input("settings"), SPEC.settings),
        policy=model_folder.load_policy(champion / "policy.yaml"),
        inputs=run.Inputs(
            champion=champion,
            snapshot=step.input("snapshot"),
            features=step.input("features"),
            bundle=step.input("bundle"),
            since_champion=step.optional_input("since-champion"),
        ),
        artifacts=wiring.artifacts(Settings.from_environment()),
        server=wiring.trial_server(),
        provenance=step.provenance(),
        cause=retraining_cause.parse(step.parameter("cause")),
        measures=wiring.measures(),
        today=datetime.datetime.now(datetime.UTC).date(),
        machine=processors.described(),
        out=step.output("evidence"),
    )
    step.result("verdict", verdict)


if __name__ == "__main__":
    main(SPEC, body)
