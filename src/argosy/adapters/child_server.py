"""Starts the model server as a child process and asks it its golden rows over HTTP, as a client of production would."""

import contextlib
import http.client
import json
import queue
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from argosy import errors
from argosy.domain.bundle import GOLDEN, SIGNATURE, Golden, GoldenRow, Signature
from argosy.ports.trial_server import ReplayResult

START_SECONDS = 60.0
REQUESTS = 400
"""Enough that one in a hundred is four: p99 is not one unlucky request."""
WARM_UP = 20


class ChildServer:
    """The server of :mod:`argosy.serving` as a child process; see :class:`argosy.ports.trial_server.TrialServer`."""

    def replay(self, folder: Path, digest: str) -> ReplayResult:
        golden = Golden.read(folder / GOLDEN)
        model = Signature.read(folder / SIGNATURE).model
        try:
            return self._replayed(folder, digest, golden, model)
        except _BundleRefusedError as refused:
            return ReplayResult(f"the server does not serve it: {refused}", None, None, None)

    def _replayed(self, folder: Path, digest: str, golden: Golden, model: str) -> ReplayResult:
        with _serving(folder, digest) as (host, port):
            connection = http.client.HTTPConnection(host, port, timeout=30)
            with contextlib.closing(connection):
                difference = next((told for row in golden.rows if (told := _difference(connection, model, row))), None)
                seconds = _times(connection, model, golden.rows)
        return ReplayResult(difference, *_percentiles(seconds))


class _BundleRefusedError(Exception):
    """The server ended by itself, with the code for what no retry mends."""


@contextlib.contextmanager
def _serving(folder: Path, digest: str) -> Iterator[tuple[str, int]]:
    command = [
        sys.executable,
        "-P",
        "-m",
        "argosy.serving",
        "--bundle",
        str(folder),
        "--digest",
        digest,
        "--unsigned",
        "--port",
        "0",
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        yield _address(process)
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _address(process: "subprocess.Popen[str]") -> tuple[str, int]:
    """The host and port of the server, from the line that it writes when it is ready."""
    if process.stdout is None:
        raise errors.TryAgain("the server's output cannot be read")
    lines: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_read, args=(process.stdout, lines), daemon=True).start()
    told: list[str] = []
    limit = time.monotonic() + START_SECONDS
    while (left := limit - time.monotonic()) > 0:
        with contextlib.suppress(queue.Empty):
            line = lines.get(timeout=min(left, 0.1))
            told.append(line)
            if found := re.search(r"http://([\d.]+|localhost):(\d+)", line):
                return found[1], int(found[2])
        if process.poll() is not None and lines.empty():
            break
    said = " ".join(told).strip()[-500:] or "it said nothing"
    if process.poll() in {errors.Misconfigured.exit_code, errors.Rejected.exit_code}:
        raise _BundleRefusedError(said.removeprefix("error: "))
    raise errors.TryAgain(f"the model server did not start: {said}")


def _read(stream: IO[str], lines: "queue.Queue[str]") -> None:
    with stream:  # closed by whoever reads to its end: the server's
        for line in stream:
            lines.put(line)


def _difference(connection: http.client.HTTPConnection, model: str, row: GoldenRow) -> str | None:
    answer = _ask(connection, model, row)
    given = answer if isinstance(answer, list) else [answer]
    if given == row.prediction:
        return None
    return f"the server answered {given} where training answered {row.prediction}"


def _ask(connection: http.client.HTTPConnection, model: str, row: GoldenRow) -> float | list[float]:
    body = json.dumps({"instances": [row.features]})
    connection.request("POST", f"/v1/models/{model}:predict", body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    content = response.read()
    if response.status != http.client.OK:
        raise errors.TryAgain(f"the model server answered {response.status}: {content[:300].decode(errors='replace')}")
    prediction: float | list[float] = json.loads(content)["predictions"][0]
    return prediction


def _times(connection: http.client.HTTPConnection, model: str, rows: list[GoldenRow]) -> list[float]:
    seconds = []
    for number in range(WARM_UP + REQUESTS):
        started = time.perf_counter()
        _ask(connection, model, rows[number % len(rows)])
        seconds.append(time.perf_counter() - started)
    return seconds[WARM_UP:]


def _percentiles(seconds: list[float]) -> tuple[float, float, float]:
    """p50, p95 and p99 in milliseconds, each a time that was seen."""
    ranked = sorted(seconds)
    p50, p95, p99 = (ranked[min(len(ranked) - 1, int(share * len(ranked)))] * 1e3 for share in (0.50, 0.95, 0.99))
    return p50, p95, p99
