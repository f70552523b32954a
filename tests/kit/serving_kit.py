"""What tests of the server share: a small real model as a bundle, memory in place of log and store, calls without a socket."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import xgboost
from starlette.types import ASGIApp, Message

from argosy.domain import bundle
from argosy.domain.data import FeatureColumn
from argosy.domain.model_settings import EntitySplit, Task
from argosy.ml.encoding import Encoder
from argosy.ml.predictor import Predictor
from argosy.ports.features import OnlineRow, OnlineView
from argosy.ports.prediction_log import LogCounts, Prediction
from argosy.serving.app import ServerParts, app_of, server_parts
from argosy.serving.rows import Value
from argosy.serving.served_models import ServedModel, ServedModels

FEATURES = [
    FeatureColumn(name="tenure", type="number", view="account"),
    FeatureColumn(name="charges", type="number", view="account"),
    FeatureColumn(name="contract", type="category", levels=["month", "one-year", "two-year"], view="account"),
    FeatureColumn(name="birth_year", type="number", view="person", personal=True),
]
ROW: dict[str, Value] = {"tenure": 3, "charges": 70.5, "contract": "month", "birth_year": 1980}


_OBJECTIVES: dict[Task, dict[str, Any]] = {
    "binary": {"objective": "binary:logistic"},
    "multiclass": {"objective": "multi:softprob", "num_class": 3},
    "regression": {"objective": "reg:squarederror"},
}


def rows(count: int, seed: int = 7) -> list[dict[str, Value]]:
    """Rows of plausible customers."""
    random = np.random.default_rng(seed)
    levels = FEATURES[2].levels or []
    return [
        {
            "tenure": float(random.integers(0, 72)),
            "charges": None if random.random() < 0.05 else float(random.uniform(20, 110)),
            "contract": levels[int(random.integers(0, 3))],
            "birth_year": float(random.integers(1940, 2005)),
        }
        for _ in range(count)
    ]


def signature(task: Task = "binary") -> bundle.Signature:
    """What the small model takes and gives."""
    classes = {"binary": ["no", "yes"], "multiclass": ["low", "middle", "high"], "regression": []}[task]
    return bundle.Signature(
        model="leaving",
        task=task,
        features=FEATURES,
        join_keys=["customer_id"],
        classes=classes,
        threshold=0.4 if task == "binary" else None,
        split=EntitySplit(by="entity", holdout=0.2),
        xgboost=xgboost.__version__,
    )


def write_bundle(folder: Path, task: Task = "binary", *, depth: int = 3) -> str:
    """Fit the small model and write it to *folder*; returns its digest. Another *depth* is another model."""
    sample = rows(400)
    signed = signature(task)
    encoder = Encoder(signed.features)
    matrix = encoder.rows(sample)
    risk = (matrix[:, 0] < 12).astype(int) + (matrix[:, 2] == 0).astype(int)
    label: Any = {"binary": risk == 2, "multiclass": risk, "regression": risk * 10.5}[task]
    objective = _OBJECTIVES[task]
    data = xgboost.DMatrix(matrix, label=label, feature_names=encoder.names, feature_types=encoder.types)
    booster = xgboost.train({"nthread": 1, "seed": 1, "max_depth": depth, **objective}, data, num_boost_round=10)
    folder.mkdir(parents=True)
    (folder / bundle.MODEL).write_bytes(bytes(booster.save_raw("ubj")))
    signed.write(folder / bundle.SIGNATURE)
    bins(sample).write(folder / bundle.BINS)
    bundle.Golden(rows=[]).write(folder / bundle.GOLDEN)
    answers = Predictor.load(folder, bundle.digest(folder)).predict(sample[:5])
    golden = [
        bundle.GoldenRow(features=row, prediction=[float(value) for value in np.atleast_1d(answer)])
        for row, answer in zip(sample[:5], answers, strict=True)
    ]
    bundle.Golden(rows=golden).write(folder / bundle.GOLDEN)
    return bundle.digest(folder)


def bins(sample: Sequence[Mapping[str, Value]]) -> bundle.Bins:
    """Bins that say nothing; drift has its own tests."""
    prediction = bundle.Histogram(column="prediction", edges=[0.5], counts=[len(sample), 0], missing=0)
    return bundle.Bins(
        reference="holdout", rows=len(sample), columns=[], prediction=prediction, scores=bundle.Moments()
    )


class MemoryLog:
    """Keeps records in a list."""

    def __init__(self) -> None:
        self.records: list[Prediction] = []
        self.closed = False

    def append(self, predictions: Sequence[Prediction]) -> None:
        """See the port."""
        self.records += predictions

    def standing(self) -> LogCounts:
        """See the port."""
        return LogCounts(0, len(self.records), {"queue-full": 2})

    def close(self) -> None:
        """See the port."""
        self.closed = True


class MemoryOnline:
    """An online store that is a dictionary; what is to be known of a row besides its features comes as an ``OnlineRow``."""

    def __init__(self, rows: Mapping[str, Mapping[str, Value] | OnlineRow], views: Sequence[OnlineView] = ()) -> None:
        self._rows = rows
        self.views = views

    async def get(self, entities: Sequence[Mapping[str, Any]], at: int) -> Sequence[OnlineRow | None]:
        """See the port."""
        found = (self._rows.get(entity["customer_id"]) for entity in entities)
        return [row if row is None or isinstance(row, OnlineRow) else OnlineRow(row) for row in found]

    async def close(self) -> None:
        """See the port."""


def build_app(**given: Any) -> ASGIApp:
    """The server of one model, over HTTP; *given* as :func:`argosy.serving.app.server_parts` takes it."""
    return app_of(server_parts(**given))


def served_models(*parts: ServerParts) -> ServedModels:
    """A server of the models of *parts*."""
    return ServedModels([ServedModel.of(each) for each in parts], parts[0].metrics.server)


@dataclass(frozen=True)
class Reply:
    """An HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body, parsed."""
        return json.loads(self.body)


@dataclass
class Client:
    """Calls an app in this process."""

    app: ASGIApp
    log: MemoryLog = field(default_factory=MemoryLog)

    def get(self, path: str) -> Reply:
        """GET *path*."""
        return self.call("GET", path)

    def post(self, path: str, body: Any, **headers: str) -> Reply:
        """POST *body* (bytes as they are, anything else as JSON) to *path*."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.call("POST", path, content, **headers)

    def call(self, method: str, path: str, body: bytes = b"", **headers: str) -> Reply:
        """One exchange."""
        return asyncio.run(exchange(self.app, method, path, [body], headers))


async def exchange(
    app: ASGIApp,
    method: str,
    path: str,
    chunks: Sequence[bytes],
    headers: Mapping[str, str],
    state: Mapping[str, Any] | None = None,
) -> Reply:
    """One exchange with *app*, its request's body in *chunks*. *state*: what the server knows of the request already."""
    sent: list[Message] = []
    coming = iter(
        [{"type": "http.request", "body": chunk, "more_body": i < len(chunks) - 1} for i, chunk in enumerate(chunks)]
    )

    async def receive() -> Message:
        return next(coming, {"type": "http.disconnect"})

    async def send(message: Message) -> None:
        sent.append(message)

    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "http_version": "1.1", "method": method, "path": path, "query_string": b"", "headers": raw}
    await app(scope if state is None else scope | {"state": dict(state)}, receive, send)
    start, *bodies = sent
    answered = {name.decode(): value.decode() for name, value in start["headers"]}
    return Reply(start["status"], answered, b"".join(message.get("body", b"") for message in bodies))
