"""The process that ships for a server's logs: killed, told to stop, orphaned, one for several servers; a store that fails or hangs."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from argosy.adapters.file_objects import FileObjects
from argosy.adapters.segment_log import layout, segments, shipper, shipper_process
from argosy.adapters.segment_log.history import SegmentHistory
from argosy.adapters.segment_log.shared_shipper import SharedShipper
from argosy.adapters.segment_log.shipper import Shipped
from argosy.adapters.segment_log.shipper_reports import ReportReader
from argosy.adapters.segment_log.writer import SegmentLog
from argosy.ports.prediction_log import ServedRelease
from argosy.testing.prediction_log_contract import FEATURES, SERVED, prediction, until

MakeShared = Callable[[], SharedShipper]
OTHER = replace(SERVED, model="other", digest="sha256:9")


@pytest.fixture
def spool(tmp_path: Path) -> layout.Spool:
    """The spool of every log of a test."""
    return layout.Spool(tmp_path / "spool")


@pytest.fixture
def store(tmp_path: Path) -> FileObjects:
    """The store, a folder that does not exist yet."""
    return FileObjects(f"file://{tmp_path}/log", "ARGOSY_PREDICTIONS_URI")


@pytest.fixture
def shared(tmp_path: Path, spool: layout.Spool) -> SharedShipper:
    """Ships from the one to the other as a server has it."""
    return SharedShipper(spool.folder, command(tmp_path))


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Processes that die are replaced at once."""
    monkeypatch.setattr(shipper_process, "LONGEST_PAUSE", 0.05)


def command(place: Path, store: str = "") -> list[str]:
    """What starts the process."""
    return [
        sys.executable,
        "-m",
        "argosy.serving.log_shipper",
        str(place / "spool"),
        store or f"file://{place}/log",
    ]


def log_of(shared: SharedShipper, spool: layout.Spool, served: ServedRelease = SERVED, **more: float) -> SegmentLog:
    """A log that it ships for."""
    return SegmentLog(spool.folder, shared.seat(served), served, FEATURES, **more)  # type: ignore[arg-type]


def pid_of(shared: SharedShipper) -> int | None:
    """The process of *shared*."""
    return None if shared._process is None else shared._process.pid


def started(shared: SharedShipper) -> int:
    """The same, once there is one."""
    until(lambda: pid_of(shared) is not None)
    return pid_of(shared) or 0


