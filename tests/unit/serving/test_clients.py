"""Clients that others wrote, KServe's and Triton's, over HTTP and gRPC, each of whose calls is made to a server process."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from argosy.ml.predictor import Predictor
from kit import grpc_descriptions
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
def ready_line(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Of a server process. It serves a bundle that was never released, so its version is its digest."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ARGOSY_HOME", str(tmp_path_factory.mktemp("home")))
        with started(folder, "--unsigned", "--port", "0", "--grpc-port", "0") as process:
            yield ready(process)[0]


@pytest.fixture(scope="session")
def address(ready_line: str) -> str:
    """Of the server, for HTTP."""
    return re.findall(r"http://[\d.:]+\d", ready_line)[0]


@pytest.fixture(scope="session")
def grpc_address(ready_line: str) -> str:
    """Of the server, for gRPC."""
    return re.findall(r"for gRPC at ([\d.:]+\d)", ready_line)[0]


@pytest.fixture(scope="session")
def kserve_grpc(clients: Path, grpc_address: str, predictor: Predictor) -> dict[str, Any]:
    """What KServe's client was answered over gRPC."""
    return session(clients, "kserve_grpc", grpc_address, predictor.digest)


@pytest.fixture(scope="session")
def triton_grpc(clients: Path, grpc_address: str, predictor: Predictor) -> dict[str, Any]:
    """What Triton's client was answered over gRPC."""
    return session(clients, "triton_grpc", grpc_address, predictor.digest)


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
    sure = np.maximum(values, 1 - values).tolist()
    return {"prediction": np.float32(values).tolist(), "decision": predictor.decide(values), "confidence": sure}


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
    """As it has been, and with reasons where they are asked for."""
    assert kserve["v1 infer"]["predictions"] == predictor.predict([ROW]).tolist()
    assert kserve["v1 explain"]["predictions"] == predictor.predict([ROW]).tolist()
    assert "tenure = 3 raises it" in kserve["v1 explain"]["explanations"][0]["sentence"]


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
    assert triton[f"{form} outputs"]["outputs"] == {name: two[name] for name in ("decision", "prediction")}


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


@pytest.mark.parametrize("form", ["typed", "raw"])
def test_kserve_s_client_is_answered_over_grpc(kserve_grpc: dict[str, Any], predictor: Predictor, form: str) -> None:
    """With typed contents and with raw ones, as columns and as lists, in every datatype."""
    assert kserve_grpc[form] == {"id": "mine", "model": "leaving", "outputs": expected(predictor, 3)}
    assert kserve_grpc[f"{form} wide"]["outputs"] == expected(predictor, 3)
    for datatype in JSON_TYPES if form == "typed" else BINARY_TYPES:
        assert kserve_grpc[f"{form} {datatype}"]["outputs"] == expected(predictor), datatype
    assert kserve_grpc[f"{form} BOOL"]["outputs"] == expected(predictor, tenure=1.0)
    assert "tenure = 3 raises it" in kserve_grpc[f"{form} explained"]["outputs"]["reasons"][0]


def test_triton_s_client_is_answered_over_grpc(triton_grpc: dict[str, Any], predictor: Predictor) -> None:
    """In every datatype, for a version, with outputs of its choice, compressed, and with parameters that are nothing to this server."""
    assert triton_grpc["raw"] == {"id": "mine", "model": "leaving", "outputs": expected(predictor, 3)}
    assert triton_grpc["raw wide"]["outputs"] == expected(predictor, 3)
    for call in ("version", "hints", "compressed", *(f"raw {datatype}" for datatype in BINARY_TYPES)):
        assert triton_grpc[call]["outputs"] == expected(predictor), call
    assert list(triton_grpc["outputs"]["outputs"]) == ["decision", "reasons"]


def test_clients_over_grpc_learn_what_is_ready(
    kserve_grpc: dict[str, Any], triton_grpc: dict[str, Any], predictor: Predictor
) -> None:
    """Server and model are; another model is not found."""
    assert [kserve_grpc[call] for call in ("live", "ready", "model ready")] == [True] * 3
    assert [triton_grpc[call] for call in ("live", "ready", "model ready")] == [True] * 3
    assert kserve_grpc["other model ready"]["status"] == "NOT_FOUND"
    assert triton_grpc["other model metadata"]["status"] == "NOT_FOUND"
    assert triton_grpc["server metadata"]["extensions"] == ["binary_tensor_data"]
    assert triton_grpc["model metadata"]["versions"] == [predictor.digest]


def test_clients_over_grpc_learn_what_is_wrong(kserve_grpc: dict[str, Any], triton_grpc: dict[str, Any]) -> None:
    """The code says whose fault it is, the message which field."""
    for refused in (kserve_grpc["missing"], triton_grpc["missing"]):
        assert refused["status"] == "INVALID_ARGUMENT"
        assert "the feature is missing" in refused["error"]
    assert triton_grpc["other version"]["status"] == "NOT_FOUND"
    assert triton_grpc["config"]["status"] == "UNIMPLEMENTED"


def test_the_messages_are_those_of_kserve_s_package(kserve_grpc: dict[str, Any]) -> None:
    """Field by field; what is newer in the published protocol, and what is no part of it, excepted."""
    ours = {message: dict(fields) for message, fields in grpc_descriptions.described().items()}
    newer = {("inference.InferParameter", 4), ("inference.InferParameter", 5), ("inference.ModelMetadataResponse", 6)}
    theirs = {name: fields for name, fields in kserve_grpc["described"].items() if ".Repository" not in name}
    assert set(ours) - set(theirs) == {"inference.ModelMetadataResponse.PropertiesEntry"}
    for message, fields in theirs.items():
        known = {number: field for number, field in ours[message].items() if (message, number) not in newer}
        assert {number: [name, *rest] for name, number, *rest in fields} == known, message
