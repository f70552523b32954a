"""Clients that others wrote, KServe's and Triton's, each of whose calls is made to a server process."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from argosy.ml.predictor import Predictor
from kit.model_server import ready, started
from kit.serving_kit import ROW

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[3]
UV, LOCK = Path(sys.executable).with_name("uv"), ROOT / "requirements" / "clients.txt"
WHOLE = [f"{sign}INT{bits}" for sign in ("", "U") for bits in (8, 16, 32, 64)]
JSON_TYPES, BINARY_TYPES = [*WHOLE, "FP32", "FP64"], [*WHOLE, "FP16", "FP32", "FP64"]


@pytest.fixture(scope="session")
def clients(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python that has the clients, at the versions of requirements/clients.txt; skips where they cannot be had, CI excepted."""
    python = tmp_path_factory.mktemp("clients") / "bin" / "python"
    made = _uv("venv", "--clear", "--python", sys.executable, str(python.parents[1]))
    synced = made or _uv("pip", "sync", "--python", str(python), "--require-hashes", str(LOCK))
    if synced and "CI" not in os.environ:
        pytest.skip(f"kserve and tritonclient cannot be installed here: {synced}")
    assert not synced, synced
    return python


def _uv(*words: str) -> str:
    """What uv says where it fails, else nothing."""
    done = subprocess.run([UV, "--quiet", *words], capture_output=True, text=True, timeout=280, check=False)
    return done.stderr[-300:] if done.returncode else ""


@pytest.fixture(scope="session")
def address(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Of a server process. It serves a bundle that was never released, so its version is its digest."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ARGOSY_HOME", str(tmp_path_factory.mktemp("home")))
        with started(folder, "--unsigned", "--port", "0") as process:
            yield ready(process)[1]


def session(python: Path, name: str, address: str, version: str) -> dict[str, Any]:
    """What the session *name* printed."""
    command = [python, ROOT / "tests" / "clients" / f"{name}_session.py", address, version]
    alone = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False, env=alone)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="session")
def kserve(clients: Path, address: str, predictor: Predictor) -> dict[str, Any]:
    """What KServe's client was answered."""
    return session(clients, "kserve", address, predictor.digest)


@pytest.fixture(scope="session")
def triton(clients: Path, address: str, predictor: Predictor) -> dict[str, Any]:
    """What Triton's client was answered."""
    return session(clients, "triton", address, predictor.digest)


def expected(predictor: Predictor, rows: int = 1, tenure: float = 3.0) -> dict[str, Any]:
    """The outputs for *rows* equal rows."""
    values = predictor.predict([{**ROW, "tenure": tenure}] * rows)
    return {"prediction": np.float32(values).tolist(), "decision": predictor.decide(values)}


def test_kserve_s_client_learns_what_is_ready(kserve: dict[str, Any]) -> None:
    """Over both versions of the protocol: server and model are, another model is not."""
    assert [kserve[f"{protocol} {what}"] for protocol in ("v1", "v2") for what in ("live", "model ready")] == [True] * 4
    assert kserve["v2 ready"] is True
    assert kserve["v1 other model ready"]["status"] == 404
    assert kserve["v2 other model ready"] is False


@pytest.mark.parametrize("call", ["v2 json", "v2 json wide", "v2 binary", "v2 binary wide"])
def test_kserve_s_client_is_answered(kserve: dict[str, Any], predictor: Predictor, call: str) -> None:
    """As JSON and as binary data, as columns and as lists."""
    assert kserve[call] == {"id": "mine", "model": "leaving", "outputs": expected(predictor, 3)}


def test_kserve_s_client_is_answered_over_v1(kserve: dict[str, Any], predictor: Predictor) -> None:
    """As it has been; what the server does not do is a 404."""
    assert kserve["v1 infer"]["predictions"] == predictor.predict([ROW]).tolist()
    assert kserve["v1 explain"]["status"] == 404


def test_kserve_s_client_names_a_version(kserve: dict[str, Any], predictor: Predictor) -> None:
    """The version that is served answers."""
    assert kserve["v2 version"]["outputs"] == expected(predictor)


@pytest.mark.parametrize("form", ["json", "binary"])
def test_both_clients_choose_outputs(
    kserve: dict[str, Any], triton: dict[str, Any], predictor: Predictor, form: str
) -> None:
    """Which, and in which form."""
    one, two = expected(predictor), expected(predictor, 2)
    assert kserve[f"v2 {form} output"]["outputs"] == {"decision": one["decision"]}
    assert kserve[f"v2 {form} outputs"]["outputs"] == two
    assert triton[f"{form} output"]["outputs"] == {"decision": one["decision"]}
    assert triton[f"{form} outputs"]["outputs"] == two


@pytest.mark.parametrize(
    ("form", "datatype"),
    [("json", name) for name in ["BOOL", *JSON_TYPES]] + [("binary", name) for name in ["BOOL", *BINARY_TYPES]],
)
def test_both_clients_send_every_datatype(
    kserve: dict[str, Any], triton: dict[str, Any], predictor: Predictor, form: str, datatype: str
) -> None:
    """A number is the same number in each of them."""
    outputs = expected(predictor, tenure=1.0 if datatype == "BOOL" else 3.0)
    assert kserve[f"v2 {form} {datatype}"]["outputs"] == outputs
    assert triton[f"{form} {datatype}"]["outputs"] == outputs


def test_both_clients_learn_what_is_wrong(kserve: dict[str, Any], triton: dict[str, Any]) -> None:
    """The message of the server, and a status that is theirs to mend."""
    for refused in (kserve["v2 missing"], triton["missing"]):
        assert refused["status"] == 422
        assert "the feature is missing" in refused["error"]
    assert kserve["v2 other output"]["status"] == triton["classification"]["status"] == 422
    assert triton["compressed"]["status"] == 415
    for call in ("config", "repository", "other model metadata", "other version metadata", "json other version"):
        assert triton[call]["status"] == 404, call
    assert "is not served here" in triton["binary other version"]["error"]


def test_triton_s_client_learns_what_is_ready(triton: dict[str, Any], predictor: Predictor) -> None:
    """Server, model, and this version of it; another version is not."""
    assert [triton[call] for call in ("live", "ready", "model ready", "version ready")] == [True] * 4
    assert triton["other version ready"] is False
    assert triton["server metadata"]["extensions"] == ["binary_tensor_data"]
    assert triton["model metadata"] == triton["version metadata"]
    assert triton["model metadata"]["versions"] == [predictor.digest]


@pytest.mark.parametrize("call", ["json", "json wide", "binary", "binary wide", "asynchronous"])
def test_triton_s_client_is_answered(triton: dict[str, Any], predictor: Predictor, call: str) -> None:
    """As JSON and as binary data, as columns and as lists."""
    assert triton[call]["outputs"] == expected(predictor, 3)


@pytest.mark.parametrize("call", ["json version", "binary version", "hints", "compressed answer"])
def test_triton_s_client_may_say_more(triton: dict[str, Any], predictor: Predictor, call: str) -> None:
    """The version, and parameters that are nothing to this server."""
    assert triton[call]["outputs"] == expected(predictor)
