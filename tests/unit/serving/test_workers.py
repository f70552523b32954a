"""Several worker processes behind one port: one truth about readiness, rates and metrics, and none that is missed when it dies."""

import asyncio
import contextlib
import http.client
import json
import os
import re
import signal
import socket
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from argosy import errors, wiring
from argosy.cli.served_models_file import ServedModelsFile
from argosy.domain import bundle
from argosy.serving import exposition, models_file
from argosy.serving.access import host_rate_limiter
from argosy.serving.access.host_rate_limiter import HostRateLimiter
from argosy.serving.access.local_rate_limiter import LocalRateLimiter
from argosy.serving.listeners import SharedListener
from argosy.serving.models_file import ModelEntry
from argosy.serving.supervisor import Supervisor
from argosy.serving.worker_board import ConnectionShare, WorkerBoard
from argosy.settings import Settings
from kit.clock import Clock
from kit.model_server import asked, free_port, ready, started, status
from kit.serving_kit import ROW, write_bundle


def test_a_server_is_ready_once_all_were_and_while_one_is(tmp_path: Path) -> None:
    """A worker that died takes nobody away; a server that stops does."""
    board = WorkerBoard(tmp_path, 2, new=True)
    other = WorkerBoard(tmp_path, 2)
    assert not other.ready
    board.answers(0)
    assert not other.ready
    board.answers(1)
    assert other.ready
    board.begins(0, 17)
    assert other.ready
    board.begins(1, 18)
    assert not other.ready
    board.answers(1)
    assert other.ready
    board.drain()
    assert not other.ready


def test_the_fewest_connections_are_those_of_a_worker_that_answers(tmp_path: Path) -> None:
    """Nobody leaves a connection to one that starts, or died with those that it had."""
    board = WorkerBoard(tmp_path, 2, new=True)
    first, second = ConnectionShare(board, 0), ConnectionShare(WorkerBoard(tmp_path, 2), 1)
    board.answers(0)
    first.tell(3)
    assert first.fewest() == 3
    board.answers(1)
    assert first.fewest() == 0
    second.tell(2)
    assert first.fewest() == 2
    board.begins(1, 18)
    assert first.fewest() == 3
    board.answers(1)
    assert first.fewest() == 0


class CountedShare:
    """What listeners of one test tell each other."""

    counts: dict[int, int]

    def __init__(self, counts: dict[int, int], number: int) -> None:
        self.counts, self._number = counts, number
        counts[number] = 0

    def tell(self, count: int) -> None:
        """See the protocol."""
        self.counts[self._number] = count

    def fewest(self) -> int:
        """See the protocol."""
        return min(self.counts.values())

    ending = False


async def _shared_out(knocks: int, *, stands_still: bool) -> dict[int, int]:
    """The connections that each of two listeners has of so many that come one by one; the second may take none."""
    taken: dict[int, list[asyncio.Protocol]] = {0: [], 1: []}
    counts: dict[int, int] = {}
    with socket.create_server(("127.0.0.1", 0)) as first, first.dup() as second, contextlib.ExitStack() as stack:

        def listener(number: int, bound: socket.socket) -> SharedListener:
            def connection() -> asyncio.Protocol:
                taken[number].append(asyncio.Protocol())
                return taken[number][-1]

            share = CountedShare(counts, number)
            made = SharedListener(bound, connection, None, share, lambda: len(taken[number]))
            stack.callback(made.close)
            return made

        listener(0, first)
        if stands_still:
            counts[1] = 0
        else:
            listener(1, second)
        for came in range(1, knocks + 1):
            _, writer = await asyncio.open_connection(*first.getsockname())
            stack.callback(writer.close)
            while sum(map(len, taken.values())) < came:
                await asyncio.sleep(0.001)
    return {number: len(found) for number, found in taken.items()}


@pytest.mark.parametrize(("stands_still", "shares"), [(False, {0: 10, 1: 10}), (True, {0: 20, 1: 0})])
def test_connections_are_shared_out_evenly(*, stands_still: bool, shares: dict[int, int]) -> None:
    """Also where nobody is busy; whoever stands still gets none, and keeps none waiting.

    Where the first that woke took each, one of two had all twenty: the other one's core was idle for as long as they lasted.
    """
    assert asyncio.run(_shared_out(20, stands_still=stands_still)) == shares


class EndingShare(CountedShare):
    """The same once the server was told to stop, or not."""

    def __init__(self, *, ending: bool) -> None:
        super().__init__({}, 0)
        self.ending = ending


async def _knocks(*, ending: bool) -> None:
    """Connect where a listener has closed whose socket another process keeps open."""
    with socket.create_server(("127.0.0.1", 0)) as kept, kept.dup() as taken_from:
        SharedListener(taken_from, asyncio.Protocol, None, EndingShare(ending=ending), lambda: 0).close()
        _, writer = await asyncio.open_connection(*kept.getsockname())
        writer.close()


