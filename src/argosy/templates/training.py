"""The training pipeline: from the sources to a promotion request.

A model whose pipeline is this one calls :func:`dag`; one that needs another writes its own with the same steps, as its ``pipeline.py``.
"""

from typing import Any

from argosy.domain import as_of, retraining_cause, watermarks
from argosy.steps.build_features.spec import SPEC as BUILD_FEATURES
from argosy.steps.champion.spec import SPEC as CHAMPION
from argosy.steps.compare_data.spec import SPEC as COMPARE_DATA
from argosy.steps.evaluate.spec import SPEC as EVALUATE
from argosy.steps.fetch_accepted.spec import SPEC as FETCH_ACCEPTED
from argosy.steps.ingest.spec import SPEC as INGEST
from argosy.steps.propose.spec import SPEC as PROPOSE
from argosy.steps.register.spec import SPEC as REGISTER
from argosy.steps.sign.spec import SPEC as SIGN
from argosy.steps.train.spec import SPEC as TRAIN
from argosy.steps.validate.spec import SPEC as VALIDATE
from argosy.templates import pipeline, tasks, tune


def dag(run: pipeline.Pipeline) -> None:
    """Add the entrypoint ``main`` and the search it calls."""
    tuning = tune.dag(run)
    reads_on = pipeline.reads_on(run.settings)
    optional = (as_of.PARAMETER, *([watermarks.PARAMETER] if reads_on else []))
    with run.dag("main", parameters=(retraining_cause.PARAMETER,), optional=optional):
        champion = run.step(CHAMPION)
        increment: dict[str, Any] = {}
        told = [champion]
        if reads_on:
            accepted = run.step(FETCH_ACCEPTED, after=[champion])
            told.append(accepted)
            increment = {"earlier": accepted.artifact("earlier"), "full": "{{inputs.parameters.full}}"}
        # Of a model that is retired, or has no gates, nothing is read: sources may cost money or hours.
        ingest = run.step(
            INGEST,
            after=[champion],
            data="{{workflow.parameters.data}}",
            as_of="{{inputs.parameters.as-of}}",
            **increment,
        )
        snapshot, lineage = ingest.artifact("snapshot"), ingest.artifact("lineage")
        validate = run.step(VALIDATE, snapshot=snapshot, lineage=lineage)
        compared = run.step(
            COMPARE_DATA,
            champion=champion.artifact("champion"),
            snapshot=snapshot,
            validation=validate.artifact("validation"),
        )
        features = run.step(BUILD_FEATURES, snapshot=snapshot, validation=validate.artifact("validation"))
        # Features are made meanwhile; what costs hours waits for the word that these are the data that were meant.
        search = run.group(tuning, after=[compared], features=features.artifact("features"))
        train = run.step(TRAIN, features=features.artifact("features"), choice=search.artifact("choice"))
        evaluate = run.step(
            EVALUATE,
            champion=champion.artifact("champion"),
            snapshot=snapshot,
            since_champion=compared.artifact("since-champion"),
            features=features.artifact("features"),
            bundle=train.artifact("bundle"),
            cause="{{inputs.parameters.cause}}",
        )
        register = run.step(
            REGISTER,
            bundle=train.artifact("bundle"),
            training=train.artifact("training"),
            history=search.artifact("history"),
            choice=search.artifact("choice"),
            evidence=evaluate.artifact("evidence"),
            snapshot=snapshot,
            lineage=lineage,
            online=features.artifact("online"),
            spent=tasks.spent(*told, ingest, validate, compared, features, search, train, evaluate),
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
            online_uri=register.result("online-uri"),
            release=register.artifact("release"),
            evidence=evaluate.artifact("evidence"),
            circumstances=circumstances,
            signatures=sign.artifact("signatures"),
        )
