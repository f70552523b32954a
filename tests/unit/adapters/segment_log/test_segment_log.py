"""The log as files and objects: what a kill, a torn end, a damaged byte, a full or hanging disk and a store that is down leave behind."""

import datetime
import errno
import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import dataset

from argosy import errors
from argosy.adapters.file_objects import FileObjects
from argosy.adapters.memory_objects import MemoryObjects
from argosy.adapters.segment_log import framing, layout, segments, shipping, spool_gauge, writer
from argosy.adapters.segment_log.history import SegmentHistory
from argosy.adapters.segment_log.spool_gauge import SpoolGauge
from argosy.adapters.segment_log.writer import SegmentLog
from argosy.ports.objects import Objects
from argosy.ports.prediction_log import AnsweredRows, ServedRelease
from argosy.testing.prediction_log_contract import FEATURES, SERVED, prediction


def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait for *condition*."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def logged(objects: Objects, spool: layout.Spool) -> list[int]:
    """Numbers of the records that can be read, sorted."""
    batches = SegmentHistory(objects, spool.folder).read("leaving", "production")
    return sorted(int(name[1:]) for batch in batches for name in batch.table["request_id"].to_pylist())


@pytest.fixture
def spool(tmp_path: Path) -> layout.Spool:
    """The spool of every log of a test."""
    return layout.Spool(tmp_path / "spool")


@pytest.fixture
def objects() -> MemoryObjects:
    """The store."""
    return MemoryObjects()


WRITER = """
import pathlib, sys, time
from argosy.adapters.file_objects import FileObjects
from argosy.adapters.segment_log.writer import SegmentLog
from argosy.testing.prediction_log_contract import FEATURES, SERVED, prediction
place = pathlib.Path(sys.argv[1])
objects = FileObjects(f"file://{place}/log", "ARGOSY_PREDICTIONS_URI")
log = SegmentLog(place / "spool", objects, SERVED, FEATURES, rotate_bytes=40_000)
number = int(sys.argv[2])
while True:
    log.append([prediction(number)])
    number += 1
    if number % 50 == 0:
        print(log.standing().written, flush=True)
        time.sleep(0.002)
"""


