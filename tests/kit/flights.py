"""Real flights answered by a real model: a small one fitted on the first months, asked about later ones through the server's own records.

The clock of each answer is the flight's scheduled departure, so that labels come as they came in 2013: hours after.
"""

import datetime
import functools
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import xgboost

from argosy.adapters.segment_log import blocks, columns, framing, segments
from argosy.domain import bundle
from argosy.domain.data import FeatureColumn
from argosy.domain.model_settings import EntitySplit, ModelSettings
from argosy.files import model_folder
from argosy.ml.encoding import Encoder
from argosy.ml.predictor import Predictor
from argosy.ports.prediction_log import LogCounts, Logged, Prediction, ServedRelease
from argosy.serving import records
from argosy.serving.request_columns import RequestColumns

ROOT = Path(__file__).parents[2]
DATA = ROOT / "data" / "flight_delay"
NUMBERS = ("distance", "departure_hour", "month", "weekday", "scheduled_minutes")
CATEGORIES = ("carrier", "origin")
KEY = b"a secret of this test"


def settings() -> ModelSettings:
    """The committed settings of the model."""
    return model_folder.load_settings(ROOT / "workflows" / "flight_delay" / "model.yaml")


def departed(since: datetime.datetime, until: datetime.datetime) -> pa.Table:
    """The flights that were to leave from *since* to *until*."""
    table = pq.read_table(DATA / "flights.parquet").filter(pc.field("departed"))
    time = table["scheduled_departure"]
    return table.filter(pc.and_(pc.greater_equal(time, since), pc.less(time, until)))


def fit(folder: Path, table: pa.Table) -> Predictor:
    """A small model of *table*'s flights, as a bundle in *folder*, loaded as a server does."""
    levels = {name: sorted(pc.unique(table[name]).to_pylist()) for name in CATEGORIES}
    features = [FeatureColumn(name=name, type="number", view="flight") for name in NUMBERS]
    features += [FeatureColumn(name=name, type="category", levels=levels[name], view="flight") for name in CATEGORIES]
    signature = bundle.Signature(
        model="flight_delay", task="binary", features=features, join_keys=["flight_id"], classes=["on_time", "late"],
        threshold=0.3, split=EntitySplit(by="entity", holdout=0.2), xgboost=xgboost.__version__,
    )  # fmt: skip
    encoder = Encoder(features)
    known = table.filter(pc.is_valid(table["arrival_delay"]))
    label = pc.greater_equal(known["arrival_delay"], 15).to_numpy(zero_copy_only=False)
    data = xgboost.DMatrix(encoder.table(known), label=label, feature_names=encoder.names, feature_types=encoder.types)
    parameters = {"objective": "binary:logistic", "nthread": 1, "seed": 1, "max_depth": 4, "eta": 0.2}
    booster = xgboost.train(parameters, data, num_boost_round=30)
    folder.mkdir(parents=True)
    (folder / bundle.MODEL).write_bytes(bytes(booster.save_raw("ubj")))
    signature.write(folder / bundle.SIGNATURE)
    for name in (bundle.BINS, bundle.GOLDEN):
        (folder / name).write_text("{}", encoding="utf-8")
    return Predictor.load(folder, bundle.digest(folder))


class KeptLog:
    """A log that a test reads back."""

    def __init__(self) -> None:
        self.records: list[Prediction] = []

    def append(self, predictions: Sequence[Prediction]) -> None:
        """See the port."""
        self.records += predictions

    def standing(self) -> LogCounts:
        """See the port."""
        return LogCounts(0, len(self.records), {})

    def close(self) -> None:
        """See the port."""


@dataclass(frozen=True)
class Flown:
    """What a server logged of some flights."""

    served: ServedRelease
    signature: bundle.Signature
    records: Sequence[Prediction]

    def logged(self) -> Logged:
        """In columns, as a reader of the log gets it."""
        features = records.columns(self.signature)
        content = [segments.header(self.served, features), blocks.packed([self.records], features)]
        return columns.logged(framing.SegmentContent(content, damaged=False))

    def history(self) -> "MemoryLogHistory":
        """To be read through the port."""
        return MemoryLogHistory([self.logged()])


@dataclass(frozen=True)
class MemoryLogHistory:
    """A history of parts that lie in memory."""

    parts: Sequence[Logged]

    def segments(
        self, model: str, environment: str, *, since: datetime.datetime, until: datetime.datetime
    ) -> Iterator[ServedRelease]:
        """The releases, in place of segments, whose rows reach into that time."""
        for part in self.read(model, environment, since=since, until=until):
            if part.table.num_rows:
                yield part.served

    def read(
        self,
        model: str,
        environment: str,
        *,
        since: datetime.datetime | None = None,
        until: datetime.datetime | None = None,
    ) -> Any:
        """See the port."""
        for part in self.parts:
            time = part.table["time"]
            kept = pc.and_(pc.greater_equal(time, since), pc.less(time, until))
            if (part.served.model, part.served.environment) == (model, environment):
                yield replace(part, table=part.table.filter(kept))


def answered(
    predictor: Predictor,
    table: pa.Table,
    *,
    version: int = 1,
    environment: str = "production",
) -> Flown:
    """The records that a server of *predictor* writes of the flights in *table*, each asked at its scheduled departure."""
    served = ServedRelease("flight_delay", environment, version, predictor.digest)
    log = KeptLog()
    recorder = records.Recorder(log, predictor.signature, KEY)
    names = [feature.name for feature in predictor.signature.features]
    rows = table.select(names).to_pylist()
    scores = predictor.predict(rows)
    times = table["scheduled_departure"].to_pylist()
    identities = table["flight_id"].to_pylist()
    with pytest.MonkeyPatch.context() as patch:
        for identity, features, score, moment in zip(identities, rows, scores, times, strict=True):
            patch.setattr(time, "time", functools.partial(datetime.datetime.timestamp, moment))
            decided = predictor.decide(np.array([score]))
            columns = {name: [value] for name, value in features.items()}
            asked = RequestColumns(1, columns, [{"flight_id": identity}], (), lambda *_: "")
            recorder.record(f"request-{identity}", asked, [[float(score)]], decided)
    return Flown(served, predictor.signature, log.records)
