"""The server as a process: starts, says how to call it, stops without losing a request, and says clearly why it does not start."""

import contextlib
import datetime
import json
import os
import shutil
import signal
import socket
import ssl
import statistics
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from argosy import network, wiring
from argosy.adapters import keys
from argosy.adapters.model_signer import KeySigner
from argosy.domain import bundle
from argosy.serving import __main__ as serving
from argosy.serving import launch
from argosy.settings import Settings
from kit import span_collector
from kit.certificates import write_certificate
from kit.model_server import asked, free_port, ready, started, status
from kit.s3_server import KEYS, Buckets, Trouble, s3_server
from kit.web_server import Answer as WebAnswer
from kit.web_server import web_server

pytestmark = pytest.mark.slow


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder with the secret for ids."""
    monkeypatch.setenv("ARGOSY_HOME", str(tmp_path))
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "ids.key").write_text("secret")
    return tmp_path


def test_the_ready_line_holds_a_command_that_works(folder: Path, home: Path) -> None:
    """One line, once requests are answered; what it says to try gives an answer. SIGTERM ends it with 0, and the log is shipped."""
    with started(folder, "--unsigned", "--port", "0", "--environment", "staging") as process:
        line, address = ready(process)
        done = subprocess.run(line.partition("try: ")[2], shell=True, capture_output=True, text=True, check=True)  # noqa: S602 - as a user pastes it
        assert set(json.loads(done.stdout)) == {
            "predictions",
            "decisions",
            "confidences",
            "model_version",
            "request_id",
        }
        assert asked(address)["decisions"] == ["yes"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
    logged = list(wiring.prediction_history(Settings.from_environment()).read("leaving", "staging"))
    assert sum(batch.table.num_rows for batch in logged) == 2
    assert list((home / "spool").iterdir()) == []


def test_readiness_fails_before_the_port_closes(folder: Path, home: Path) -> None:
    """During the drain time requests are answered; then the server is gone."""
    with started(folder, "--unsigned", "--port", "0", "--drain-seconds", "1") as process:
        _, address = ready(process)
        assert status(address) == 200
        process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + 0.8
        while status(address) == 200 and time.monotonic() < deadline:
            time.sleep(0.02)
        assert status(address) == 503
        assert asked(address)["decisions"] == ["yes"]
        assert process.wait(15) == 0


def test_stopping_under_load_loses_no_request(folder: Path, home: Path) -> None:
    """Callers that go away when readiness fails never see a failure."""
    failures: list[Exception] = []
    answers: list[int] = []
    stop, busy = threading.Event(), threading.Event()

    def caller(address: str) -> None:
        while not stop.is_set() and status(address) == 200:
            try:
                asked(address)
                answers.append(1)
                if len(answers) > 10:
                    busy.set()
            except OSError as error:
                failures.append(error)

    with started(folder, "--unsigned", "--port", "0", "--drain-seconds", "1") as process:
        _, address = ready(process)
        callers = [threading.Thread(target=caller, args=(address,)) for _ in range(4)]
        for thread in callers:
            thread.start()
        assert busy.wait(60)
        process.send_signal(signal.SIGTERM)
        for thread in callers:
            thread.join(10)
        stop.set()
        assert process.wait(15) == 0
    assert failures == []


def test_ctrl_c_ends_it_quietly(folder: Path, home: Path) -> None:
    """At once, with 0 and no traceback."""
    with started(folder, "--unsigned", "--port", "0") as process:
        ready(process)
        process.send_signal(signal.SIGINT)
        assert process.wait(15) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""


def refused(folder: Path, *words: str) -> tuple[int, str]:
    """Exit code and standard error of a start that must fail."""
    with started(folder, *words) as process:
        _, said = process.communicate(timeout=60)
        return process.returncode, said


@pytest.fixture
def refused_here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """The same in this process, which has all libraries already; nothing may reach standard output."""

    def refused_by(folder: Path, *words: str) -> tuple[int, str]:
        given = ["--bundle", str(folder), "--digest", bundle.digest(folder), *words]
        monkeypatch.setattr(sys, "argv", ["python -m argosy.serving", *given])
        monkeypatch.setattr(network, "prepare", lambda _environment: None)
        monkeypatch.setattr(launch, "run", lambda *_: pytest.fail("it is served"))
        with pytest.raises(SystemExit) as left:
            serving.main()
        assert isinstance(left.value.code, int)
        output, said = capsys.readouterr()
        assert output == ""
        return left.value.code, said

    return refused_by


def test_a_release_that_main_calls_too_old_is_not_served(folder: Path, home: Path, tmp_path: Path) -> None:
    """Signed by us, approved by digest, and older than what a file says that the chart keeps outside the pods."""
    copy, key, said_by_main = tmp_path / "bundle", tmp_path / "key.pem", tmp_path / "version"
    shutil.copytree(folder, copy)
    keys.ensure_signing_pair(key, tmp_path / "key.pub.pem")
    end = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=1)
    digest = bundle.digest(copy)
    bundle.Release(model="leaving", model_digest=digest, counter=4, not_after=end).write(copy / bundle.RELEASE)
    KeySigner(key).sign(copy, tmp_path / "bundle.sig")
    words = ("--signature", str(tmp_path / "bundle.sig"), "--key", str(tmp_path / "key.pub.pem"), "--release", "4")
    said_by_main.write_text("5")
    code, said = refused(copy, "--port", "0", *words, "--minimum-release", str(said_by_main))
    assert (code, "older than version 5, the oldest that main" in said) == (10, True), said
    said_by_main.write_text("4")
    with started(copy, "--port", "0", *words, "--minimum-release", str(said_by_main)) as process:
        assert ready(process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0


def test_a_port_in_use_is_named(folder: Path, home: Path) -> None:
    """78, the port and what to do, in one line."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        code, said = refused(folder, "--unsigned", "--port", str(port))
    assert code == 78
    assert said.startswith(f"error: port {port} of 127.0.0.1 is in use")
    assert "--port 0" in said
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        pytest.param((), 2, "pass --signature FILE, or --unsigned", id="neither-signed-nor-unsigned"),
        pytest.param(("--unsigned", "--model", "other"), 10, "'other' is approved", id="another-model"),
        pytest.param(("--unsigned", "--digest", "sha256:0"), 78, "expected sha256:0", id="another-digest"),
        pytest.param(("--unsigned", "--bundle", "/nowhere"), 78, "no bundle in /nowhere", id="no-bundle"),
        pytest.param(("--unsigned", "--online-digest", "sha256:0"), 2, "without --online", id="digest-of-no-store"),
        pytest.param(
            ("--unsigned", "--online", "{bundle}", "--online-digest", "sha256:0"),
            10,
            "sha256:0 is approved",
            id="another-store",
        ),
        pytest.param(("--unsigned", "--score-edges", "0.5,0.1"), 2, "numbers that ascend", id="edges-that-descend"),
        pytest.param(("--signature", "/nowhere", "--key", os.devnull), 78, "no public key", id="no-key"),
    ],
)
def test_what_may_not_be_served_is_said(
    folder: Path,
    home: Path,
    refused_here: Callable[..., tuple[int, str]],
    words: tuple[str, ...],
    code: int,
    message: str,
) -> None:
    """One line, and an exit code that says whether to try again."""
    found, said = refused_here(folder, "--port", "0", *(word.replace("{bundle}", str(folder)) for word in words))
    assert (found, message in said) == (code, True), said
    assert said.splitlines()[-1].count("error: ") == 1


