"""Binds the step ``plan-scoring`` to forge, model store and the places of tables."""

import datetime
import json

from argosy import wiring
from argosy.files import model_folder
from argosy.settings import Settings
from argosy.steps.main import Step, main
from argosy.steps.plan_scoring import run
from argosy.steps.plan_scoring.spec import SPEC


def body(step: Step) -> None:
    """Bind the step's parameters to its logic."""
    here = Settings.from_environment()
    settings = model_folder.load_settings(step.input("settings"), SPEC.settings)
    planned = run.run(
        model=settings.model,
        scoring=settings.scoring,
        compute=settings.compute,
        asked=run.AskedScoring(
            tables=step.parameter("in"),
            results=step.parameter("out"),
            as_of=step.parameter("as-of"),
            environment=step.parameter("environment"),
            version=step.parameter("version"),
            pods=step.parameter("pods"),
        ),
        now=datetime.datetime.now(datetime.UTC),
        forge=wiring.forge(here),
        artifacts=wiring.artifacts(here),
        opened=lambda place, setting: wiring.table_files(place, setting, here.data_root),
        bundle=step.output("model"),
        own_keys=lambda: here.verifying_key.read_bytes() if here.verifying_key.is_file() else None,
    )
    plan = planned.plan
    plan.write(step.output("plan"))
    step.result("shares", json.dumps(plan.share_names()))
    step.result("model-digest", plan.digest)
    step.result("verifying-keys", planned.verifying_keys.decode())
    print(  # noqa: T201 - the step's log
        f"{len(plan.parts)} parts of {plan.tables} by {plan.model} version {plan.version}, in {plan.shares} shares: {plan.results}"
    )


if __name__ == "__main__":
    main(SPEC, body)