def lives(pid: int) -> bool:
    """True where there is such a process, and it is not only waited for."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def numbers(store: FileObjects, spool: layout.Spool, model: str = "leaving") -> list[int]:
    """Numbers of the records that can be read, sorted."""
    batches = SegmentHistory(store, spool.folder).read(model, "production")
    return sorted(int(name[1:]) for batch in batches for name in batch.table["request_id"].to_pylist())


def abandoned(spool: layout.Spool, *found: int, served: ServedRelease = SERVED) -> Path:
    """A segment that a killed server left."""
    segment = segments.Segment(spool, segments.header(served, FEATURES))
    segment.append([[prediction(number)] for number in found])
    segment.close()
    return segment.path


def test_a_log_is_closed_once(shared: SharedShipper, spool: layout.Spool) -> None:
    """A server closes its logs where it lets go of a model, and whatever is open at its end: each server ended ten seconds late."""
    log = log_of(shared, spool)
    log.append([prediction(1)])
    log.close()
    begun = time.monotonic()
    log.close()
    assert (log.standing().shipped, time.monotonic() - begun < 5.0) == (1, True)


def test_nothing_is_started_before_something_waits(shared: SharedShipper, spool: layout.Spool) -> None:
    """What is still written waits for nobody."""
    log = log_of(shared, spool)
    log.append([prediction(1)])
    until(lambda: log.standing().written == 1)
    time.sleep(0.2)
    assert pid_of(shared) is None
    log.close()
    assert log.standing().shipped == 1


def test_a_server_that_stops_at_once_waits_for_nothing(shared: SharedShipper, spool: layout.Spool) -> None:
    """No process is started only to find that there is nothing to do."""
    began = time.monotonic()
    log_of(shared, spool).close()
    assert time.monotonic() - began < 3
    assert shared._process is None


def test_what_is_sealed_and_what_was_left_is_shipped(
    shared: SharedShipper, spool: layout.Spool, store: FileObjects
) -> None:
    """By one process for all logs, which each count their own; it ends with the last of them."""
    abandoned(spool, 1, 2)
    abandoned(spool, 3, served=OTHER)
    log, other = log_of(shared, spool), log_of(shared, spool, OTHER)
    until(lambda: (log.standing().shipped, other.standing().shipped) == (2, 1))
    pid = started(shared)
    log.append([prediction(4)])
    other.append([prediction(5)])
    log.close()
    assert (log.standing().shipped, other.standing().shipped) == (3, 1)
    assert pid_of(shared) == pid
    other.close()
    assert (log.standing().shipped, other.standing().shipped) == (3, 2)
    assert (numbers(store, spool), numbers(store, spool, "other")) == ([1, 2, 4], [3, 5])
    assert not lives(pid)
    assert spool.segments() == []


def test_records_of_nobody_here_count_with_what_is_likest(shared: SharedShipper, spool: layout.Spool) -> None:
    """An earlier version's with its model's; of a model that is not served any more with some other's: they are in the store."""
    abandoned(spool, 1, served=replace(OTHER, version=3, digest="sha256:3"))
    abandoned(spool, 2, 3, served=replace(OTHER, environment="staging"))
    logs = [log_of(shared, spool), log_of(shared, spool, OTHER)]
    until(lambda: sum(log.standing().shipped for log in logs) == 3)
    assert [log.standing().shipped for log in logs] == [0, 3]
    for log in logs:
        log.close()


@pytest.mark.slow
@pytest.mark.usefixtures("impatient")
def test_a_shipper_that_is_killed_over_and_over(
    shared: SharedShipper, spool: layout.Spool, store: FileObjects, caplog: pytest.LogCaptureFixture
) -> None:
    """While records come: another takes its place, which is said and counted; nothing is lost, and nothing is there or counted twice."""
    log = log_of(shared, spool, rotate_bytes=3_000)
    number, killed, stop = 0, 0, threading.Event()

    def kill() -> None:
        nonlocal killed
        known = 0
        while not stop.is_set():
            pid, shipped = pid_of(shared), log.standing().shipped
            if (
                pid is not None and pid != known and shipped > 50 * killed
            ):  # it has shipped some, in whatever it is in the middle of
                known, killed = pid, killed + 1
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.003)

    killer = threading.Thread(target=kill)
    killer.start()
    ends = time.monotonic() + 60
    while killed < 5 and time.monotonic() < ends:
        log.append([prediction(number)])
        number += 1
        time.sleep(0.002)
    stop.set()
    killer.join()
    log.close(30)
    standing = log.standing()
    assert killed == 5
    assert (standing.written, standing.shipped, standing.dropped) == (number, number, {})
    assert numbers(store, spool) == list(range(number))
    assert standing.failures[shipper.ENDED] == 5
    assert sum("ended with -9; another takes its place, nothing is lost" in text for text in caplog.messages) == 5


