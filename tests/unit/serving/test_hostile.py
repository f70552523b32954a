"""A server process among callers who mean it ill: it answers, its memory stays, its event loop turns, and its log is right."""

import collections
import contextlib
import http.client
import json
import random
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from argosy import wiring
from argosy.settings import Settings
from kit.hostile_requests import V1, V2, any_body
from kit.model_server import free_port, ready, started
from kit.serving_kit import ROW

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="reads the server's memory in /proc"),
]
LARGE = 4 * 2**20 - 64
REQUESTS = 1_200


@dataclass
class Outcome:
    """What a run came to."""

    statuses: "collections.Counter[int]" = field(default_factory=collections.Counter)
    answered: "collections.Counter[str]" = field(default_factory=collections.Counter)
    """Rows answered, by request id."""


@contextlib.contextmanager
def serving(folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Any, int, int]]:
    """A server process that logs, its port and that of its health."""
    (home / "keys").mkdir()
    (home / "keys" / "ids.key").write_text("secret")
    monkeypatch.setenv("ARGOSY_HOME", str(home))
    beside = free_port()
    words = ["--unsigned", "--port", "0", "--operations-port", str(beside), "--environment", "staging"]
    with started(folder, *words) as process:
        _, address = ready(process)
        yield process, int(address.rpartition(":")[2]), beside


def ask(port: int, chance: random.Random, count: int, outcome: Outcome) -> None:
    """Send *count* requests over one connection after the other."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for number in range(count):
        path, body, headers = any_body(chance)
        identity = f"r{chance.randrange(2**60):x}-{number}"
        try:
            connection.request("POST", path, body, {"X-Request-Id": identity, **headers})
            reply = connection.getresponse()
            content = reply.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            outcome.statuses[0] += 1
            continue
        outcome.statuses[reply.status] += 1
        if reply.status == 200 and path in {V1, V2} and reply.getheader("Content-Type") == "application/json":
            said = json.loads(content)
            outcome.answered[identity] = len(said.get("predictions") or said["outputs"][0]["data"])
        elif reply.status == 200:
            outcome.answered[identity] = 1
    connection.close()


def memory(pid: int) -> float:
    """Resident, in MiB."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def at_once(work: Callable[[int], object], count: int) -> None:
    """Do *work* in *count* threads."""
    threads = [threading.Thread(target=work, args=(place,)) for place in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_nothing_that_comes_is_an_error_of_the_server(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No 5xx, no connection cut; memory does not follow the requests; each answered row is logged once, and no other."""
    outcome, third = Outcome(), REQUESTS // 3
    with serving(folder, tmp_path, monkeypatch) as (process, port, _):

        def hostile(begin: int) -> None:
            at_once(lambda place: ask(port, random.Random(begin + place), third // 4, outcome), 4)

        hostile(0)
        warm = memory(process.pid)
        hostile(10)
        hostile(20)
        grown = memory(process.pid) - warm
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    print(f"{sum(outcome.statuses.values())} requests {dict(outcome.statuses)}, {warm:.0f} MiB, {grown:+.1f} MiB")
    assert [status for status in outcome.statuses if not 200 <= status < 500] == []
    assert grown < 24
    history = wiring.prediction_history(Settings.from_environment()).read("leaving", "staging")
    logged = collections.Counter(name for found in history for name in found.table["request_id"].to_pylist())
    assert logged == +outcome.answered


LARGE_BODIES = {
    "lists": b'{"instances": [' + b"[]," * (LARGE // 3 - 9) + b"[]]}",
    "objects": b'{"instances": [' + b'{"":0},' * (LARGE // 7 - 9) + b"{}]}",
    "keys": b'{"instances": [{' + b",".join(b'"%x":1' % place for place in range(LARGE // 10)) + b"}]}",
    "a long name": b'{"instances": [{"' + b"ab" * (LARGE // 2 - 20) + b'": 1}]}',
    "numbers": b'{"instances": [' + b"1," * (LARGE // 2 - 20) + b"1]}",
    "the most rows": json.dumps({"instances": [{**ROW, "contract": "m" * 700}] * 5_000}).encode(),
    "equal keys": json.dumps({"instances": [{**ROW, "contract": "m:" * 300}] * 5_000}).encode(),
    "the most good rows": json.dumps({"instances": [ROW] * 5_000}).encode(),
}


def test_no_large_body_holds_up_the_others(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While large bodies come, as costly as they can be, health is answered on both ports, and memory is bounded."""
    with serving(folder, tmp_path, monkeypatch) as (process, port, beside):
        stop = threading.Event()
        refused: collections.Counter[tuple[str, int]] = collections.Counter()
        waits: dict[int, list[float]] = {port: [], beside: []}

        def watch(at: int) -> None:
            connection = http.client.HTTPConnection("127.0.0.1", at, timeout=30)
            while not stop.is_set():
                began = time.monotonic()
                connection.request("GET", "/healthz")
                assert connection.getresponse().read() == b'{"live":true}'
                waits[at].append(time.monotonic() - began)
                time.sleep(0.005)
            connection.close()

        def send(place: int) -> None:
            for name, body in [*LARGE_BODIES.items()] * 2:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
                connection.request("POST", V1, body)
                refused[name, connection.getresponse().status] += 1
                connection.close()

        watchers = [threading.Thread(target=watch, args=(at,)) for at in waits]
        for thread in watchers:
            thread.start()
        at_once(send, 3)
        stop.set()
        for thread in watchers:
            thread.join()
        peak = memory(process.pid)
    longest = {("callers" if at == port else "beside"): max(took) for at, took in waits.items()}
    print(f"{dict(refused)}; longest wait {longest}; {peak:.0f} MiB")
    assert {status for _, status in refused} <= {200, 413, 422}
    # Before anything was bounded, one such body took 1.1 s of an idle machine.
    assert max(longest.values()) < 0.5
    assert peak < 700


def test_half_a_thousand_large_bodies_at_once_are_not_kept(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever comes when the room for bodies is taken is told to come again; memory stays below what one container has."""
    body = b" " * (LARGE - 4096)
    head = b"POST %b HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n\r\n" % (V1.encode(), LARGE)
    with serving(folder, tmp_path, monkeypatch) as (process, port, _), contextlib.ExitStack() as stack:
        before = memory(process.pid)
        senders = [stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(120)]

        def send(place: int) -> None:
            for sender in senders[place::4]:
                sender.settimeout(2)
                with contextlib.suppress(OSError):
                    sender.sendall(head + body)

        at_once(send, 4)
        grown = memory(process.pid) - before
    print(f"{grown:+.0f} MiB for {120 * LARGE / 2**20:.0f} MiB of bodies")
    assert grown < 200
