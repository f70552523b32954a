"""The server as a process over a real database of features: by id as by row, beside another version's, through an outage.

What the databases differ in is held by test_online_stores.py; one of them is enough here.
"""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pytest
from databases import Database, redis_server

from argosy import errors, wiring
from argosy.adapters.feast_features import publishing
from argosy.domain import bundle
from argosy.ports.features import Definition
from argosy.ports.tables import EVENT_TIME
from argosy.serving import __main__ as serving
from argosy.settings import Settings
from argosy.testing import serving_kit

pytestmark = pytest.mark.slow
STABLE, CANARY = serving_kit.rows(6, seed=1), serving_kit.rows(6, seed=2)
"""The features of the same customers, as two versions were trained with them."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of the small model."""
    path = tmp_path_factory.mktemp("bundles") / "binary"
    serving_kit.write_bundle(path)
    return path


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Database]:
    """A database of the test's own."""
    with redis_server(tmp_path) as started:
        yield started


def load(server: Database, rows: list[Any], folder: Path) -> str:
    """Publish *rows* of C0, C1, … and load them; returns the digest that a reviewer would approve."""
    columns = {column.name: pa.array([row[column.name] for row in rows]) for column in serving_kit.FEATURES}
    ids = {"customer_id": [f"C{number}" for number in range(len(rows))]}
    moments = {EVENT_TIME: pa.array([0] * len(rows), pa.timestamp("us", tz="UTC"))}
    features = [Definition(one.name, one.type, one.view, "rows", one.name) for one in serving_kit.FEATURES]
    publishing.publish(pa.table({**ids, **moments, **columns}), ["customer_id"], features, "leaving", folder)
    store = wiring.shared_online_store(Settings.from_environment({"ARGOSY_ONLINE_STORE_URI": server.uri}))
    assert store is not None
    digest = bundle.digest(folder)
    store.load(folder, digest, "leaving")
    return digest


def arguments(folder: Path, digest: str) -> list[str]:
    """Of a server of the bundle that is told the digest of its features."""
    words = ["--bundle", str(folder), "--digest", bundle.digest(folder), "--unsigned", "--port", "0"]
    return [*words, "--online-digest", digest]


def start(stack: ExitStack, server: Database, folder: Path, digest: str) -> "subprocess.Popen[str]":
    """Such a server, told where to look."""
    process = stack.enter_context(
        subprocess.Popen(
            [sys.executable, "-m", "argosy.serving", *arguments(folder, digest)],
            env={**os.environ, "ARGOSY_ONLINE_STORE_URI": server.uri},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    )
    stack.callback(process.kill)
    return process


def address(process: "subprocess.Popen[str]") -> str:
    """Where it answers, once it does."""
    stdout: IO[str] = process.stdout  # type: ignore[assignment]
    line = stdout.readline()
    assert "try: curl -s " in line, process.stderr.read() if process.stderr else line
    return line.partition("curl -s ")[2].split()[0]


def post(url: str, instances: list[Any]) -> tuple[int, bytes]:
    """Status and body."""
    data = json.dumps({"instances": instances}).encode()
    try:
        with urllib.request.urlopen(url, data=data, timeout=10) as answer:  # noqa: S310 - our own server
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers.get("retry-after", "").encode() + error.read()


def test_by_id_as_by_row_through_an_outage(server: Database, folder: Path, tmp_path: Path) -> None:
    """Each answer by id is that to the full row, byte for byte, though another version has other features of the same customers; a store
    that is down is 503, the rest goes on, and nobody has to restart anything."""
    stable = load(server, STABLE, tmp_path / "stable")
    load(server, CANARY, tmp_path / "canary")
    ids = [{"customer_id": f"C{number}"} for number in range(len(STABLE))]
    with ExitStack() as stack:
        process = start(stack, server, folder, stable)
        url = address(process)
        assert post(url, ids) == post(url, STABLE) != post(url, CANARY)
        assert post(url, ids[:1]) == post(url, STABLE[:1])
        assert post(url, ids)[0] == 200
        assert post(url, [{"customer_id": "C99"}])[0] == 404
        server.stop()
        status, said = post(url, ids)
        assert (status, said[:1]) == (503, b"1")
        assert b"send every feature, or try again" in said
        assert post(url, STABLE)[0] == 200
        server.start()
        assert post(url, ids) == post(url, STABLE)
        process.send_signal(signal.SIGTERM)
        said_last = process.communicate(timeout=30)[1]
        assert (process.returncode, said_last) == (0, "")


def test_a_server_does_not_start_on_features_that_are_not_there(
    server: Database, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new version whose features nobody loaded never gets a request; while the store is down it is worth another try."""
    monkeypatch.setenv("ARGOSY_ONLINE_STORE_URI", server.uri)
    words = arguments(folder, f"sha256:{'0' * 64}")
    with pytest.raises(errors.Misconfigured, match="was not loaded, or was lost; `argosy online load MODEL`"):
        serving.run(serving.parser().parse_args(words))
    server.stop()
    with pytest.raises(errors.TryAgain, match="the online store redis://127"):
        serving.run(serving.parser().parse_args(words))
