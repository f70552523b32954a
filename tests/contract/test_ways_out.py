"""A server whose authority nobody trusts, and a proxy that wants a password: what each client library makes of them, and what we say.

Both are real: TLS with certificates of an authority of this test's own, and a proxy that others wrote.
"""

import base64
import http.server
import os
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest
import trustme

from argosy import errors, network
from argosy.adapters.feast_features.redis_store import RedisStore
from argosy.adapters.mlflow_registry import MlflowRegistry
from argosy.adapters.s3.bucket_objects import S3Objects
from argosy.engine.artifacts.failures import ArtifactFailure

PATIENCE_SECONDS = 60
STORE = {
    "AWS_ACCESS_KEY_ID": "a",
    "AWS_SECRET_ACCESS_KEY": "b",
    "AWS_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


class _Answers(http.server.BaseHTTPRequestHandler):
    """Says {} to everything."""

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b"{}")

    do_POST = do_GET  # noqa: N815 - the base class' names

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """An authority that no machine trusts."""
    return trustme.CA()


@pytest.fixture(scope="module")
def bundle(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its certificate, in a file."""
    path = tmp_path_factory.mktemp("trust") / "company.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


@pytest.fixture(scope="module")
def server(authority: trustme.CA) -> Iterator[str]:
    """The address of a server with a certificate by that authority."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Answers) as made:
        made.daemon_threads = True
        made.handle_error = lambda *_: None  # type: ignore[method-assign]  # who trusts nobody hangs up
        made.socket = context.wrap_socket(made.socket, server_side=True)
        threading.Thread(target=made.serve_forever, daemon=True).start()
        yield f"https://localhost:{made.server_address[1]}"
        made.shutdown()


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Host and port of a proxy that lets Ada through, by her password."""
    folder = tmp_path_factory.mktemp("proxy")
    words = ["--hostname", "127.0.0.1", "--port", "0", "--port-file", str(folder / "port"), "--num-workers", "1"]
    words += ["--num-acceptors", "1", "--basic-auth", "ada:right", "--data-dir", str(folder)]
    with (folder / "log").open("w") as log:
        running = subprocess.Popen(
            [sys.executable, "-m", "proxy", *words], stdout=log, stderr=log, start_new_session=True
        )
        try:
            until = time.monotonic() + PATIENCE_SECONDS
            while not (folder / "port").exists() and time.monotonic() < until and running.poll() is None:
                threading.Event().wait(0.05)
            yield f"127.0.0.1:{(folder / 'port').read_text().strip()}"
        finally:
            os.killpg(running.pid, signal.SIGTERM)
            running.wait(PATIENCE_SECONDS)


@pytest.fixture(autouse=True)
def surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of this machine's own way out."""
    for name in (*network.PROXIES, *network.CERTIFICATES):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")


def _s3(server: str, _folder: Path) -> None:
    os.environ["AWS_ENDPOINT_URL"] = server
    S3Objects("s3://bucket/prefix", "ARGOSY_MONITORING_URI").get("key")


def _mlflow(server: str, _folder: Path) -> None:
    MlflowRegistry(server).check()


def _git(server: str, folder: Path) -> None:
    from argosy.engine.artifacts import git
    from argosy.engine.manifest.artifact_model import GitArtifact

    git.load(GitArtifact({"repo": f"{server}/x.git"}), folder / "clone", {})


def _redis(server: str, _folder: Path) -> None:
    RedisStore(server.replace("https", "rediss")).held()


Client = Callable[[str, Path], None]
CLIENTS = [pytest.param(each, id=each.__name__) for each in (_s3, _mlflow, _git)]


def _said(client: Client, server: str, folder: Path, kind: type[Exception] = errors.Misconfigured) -> str:
    expected = ArtifactFailure if client is _git else kind
    with pytest.raises(expected) as raised:
        client(server, folder)
    assert str(raised.value).count("\n") == 0
    return str(raised.value)


@pytest.fixture(autouse=True)
def store(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys for a bucket."""
    for name, value in {**STORE, "AWS_ENDPOINT_URL": ""}.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("client", [*CLIENTS, pytest.param(_redis, id="_redis")])
def test_a_certificate_that_is_not_trusted(client: Client, server: str, tmp_path: Path) -> None:
    """Trying again does not help: the line names the server and the one setting."""
    assert "is not trusted: set ARGOSY_CA_BUNDLE to a file (PEM)" in _said(client, server, tmp_path)


@pytest.mark.parametrize("client", CLIENTS)
def test_one_setting_is_enough_for_every_client(
    client: Client, server: str, proxy: str, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The company's authority, and its proxy with the right password: through both to the server."""
    _through(monkeypatch, f"http://ada:right@{proxy}")
    monkeypatch.setenv("ARGOSY_CA_BUNDLE", str(bundle))
    for name in network.BUNDLES:
        monkeypatch.setenv(name, "")  # put back afterwards
    network.prepare(os.environ)
    client(server, tmp_path)


@pytest.mark.parametrize("client", CLIENTS)
def test_an_authority_that_is_missing_in_the_file(
    client: Client, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever has set it is not told to set it."""
    other = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(other))
    for name in (*network.BUNDLES, "ARGOSY_CA_BUNDLE"):
        monkeypatch.setenv(name, str(other))
    assert f"its authority is not in {other} (ARGOSY_CA_BUNDLE)" in _said(client, server, tmp_path)


@pytest.mark.parametrize("client", CLIENTS)
def test_a_proxy_that_wants_another_password(
    client: Client, server: str, proxy: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The setting is named; the password in it is not repeated."""
    _through(monkeypatch, f"http://ada:wrong-password@{proxy}")
    said = _said(client, server, tmp_path)
    assert "wants another user or password: write them into HTTPS_PROXY" in said
    assert "wrong-password" not in said


@pytest.mark.parametrize("client", [pytest.param(_s3, id="_s3"), pytest.param(_mlflow, id="_mlflow")])
def test_a_proxy_that_is_down(client: Client, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may come back."""
    _through(monkeypatch, "http://ada:right-password@127.0.0.1:9")
    said = _said(client, server, tmp_path, errors.TryAgain)
    assert "the proxy that HTTPS_PROXY names does not lead to" in said
    assert "right-password" not in said


@pytest.mark.parametrize(
    ("client", "variable"),
    [pytest.param(_s3, "AWS_CA_BUNDLE", id="_s3"), pytest.param(_mlflow, "REQUESTS_CA_BUNDLE", id="_mlflow")],
)
def test_a_file_of_authorities_that_is_not_there(
    client: Client, variable: str, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mistyped path is named by its variable."""
    monkeypatch.setenv(variable, str(tmp_path / "mistyped.pem"))
    assert f"{variable} names no file with certificates" in _said(client, server, tmp_path)


@pytest.mark.parametrize(
    ("made", "message"),
    [
        pytest.param({"not_after": "past"}, "has expired; whoever runs it", id="expired"),
        pytest.param({"name": "elsewhere.example"}, "is for another name", id="another-name"),
    ],
)
def test_what_no_setting_mends(
    made: Mapping[str, str], message: str, authority: trustme.CA, bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A certificate that ended, or is another server's, is not ours to trust."""
    import datetime

    ended = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    certificate = authority.issue_cert(
        made.get("name", "localhost"), **({"not_after": ended} if "not_after" in made else {})
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(bundle))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Answers) as other:
        other.daemon_threads = True
        other.handle_error = lambda *_: None  # type: ignore[method-assign]
        other.socket = context.wrap_socket(other.socket, server_side=True)
        threading.Thread(target=other.serve_forever, daemon=True).start()
        with pytest.raises(errors.Misconfigured, match=message):
            MlflowRegistry(f"https://localhost:{other.server_address[1]}").check()
        other.shutdown()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(None, "cannot be read: No such file", id="none"),
        pytest.param(base64.b64encode(b"der"), "holds no certificate in PEM", id="der"),
    ],
)
def test_a_bundle_that_is_none(content: bytes | None, message: str, tmp_path: Path) -> None:
    """Said before anything is asked."""
    file = tmp_path / "x.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(errors.Misconfigured, match=message):
        network.prepare({"ARGOSY_CA_BUNDLE": str(file)})


def test_authorities_as_text_join_the_usual_ones(
    bundle: Path, server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """How a chart hands a company's authority to a pod: what everybody trusts stays trusted."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    given = {"ARGOSY_CA_CERTIFICATES": bundle.read_text(encoding="utf-8")}
    network.prepare(given)
    again = {"ARGOSY_CA_CERTIFICATES": bundle.read_text(encoding="utf-8")}
    network.prepare(again)
    assert given == again
    everybody = Path(given["REQUESTS_CA_BUNDLE"])
    assert len(ssl.create_default_context(cafile=str(everybody)).get_ca_certs()) > 50
    assert [path.name for path in everybody.parent.iterdir()] == [everybody.name]
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(everybody))
    MlflowRegistry(server).check()
    with pytest.raises(errors.Misconfigured, match="holds no certificate in PEM"):
        network.prepare({"ARGOSY_CA_CERTIFICATES": str(bundle)})


def test_no_proxy_leads_to_the_api_server_of_a_pod() -> None:
    """Its number is in the pod's environment and in no chart."""
    given = {"KUBERNETES_SERVICE_HOST": "10.96.0.1", "NO_PROXY": "localhost", "no_proxy": "10.96.0.1,localhost"}
    network.prepare(given)
    assert (given["NO_PROXY"], given["no_proxy"]) == ("localhost,10.96.0.1", "10.96.0.1,localhost")


def _through(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, address)
