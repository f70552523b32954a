"""A real MLflow server that goes away in the middle of a registration: nothing is lost, nothing is there twice."""

import contextlib
import http.client
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from argosy import errors
from argosy.adapters.mlflow_registry import MlflowRegistry
from argosy.testing.registry_contract import candidate, judgement
from kit import model_server

WHOLE = "ARGOSY_OUTAGES"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.skipif(
        WHOLE not in os.environ, reason=f"starts MLflow's server twice, a minute of CPU time; {WHOLE}=1"
    ),
]
LONGEST_START = 150


class TrackingServer:
    """MLflow's server on a database in a file, artifacts handed through it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = model_server.free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.uri = f"http://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        words = ["server", "--host", "127.0.0.1", "--port", str(self._port), "--workers", "1"]
        places = [
            "--backend-store-uri",
            f"sqlite:///{self._folder}/mlflow.db",
            "--artifacts-destination",
            str(self._folder / "kept"),
        ]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "mlflow", *words, *places],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "1"},
        )
        until = time.monotonic() + LONGEST_START
        while not self._answers():
            assert self._process.poll() is None, "the server ended"
            assert time.monotonic() < until, "the server does not answer"
            time.sleep(0.2)

    def stop(self) -> None:
        """Kill it with all its workers, as a node that goes does."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(30)

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=5)
        with contextlib.closing(connection):
            try:
                connection.request("GET", "/health")
                return connection.getresponse().status == 200
            except OSError:
                return False


@pytest.fixture
def server(tmp_path: Path) -> Iterator[TrackingServer]:
    """A server that runs."""
    made = TrackingServer(tmp_path)
    made.start()
    try:
        yield made
    finally:
        made.stop()


def test_it_goes_away_and_comes_back(server: TrackingServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed between run and version the step may be tried again; back again, it finishes what was begun: one run, one version."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    registry = MlflowRegistry(server.uri)
    first = registry.record(candidate("a", tmp_path / "a"))

    def gone(*_: object) -> None:
        server.stop()

    with monkeypatch.context() as once:
        # The files of the run are there, its version is not.
        once.setattr(
            "argosy.adapters.mlflow_registry._version",
            lambda client, one, _run: (gone(), client.get_registered_model(one.model)),
        )
        with pytest.raises(errors.TryAgain):
            registry.record(candidate("b", tmp_path / "b"))
    with pytest.raises(errors.TryAgain):
        registry.judge("toy", first.version, judgement("promote", tmp_path))
    server.start()
    again = registry.record(candidate("b", tmp_path / "b"))
    assert (first.version, again.version) == (1, 2)
    for _ in range(2):
        registry.judge("toy", 2, judgement("promote", tmp_path))
    assert registry.crown("toy", candidate("b", tmp_path / "b").model_digest) == 2
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=server.uri, registry_uri=server.uri)
    [experiment] = [one for one in client.search_experiments() if one.name == "toy"]
    assert len(client.search_runs([experiment.experiment_id])) == 2
    assert len(client.search_model_versions("name = 'toy'")) == 2
