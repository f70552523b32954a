"""The small model, served."""

import copy
from pathlib import Path

import pytest

from argosy.domain import bundle
from argosy.domain.model_settings import Serving
from argosy.ml.predictor import Predictor
from argosy.ports.prediction_log import ServedRelease
from argosy.serving.exchange import RequestLimits
from argosy.serving.lifecycle import Lifecycle
from kit.serving_kit import ROW, Client, MemoryLog, MemoryOnline, build_app, write_bundle


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of the small binary model."""
    path = tmp_path_factory.mktemp("bundles") / "binary"
    write_bundle(path)
    return path


@pytest.fixture(scope="session")
def predictor(folder: Path) -> Predictor:
    """The small binary model."""
    return Predictor.load(folder, bundle.digest(folder))


@pytest.fixture(scope="session")
def tolerant(predictor: Predictor) -> Predictor:
    """The same, but what it was not made for is scored as missing."""
    other = copy.copy(predictor)
    policy = Serving(unknown_level="missing", unexpected_null="missing")
    other.signature = predictor.signature.model_copy(update={"serving": policy})
    return other


@pytest.fixture
def lifecycle() -> Lifecycle:
    """The state that the client's app follows."""
    return Lifecycle()


@pytest.fixture
def log() -> MemoryLog:
    """Where a server logs what it answers."""
    return MemoryLog()


@pytest.fixture
def client(predictor: Predictor, lifecycle: Lifecycle) -> Client:
    """Calls the small binary model, with one customer in its online store and small limits."""
    log = MemoryLog()
    app = build_app(
        predictor=predictor,
        served=ServedRelease("leaving", "production", 4, predictor.digest),
        online=MemoryOnline({"C1": ROW}),
        log=log,
        hash_key=b"secret",
        limits=RequestLimits(body_bytes=20_000, rows=100, body_seconds=0.2, in_flight=2),
        lifecycle=lifecycle,
    )
    return Client(app, log)
