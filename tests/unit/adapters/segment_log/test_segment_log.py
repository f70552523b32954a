"""The log as files: what a kill, a torn end, a damaged byte, a full or hanging disk leave behind, and how segments become Parquet."""

import datetime
import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy import errors
from argosy.adapters.segment_log import framing, layout, sealing, segments
from argosy.adapters.segment_log.history import SegmentHistory
from argosy.adapters.segment_log.writer import SegmentLog
from argosy.testing.prediction_log_contract import FEATURES, SERVED, prediction


def until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    """Wait for *condition*."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.01)


def logged(uri: str) -> list[int]:
    """Numbers of the records that can be read, sorted."""
    batches = SegmentHistory(uri).read("leaving", "production")
    return sorted(int(name[1:]) for batch in batches for name in batch.table["request_id"].to_pylist())


@pytest.fixture
def uri(tmp_path: Path) -> str:
    """Where the log is."""
    return f"file://{tmp_path}"


@pytest.fixture
def place(tmp_path: Path) -> layout.LogFolder:
    """The same, as the adapter sees it."""
    return layout.LogFolder(tmp_path / "leaving" / "production")


WRITER = """
import sys, time
from argosy.adapters.segment_log.writer import SegmentLog
from argosy.testing.prediction_log_contract import FEATURES, SERVED, prediction
log = SegmentLog(sys.argv[1], SERVED, FEATURES)
number = 0
while True:
    log.append([prediction(number)])
    number += 1
    if number % 50 == 0:
        print(log.standing().written, flush=True)
        time.sleep(0.002)
"""


@pytest.mark.slow
def test_a_killed_server_loses_only_what_was_pending(uri: str, place: layout.LogFolder) -> None:
    """What it said was written is there after kill -9, without gaps; the next server seals it."""
    with subprocess.Popen([sys.executable, "-c", WRITER, uri], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        for line in process.stdout:
            if int(line) > 2000:
                break
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read().split()
    written = int(rest[-1]) if rest else 0
    found = logged(uri)
    assert len(found) >= max(written, 2000)
    assert found == list(range(len(found)))
    SegmentLog(uri, SERVED, FEATURES).close()
    assert place.segments() == []
    assert logged(uri) == found


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


def test_a_damaged_segment_is_sealed_with_its_whole_frames(uri: str, place: layout.LogFolder) -> None:
    """And the damage stays known afterwards."""
    segment = segments.Segment(place, segments.header(SERVED, FEATURES))
    segment.append([prediction(1)])
    segment.append([prediction(2)])
    segment.close()
    content = segment.path.read_bytes()
    segment.path.write_bytes(content[:-7])
    assert sealing.seal_abandoned(place) == 1
    assert logged(uri) == [1]
    assert [batch.damaged for batch in SegmentHistory(uri).read("leaving", "production")] == [1]


def test_a_full_segment_is_sealed_and_the_next_begun(uri: str, place: layout.LogFolder) -> None:
    """Nothing is lost or doubled on the way."""
    log = SegmentLog(uri, SERVED, FEATURES, rotate_bytes=2_000)
    for number in range(200):
        log.append([prediction(number)])
        if number % 20 == 0:
            until(lambda: log.standing().pending == 0)
    until(lambda: log.standing().written == 200 and len(place.sealed()) > 2)
    assert logged(uri) == list(range(200))
    log.close()
    assert logged(uri) == list(range(200))


def test_an_old_segment_is_sealed_without_traffic(uri: str, place: layout.LogFolder) -> None:
    """Records reach the store even when no more come."""
    log = SegmentLog(uri, SERVED, FEATURES, rotate_seconds=0.1)
    log.append([prediction(1)])
    until(lambda: len(place.sealed()) == 1)
    assert place.segments() == []
    log.close()


def test_the_segment_of_a_living_server_is_left_alone(uri: str, place: layout.LogFolder) -> None:
    """Another server, or its start, seals only what nobody writes."""
    log = SegmentLog(uri, SERVED, FEATURES)
    log.append([prediction(1)])
    until(lambda: log.standing().written == 1)
    assert sealing.seal_abandoned(place) == 0
    SegmentLog(uri, SERVED, FEATURES).close()
    assert len(place.segments()) == 1
    log.append([prediction(2)])
    log.close()
    assert logged(uri) == [1, 2]


def test_a_window_opens_only_the_files_that_are_in_it(uri: str, place: layout.LogFolder) -> None:
    """A month of hours is not read for one of them; a file whose name says no times, as they were once called, is."""
    log = SegmentLog(uri, SERVED, FEATURES)
    log.append([prediction(1, at=1_790_000_000)])
    log.close()
    (sealed,) = place.sealed()
    when = datetime.datetime.fromtimestamp(1_790_000_000, datetime.UTC)
    window = {"since": when - datetime.timedelta(hours=1), "until": when}
    garbage = sealed.with_name(sealed.name.replace(layout.stem(sealed), f"{layout.stem(sealed)}x"))
    garbage.write_bytes(b"not Parquet")
    history = SegmentHistory(uri)
    assert list(history.read("leaving", "production", **window)) == []
    garbage.unlink()
    sealed.rename(sealed.with_name(f"{layout.stem(sealed)}{layout.PARQUET}"))
    later = {"since": when, "until": when + datetime.timedelta(hours=1)}
    assert [found.table.num_rows for found in history.read("leaving", "production", **later)] == [1]


def test_reading_while_segments_are_sealed_finds_each_record_once(uri: str) -> None:
    """A reader that looks during a seal misses nothing and sees nothing twice."""
    log = SegmentLog(uri, SERVED, FEATURES, rotate_bytes=500)
    seen: list[list[int]] = []
    stop = threading.Event()

    def read() -> None:
        while not stop.is_set():
            seen.append(logged(uri))

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


def test_a_disk_that_hangs_keeps_no_answer_waiting(uri: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Records queue up to the limit, further ones are dropped and counted; appending stays quick."""
    resume = threading.Event()
    unhurried = segments.Segment.append

    def hang(self: segments.Segment, predictions: list[object]) -> None:
        resume.wait(20)
        unhurried(self, predictions)  # type: ignore[arg-type]

    monkeypatch.setattr(segments.Segment, "append", hang)
    log = SegmentLog(uri, SERVED, FEATURES, capacity=100)
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
    assert len(logged(uri)) == 100