def test_a_server_that_ends_refuses_whoever_comes() -> None:
    """As one of one process does, and at once. Its supervisor keeps the socket until the last worker has shipped its log, and callers
    were let in and waited for that long. A worker that ends alone leaves the socket to the others."""
    asyncio.run(_knocks(ending=False))
    with pytest.raises(ConnectionRefusedError):
        asyncio.run(_knocks(ending=True))


def counted(requests: int, rows: list[float], waiting: float, version: str) -> exposition.Snapshot:
    """The metrics of a process that answered."""
    registry = CollectorRegistry()
    Counter("argosy_requests", "Requests.", ["route"], registry=registry).labels("v1").inc(requests)
    Gauge("argosy_requests_in_flight", "In flight.", registry=registry).set(requests)
    Gauge("argosy_prediction_log_waiting_bytes", "Waiting.", registry=registry).set(waiting)
    Gauge("argosy_model_info", "Model.", ["version"], registry=registry).labels(version).set(1)
    scores = Histogram("argosy_prediction_score", "Scores.", buckets=(0.5, 1.0), registry=registry)
    for row in rows:
        scores.observe(row)
    return exposition.taken(registry)


def test_the_metrics_of_all_workers_are_one(tmp_path: Path) -> None:
    """Counters add up, also those of workers that died; what each says of one and the same thing counts once."""
    board = WorkerBoard(tmp_path, 2, new=True)
    for number, pid in enumerate((11, 12)):
        board.begins(number, pid)
    board.publish(11, exposition.written(counted(3, [0.2, 0.7], 100, "4")))
    board.publish(12, exposition.written(counted(4, [0.9], 90, "4")))
    board.publish(10, exposition.written(counted(5, [0.1], 80, "3")))  # nobody's any more
    lines = exposition.text(board.snapshot()).decode().splitlines()
    for line in (
        'argosy_requests_total{route="v1"} 12.0',
        "argosy_requests_in_flight 7.0",
        "argosy_prediction_log_waiting_bytes 100.0",
        'argosy_model_info{version="4"} 1.0',
        'argosy_prediction_score_bucket{le="0.5"} 2.0',
        'argosy_prediction_score_bucket{le="+Inf"} 4.0',
        "argosy_prediction_score_count 4.0",
    ):
        assert line in lines
    assert not any('version="3"' in line for line in lines)


def rates(tmp_path: Path, clock: Callable[[], float], count: int = 2) -> list[HostRateLimiter]:
    """What *count* processes count by."""
    (tmp_path / "rates").write_bytes(bytes(host_rate_limiter.SIZE))
    return [HostRateLimiter(tmp_path / "rates", clock) for _ in range(count)]


def test_rates_hold_over_workers(tmp_path: Path) -> None:
    """Whichever process is asked lets in what one process alone would, to the second."""
    clock = Clock(1000.0)
    shared, alone = rates(tmp_path, clock), LocalRateLimiter(clock)
    for step in range(60):
        key, rate = f"principal-{step % 2}", "5/second" if step % 2 else "7/minute"
        one = shared[step % 3 % 2]
        assert one.spent(key, rate) == pytest.approx(alone.spent(key, rate))
        assert one.hit_now(key, rate) == pytest.approx(alone.hit_now(key, rate))
        clock.now += 0.07


def test_a_crowd_of_keys_forgets_the_emptiest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has just asked much stays known, however many others ask once."""
    monkeypatch.setattr(host_rate_limiter, "ROWS", 1)
    clock = Clock(1000.0)
    one, other = rates(tmp_path, clock)
    for _ in range(5):
        assert one.hit_now("busy", "5/minute") == 0
    for number in range(100):
        other.hit_now(f"guest-{number}", "100/minute")
    assert other.hit_now("busy", "5/minute") > 0


def supervised(tmp_path: Path, program: str, workers: int = 2) -> Supervisor:
    """A supervisor of *workers* that run *program*."""
    with socket.socket() as listener:
        return Supervisor([sys.executable, "-S", "-c", program], workers, tmp_path, listener)


def test_what_is_wrong_from_the_start_ends_the_server_with_it(tmp_path: Path) -> None:
    """With the worker's own exit code, said by one of them only."""
    said = tmp_path / "said"
    supervisor = supervised(tmp_path, f"open({str(said)!r}, 'a').write('x'); raise SystemExit(78)")
    supervisor._listener = socket.create_server(("127.0.0.1", 0))
    with supervisor._listener:
        assert supervisor.run() == 78
    assert said.read_text(encoding="ascii") == "x"


