"""The log as files and objects: what a kill, a torn end, a damaged byte, a full or hanging disk and a store that is down leave behind."""

import datetime
import errno
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyarrow import dataset

from argosy import errors
from argosy.adapters.file_objects import FileObjects
from argosy.adapters.memory_objects import MemoryObjects
from argosy.adapters.segment_log import framing, layout, segments, shipper, shipping, spool_gauge, writer
from argosy.adapters.segment_log.history import SegmentHistory
from argosy.adapters.segment_log.shipper_thread import ThreadShipper
from argosy.adapters.segment_log.spool_gauge import SpoolGauge
from argosy.adapters.segment_log.writer import SegmentLog
from argosy.ports.objects import Objects
from argosy.ports.prediction_log import AnsweredRows, ServedRelease
from argosy.testing.prediction_log_contract import FEATURES, SERVED, prediction, until


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


class PriorityObjects(MemoryObjects):
    """Knows the niceness of who put something."""

    def __init__(self) -> None:
        super().__init__()
        self.niceness = set[int]()

    def put_new(self, key: str, content: bytes) -> bool:
        """See the port."""
        self.niceness.add(os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
        return super().put_new(key, content)


@pytest.mark.skipif(sys.platform != "linux", reason="only there a thread has a priority of its own")
def test_who_ships_is_not_niced(spool: layout.Spool) -> None:
    """A niced thread that has the interpreter's lock when the machine is busy makes those who answer wait for as long as it has to."""
    store = PriorityObjects()
    log = SegmentLog(spool.folder, ThreadShipper(spool.folder, store), SERVED, FEATURES)
    log.append([prediction(1)])
    log.close()
    assert store.niceness == {os.getpriority(os.PRIO_PROCESS, 0)}


WRITER = """
import pathlib, sys, time
from argosy.adapters.file_objects import FileObjects
from argosy.adapters.segment_log.shipper_thread import ThreadShipper
from argosy.adapters.segment_log.writer import SegmentLog
from argosy.testing.prediction_log_contract import FEATURES, SERVED, prediction
place = pathlib.Path(sys.argv[1])
objects = FileObjects(f"file://{place}/log", "ARGOSY_PREDICTIONS_URI")
log = SegmentLog(place / "spool", ThreadShipper(place / "spool", objects), SERVED, FEATURES, rotate_bytes=40_000)
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
    SegmentLog(spool.folder, ThreadShipper(spool.folder, store), SERVED, FEATURES).close()
    assert spool.segments() == []
    assert logged(store, spool) == found


MARK = bytes(range(200, 208))
PAYLOADS = st.lists(st.binary(min_size=1, max_size=60), min_size=2, max_size=6)
LINES = st.lists(st.binary(max_size=60).map(lambda inner: b"{" + inner + b"}\n"), min_size=1, max_size=6)
"""Payloads that are lines, as all but the first are in segments of earlier releases; what is in them may be anything."""


@dataclass(frozen=True)
class Form:
    """A form of segments. *opening*: what is before the first frame."""

    opening: bytes
    mark: bytes

    def whole(self, payloads: list[bytes]) -> bytes:
        """A segment of *payloads*."""
        return self.opening + b"".join(framing.frame(payload, self.mark) for payload in payloads)

    def ends(self, payloads: list[bytes]) -> list[int]:
        """Where the opening and each frame end."""
        return [len(self.whole(payloads[:count])) for count in range(len(payloads) + 1)]


BLOCKS, OLD = Form(framing.opening(MARK), MARK), Form(framing.LINES_MAGIC, b"")
SEGMENTS = st.one_of(st.tuples(st.just(BLOCKS), PAYLOADS), st.tuples(st.just(OLD), LINES))


@given(SEGMENTS, st.data())
def test_a_torn_segment_keeps_its_whole_frames(segment: tuple[Form, list[bytes]], data: st.DataObject) -> None:
    """Cut anywhere, what is read is a prefix of what was written, and the reader says that something is missing."""
    form, payloads = segment
    whole = form.whole(payloads)
    cut = data.draw(st.integers(0, len(whole)))
    content = framing.read(whole[:cut])
    assert content.payloads == payloads[: len(content.payloads)]
    assert content.damaged == (cut not in {*form.ends(payloads), 0, len(framing.MAGIC)})
    assert content.begun_only == (cut < form.ends(payloads)[1])


@given(SEGMENTS, st.data())
def test_a_flipped_byte_costs_its_own_frame(segment: tuple[Form, list[bytes]], data: st.DataObject) -> None:
    """Whatever byte it is, of a mark, a length, a checksum or a record: every other frame is read, and no wrong payload is."""
    form, payloads = segment
    whole = bytearray(form.whole(payloads))
    place = data.draw(st.integers(len(form.opening), len(whole) - 1))
    whole[place] ^= data.draw(st.integers(1, 255))
    hit = sum(end <= place for end in form.ends(payloads)) - 1
    content = framing.read(bytes(whole))
    assert content.payloads == payloads[:hit] + payloads[hit + 1 :]
    assert content.damaged == 1
    assert content.headed == (hit > 0)


@pytest.mark.parametrize("place", range(len(framing.MAGIC), len(BLOCKS.opening)))
def test_a_mark_that_was_hit_costs_nothing(place: int) -> None:
    """The frames have it too."""
    whole = bytearray(BLOCKS.whole([b"head", b"one", b"two"]))
    whole[place] ^= 1
    assert framing.read(bytes(whole)) == framing.SegmentContent([b"head", b"one", b"two"], damaged=0)


@given(SEGMENTS, st.binary(min_size=1, max_size=300), st.data())
def test_whole_frames_are_found_round_a_spoiled_stretch(
    segment: tuple[Form, list[bytes]], spoiled: bytes, data: st.DataObject
) -> None:
    """A block of anything, a disk's zeros among it, in place of some frames: those before and after it are read."""
    form, payloads = segment
    whole, frames = form.whole(payloads), form.ends(payloads)
    first = data.draw(st.integers(0, len(payloads)))
    last = data.draw(st.integers(first, len(payloads)))
    for block in (spoiled, bytes(len(spoiled)), bytes(300)):
        content = framing.read(whole[: frames[first]] + block + whole[frames[last] :])
        assert content.payloads == payloads[:first] + payloads[last:]
        assert content.damaged == 1


@pytest.mark.parametrize("form", [BLOCKS, OLD], ids=["blocks", "lines"])
def test_a_spoiled_stretch_of_a_large_segment_costs_no_minutes(form: Form) -> None:
    """Sixteen MiB of noise between two frames: the second is found in the time that a glance at each byte takes."""
    noise = random.Random(1).randbytes(2**24)
    begun = time.process_time()
    content = framing.read(form.whole([b"{}"]) + noise + framing.frame(b"{1}\n", form.mark))
    assert content.payloads == [b"{}", b"{1}\n"]
    assert time.process_time() - begun < 20


def test_a_magic_word_that_was_hit_is_noticed() -> None:
    """It is no segment then, and nothing of it is read."""
    content = framing.read(b"XRGOSYP3" + MARK + framing.frame(b"{}", MARK))
    assert (content.payloads, content.damaged, content.begun_only) == ([], 1, False)


def test_a_segment_of_the_release_before_is_shipped(objects: MemoryObjects, spool: layout.Spool) -> None:
    """Byte for byte as it wrote them: lines, the rows of a request in one, beside a segment of now."""
    old = (
        '{"time":1790000000500000,"request_id":"r2","row":0,"entity":[null,"e"],"score":[[0.25,0.5],[0.125]],'
        '"decision":["no",null],"features":{"tenure":[1.0,null],"contract":[null,"month"]}}\n'
    )
    spool.folder.mkdir()
    payloads = [segments.header(SERVED, FEATURES), old.encode()]
    (spool.folder / "20260101T000000000000Z-00000000.segment").write_bytes(OLD.whole(payloads))
    begun(spool, 3)
    assert logged(objects, spool) == [2, 2, 3]
    SegmentLog(spool.folder, ThreadShipper(spool.folder, objects), SERVED, FEATURES).close()
    assert spool.segments() == []
    found = [
        row
        for batch in SegmentHistory(objects, spool.folder).read("leaving", "production")
        for row in batch.table.to_pylist()
        if row["request_id"] == "r2"
    ]
    when = datetime.datetime.fromtimestamp(1_790_000_000.5, datetime.UTC)
    same = {"time": when, "request_id": "r2"}
    assert found == [
        {**same, "row": 0, "entity": None, "score": [0.25, 0.5], "decision": "no", "features": {"tenure": 1.0, "contract": None}},
        {**same, "row": 1, "entity": "e", "score": [0.125], "decision": None, "features": {"tenure": None, "contract": "month"}},
    ]  # fmt: skip


def begun(spool: layout.Spool, *numbers: int) -> segments.Segment:
    """A segment that nobody writes any more, a frame for each of these records."""
    segment = segments.Segment(spool, segments.header(SERVED, FEATURES))
    for number in numbers:
        segment.append([[prediction(number)]])
    segment.close()
    return segment


def test_a_damaged_segment_is_shipped_with_its_whole_frames(objects: MemoryObjects, spool: layout.Spool) -> None:
    """And the damage stays known afterwards."""
    segment = begun(spool, 1, 2)
    content = segment.path.read_bytes()
    segment.path.write_bytes(content[:-7])
    assert shipping.ship(segment.path, objects) == shipper.Shipped(SERVED, records=1, damaged=1)
    assert logged(objects, spool) == [1]
    assert [batch.damaged for batch in SegmentHistory(objects, spool.folder).read("leaving", "production")] == [1]


def test_a_byte_damaged_in_the_middle_costs_the_records_round_it(
    objects: MemoryObjects, spool: layout.Spool, caplog: pytest.LogCaptureFixture
) -> None:
    """The others are read where they lie and shipped, and the loss is counted and told."""
    segment = begun(spool, 1, 2, 3)
    content = bytearray(segment.path.read_bytes())
    content[content.index(b'"r2"')] ^= 1
    segment.path.write_bytes(content)
    assert logged(objects, spool) == [1, 3]
    log = SegmentLog(spool.folder, ThreadShipper(spool.folder, objects), SERVED, FEATURES)
    log.close()
    assert logged(objects, spool) == [1, 3]
    standing = log.standing()
    assert (standing.shipped, standing.damaged, standing.strange) == (2, 1, 0)
    assert [text.partition(" was ")[2] for text in caplog.messages] == [
        "damaged: what could be read of it is shipped (2 records)"
    ]


def test_a_segment_without_its_head_is_kept_for_a_person(objects: MemoryObjects, spool: layout.Spool) -> None:
    """Nobody knows what its records are about: it is counted, nothing of it is thrown away, and it does not wait for the store."""
    segment = begun(spool, 1, 2)
    content = bytearray(segment.path.read_bytes())
    content[content.index(b'"leaving"')] ^= 1
    segment.path.write_bytes(content)
    log = SegmentLog(spool.folder, ThreadShipper(spool.folder, objects), SERVED, FEATURES)
    until(lambda: log.standing().strange == 1)
    log.append([prediction(3)])
    log.close()
    assert segment.path.read_bytes() == content
    assert logged(objects, spool) == [3]
    standing = log.standing()
    assert (standing.shipped, standing.strange, standing.oldest_seconds) == (1, 1, 0.0)
    assert standing.waiting_bytes == len(content)
    segment.path.unlink()
    log._shipper.shipping.round()  # type: ignore[attr-defined]
    assert log.standing().strange == 0


@pytest.mark.parametrize(
    "error",
    [RuntimeError("a bug"), ValueError("a bug"), MemoryError(), KeyError("a bug")],
    ids=lambda error: type(error).__name__,
)
def test_whatever_goes_wrong_with_one_segment_others_are_shipped(
    error: Exception,
    objects: MemoryObjects,
    spool: layout.Spool,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The thread lives: it counts, says once with a traceback what happened, goes on with the next, and tries again."""
    monkeypatch.setattr(shipping, "LONGEST_PAUSE", 0.05)
    store = Faulty(objects)
    first = begun(spool, 1)
    store.broken = error
    begun(spool, 2)
    log = SegmentLog(spool.folder, ThreadShipper(spool.folder, store), SERVED, FEATURES)  # type: ignore[arg-type]
    until(lambda: log.standing().failures.get(type(error).__name__, 0) > 2)
    assert first.path.exists()
    assert log.standing().shipped == 1
    assert log.standing().strange == 0
    told = [record for record in caplog.records if record.exc_info]
    assert [first.path.name in record.getMessage() for record in told] == [True]
    store.broken = None
    until(lambda: log.standing().shipped == 2)
    log.close()
    assert logged(objects, spool) == [1, 2]


def test_a_record_that_cannot_be_written_costs_no_other(objects: MemoryObjects, spool: layout.Spool) -> None:
    """It is counted by the kind of the fault; the thread lives."""
    strange = replace(prediction(2), features={"tenure": 1.0, "contract": "\ud800"})
    log = SegmentLog(spool.folder, ThreadShipper(spool.folder, objects), SERVED, FEATURES)
    log.append([prediction(1)])
    log.append([strange])
    log.append([prediction(3)])
    until(lambda: log.standing().pending == 0)
    log.append([prediction(4)])
    log.close()
    assert logged(objects, spool) == [1, 3, 4]
    assert log.standing().dropped == {"bug: TypeError": 1}


def test_a_shipped_segment_that_was_damaged_is_told_and_left_out(objects: MemoryObjects, spool: layout.Spool) -> None:
    """Whatever byte of the Parquet file it is: no record is read that was not logged, the other file is read, and nobody's look ends."""
    for number in (1, 2):
        shipping.ship(begun(spool, number).path, objects)
    (key, content) = next(
        (key, objects.get(key) or b"") for key in list(objects.keys()) if b"r1" in (objects.get(key) or b"")
    )
    history, unnoticed = SegmentHistory(objects, spool.folder), 0
    for place in range(len(content)):
        spoiled = bytearray(content)
        spoiled[place] ^= 0x55
        objects.put(key, bytes(spoiled))
        found = list(history.read("leaving", "production"))
        names = [name for batch in found for name in batch.table["request_id"].to_pylist()]
        assert names == ["r2"] if any(batch.damaged for batch in found) else sorted(names) == ["r1", "r2"], place
        unnoticed += not any(batch.damaged for batch in found)
    # Statistics and the like, which nobody reads.
    assert unnoticed < len(content) / 2


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
    assert shipping.ship(segment.path, objects).records == 2 * rows


def test_a_full_segment_is_shipped_and_the_next_begun(objects: MemoryObjects, spool: layout.Spool) -> None:
    """Nothing is lost or doubled on the way."""
    log = SegmentLog(spool.folder, ThreadShipper(spool.folder, objects), SERVED, FEATURES, rotate_bytes=2_000)
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
    log = SegmentLog(spool.folder, ThreadShipper(spool.folder, objects), SERVED, FEATURES, ship_seconds=0.1)
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
    log = SegmentLog(spool.folder, ThreadShipper(spool.folder, objects), SERVED, FEATURES)
    log.append([prediction(1, at=now)])
    until(lambda: log.standing().written == 1)
    now += 3600
    until(lambda: log.standing().shipped == 1)
    log.close()


def test_the_segment_of_a_living_server_is_left_alone(objects: MemoryObjects, spool: layout.Spool) -> None:
    """Another server of the same spool ships only what nobody writes."""
    log = SegmentLog(spool.folder, ThreadShipper(spool.folder, objects), SERVED, FEATURES)
    log.append([prediction(1)])
    until(lambda: log.standing().written == 1)
    SegmentLog(spool.folder, ThreadShipper(spool.folder, objects), SERVED, FEATURES).close()
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
        assert shipping.ship(segment.path, objects).records == 2
    segment.path.write_bytes(content)
    assert len(list(objects.keys())) == 2
    assert logged(objects, spool) == [1, 2]


def test_keys_say_what_is_in_them(objects: MemoryObjects, spool: layout.Spool) -> None:
    """Model, environment, version, day and hour; and the records' own hash."""
    log = SegmentLog(spool.folder, ThreadShipper(spool.folder, objects), SERVED, FEATURES)
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
        log = SegmentLog(spool.folder, ThreadShipper(spool.folder, store), replace(SERVED, version=version), FEATURES)
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
        self.broken: Exception | None = None
        """What the first key that is asked for always ends in."""
        self._first = ""

    def put_new(self, key: str, content: bytes) -> bool:
        """See the port."""
        self.attempts += 1
        self._first = self._first or key
        if self.broken and key == self._first:
            raise self.broken
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
    log = SegmentLog(spool.folder, ThreadShipper(spool.folder, store), SERVED, FEATURES, rotate_bytes=1_000)  # type: ignore[arg-type]
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
    log = SegmentLog(spool.folder, ThreadShipper(spool.folder, store), SERVED, FEATURES)  # type: ignore[arg-type]
    log.append([prediction(1)])
    log.close()
    assert log.standing().shipped == 0
    assert log.standing().waiting_bytes > 0
    other = SegmentLog(spool.folder, ThreadShipper(spool.folder, objects), SERVED, FEATURES)
    until(lambda: other.standing().shipped == 1)
    other.close()
    assert logged(objects, spool) == [1]


def test_a_spool_that_is_full_costs_records_and_then_goes_on(objects: MemoryObjects, spool: layout.Spool) -> None:
    """While the store is down nothing beyond the limit is kept; what is dropped is counted, and what was kept first stays."""
    store = Faulty(objects)
    store.down.set()
    log = SegmentLog(
        spool.folder, ThreadShipper(spool.folder, store), SERVED, FEATURES, rotate_bytes=500, spool_bytes=3_000
    )  # type: ignore[arg-type]
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
    log = SegmentLog(spool.folder, ThreadShipper(spool.folder, objects), SERVED, FEATURES)
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
    log = SegmentLog(spool.folder, ThreadShipper(spool.folder, objects), SERVED, FEATURES, rotate_bytes=500)
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
    log = SegmentLog(spool.folder, ThreadShipper(spool.folder, objects), SERVED, FEATURES, capacity=100)
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


def test_requests_are_as_bounded_as_rows(
    objects: MemoryObjects, spool: layout.Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of one row each they take more memory than their rows say."""
    resume = threading.Event()
    monkeypatch.setattr(writer, "MOST_REQUESTS", 10)
    monkeypatch.setattr(writer.SegmentLog, "_taken", lambda _: resume.wait(20) and [])
    log = SegmentLog(spool.folder, ThreadShipper(spool.folder, objects), SERVED, FEATURES)
    for number in range(15):
        log.append([prediction(number), prediction(number)])
    assert (log.standing().pending, log.standing().dropped) == (20, {"queue-full": 10})
    monkeypatch.undo()
    resume.set()
    log.close()
    assert log.standing().written == 20


@pytest.mark.parametrize(
    ("sizes", "frames"),
    [
        pytest.param([], [], id="nothing"),
        pytest.param([1] * 250, [100, 100, 50], id="many-requests"),
        pytest.param([1000] * 7, [3, 3, 1], id="many-rows"),
        pytest.param([10, 5000, 10], [1, 1, 1], id="one-of-more-than-may-be"),
    ],
)
def test_a_write_is_short(sizes: list[int], frames: list[int]) -> None:
    """So that who answers meanwhile has a turn soon; every request is in one, in order."""
    batches = [[prediction(0)] * size for size in sizes]
    found = list(writer._frames(batches))
    assert [len(frame) for frame in found] == frames
    assert [batch for frame in found for batch in frame] == batches


def test_many_requests_are_written_together(
    objects: MemoryObjects, spool: layout.Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Behind a write of many the next gathers for longer, but never more than a tenth of the queue, and never when the log closes."""
    monkeypatch.setattr(writer, "BUSY_GATHER_SECONDS", 60.0)
    log = SegmentLog(spool.folder, ThreadShipper(spool.folder, objects), SERVED, FEATURES, capacity=200)
    for number in range(writer.MANY):
        log.append([prediction(number)])
    until(lambda: log.standing().pending == 0)
    for number in range(writer.MANY, writer.MANY + 19):
        log.append([prediction(number)])
    time.sleep(0.2)
    assert log.standing().pending == 19
    log.append([prediction(29)])
    until(lambda: log.standing().pending == 0)
    log.append([prediction(30)])
    began = time.monotonic()
    log.close()
    assert time.monotonic() - began < 30
    assert logged(objects, spool) == list(range(31))


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
    log = SegmentLog(spool.folder, ThreadShipper(spool.folder, objects), SERVED, FEATURES)
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
from argosy.adapters.segment_log.shipper_thread import ThreadShipper
from argosy.adapters.segment_log.writer import SegmentLog
from argosy.testing.prediction_log_contract import FEATURES, SERVED, prediction
place = pathlib.Path(sys.argv[1])
objects = FileObjects(f"file://{place}/log", "ARGOSY_PREDICTIONS_URI")
log = SegmentLog(place / "spool", ThreadShipper(place / "spool", objects), SERVED, FEATURES)
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
    found = logged(store, layout.Spool(tmp_path / "none"))
    # Records come in blocks: a small one may fit where a larger one before it did not.
    assert found == sorted(set(found))
    assert len(found) == int(written)
    assert found[-1] < int(appended)


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
        SegmentLog(
            spool.folder,
            ThreadShipper(spool.folder, objects),
            ServedRelease(model, environment, 4, "sha256:4"),
            FEATURES,
        )


def test_a_file_that_is_no_segment_stops_nobody(
    objects: MemoryObjects, spool: layout.Spool, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody's note among the segments is left where it is and said once, and the records around it are read and shipped."""
    spool.folder.mkdir()
    stray = spool.folder / "20260101T000000000000Z-00000000.segment"
    stray.write_bytes(BLOCKS.whole([json.dumps({"other": 1}).encode(), b"{}"]))
    (spool.folder / "note.segment").write_bytes(b"note, somebody's")
    log = SegmentLog(spool.folder, ThreadShipper(spool.folder, objects), SERVED, FEATURES)
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
    whole = BLOCKS.whole([segments.header(SERVED, FEATURES)])
    for number, length in enumerate((0, 5, 8, 20, len(whole))):
        (spool.folder / f"20260101T000000000000Z-{number}.segment").write_bytes(whole[:length])
    SegmentLog(spool.folder, ThreadShipper(spool.folder, objects), SERVED, FEATURES).close()
    assert spool.segments() == []
    assert list(objects.keys()) == []
