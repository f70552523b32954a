"""A second version in a server that runs as a process, with clients over HTTP and gRPC."""

import asyncio
import shutil
import signal
import urllib.request
from pathlib import Path
from typing import Any

import grpc
import pytest

from argosy import wiring
from argosy.domain import bundle
from argosy.domain.data import FeatureColumn
from argosy.ports.prediction_log import shadows_of
from argosy.settings import Settings
from kit.grpc_calls import called, row
from kit.model_server import asked, free_port, ready, started
from kit.serving_kit import ROW

pytestmark = pytest.mark.slow


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder with the secret for ids."""
    monkeypatch.setenv("ARGOSY_HOME", str(tmp_path))
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "ids.key").write_text("secret")
    return tmp_path


def changed(folder: Path, into: Path, **changes: Any) -> list[str]:
    """The options that name the bundle of *folder* with another signature as the second version."""
    shutil.copytree(folder, into)
    bundle.Signature.read(into / bundle.SIGNATURE).model_copy(update=changes).write(into / bundle.SIGNATURE)
    return ["--second-bundle", str(into), "--second-digest", bundle.digest(into)]


def logged(environment: str) -> list[tuple[str, str]]:
    """What was logged there: the digest, and the decision of each row."""
    history = wiring.prediction_history(Settings.from_environment())
    return [
        (batch.served.digest, decision)
        for batch in history.read("leaving", environment)
        for decision in batch.table["decision"].to_pylist()
    ]


def metrics(address: str) -> str:
    with urllib.request.urlopen(f"{address}/metrics", timeout=10) as answer:  # noqa: S310 - our own server
        return str(answer.read(), "utf-8")


async def over_grpc(port: int) -> Any:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        return await called(channel, "ModelInfer", model_name="leaving", inputs=row(ROW))


def test_a_shadow_logs_apart_from_what_was_answered(folder: Path, home: Path, tmp_path: Path) -> None:
    """Requests by HTTP and gRPC are answered by the first version; the second's answers are in a log of their own, whole at the end."""
    second = changed(folder, tmp_path / "second", threshold=0.99)
    port = free_port()
    words = ["--unsigned", "--port", "0", "--grpc-port", str(port), "--environment", "production"]
    with started(folder, *words, *second, "--second-role", "shadow") as process:
        line, address = ready(process)
        assert "is asked 100 % of it too, as a shadow" in line
        assert asked(address)["decisions"] == ["yes"]
        asyncio.run(over_grpc(port))
        assert 'argosy_second_absent{role="shadow"} 0.0' in metrics(address)
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
    assert logged("production") == [(bundle.digest(folder), "yes")] * 2
    assert logged(shadows_of("production")) == [(second[-1], "no")] * 2


def test_a_candidate_answers_and_logs_where_it_answered(folder: Path, home: Path, tmp_path: Path) -> None:
    """Both arms are what the environment answered, each under its own digest."""
    second = changed(folder, tmp_path / "second", threshold=0.99)
    port = free_port()
    words = ["--unsigned", "--port", "0", "--grpc-port", str(port), "--environment", "production"]
    with started(folder, *words, *second, "--second-role", "candidate") as process:
        _, address = ready(process)
        assert asked(address)["decisions"] == ["no"]
        answer = asyncio.run(over_grpc(port))
        assert answer.model_version == answer.parameters["versions"].string_param == second[-1]
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
    assert logged("production") == [(second[-1], "no")] * 2


@pytest.mark.parametrize("broken", ["file", "schema"])
def test_what_cannot_be_loaded_is_left_out_and_said(folder: Path, home: Path, tmp_path: Path, broken: str) -> None:
    """An experiment takes down nobody's model: the first version serves alone, one line says why, and a metric that it does."""
    income = FeatureColumn(name="income", type="number", view="account")
    second = changed(
        folder, tmp_path / "second", **({"features": [income]} if broken == "schema" else {"threshold": 0.9})
    )
    if broken == "file":
        (tmp_path / "second" / bundle.MODEL).write_bytes(b"{L")
    with started(folder, "--unsigned", "--port", "0", *second, "--second-role", "shadow") as process:
        _, address = ready(process)
        assert asked(address)["decisions"] == ["yes"]
        assert 'argosy_second_absent{role="shadow"} 1.0' in metrics(address)
        process.send_signal(signal.SIGTERM)
        process.wait(15)
        assert process.stderr is not None
        said = process.stderr.read().splitlines()
    assert [line for line in said if "the shadow is left out" in line], said
    assert len(said) == 1


def test_half_of_a_second_version_is_refused(folder: Path) -> None:
    """The options go together."""
    with started(folder, "--unsigned", "--second-role", "shadow") as process:
        assert process.wait(30) == 2
        assert process.stderr is not None
        assert "--second-bundle, --second-digest are missing" in process.stderr.read()
