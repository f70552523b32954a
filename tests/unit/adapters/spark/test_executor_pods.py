"""Executors that are pods: what Spark is told of them, what is asked of the API server before, and what becomes of its answers."""

import http.server
import json
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from argosy import errors
from argosy.adapters.spark import executor_main, executor_pods
from argosy.adapters.spark.executor_pods import ExecutorPods
from argosy.domain import executor_names

IMAGE = f"registry.example/argosy/spark@sha256:{'a' * 64}"


def pods(authority: str = "ca", **changed: Any) -> ExecutorPods:
    """Those of a step of a team."""
    said = {"namespace": "team-credit", "pod": "churn-train-1", "image": IMAGE, "token": "secret-token"}
    more = {"authority": authority, "secrets": ["argosy-spark"], "instances": 3}
    return ExecutorPods(**{**said, **more, **changed})


def test_what_spark_is_told(tmp_path: Path) -> None:
    """As many executors as fit together, of the step's own image, in its namespace; nobody else reads the token."""
    told = pods().settings({}, tmp_path)
    assert told["spark.executor.instances"] == "3"
    assert told["spark.kubernetes.container.image"] == IMAGE
    assert told["spark.kubernetes.namespace"] == "team-credit"
    assert told["spark.kubernetes.driver.pod.name"] == "churn-train-1"
    assert told["spark.kubernetes.executor.limit.cores"] == told["spark.executor.cores"] == "1"
    # Spark gives up after ten seconds, and a lost answer of the name server takes that long.
    for name in ("connectionTimeout", "requestTimeout"):
        assert told[f"spark.kubernetes.driver.{name}"] == "30000"
    token = Path(told["spark.kubernetes.authenticate.oauthTokenFile"])
    assert (token.read_text(encoding="utf-8"), token.stat().st_mode & 0o777) == ("secret-token", 0o600)
    assert "secret-token" not in repr(pods())
    template = json.loads(Path(told["spark.kubernetes.executor.podTemplateFile"]).read_text(encoding="utf-8"))
    assert template["metadata"]["labels"] == {executor_names.LABEL: executor_names.EXECUTOR}
    (container,) = template["spec"]["containers"]
    assert container["command"] == ["python", "-m", executor_main.__name__]
    assert container["name"] == told["spark.kubernetes.executor.podTemplateContainerName"]


def test_what_a_model_says_otherwise(tmp_path: Path) -> None:
    """How many and how large is a model's to say; where they are and what they may, is not."""
    asked = {
        "spark.executor.instances": "8",
        "spark.executor.cores": "4",
        "spark.kubernetes.namespace": "kube-system",
        "spark.kubernetes.container.image": "evil",
    }
    told = pods().settings(asked, tmp_path)
    assert told["spark.executor.instances"] == "8"
    assert told["spark.kubernetes.executor.limit.cores"] == "4"
    assert told["spark.kubernetes.namespace"] == "team-credit"
    assert told["spark.kubernetes.container.image"] == IMAGE


def test_executors_go_where_their_step_may(tmp_path: Path) -> None:
    """Its nodes, taints and priority are theirs; the pod that is asked of before is such a one, too."""
    placed = {
        "nodeSelector": {"pool": "ml"},
        "tolerations": [{"key": "ml", "operator": "Exists"}],
        "priorityClassName": "low",
    }
    step = pods(placement=placed)
    template = json.loads(
        Path(step.settings({}, tmp_path)["spark.kubernetes.executor.podTemplateFile"]).read_text(encoding="utf-8")
    )
    for made in (template, step.sample()):
        assert placed.items() <= made["spec"].items()


@pytest.mark.parametrize(("image", "policy"), [(IMAGE, "IfNotPresent"), ("argosy/spark:dev", "Never")])
def test_a_tag_is_never_pulled(image: str, policy: str, tmp_path: Path) -> None:
    """It is whoever's has that name in a registry, and executors are handed keys."""
    told = pods(image=image).settings({}, tmp_path)
    assert told["spark.kubernetes.container.image.pullPolicy"] == policy


class _Server(http.server.ThreadingHTTPServer):
    asked: list[tuple[str, str, dict[str, Any]]]
    answer: tuple[int, dict[str, Any]]


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self._answer(content)

    def do_GET(self) -> None:
        self._answer({})

    def _answer(self, content: dict[str, Any]) -> None:
        self.server.asked.append((self.path, self.headers["Authorization"], content))
        status, answer = self.server.answer
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(answer).encode())

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """The one that the platform names."""
    return trustme.CA()


@pytest.fixture
def known(authority: trustme.CA) -> ExecutorPods:
    """Executors whose API server is known by that one."""
    return pods(authority.cert_pem.bytes().decode())


