"""Prometheus and Alertmanager on this machine, each for as long as a block lasts. Where one is not installed, tests skip by its name."""

import contextlib
import json
import shutil
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

import pytest

from kit import quick_yaml

ROOT = Path(__file__).parents[2]
RULES = ROOT / "charts" / "platform" / "files" / "rules.yaml"
START_SECONDS = 60.0
ALERTMANAGER = ("prometheus-alertmanager", "alertmanager")
"""Its program, as Debian calls it and as its makers do."""

T = TypeVar("T")


def program(*names: str) -> str:
    """The first program of *names* that is here; skips where none is."""
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        pytest.skip(f"{names[0]} is not installed")
    return found


def rules() -> dict[str, Any]:
    """The rules as they are installed."""
    found: dict[str, Any] = quick_yaml.load(RULES.read_text(encoding="utf-8"))
    return found


def alerts() -> dict[str, dict[str, Any]]:
    """Every alert's rule, by its name."""
    return {rule["alert"]: rule for group in rules()["groups"] for rule in group["rules"] if "alert" in rule}


def hasty_rules(folder: Path, *, holds: str = "2s", more: Sequence[Mapping[str, Any]] = ()) -> Path:
    """The rules, and *more*, in a file below *folder*; what has to hold for minutes is to hold for as long as *holds* says."""
    found = rules()
    found["groups"].append({"name": "more", "rules": list(more)})
    for group in found["groups"]:
        group["interval"] = "1s"
        for rule in group["rules"]:
            if "for" in rule:
                rule["for"] = holds
    path = folder / "rules.json"  # JSON is YAML
    path.write_text(json.dumps(found), encoding="utf-8")
    return path


@contextlib.contextmanager
def prometheus(
    folder: Path, jobs: Mapping[str, Sequence[str]], *, rule_files: Sequence[Path] = (), alertmanager: str = ""
) -> Iterator[str]:
    """Prometheus that asks the targets of *jobs* every second; yields its address."""
    command = program("prometheus")
    port = free_port()
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(path) for path in rule_files],
        "scrape_configs": [
            {"job_name": name, "static_configs": [{"targets": [each.removeprefix("http://") for each in targets]}]}
            for name, targets in jobs.items()
        ],
    }
    if alertmanager:
        beside = [{"static_configs": [{"targets": [alertmanager.removeprefix("http://")]}]}]
        config["alerting"] = {"alertmanagers": beside}
    file = folder / "prometheus.json"
    file.write_text(json.dumps(config), encoding="utf-8")
    words = [
        command,
        f"--config.file={file}",
        f"--storage.tsdb.path={folder}/prometheus",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with _running(words, folder / "prometheus.log", f"http://127.0.0.1:{port}") as address:
        yield address


@contextlib.contextmanager
def alertmanager(folder: Path, config: Mapping[str, Any], host: str = "127.0.0.1") -> Iterator[str]:
    """Alertmanager with *config* on a free port of *host*; yields its address."""
    command = program(*ALERTMANAGER)
    port = free_port(host)
    file = folder / "alertmanager.json"
    file.write_text(json.dumps(config), encoding="utf-8")
    words = [
        command,
        f"--config.file={file}",
        f"--storage.path={folder}/alertmanager",
        f"--web.listen-address={host}:{port}",
        "--cluster.listen-address=",
    ]
    with _running(words, folder / "alertmanager.log", f"http://{host}:{port}") as address:
        yield address


@contextlib.contextmanager
def webhook() -> Iterator[tuple[str, list[bytes]]]:
    """A receiver of webhooks: its address, and the bodies that it was sent so far."""
    bodies: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with served(Handler) as address:
        yield address, bodies


@contextlib.contextmanager
def exposing(text: Callable[[], bytes]) -> Iterator[str]:
    """A target that shows *text*; yields its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = text()
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with served(Handler) as address:
        yield address


@contextlib.contextmanager
def served(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    """A web server of this process; yields its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def asked(address: str, path: str, **parameters: str) -> Any:
    """What Prometheus or Alertmanager at *address* answers to a question by its API."""
    query = f"?{urllib.parse.urlencode(parameters)}" if parameters else ""
    with urllib.request.urlopen(f"{address}{path}{query}", timeout=20) as answer:  # noqa: S310 - our own server
        return json.load(answer)


def queried(address: str, query: str) -> list[dict[str, Any]]:
    """The series that *query* gives now."""
    found: list[dict[str, Any]] = asked(address, "/api/v1/query", query=query)["data"]["result"]
    return found


def firing(address: str) -> dict[str, list[dict[str, Any]]]:
    """The alerts that fire in Prometheus, by name."""
    found: dict[str, list[dict[str, Any]]] = {}
    for each in asked(address, "/api/v1/alerts")["data"]["alerts"]:
        if each["state"] == "firing":
            found.setdefault(each["labels"]["alertname"], []).append(each)
    return found


def awaited(what: str, look: Callable[[], T | None], seconds: float = START_SECONDS) -> T:
    """What *look* finds once it finds something; fails where it does not in time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if found := look():
            return found
        time.sleep(0.25)
    raise AssertionError(f"{what} did not come within {seconds:.0f} s")


def free_port(host: str = "127.0.0.1") -> int:
    """A port of *host* that nobody listens on."""
    with socket.socket() as found:
        found.bind((host, 0))
        port: int = found.getsockname()[1]
        return port


@contextlib.contextmanager
def _running(words: Sequence[str], log: Path, address: str) -> Iterator[str]:
    with log.open("wb") as written:
        process = subprocess.Popen(list(words), stdout=written, stderr=written)
        try:
            _wait_ready(address, process, log)
            yield address
        finally:
            process.terminate()
            process.wait(timeout=30)


def _wait_ready(address: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(urllib.error.URLError, ConnectionError):
            urllib.request.urlopen(f"{address}/-/ready", timeout=5).close()  # noqa: S310 - our own server
            return
        time.sleep(0.1)
    raise AssertionError(f"{address} did not start: {log.read_text(encoding='utf-8', errors='replace')[-1000:]}")
