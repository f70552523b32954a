"""The pipeline of a language model: from documents and an evaluation set to a promotion request.

A model whose pipeline is this one calls :func:`dag`; one that needs another writes its own with the same steps, as its ``pipeline.py``.
"""

from argosy.domain import retraining_cause
from argosy.steps.assemble.spec import SPEC as ASSEMBLE
from argosy.steps.champion.spec import SPEC as CHAMPION
from argosy.steps.collect.spec import SPEC as COLLECT
from argosy.steps.evaluate_answers.spec import SPEC as EVALUATE_ANSWERS
from argosy.steps.propose.spec import SPEC as PROPOSE
from argosy.steps.register_answers.spec import SPEC as REGISTER_ANSWERS
from argosy.steps.sign.spec import SPEC as SIGN
from argosy.templates import pipeline, tasks


def dag(run: pipeline.Pipeline) -> None:
    """Add the entrypoint ``main``."""
    with run.dag("main", parameters=(retraining_cause.PARAMETER,)):
        champion = run.step(CHAMPION)
        # Of a model that is retired, or has no gates, nothing is asked: answers may cost money.
        collect = run.step(COLLECT, after=[champion], data="{{workflow.parameters.data}}")
        snapshot = collect.artifact("snapshot")
        assemble = run.step(ASSEMBLE, snapshot=snapshot)
        bundle = assemble.artifact("bundle")
        evaluate = run.step(
            EVALUATE_ANSWERS,
            champion=champion.artifact("champion"),
            snapshot=snapshot,
            bundle=bundle,
            cause="{{inputs.parameters.cause}}",
        )
        register = run.step(
            REGISTER_ANSWERS,
            bundle=bundle,
            evidence=evaluate.artifact("evidence"),
            judged=evaluate.artifact("judged"),
            reference=evaluate.artifact("reference"),
            snapshot=snapshot,
            lineage=collect.artifact("lineage"),
            spent=tasks.spent(champion, collect, assemble, evaluate),
        )
        circumstances = register.artifact("circumstances")
        sign = run.step(
            SIGN,
            storage_uri=register.result("storage-uri"),
            release=register.artifact("release"),
            evidence=evaluate.artifact("evidence"),
            circumstances=circumstances,
        )
        run.step(
            PROPOSE,
            version=register.result("version"),
            storage_uri=register.result("storage-uri"),
            online_uri="",
            release=register.artifact("release"),
            evidence=evaluate.artifact("evidence"),
            circumstances=circumstances,
            signatures=sign.artifact("signatures"),
        )