FILES: dict[str, tuple[Any, str]] = {
    "none": ([], "models"),
    "twice": ([{"model": "a"}, {"model": "a"}], "a stands here twice"),
    "no name": ([{}], "each entry names its model"),
    "neither": ([{"model": "a", "unsigned": False}], "name the file of the signature, or unsigned: true"),
    "slip": ([{"model": "a", "bundl": "x"}], "bundl"),
}


@pytest.mark.parametrize("case", FILES)
def test_a_file_of_models_that_cannot_be_meant(tmp_path: Path, case: str) -> None:
    """Says what is wrong with which entry."""
    given, says = FILES[case]
    entries = [{"bundle": "/b", "digest": "sha256:0", "unsigned": True} | entry for entry in given]
    path = tmp_path / "models.yaml"
    path.write_text(json.dumps({"models": entries}))
    with pytest.raises(errors.Misconfigured, match=re.escape(says)):
        models_file.read(path)


def entry(folder: Path) -> ModelEntry:
    """The bundle in *folder*."""
    return ModelEntry(model="leaving", bundle=folder, digest=bundle.digest(folder), unsigned=True)


def children(pid: int) -> set[int]:
    """The processes that *pid* started."""
    return set(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()))


def metric(address: str, name: str) -> float:
    """The value of one series."""
    with urllib.request.urlopen(f"{address}/metrics", timeout=60) as answer:  # noqa: S310 - our own server
        found = re.search(rf"^{re.escape(name)} (\S+)$", answer.read().decode(), re.MULTILINE)
    assert found, name
    return float(found[1])


def until(holds: Callable[[], bool]) -> None:
    """Wait for something that comes; a server that is slow is no fault."""
    ends = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < ends
        time.sleep(0.05)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder with the secret for ids."""
    monkeypatch.setenv("ARGOSY_HOME", str(tmp_path))
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "ids.key").write_text("secret")
    return tmp_path


@pytest.mark.slow
@pytest.mark.usefixtures("home")
def test_several_workers_are_one_server(folder: Path) -> None:
    """One answers where another is killed, which comes back; nothing of the log is lost or twice, and counters only grow."""
    operations = f"http://127.0.0.1:{free_port()}"
    words = [
        "--unsigned",
        "--port",
        "0",
        "--operations-port",
        operations.rpartition(":")[2],
        "--environment",
        "staging",
    ]
    with started(folder, *words, "--workers", "2") as process:
        _, address = ready(process)
        assert (status(address), status(operations)) == (200, 200)
        for _ in range(20):
            asked(address)
        until(lambda: metric(operations, "argosy_predictions_total") == 20)
        assert metric(address, "argosy_predictions_total") == 20
        victim, other = sorted(children(process.pid))
        os.kill(victim, signal.SIGKILL)
        until(lambda: len(children(process.pid) - {victim, other}) == 1)
        for _ in range(20):
            asked(address)
        until(lambda: metric(operations, "argosy_predictions_total") == 40)
        assert metric(operations, "argosy_worker_restarts_total") == 1
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    logged = list(wiring.prediction_history(Settings.from_environment()).read("leaving", "staging"))
    names = [name for batch in logged for name in batch.table["request_id"].to_pylist()]
    assert (len(names), len(set(names))) == (40, 40)


@pytest.mark.slow
@pytest.mark.usefixtures("home")
def test_reloads_under_load_lose_no_request(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Twenty versions that take the place of one another, one that does not verify between them, and callers who keep their connections.
    Each answer is counted once, though the environment is that of a process which imported Feast."""
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    other = tmp_path / "other"
    write_bundle(other, "multiclass")
    file = ServedModelsFile(tmp_path / "models.yaml", [entry(folder)])
    answered: list[int] = []
    stop = threading.Event()

    def call(address: str) -> None:
        connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=60)
        with contextlib.closing(connection):
            while not stop.is_set():
                connection.request("POST", "/v1/models/leaving:predict", json.dumps({"instances": [ROW]}))
                answer = connection.getresponse()
                answer.read()
                answered.append(answer.status)

    with started(None, "--models", str(file.path), "--port", "0") as process:
        _, address = ready(process)
        callers = [threading.Thread(target=call, args=(address,)) for _ in range(3)]
        for caller in callers:
            caller.start()
        for number in range(20):
            if number == 10:
                file.replace(entry(folder).model_copy(update={"digest": "sha256:0"}))
                process.send_signal(signal.SIGHUP)
                until(lambda: metric(address, 'argosy_reloads_total{outcome="refused"}') == 1)
            file.replace(entry((other, folder)[number % 2]))
            process.send_signal(signal.SIGHUP)
            until(lambda taken=number + 1: metric(address, 'argosy_reloads_total{outcome="taken"}') == taken)
        stop.set()
        for caller in callers:
            caller.join(60)
        assert set(answered) == {200}
        assert metric(address, "argosy_predictions_total") == len(answered)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