@pytest.mark.slow
def test_a_killed_server_loses_only_what_was_pending(tmp_path: Path, spool: layout.Spool) -> None:
    """Killed over and over, while it writes and while it ships: what it said was written is there, once; the next server ships it."""
    store = FileObjects(f"file://{tmp_path}/log", "ARGOSY_PREDICTIONS_URI")
    begin = 0
    for least in (2000, 700, 1900):
        command = [sys.executable, "-c", WRITER, str(tmp_path), str(begin)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for line in process.stdout:
                if int(line) > least:
                    break
            process.send_signal(signal.SIGKILL)
            rest = process.stdout.read().split()
        written = max(int(rest[-1]) if rest else 0, least)
        found = logged(store, spool)
        assert found == list(range(len(found)))
        assert len(found) >= begin + written
        begin = len(found)
    SegmentLog(spool.folder, store, SERVED, FEATURES).close()
    assert spool.segments() == []
    assert logged(store, spool) == found


@given(st.lists(st.binary(max_size=60), max_size=6), st.data())
def test_a_torn_segment_keeps_its_whole_frames(payloads: list[bytes], data: st.DataObject) -> None:
    """Cut anywhere, what is read is a prefix of what was written, and the reader says that something is missing."""
    whole = framing.MAGIC + b"".join(map(framing.frame, payloads))
    cut = data.draw(st.integers(0, len(whole)))
    content = framing.read(whole[:cut])
    assert content.payloads == payloads[: len(content.payloads)]
    ends = {
        len(framing.MAGIC) + sum(8 + len(payload) for payload in payloads[:count]) for count in range(len(payloads) + 1)
    }
    assert content.damaged == (cut not in ends | {0})


@given(st.lists(st.binary(min_size=1, max_size=40), min_size=1, max_size=5), st.data())
def test_a_flipped_byte_is_noticed(payloads: list[bytes], data: st.DataObject) -> None:
    """Whatever byte it is, no wrong payload is read."""
    whole = bytearray(framing.MAGIC + b"".join(map(framing.frame, payloads)))
    whole[data.draw(st.integers(0, len(whole) - 1))] ^= data.draw(st.integers(1, 255))
    content = framing.read(bytes(whole))
    assert content.damaged
    assert content.payloads == payloads[: len(content.payloads)]


def test_a_damaged_segment_is_shipped_with_its_whole_frames(objects: MemoryObjects, spool: layout.Spool) -> None:
    """And the damage stays known afterwards."""
    segment = segments.Segment(spool, segments.header(SERVED, FEATURES))
    segment.append([[prediction(1)]])
    segment.append([[prediction(2)]])
    segment.close()
    content = segment.path.read_bytes()
    segment.path.write_bytes(content[:-7])
    assert shipping.ship(segment.path, objects) == 1
    assert logged(objects, spool) == [1]
    assert [batch.damaged for batch in SegmentHistory(objects, spool.folder).read("leaving", "production")] == [1]


def test_a_line_of_any_length_is_shipped(objects: MemoryObjects, spool: layout.Spool) -> None:
    """The rows of a request are one line: many rows of a wide model are longer than what is parsed in one piece."""
    wide = [(f"feature_{number}", "category") for number in range(40)]
    rows, text = 1000, "x" * 900
    request = AnsweredRows(
        1.7e9,
        "large",
        entities=[None] * rows,
        features={name: [text] * rows for name, _ in wide},
        scores=[[0.5]] * rows,
        decisions=["yes"] * rows,
    )
    segment = segments.Segment(spool, segments.header(SERVED, wide))
    segment.append([request])
    segment.append([request])
    segment.close()
    assert shipping.ship(segment.path, objects) == 2 * rows


def test_a_full_segment_is_shipped_and_the_next_begun(objects: MemoryObjects, spool: layout.Spool) -> None:
    """Nothing is lost or doubled on the way."""
    log = SegmentLog(spool.folder, objects, SERVED, FEATURES, rotate_bytes=2_000)
    for number in range(200):
        log.append([prediction(number)])
        if number % 20 == 0:
            until(lambda: log.standing().pending == 0)
    until(lambda: log.standing().written == 200 and len(list(objects.keys())) > 2)
    assert logged(objects, spool) == list(range(200))
    log.close()
    assert logged(objects, spool) == list(range(200))
    assert log.standing().shipped == 200


def test_an_old_segment_is_shipped_without_traffic(objects: MemoryObjects, spool: layout.Spool) -> None:
    """Records reach the store even when no more come."""
    log = SegmentLog(spool.folder, objects, SERVED, FEATURES, ship_seconds=0.1)
    log.append([prediction(1)])
    until(lambda: log.standing().shipped == 1)
    assert spool.segments() == []
    log.close()


def test_an_hour_that_is_over_is_shipped(
    objects: MemoryObjects, spool: layout.Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A window that ends with the hour need not wait for the segment to be old."""
    now = 1_790_000_000.0
    monkeypatch.setattr(writer.time, "time", lambda: now)
    log = SegmentLog(spool.folder, objects, SERVED, FEATURES)
    log.append([prediction(1, at=now)])
    until(lambda: log.standing().written == 1)
    now += 3600
    until(lambda: log.standing().shipped == 1)
    log.close()


def test_the_segment_of_a_living_server_is_left_alone(objects: MemoryObjects, spool: layout.Spool) -> None:
    """Another server of the same spool ships only what nobody writes."""
    log = SegmentLog(spool.folder, objects, SERVED, FEATURES)
    log.append([prediction(1)])
    until(lambda: log.standing().written == 1)
    SegmentLog(spool.folder, objects, SERVED, FEATURES).close()
    assert len(spool.segments()) == 1
    log.append([prediction(2)])
    log.close()
    assert logged(objects, spool) == [1, 2]
    assert len(list(objects.keys())) == 1


def test_shipping_again_adds_nothing(objects: MemoryObjects, spool: layout.Spool) -> None:
    """A process that died between the store's answer and the end of its segment, and a store whose answer was lost."""
    segment = segments.Segment(spool, segments.header(SERVED, FEATURES))
    segment.append([[prediction(1, at=1_790_000_000), prediction(2, at=1_790_003_600)]])
    segment.close()
    content = segment.path.read_bytes()
    for _ in range(2):
        segment.path.write_bytes(content)
        assert shipping.ship(segment.path, objects) == 2
    segment.path.write_bytes(content)
    assert len(list(objects.keys())) == 2
    assert logged(objects, spool) == [1, 2]


def test_keys_say_what_is_in_them(objects: MemoryObjects, spool: layout.Spool) -> None:
    """Model, environment, version, day and hour; and the records' own hash."""
    log = SegmentLog(spool.folder, objects, SERVED, FEATURES)
    log.append([prediction(1, at=datetime.datetime(2026, 10, 25, 0, 30, tzinfo=datetime.UTC).timestamp())])
    log.close()
    (key,) = objects.keys()
    folder, _, name = key.rpartition("/")
    assert folder == "leaving/production/version=4/date=2026-10-25/hour=00"
    assert re.fullmatch(r"4-[0-9a-f]{64}\.parquet", name)


def test_others_read_what_was_shipped_as_a_table(tmp_path: Path, spool: layout.Spool) -> None:
    """DuckDB and Arrow, by hive partitions, features included."""
    store = FileObjects(f"file://{tmp_path}/log", "ARGOSY_PREDICTIONS_URI")
    for version in (4, 5):
        log = SegmentLog(spool.folder, store, replace(SERVED, version=version), FEATURES)
        log.append([prediction(number, at=1_790_000_000 + 3600 * number) for number in range(3)])
        log.close()
    place = tmp_path / "log" / "leaving" / "production"
    query = f"""SELECT version, count(*), count(DISTINCT date::VARCHAR || hour::VARCHAR), sum(score[1]), sum(features.tenure)
                FROM read_parquet('{place}/**/*.parquet', hive_partitioning = true) GROUP BY ALL ORDER BY version"""  # noqa: S608 - our own folder
    assert duckdb.sql(query).fetchall() == [(4, 3, 3, 0.003, 3.0), (5, 3, 3, 0.003, 3.0)]
    found = dataset.dataset(place, partitioning="hive", exclude_invalid_files=False)
    assert {"version", "date", "hour"} <= set(found.schema.names)
    assert found.count_rows(filter=dataset.field("version") == 5) == 3


class Faulty:
    """A store that fails while it is told to."""

    def __init__(self, real: MemoryObjects) -> None:
        self.real = real
        self.down = threading.Event()
        self.order: list[str] = []
        self.attempts = 0

    def put_new(self, key: str, content: bytes) -> bool:
        """See the port."""
        self.attempts += 1
        if self.down.is_set():
            raise errors.TryAgain("cannot write: nobody answers")
        self.order.append(key)
        return self.real.put_new(key, content)

    def __getattr__(self, name: str) -> object:
        return getattr(self.real, name)


def test_a_store_that_is_down_costs_nothing(
    objects: MemoryObjects, spool: layout.Spool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Records wait, what waits is shown, it is said once; when the store is back, all are shipped, oldest first."""
    monkeypatch.setattr(shipping, "LONGEST_PAUSE", 0.05)
    store = Faulty(objects)
    store.down.set()
    log = SegmentLog(spool.folder, store, SERVED, FEATURES, rotate_bytes=1_000)  # type: ignore[arg-type]
    for number in range(40):
        log.append([prediction(number, at=1_790_000_000 + 3600 * number)])
        until(lambda: log.standing().pending == 0)
    until(lambda: store.attempts > 2 and log.standing().waiting_bytes > 40 * 100)
    standing = log.standing()
    assert (standing.written, standing.shipped, standing.dropped) == (40, 0, {})
    assert standing.oldest_seconds > 0
    assert logged(objects, spool) == list(range(40))
    store.down.clear()
    until(lambda: log.standing().shipped > 30)
    log.close()
    assert log.standing().shipped == 40
    assert log.standing().waiting_bytes == 0
    assert store.order == sorted(store.order)
    assert [text.partition(":")[0] for text in caplog.messages] == [
        "logged predictions wait on this machine and are shipped later",
        "logged predictions are shipped again",
    ]


def test_what_was_not_shipped_is_the_next_servers(objects: MemoryObjects, spool: layout.Spool) -> None:
    """A server that is told to stop while the store is down ends in time, and loses nothing."""
    store = Faulty(objects)
    store.down.set()
    log = SegmentLog(spool.folder, store, SERVED, FEATURES)  # type: ignore[arg-type]
    log.append([prediction(1)])
    log.close()
    assert log.standing().shipped == 0
    assert log.standing().waiting_bytes > 0
    other = SegmentLog(spool.folder, objects, SERVED, FEATURES)
    until(lambda: other.standing().shipped == 1)
    other.close()
    assert logged(objects, spool) == [1]


def test_a_spool_that_is_full_costs_records_and_then_goes_on(objects: MemoryObjects, spool: layout.Spool) -> None:
    """While the store is down nothing beyond the limit is kept; what is dropped is counted, and what was kept first stays."""
    store = Faulty(objects)
    store.down.set()
    log = SegmentLog(spool.folder, store, SERVED, FEATURES, rotate_bytes=500, spool_bytes=3_000)  # type: ignore[arg-type]
    number = 0
    while not log.standing().dropped:
        log.append([prediction(number)])
        number += 1
        until(lambda: log.standing().pending == 0)
        assert number < 1000
    kept = log.standing().written
    assert log.standing().dropped == {"spool-full": number - kept}
    store.down.clear()
    until(lambda: log.standing().shipped == kept)
    until(lambda: log.standing().waiting_bytes == 0)
    log.append([prediction(number)])
    log.close()
    assert logged(objects, spool) == [*range(kept), number]


def test_ages_are_no_matter_of_the_clock(spool: layout.Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a server of yesterday left is a day old; a clock that is set afterwards changes nothing, and no age is below zero."""
    yesterday = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    tomorrow = yesterday + datetime.timedelta(days=2)
    spool.folder.mkdir()
    gauge = SpoolGauge(spool)
    (spool.folder / f"{layout.new_stem(tomorrow)}.segment").write_bytes(b"12345")
    gauge.look()
    assert gauge.bytes == 5
    assert 0 <= gauge.seconds() < 60
    (spool.folder / f"{layout.new_stem(yesterday)}.segment").write_bytes(b"1")
    gauge.look()
    assert 86_400 <= gauge.seconds() < 86_460
    monkeypatch.setattr(spool_gauge.datetime, "datetime", Far)
    gauge.look()
    assert gauge.bytes == 6
    assert 86_400 <= gauge.seconds() < 86_460


class Far(datetime.datetime):
    """A clock that was set forth by years."""

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> "Far":
        """See the base class."""
        return cls(2999, 1, 1, tzinfo=tz)


def test_a_window_opens_only_the_segments_that_are_in_it(objects: MemoryObjects, spool: layout.Spool) -> None:
    """A month of hours is not read for one of them."""
    log = SegmentLog(spool.folder, objects, SERVED, FEATURES)
    log.append([prediction(1, at=1_790_000_000)])
    log.close()
    (key,) = objects.keys()
    objects.put(key, b"not Parquet")
    when = datetime.datetime.fromtimestamp(1_790_000_000, datetime.UTC).replace(minute=0, second=0)
    history = SegmentHistory(objects, spool.folder)
    assert list(history.read("leaving", "production", until=when)) == []
    (found,) = history.read("leaving", "production", since=when, until=when + datetime.timedelta(minutes=1))
    assert (found.table.num_rows, found.damaged, found.served.digest) == (0, 1, SERVED.digest)


def test_other_objects_are_nobodys_records(objects: MemoryObjects, spool: layout.Spool) -> None:
    """What earlier versions logged in days, and what people put beside it, is passed over."""
    for key in (
        "leaving/production/2026-01-01/20260101T000000000000Z-00000000.parquet",
        "leaving/production/version=4/notes.txt",
        "leaving/production/version=4/date=today/hour=00/4-ab.parquet",
        "leaving/production/version=4/date=2026-02-31/hour=00/4-ab.parquet",
        "leaving/production/version=4/date=2026-02-01/hour=00/README",
    ):
        objects.put(key, b"")
    history = SegmentHistory(objects, spool.folder)
    assert list(history.segments("leaving", "production")) == []
    assert history.prune(datetime.datetime(2999, 1, 1, tzinfo=datetime.UTC)) == 0


def test_reading_while_segments_are_shipped_finds_each_record_once(objects: MemoryObjects, spool: layout.Spool) -> None:
    """A reader that looks meanwhile misses nothing and sees nothing twice."""
    log = SegmentLog(spool.folder, objects, SERVED, FEATURES, rotate_bytes=500)
    seen: list[list[int]] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            seen.append(logged(objects, spool))

    reader = threading.Thread(target=read)
    reader.start()
    for number in range(150):
        log.append([prediction(number)])
        time.sleep(0.005)
    stop.set()
    reader.join()
    log.close()
    assert len(seen) > 3
    for found in seen:
        assert found == list(range(len(found)))
    assert [len(found) for found in seen] == sorted(len(found) for found in seen)


def test_a_disk_that_hangs_keeps_no_answer_waiting(
    objects: MemoryObjects, spool: layout.Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Records queue up to the limit, further ones are dropped and counted; appending stays quick."""
    resume = threading.Event()
    unhurried = segments.Segment.append

    def hang(self: segments.Segment, predictions: list[object]) -> None:
        resume.wait(20)
        unhurried(self, predictions)  # type: ignore[arg-type]

    monkeypatch.setattr(segments.Segment, "append", hang)
    log = SegmentLog(spool.folder, objects, SERVED, FEATURES, capacity=100)
    slowest = 0.0
    for number in range(1000):
        began = time.perf_counter()
        log.append([prediction(number)])
        slowest = max(slowest, time.perf_counter() - began)
    standing = log.standing()
    assert slowest < 0.5
    assert standing.pending == 100
    assert standing.dropped == {"queue-full": 900}
    resume.set()
    log.close()
    assert len(logged(objects, spool)) == 100


def test_a_full_disk_costs_records_and_then_goes_on(
    objects: MemoryObjects, spool: layout.Spool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The records of that moment are counted as dropped, which is said once; what comes when there is space again is kept."""
    full = threading.Event()
    full.set()
    roomy = segments.Segment._write

    def write(self: segments.Segment, data: bytes) -> None:
        if full.is_set():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        roomy(self, data)

    monkeypatch.setattr(segments.Segment, "_write", write)
    log = SegmentLog(spool.folder, objects, SERVED, FEATURES)
    log.append([prediction(1)])
    until(lambda: log.standing().pending == 0)
    log.append([prediction(1)])
    until(lambda: log.standing().pending == 0)
    assert log.standing().dropped == {"disk: No space left on device": 2}
    assert [record.getMessage().partition(";")[0] for record in caplog.records] == [
        "predictions are answered and not logged (disk: No space left on device)"
    ]
    full.clear()
    log.append([prediction(2)])
    log.close()
    assert logged(objects, spool) == [2]


FILLER = """
import pathlib, sys, time
from argosy.adapters.file_objects import FileObjects
from argosy.adapters.segment_log.writer import SegmentLog
from argosy.testing.prediction_log_contract import FEATURES, SERVED, prediction
place = pathlib.Path(sys.argv[1])
log = SegmentLog(place / "spool", FileObjects(f"file://{place}/log", "ARGOSY_PREDICTIONS_URI"), SERVED, FEATURES)
number = 0
while not log.standing().dropped:
    log.append([prediction(number)])
    number += 1
    time.sleep(0.0005)
log.close()
standing = log.standing()
print(number, standing.written, standing.shipped, *standing.dropped.values(), *standing.dropped)
"""
MOUNTED = 'mkdir "$0/spool" && mount -t tmpfs -o size=64k none "$0/spool" && exec "$@"'
SMALL_DISK = ("unshare", "--user", "--map-root-user", "--mount", "sh", "-c", MOUNTED)


@pytest.mark.slow
def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    """Records that it has no place for are counted with its own words; those before are shipped, although nothing more fits beside them."""
    if subprocess.run([*SMALL_DISK[:4], "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine gives no mount namespaces to its users")
    command = [*SMALL_DISK, str(tmp_path), sys.executable, "-c", FILLER, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    appended, written, shipped, dropped, *words = done.stdout.split()
    assert " ".join(words) == "disk: No space left on device"
    assert int(appended) == int(written) + int(dropped)
    assert int(shipped) == int(written) > 100
    store = FileObjects(f"file://{tmp_path}/log", "ARGOSY_PREDICTIONS_URI")
    assert logged(store, layout.Spool(tmp_path / "none")) == list(range(int(written)))


def test_a_write_that_fails_half_way_leaves_no_torn_frame(objects: MemoryObjects, spool: layout.Spool) -> None:
    """The disk takes some bytes and then no more: the segment ends where the last whole frame did, and goes on from there."""
    segment = segments.Segment(spool, segments.header(SERVED, FEATURES))
    segment.append([[prediction(1)]])
    segment._stream = _Short(segment._stream)  # type: ignore[assignment]
    with pytest.raises(OSError, match="No space"):
        segment.append([[prediction(2)]])
    segment._stream = segment._stream.real  # type: ignore[attr-defined]
    segment.append([[prediction(3)]])
    segment.close()
    assert logged(objects, spool) == [1, 3]


class _Short:
    """A file that takes ten bytes and is full."""

    def __init__(self, real: object) -> None:
        self.real = real
        self._full = False

    def write(self, data: bytes) -> int:
        if self._full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._full = True
        return self.real.write(data[:10])  # type: ignore[attr-defined, no-any-return]

    def __getattr__(self, name: str) -> object:
        return getattr(self.real, name)


@pytest.mark.parametrize(("model", "environment"), [("a/../b", "production"), ("leaving", ""), ("leaving", ".x")])
def test_names_that_are_no_keys_are_refused(
    objects: MemoryObjects, spool: layout.Spool, model: str, environment: str
) -> None:
    """Before anything is answered: their records could never be shipped."""
    with pytest.raises(errors.Misconfigured, match="no key of an object"):
        SegmentLog(spool.folder, objects, ServedRelease(model, environment, 4, "sha256:4"), FEATURES)


def test_a_file_that_is_no_segment_stops_nobody(
    objects: MemoryObjects, spool: layout.Spool, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody's note among the segments is left where it is and said once, and the records around it are read and shipped."""
    spool.folder.mkdir()
    stray = spool.folder / "20260101T000000000000Z-00000000.segment"
    stray.write_bytes(framing.MAGIC + framing.frame(json.dumps({"other": 1}).encode()) + framing.frame(b"{}"))
    (spool.folder / "note.segment").write_bytes(b"note, somebody's")
    log = SegmentLog(spool.folder, objects, SERVED, FEATURES)
    log.append([prediction(1)])
    until(lambda: log.standing().written == 1)
    assert logged(objects, spool) == [1]
    log.close()
    assert stray.exists()
    assert logged(objects, spool) == [1]
    assert Counter(text.partition(" is ")[2].partition(":")[0] for text in caplog.messages)["not shipped"] == 2


def test_a_segment_that_a_kill_left_empty_goes(objects: MemoryObjects, spool: layout.Spool) -> None:
    """Killed before its first record, or in the middle of its head."""
    spool.folder.mkdir()
    whole = framing.MAGIC + framing.frame(segments.header(SERVED, FEATURES))
    for number, length in enumerate((0, 5, 8, 20, len(whole))):
        (spool.folder / f"20260101T000000000000Z-{number}.segment").write_bytes(whole[:length])
    SegmentLog(spool.folder, objects, SERVED, FEATURES).close()
    assert spool.segments() == []
    assert list(objects.keys()) == []