def log_to(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have servers ship each second to the bucket ``logs`` of *endpoint*."""
    surroundings = {
        "ARGOSY_PREDICTIONS_URI": "s3://logs/predictions",
        "ARGOSY_PREDICTIONS_SHIP_SECONDS": "1",
        "AWS_ENDPOINT_URL": f"http://{endpoint}",
        "AWS_ACCESS_KEY_ID": KEYS["access"],
        "AWS_SECRET_ACCESS_KEY": KEYS["secret"],
        "AWS_REGION": "us-east-1",
    }
    for name, value in surroundings.items():
        monkeypatch.setenv(name, value)


@pytest.mark.slow
def test_a_bucket_that_is_down_and_back(folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers go on, nothing is lost: what SIGTERM could not ship stays, and the next server there ships it, once."""
    buckets: Buckets = {"logs": {}}
    port = free_port()
    log_to(f"127.0.0.1:{port}", monkeypatch)
    words = ("--unsigned", "--port", "0", "--environment", "staging")
    with started(folder, *words) as process:
        _, address = ready(process)
        for _ in range(20):
            asked(address)
        metrics = urllib.request.urlopen(f"{address}/metrics", timeout=10).read().decode()  # noqa: S310 - our own server
        assert "argosy_prediction_log_shipped_total 0.0" in metrics
        process.send_signal(signal.SIGTERM)
        assert process.wait(40) == 0
    assert list((home / "spool").iterdir()) != []
    with s3_server(buckets, port), started(folder, *words) as process:
        _, address = ready(process)
        for _ in range(20):
            asked(address)
        process.send_signal(signal.SIGTERM)
        assert process.wait(40) == 0
        logged = list(wiring.prediction_history(Settings.from_environment()).read("leaving", "staging"))
    assert list((home / "spool").iterdir()) == []
    names = [name for batch in logged for name in batch.table["request_id"].to_pylist()]
    assert (len(names), len(set(names))) == (40, 40)


@pytest.mark.slow
def test_a_bucket_in_trouble_slows_no_answer(folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While it answers 500 and 503, 99 of 100 answers take no longer than while it is well, round by round, and no more of the CPU."""
    trouble = Trouble()
    times: dict[bool, list[float]] = {True: [], False: []}
    spent = {True: 0.0, False: 0.0}
    with s3_server({"logs": {}}, trouble=trouble) as endpoint:
        log_to(endpoint, monkeypatch)
        with started(folder, "--unsigned", "--port", "0", "--environment", "staging") as process:
            _, address = ready(process)
            for number in range(60):  # what is loaded for the first time is no part of it
                asked(address)
                time.sleep(0.05 * (number > 30))
            for number in range(6):
                ill = bool(number % 2)
                (trouble.there.set if ill else trouble.there.clear)()
                before = cpu_seconds(process.pid)
                ends = time.monotonic() + 2.5  # it ships twice meanwhile
                while time.monotonic() < ends:
                    begun = time.perf_counter()
                    asked(address)
                    times[ill].append(time.perf_counter() - begun)
                    time.sleep(0.002)
                spent[ill] += cpu_seconds(process.pid) - before
    assert len(trouble.said) > 2
    ill, well = (statistics.quantiles(times[side], n=100)[98] for side in (True, False))
    assert ill <= 2 * well + 0.05, (ill, well)
    dear, cheap = (spent[side] / len(times[side]) for side in (True, False))
    assert dear <= 1.5 * cheap + 0.001, (dear, cheap)


def cpu_seconds(pid: int) -> float:
    """CPU time that the process *pid* has taken."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_key_and_tls_from_files_that_change(folder: Path, home: Path, tmp_path: Path) -> None:
    """The line that is printed works once the key is filled in; a new key and a new certificate count without a restart."""
    rules, certificate = tmp_path / "access.yaml", write_certificate(tmp_path)
    first = _key(rules)
    words = ["--access", str(rules), "--tls-certificate", str(certificate), "--tls-key", str(certificate)]
    with started(folder, "--unsigned", "--port", "0", *words) as process:
        line, address = ready(process)
        assert address.startswith("https://")
        command, environment = line.partition("try: ")[2], os.environ | {"KEY": first}
        done = subprocess.run(command, shell=True, capture_output=True, text=True, check=True, env=environment)  # noqa: S602 - as a user pastes it
        assert set(json.loads(done.stdout)) == {
            "predictions",
            "decisions",
            "confidences",
            "model_version",
            "request_id",
        }
        assert _secure(address, certificate, "wrong") == 401
        write_certificate(tmp_path)
        rules.unlink()
        second = _key(rules)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with contextlib.suppress(urllib.error.URLError):  # until it has the new certificate, it is not trusted
                if _secure(address, certificate, second) == 200 and _secure(address, certificate, first) == 401:
                    break
            time.sleep(0.1)
        else:
            pytest.fail("the new files were not read")
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0


def _key(rules: Path) -> str:
    """A new key in the file *rules*."""
    done = subprocess.run(
        [Path(sys.executable).with_name("argosy"), "access", "key", "billing", "--file", rules],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def _secure(address: str, certificate: Path, key: str) -> int:
    """The status of the model's page, asked with *key* of a server that only *certificate* is trusted to be."""
    asked = urllib.request.Request(f"{address}/v2/models/leaving", headers={"authorization": f"Bearer {key}"})  # noqa: S310 - our own server
    trust = ssl.create_default_context(cafile=certificate)
    try:
        with urllib.request.urlopen(asked, timeout=10, context=trust) as answer:  # noqa: S310 - our own server
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_who_speaks_no_tls_is_let_go(folder: Path, home: Path, tmp_path: Path) -> None:
    """Connections on which nothing comes, or something else, keep nobody out."""
    certificate = write_certificate(tmp_path)
    words = ["--tls-certificate", str(certificate), "--tls-key", str(certificate)]
    with started(folder, "--unsigned", "--port", "0", *words) as process:
        _, address = ready(process)
        host, port = address.removeprefix("https://").split(":")
        silent = [socket.create_connection((host, int(port)), timeout=30) for _ in range(50)]
        with socket.create_connection((host, int(port)), timeout=30) as plain:
            plain.sendall(b"GET /healthz HTTP/1.1\r\n\r\n")
            assert b"200" not in plain.recv(1000)
        assert _secure(address, certificate, "") == 200
        for each in silent:
            assert each.recv(1) == b""  # the server gave up on it
            each.close()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--tls-certificate", "{pem}"], "--tls-certificate and --tls-key go together"),
        (["--tls-certificate", "{pem}", "--tls-key", "{other}"], "the key is another certificate's"),
        (["--tls-certificate", "{missing}", "--tls-key", "{pem}"], "missing.pem cannot be read"),
        (
            ["--access", "{missing}"],
            "missing.pem is not there, and without rules nobody may ask; `argosy access key NAME",
        ),
        (["--access", "{pem}"], "server.pem"),
    ],
)
def test_files_that_are_not_what_they_should_be(
    folder: Path,
    home: Path,
    tmp_path: Path,
    refused_here: Callable[..., tuple[int, str]],
    words: list[str],
    said: str,
) -> None:
    """A server does not start with half of its guards."""
    places = {
        "pem": write_certificate(tmp_path),
        "other": write_certificate(tmp_path, "other.example"),
        "missing": tmp_path / "missing.pem",
    }
    code, errors = refused_here(folder, "--unsigned", "--port", "0", *(word.format(**places) for word in words))
    assert code in {2, 78}
    assert said in errors
    assert errors.startswith("error: ")


def test_a_collector_gets_the_requests_of_a_process(folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Once it is named by OpenTelemetry's variables; what waits as the server ends is sent, and what is sent is counted."""
    with web_server({"/v1/traces": WebAnswer()}) as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
        monkeypatch.setenv("OTEL_TRACES_SAMPLER", "always_on")
        with started(folder, "--unsigned", "--port", "0") as process:
            _, address = ready(process)
            asked(address)
            process.send_signal(signal.SIGTERM)
            assert process.wait(15) == 0
    ((resource, spans),) = span_collector.received(collector.asked)
    assert resource["service.name"] == "argosy-leaving"
    assert spans[0].name == "POST /v1/models/{model}:predict"
    assert "predict" in [span.name for span in spans]
