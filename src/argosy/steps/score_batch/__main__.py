"""Binds the step ``score-batch`` to the places of tables, the prediction log and the keys."""

import functools

from argosy import scratch, wiring
from argosy.scoring.plan import ScoringPlan
from argosy.settings import Settings
from argosy.steps.main import Step, main
from argosy.steps.score_batch import run
from argosy.steps.score_batch.spec import SPEC


def body(step: Step) -> None:
    """Bind the step's parameters to its logic."""
    here, plan = Settings.from_environment(), ScoringPlan.read(step.input("plan"))
    with scratch.folder("check") as place, wiring.spark(plan.compute, SPEC.name) as spark:
        keys = place / "verifying-keys.pem"
        keys.write_text(step.parameter("verifying-keys"), encoding="utf-8")
        pool = wiring.executors(spark)
        summary = run.run(
            plan=plan,
            share=step.parameter("share"),
            approved=step.parameter("model-digest"),
            model=step.input("model"),
            verifier=wiring.verifier_by(keys),
            opened=lambda place, setting: wiring.table_files(place, setting, here.data_root),
            hash_key=wiring.hash_key(here),
            log=functools.partial(wiring.batch_log_at, here.predictions_uri),
            told=_told,
            elsewhere=None if pool is None else run.Elsewhere(pool, keys.read_bytes(), wiring.verifier_by),
        )
    step.result("scored", f"{summary.scored:,} rows, {summary.refused:,} refused")


def _told(done: int, of_all: int) -> None:
    print(f"{done} of {of_all} parts", flush=True)  # noqa: T201 - the step's log


if __name__ == "__main__":
    main(SPEC, body)
