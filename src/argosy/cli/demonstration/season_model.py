"""The model of a demonstration of seasons, made by the steps of its pipeline from half of its rows; the other half is what it is asked.

What trains takes seconds to load, so it is imported where it is used: no other verb needs it.
"""

import datetime
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from argosy import errors, wiring
from argosy.cli.demonstration.stages import say
from argosy.domain import bundle, task_words, watch_reference
from argosy.domain.data import FeatureSchema, Lineage
from argosy.domain.documents import sha256
from argosy.domain.model_settings import ModelSettings
from argosy.domain.release import Version
from argosy.domain.search import Choice
from argosy.domain.watch_reference import WatchReference
from argosy.files import model_folder
from argosy.ports.prediction_log import ServedRelease
from argosy.report import formats
from argosy.templates import folder as folders

if TYPE_CHECKING:
    from argosy.monitoring.replays import Replay
    from argosy.monitoring.watching import Watched

ENVIRONMENT = "production"
PARAMETERS: dict[str, float | int] = {"max_depth": 6, "eta": 0.1}
ROUNDS = 100
"""A model as good as any for this, without a search."""


def settings_of(folder: Path) -> ModelSettings:
    """The settings of the model in *folder*. Raises Misconfigured where it has no seasons that could be shown."""
    model = model_folder.load_settings(folder / folders.ARTIFACTS["settings"])
    if model.task != "binary" or model.monitor is None or model.monitor.baseline != "season":
        raise errors.Misconfigured(
            f"{model.model} cannot be shown by seasons: that takes a binary task and `monitor.baseline: season`"
        )
    return model


def data_of(folder: Path, model: ModelSettings, root: Path) -> Path:
    """The folder with the data of *model*, below *root*. Raises Misconfigured, with how it is had, where it is not there."""
    data = root / "data" / model.model
    if absent := [each.file_name for each in model.sources if not (data / each.file_name).is_file()]:
        raise errors.Misconfigured(
            f"{data} has no {absent[0]}: `make data` writes it, from a package of public data sets "
            f"(python {folder}/data.py {data})"
        )
    return data


def features(folder: Path, model: ModelSettings, data: Path, place: Path) -> Path:
    """The features of the files in *data*, made in *place* by the steps of the pipeline of the model in *folder*."""
    from argosy.steps.build_features import run as build_features
    from argosy.steps.ingest import run as ingest
    from argosy.steps.validate import run as validate

    tables, snapshot = wiring.tables(), place / "snapshot"
    out = ingest.IngestOutputs(snapshot, place / "rejected", place / "lineage.json")
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    ingest.run(
        settings=model,
        location=data,
        tables=tables,
        code_version="demo",
        now=lambda: now,
        report=say,
        outputs=out,
    )
    validate.run(
        settings=model,
        expectations=model_folder.load_expectations(folder / folders.ARTIFACTS["expectations"]),
        snapshot=snapshot,
        lineage=Lineage.read(out.lineage),
        tables=tables,
        checker=wiring.expectation_checker(),
        out=place / "validation",
    )
    made = build_features.FeatureOutputs(place / "features", place / "online")
    definitions = folder.resolve() / folders.ARTIFACTS["definitions"]
    build_features.run(
        settings=model,
        snapshot=snapshot,
        validation=place / "validation",
        tables=tables,
        features=wiring.features(definitions, model, place / "repository"),
        outputs=made,
    )
    return made.features


def replay(model: ModelSettings, made: Path, data: Path, place: Path) -> "Replay":
    """Train on half of the training side of the features *made*, in *place*, and log the other half as what was asked of the model."""
    from argosy.ml.predictor import Predictor
    from argosy.monitoring import replays
    from argosy.monitoring.performance import Measured, Tools

    hash_key = secrets.token_bytes(32)
    traffic = replays.set_aside(made, place / "features")
    learned = FeatureSchema.read(made / "schema.json").rows_train - len(traffic)
    say(
        f"   learns from {formats.number(learned)} rows; {formats.number(len(traffic))} that it never sees are its traffic"
    )
    digest = _trained(model, place)
    watched = _watched(model, place, digest)
    served = ServedRelease(model.model, ENVIRONMENT, watched.version.version, digest)
    log = replays.replayed(Predictor.load(place / "bundle", digest), traffic, served, hash_key)
    return replays.Replay(
        watched=watched,
        measured=Measured(watched.version, ENVIRONMENT, model, None),
        traffic=traffic,
        log=log,
        labels=replays.labels_of(traffic, model, data, place / "labels"),
        tools=Tools(log, wiring.tables(), wiring.label_join(), hash_key),
    )


def _trained(model: ModelSettings, place: Path) -> str:
    """The digest of the model of the features in *place*, whose bundle lies there then."""
    from argosy.steps.train import run as train

    choice = Choice(trial=0, score=0.0, metric=model.search.metric, parameters=PARAMETERS, boost_rounds=ROUNDS)
    choice.write(place / "choice.json")
    return train.run(
        settings=model,
        features=place / "features",
        choice=place / "choice.json",
        out_bundle=place / "bundle",
        out_training=place / "training",
    )


def _watched(model: ModelSettings, place: Path, digest: str) -> "Watched":
    from argosy.monitoring.watching import Watched

    if model.monitor is None:
        raise errors.Misconfigured(f"{model.model} has no `monitor`")
    nothing = sha256(b"")
    return Watched(
        version=Version(
            model=model.model,
            version=1,
            model_digest=digest,
            storage_uri=f"{(place / 'bundle').as_uri()}/",
            evidence_digest=nothing,
            policy_digest=nothing,
        ),
        environment=ENVIRONMENT,
        features=bundle.Signature.read(place / "bundle" / bundle.SIGNATURE).features,
        bins=bundle.read_bins(place / "bundle" / bundle.BINS),
        monitor=model.monitor,
        score=task_words.score(model.task, model.label.classes),
        reference=WatchReference.read(place / "training" / watch_reference.FILE),
    )