@pytest.mark.parametrize("is_gone", [False, True], ids=["before-it-went", "after-it-went"])
def test_a_kill_between_store_and_count_is_settled_by_a_look(tmp_path: Path, is_gone: bool) -> None:
    """What is still here is shipped, and counted, by the next; what is gone was shipped by the one that was killed."""
    counted: list[Path] = []

    class Listener:
        def kept(self, _: Path, found: Shipped) -> None:
            assert found == Shipped(SERVED, records=2, damaged=1)

        def gone(self, path: Path) -> None:
            counted.append(path)

        def failed(self, kind: str) -> None:
            raise AssertionError(kind)

        def strange(self, paths: frozenset[Path]) -> None:
            raise AssertionError(paths)

    path = tmp_path / "a.segment"
    if not is_gone:
        path.touch()
    reader = ReportReader(Listener())
    served = b'{"model":"leaving","environment":"production","version":4,"digest":"sha256:4"}'
    reader.read(b'["kept","%b",{"served":%b,"records":2,"damaged":1}]\n' % (bytes(path), served))
    reader.read(b'["gone","/so')
    assert counted == []
    reader.ended()
    assert counted == [path] * is_gone


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signals_to_a_whole_service_leave_it_at_work(
    number: signal.Signals, shared: SharedShipper, spool: layout.Spool
) -> None:
    """Some managers send them to every process; what the server seals at its end has still to be shipped."""
    abandoned(spool, 1)
    log = log_of(shared, spool)
    until(lambda: log.standing().shipped == 1)
    pid = started(shared)
    os.kill(pid, number)
    log.append([prediction(2)])
    time.sleep(0.1)
    assert pid_of(shared) == pid
    log.close()
    assert (log.standing().shipped, sum(log.standing().failures.values())) == (2, 0)


SERVER = """
import pathlib, sys
from argosy.adapters.segment_log.shared_shipper import SharedShipper
from argosy.adapters.segment_log.writer import SegmentLog
from argosy.testing.prediction_log_contract import FEATURES, SERVED, prediction, until
place, command = pathlib.Path(sys.argv[1]), sys.argv[2:]
shared = SharedShipper(place / "spool", command)
log = SegmentLog(place / "spool", shared.seat(SERVED), SERVED, FEATURES, ship_seconds=0.1)
log.append([prediction(1)])
until(lambda: shared._process.elsewhere or shared._process.pid is not None)
print(shared._process.pid, flush=True)
sys.stdin.read()
log.close()
assert log.standing().shipped == 1
assert "pyarrow" not in sys.modules and "boto3" not in sys.modules
"""


@contextlib.contextmanager
def server(place: Path, *more: str, **settings: str) -> Iterator["tuple[subprocess.Popen[bytes], int | None]"]:
    """A process that logs one record, and the one that ships for it; it stops when its input ends. *more*: the address of its store."""
    words = [sys.executable, "-c", SERVER, str(place), *command(place, *more)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=os.environ | settings) as process:
        assert process.stdout is not None
        line = process.stdout.readline().decode().strip()
        try:
            yield process, None if line == "None" else int(line)
        finally:
            process.kill()


def test_a_server_loads_nothing_of_what_ships(tmp_path: Path) -> None:
    """Neither Arrow nor the client of the store is in its memory after it has shipped."""
    with server(tmp_path) as (process, _):
        process.communicate(timeout=60)
    assert process.returncode == 0


@contextlib.contextmanager
def silent() -> Iterator[dict[str, str]]:
    """The surroundings of a bucket that takes connections and answers nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{listener.getsockname()[1]}",
            "AWS_ACCESS_KEY_ID": "someone",
            "AWS_SECRET_ACCESS_KEY": "something",
            "AWS_REGION": "us-east-1",
        }


def test_a_killed_server_leaves_no_orphan(tmp_path: Path) -> None:
    """Even where the store has taken a connection and does not answer."""
    with silent() as settings, server(tmp_path, "s3://logs/predictions", **settings) as (process, pid):
        assert pid is not None
        time.sleep(1)
        assert lives(pid)
        process.kill()
        until(lambda: not lives(pid), 10)


def test_a_store_that_hangs_keeps_no_server_from_stopping(
    tmp_path: Path, spool: layout.Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stops in the time that it is given; what was not shipped stays on this machine."""
    with silent() as settings:
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        shared = SharedShipper(spool.folder, command(tmp_path, "s3://logs/predictions"))
        log = log_of(shared, spool, ship_seconds=0.1)
        log.append([prediction(1)])
        pid = started(shared)
        began = time.monotonic()
        log.close(2)
        assert time.monotonic() - began < 8
    assert not lives(pid)
    assert len(spool.segments()) == 1


