"""gRPC's own client for Java, by `tests/clients/GrpcCalls.java`: CONTRIBUTING.md says how to have its jars."""

import base64
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from argosy.ml.predictor import Predictor
from argosy.serving import grpc_messages
from kit import grpc_calls
from kit.certificates import write_certificate
from kit.model_server import ready, started
from kit.serving_kit import ROW

pytestmark = pytest.mark.slow
PROGRAM = Path(__file__).parents[2] / "clients" / "GrpcCalls.java"
SERVICE = grpc_messages.SERVICE


@dataclass(frozen=True)
class JavaClient:
    """A client that runs."""

    process: "subprocess.Popen[str]"

    def calls(
        self, message: bytes, count: int = 1, path: str = f"{SERVICE}/ModelInfer", encoding: str = "identity"
    ) -> list[tuple[str, str]]:
        """The status of so many calls at once, and of each the answer, in base64, or what the status says."""
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(f"{count} {path} 60000 {encoding} {base64.b64encode(message).decode()}\n")
        self.process.stdin.flush()
        told = [self.process.stdout.readline().rstrip("\n").split(" ", 2) for _ in range(count)]
        return [(status, said) for status, _, said in told]


@contextmanager
def talking(folder: Path, scratch: Path, *, tls: bool) -> Iterator[JavaClient]:
    """A client and its server; skips where there is no Java or none of the jars."""
    jars, java = os.environ.get("ARGOSY_TEST_GRPC_JAVA"), shutil.which("java")
    if not jars or java is None:
        pytest.skip("ARGOSY_TEST_GRPC_JAVA names no folder with the jars of io.grpc, or there is no java")
    certificate = str(write_certificate(scratch))
    words = ("--tls-certificate", certificate, "--tls-key", certificate) if tls else ()
    with started(folder, "--unsigned", "--port", "0", "--grpc-port", "0", *words) as server:
        address = re.findall(r"for gRPC at ([\d.:]+\d)", ready(server)[0])[0]
        command = [java, "-cp", f"{jars}/*", str(PROGRAM), address, *([certificate] if tls else [])]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            try:
                yield JavaClient(process)
            finally:
                process.kill()


@pytest.fixture(scope="module")
def client(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[JavaClient]:
    """One that speaks in the open."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ARGOSY_HOME", str(tmp_path_factory.mktemp("home")))
        with talking(folder, tmp_path_factory.mktemp("java"), tls=False) as found:
            yield found


def asked(rows: int = 1) -> bytes:
    """The message for so many equal rows."""
    made = grpc_messages.CLASSES["ModelInferRequest"](model_name="leaving", inputs=grpc_calls.row(ROW, rows=rows))
    content: bytes = made.SerializeToString()
    return content


def predictions(said: str) -> list[float]:
    """Those of an answer."""
    answer = grpc_messages.CLASSES["ModelInferResponse"].FromString(base64.b64decode(said))
    return list(answer.outputs[0].contents.fp32_contents)


@pytest.mark.parametrize(
    ("rows", "count", "encoding"),
    [
        pytest.param(1, 1, "identity", id="a-call"),
        pytest.param(1, 1, "gzip", id="compressed"),
        pytest.param(1, 100, "identity", id="at-once"),
        pytest.param(2_000, 3, "identity", id="longer-than-a-window"),
    ],
)
def test_a_client_of_java_is_answered(
    client: JavaClient, predictor: Predictor, rows: int, count: int, encoding: str
) -> None:
    """With the model's own numbers, however its calls come."""
    expected = predictor.predict([ROW]).astype("float32").tolist() * rows
    for status, said in client.calls(asked(rows), count, encoding=encoding):
        assert (status, predictions(said)) == ("OK", expected)


@pytest.mark.parametrize(
    ("message", "path", "status"),
    [
        pytest.param(b"\xff", f"{SERVICE}/ModelInfer", "INVALID_ARGUMENT", id="no-message"),
        pytest.param(bytes(5 * 2**20), f"{SERVICE}/ModelInfer", "RESOURCE_EXHAUSTED", id="too-large"),
        pytest.param(b"", f"{SERVICE}/Nothing", "UNIMPLEMENTED", id="no-method"),
    ],
)
def test_a_client_of_java_is_told_why_not(client: JavaClient, message: bytes, path: str, status: str) -> None:
    """And the connection goes on."""
    assert [found for found, _ in client.calls(message, path=path)] == [status]
    assert [found for found, _ in client.calls(asked())] == ["OK"]


def test_a_client_of_java_is_answered_over_tls(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which chooses HTTP/2 in its handshake."""
    monkeypatch.setenv("ARGOSY_HOME", str(tmp_path / "home"))
    with talking(folder, tmp_path, tls=True) as client:
        assert [status for status, _ in client.calls(asked(), 20)] == ["OK"] * 20
