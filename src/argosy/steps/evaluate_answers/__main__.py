"""Binds the step ``evaluate-answers`` to the model store, and to whatever answers and judges."""

import datetime
import functools

from argosy import wiring
from argosy.domain import retraining_cause
from argosy.files import model_folder, processors
from argosy.settings import Settings
from argosy.steps.evaluate_answers import run
from argosy.steps.evaluate_answers.spec import SPEC
from argosy.steps.main import Step, main


def body(step: Step) -> None:
    here = Settings.from_environment()
    settings = model_folder.load_answers(step.input("settings"), SPEC.settings)
    champion = step.input("champion")
    verdict = run.run(
        settings=settings,
        policy=model_folder.load_policy(champion / "policy.yaml"),
        inputs=run.Inputs(champion, step.input("snapshot"), step.input("bundle")),
        artifacts=wiring.artifacts(here),
        completions=functools.partial(wiring.completion, here, settings),
        judge=wiring.judge(here, settings),
        provenance=step.provenance(),
        cause=retraining_cause.parse(step.parameter("cause")),
        today=datetime.datetime.now(datetime.UTC).date(),
        machine=processors.described(),
        outputs=run.EvaluatedFolders(step.output("evidence"), step.output("judged"), step.output("reference")),
    )
    step.result("verdict", verdict)


if __name__ == "__main__":
    main(SPEC, body)