def test_one_process_ships_for_all_servers_of_a_spool(tmp_path: Path, spool: layout.Spool, store: FileObjects) -> None:
    """What the others seal, too, and what they seal at their end; when its server is gone, another's takes its place."""
    shared = SharedShipper(spool.folder, command(tmp_path))
    first = log_of(shared, spool, ship_seconds=0.1)
    first.append([prediction(7)])
    pid = started(shared)
    with server(tmp_path) as (process, other):
        assert other is None
        until(lambda: numbers(store, spool) == [1, 7] and spool.segments() == [])
        first.append([prediction(8)])
        first.close()
        assert not lives(pid)
        abandoned(spool, 9)
        until(lambda: spool.segments() == [])
        process.kill()
    assert numbers(store, spool) == [1, 7, 8, 9]


def test_a_store_that_is_down_and_back(
    tmp_path: Path, shared: SharedShipper, spool: layout.Spool, store: FileObjects, caplog: pytest.LogCaptureFixture
) -> None:
    """Records wait, the failures are counted, both turns are said in the server's own log; then all are shipped."""
    (tmp_path / "log").write_text("no folder")
    log = log_of(shared, spool, ship_seconds=0.1)
    for number in range(3):
        log.append([prediction(number)])
    until(lambda: sum(log.standing().failures.values()) >= 2)
    assert (log.standing().written, log.standing().shipped) == (3, 0)
    assert log.standing().oldest_seconds > 0
    (tmp_path / "log").unlink()
    until(lambda: log.standing().shipped == 3)
    log.close()
    assert numbers(store, spool) == [0, 1, 2]
    assert [text.partition(":")[0] for text in caplog.messages] == [
        "logged predictions wait on this machine and are shipped later",
        "logged predictions are shipped again",
    ]


def test_a_store_that_fails_keeps_no_server_from_stopping(
    tmp_path: Path, shared: SharedShipper, spool: layout.Spool, store: FileObjects
) -> None:
    """It is asked once more, although it would be left alone for long by now; what it did not take, the next server ships."""
    (tmp_path / "log").write_text("no folder")
    log = log_of(shared, spool, ship_seconds=0.1)
    log.append([prediction(1)])
    until(lambda: sum(log.standing().failures.values()) >= 3)
    began = time.monotonic()
    log.close(30)
    assert time.monotonic() - began < 10
    assert log.standing().waiting_bytes > 0
    (tmp_path / "log").unlink()
    log_of(shared, spool).close()
    assert numbers(store, spool) == [1]


def test_surroundings_that_make_no_store_are_said(
    tmp_path: Path, spool: layout.Spool, caplog: pytest.LogCaptureFixture
) -> None:
    """Records wait for whoever mends them."""
    shared = SharedShipper(spool.folder, command(tmp_path, "elsewhere://"))
    abandoned(spool, 1)
    log = log_of(shared, spool)
    until(lambda: log.standing().failures.get("Misconfigured", 0) > 0)
    log.close()
    assert len(spool.segments()) == 1
    assert "ARGOSY_PREDICTIONS_URI is 'elsewhere://'; expected file:///absolute/path" in caplog.text


def test_a_file_that_nobody_can_read_is_known_to_every_log(shared: SharedShipper, spool: layout.Spool) -> None:
    """It is the spool's; once it is gone, all know that too."""
    spool.folder.mkdir()
    note = spool.folder / "note.segment"
    note.write_bytes(b"note, somebody's")
    log, other = log_of(shared, spool), log_of(shared, spool, OTHER)
    until(lambda: (log.standing().strange, other.standing().strange) == (1, 1))
    late = log_of(shared, spool)
    assert late.standing().strange == 1
    note.unlink()
    until(lambda: (log.standing().strange, late.standing().strange) == (0, 0))
    for each in (log, other, late):
        each.close()