@pytest.fixture
def api(authority: trustme.CA) -> Iterator[_Server]:
    """What answers as an API server."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.asked, server.answer = [], (201, {})
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def address(server: _Server) -> str:
    return f"https://127.0.0.1:{server.server_port}"


def test_a_pod_is_tried_before_spark_is(api: _Server, known: ExecutorPods) -> None:
    """One as executors are, which is not kept; by the step's token."""
    known.demand_right(address(api))
    ((path, token, pod),) = api.asked
    assert path == "/api/v1/namespaces/team-credit/pods?dryRun=All"
    assert token == "Bearer secret-token"
    assert pod["spec"]["serviceAccountName"] == executor_names.ACCOUNT
    assert pod["spec"]["containers"][0]["image"] == IMAGE


@pytest.mark.parametrize(
    ("status", "kind"),
    [(403, errors.Misconfigured), (422, errors.Misconfigured), (429, errors.TryAgain), (503, errors.TryAgain)],
)
def test_what_stands_against_one(
    api: _Server, known: ExecutorPods, status: int, kind: type[errors.ArgosyError]
) -> None:
    """In the API server's own words: Spark would write them to its log, and try again until the step's deadline."""
    api.answer = (status, {"message": "exceeded quota: argosy"})
    with pytest.raises(kind, match=rf"executors cannot be pods here: the API server says {status}: exceeded quota"):
        known.demand_right(address(api))


def test_an_api_server_of_somebody_else(api: _Server) -> None:
    """The token goes to nobody whom the platform's authority does not know."""
    with pytest.raises(errors.TryAgain, match=r"does not answer.*certificate verify failed"):
        pods(trustme.CA().cert_pem.bytes().decode()).demand_right(address(api))
    assert api.asked == []


def test_no_executor_starts(api: _Server, known: ExecutorPods, monkeypatch: pytest.MonkeyPatch) -> None:
    """Why not is said by the first pod that says it; the step is tried again."""
    monkeypatch.setattr(executor_pods, "START_SECONDS", 0.0)
    unfit = {"type": "PodScheduled", "status": "False", "message": "0/3 nodes are available: insufficient memory."}
    api.answer = (200, {"items": [{"metadata": {"name": "argosy-exec-1"}, "status": {"conditions": [unfit]}}]})
    with pytest.raises(errors.TryAgain, match="no executor started within 0 s: pod argosy-exec-1: 0/3 nodes are"):
        known.demand_one(address(api), "spark-1", lambda: False)
    assert api.asked[0][0] == "/api/v1/namespaces/team-credit/pods?labelSelector=spark-app-selector%3Dspark-1"
    known.demand_one(address(api), "spark-1", lambda: True)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ([], "no pod was made"),
        ([{}], "1 pods were made, and none says why"),
        (
            [{"containerStatuses": [{"state": {"waiting": {"reason": "ErrImageNeverPull"}}}]}],
            "pod p: ErrImageNeverPull",
        ),
    ],
)
def test_why_executors_wait(status: list[dict[str, Any]], said: str) -> None:
    """A container's reason before that of its pod; where there is none, that is said."""
    found = [{"metadata": {"name": "p"}, "status": each} for each in status]
    assert executor_pods.why_waiting(found).startswith(said)


def test_the_command_of_an_executor(tmp_path: Path) -> None:
    """What Spark's scheduler puts into a pod's environment, in the order of its numbers: eleven options are not sorted as text."""
    jars = tmp_path / "lib" / "python3.11" / "site-packages" / "pyspark" / "jars"
    jars.mkdir(parents=True)
    given = {variable: variable.lower() for variable in executor_main.ARGUMENTS.values()}
    options = {f"SPARK_JAVA_OPT_{number}": f"-Dn={number}" for number in range(11)}
    more = {"SPARK_EXECUTOR_MEMORY": "512m", "SPARK_CLASSPATH": "/own"}
    command = executor_main.command({**given, **options, **more}, tmp_path)
    assert command[:14] == ["java", *(f"-Dn={number}" for number in range(11)), "-Xms512m", "-Xmx512m"]
    assert command[14:17] == ["-cp", f"/own:{jars}/*", executor_main.BACKEND]
    assert command[17:19] == ["--driver-url", "spark_driver_url"]
    assert command[-2:] == ["--podName", "spark_executor_pod_name"]


def test_no_executor(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever runs it by hand is told what it is."""
    for name in executor_main.ARGUMENTS.values():
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(SystemExit) as ended:
        executor_main.main()
    assert ended.value.code == errors.Misconfigured.exit_code
    assert "SPARK_DRIVER_URL is not set: this is what a pod runs" in capsys.readouterr().err
