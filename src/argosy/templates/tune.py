"""The hyperparameter search as a DAG: ask for a round, fan it out, ask for the next from what came back.

The rounds are unrolled, because their number is a setting and each is a task that a person can see, retry and cache.
"""

from hera.workflows import Artifact

from argosy.domain.model_settings import Search
from argosy.steps.select.spec import SPEC as SELECT
from argosy.steps.suggest.spec import SPEC as SUGGEST
from argosy.steps.trial.spec import SPEC as TRIAL
from argosy.templates import pipeline, tasks
from argosy.templates.tasks import TaskHandle, TemplateOutputs

NAME = "tune"


def rounds_of(search: Search) -> int:
    """The number of rounds that *search* takes."""
    return -(-search.trials // search.per_round)


def dag(run: pipeline.Pipeline) -> TemplateOutputs:
    """Add the template ``tune``: from the artifact ``features`` to the artifacts ``history`` and ``choice``."""
    features = Artifact(name="features", from_="{{inputs.artifacts.features}}")
    outputs = {
        name: Artifact(name=name, from_=f"{{{{tasks.{SELECT.name}.outputs.artifacts.{name}}}}}")
        for name in ("history", "choice")
    }
    spent = f"spent-{SELECT.name}"
    results = {spent: f"{{{{tasks.{SELECT.name}.outputs.parameters.{spent}}}}}"}
    with run.dag(NAME, inputs=("features",), outputs=outputs, results=results):
        asked = run.step(SUGGEST, name="suggest-0", round="0")
        scored = _fan_out(run, 0, asked, features)
        for number in range(1, rounds_of(run.tables().search)):
            asked = run.step(
                SUGGEST,
                name=f"suggest-{number}",
                round=str(number),
                finished=scored.result("finished"),
                history=asked.artifact("history"),
                spent=tasks.spent(asked, scored),
            )
            scored = _fan_out(run, number, asked, features)
        run.step(
            SELECT,
            finished=scored.result("finished"),
            history=asked.artifact("history"),
            spent=tasks.spent(asked, scored),
        )
    return TemplateOutputs(NAME, tuple(outputs), tuple(results))


def _fan_out(run: pipeline.Pipeline, number: int, asked: TaskHandle, features: Artifact) -> TaskHandle:
    return run.step(
        TRIAL,
        name=f"trial-{number}",
        for_each=asked.result("batches"),
        batch="{{item}}",
        features=features,
        history=asked.artifact("history"),
        asked=asked.artifact("asked"),
    )