def test_a_full_disk_costs_records_and_then_goes_on(
    uri: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
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
    log = SegmentLog(uri, SERVED, FEATURES)
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
    assert logged(uri) == [2]


def test_a_write_that_fails_half_way_leaves_no_torn_frame(uri: str, place: layout.LogFolder) -> None:
    """The disk takes some bytes and then no more: the segment ends where the last whole frame did, and goes on from there."""
    segment = segments.Segment(place, segments.header(SERVED, FEATURES))
    segment.append([prediction(1)])
    segment._stream = _Short(segment._stream)  # type: ignore[assignment]
    with pytest.raises(OSError, match="No space"):
        segment.append([prediction(2)])
    segment._stream = segment._stream.real  # type: ignore[attr-defined]
    segment.append([prediction(3)])
    segment.close()
    assert logged(uri) == [1, 3]


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


@pytest.mark.parametrize("uri", ["s3://bucket/x", "file://host/x", "relative", ""])
def test_other_places_are_refused(uri: str) -> None:
    """What is not a folder of this machine is said at once."""
    with pytest.raises(errors.Misconfigured, match="ARGOSY_PREDICTIONS_URI"):
        SegmentLog(uri, SERVED, FEATURES)


def test_a_file_that_is_no_segment_stops_nobody(uri: str, place: layout.LogFolder) -> None:
    """Somebody's note among the segments is left where it is, and the records around it are read."""
    log = SegmentLog(uri, SERVED, FEATURES)
    log.append([prediction(1)])
    until(lambda: log.standing().written == 1)
    stray = place.open / "20260101T000000000000Z-00000000.segment"
    stray.write_bytes(framing.MAGIC + framing.frame(json.dumps({"other": 1}).encode()) + framing.frame(b"{}"))
    assert logged(uri) == [1]
    log.close()
    assert stray.exists()
    assert logged(uri) == [1]
    assert sum(batch.damaged for batch in SegmentHistory(uri).read("leaving", "production")) == 1
