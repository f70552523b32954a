"""The contract suite of prediction logs, each with the history that reads it."""

import datetime
import time
from collections.abc import Callable

import pytest

from argosy.ports.prediction_log import (
    OTHER,
    AnsweredRows,
    Logged,
    Prediction,
    PredictionHistory,
    PredictionLog,
    ServedRelease,
)

SERVED = ServedRelease("leaving", "production", 4, "sha256:4")
FEATURES = [("tenure", "number"), ("contract", "category")]
MakeLog = Callable[[ServedRelease], PredictionLog]


def prediction(number: int, at: float | None = None) -> Prediction:
    """The record of one answer; *number* is in it."""
    return Prediction(
        time=time.time() if at is None else at,
        request_id=f"r{number}",
        row=0,
        entity=None if number % 2 else f"{number:064x}",
        features={
            "tenure": None if number % 3 == 0 else float(number),
            "contract": OTHER if number % 5 == 0 else "month",
        },
        score=[number / 1000],
        decision="no",
    )


def rows(history: PredictionHistory, **window: datetime.datetime) -> list[dict[str, object]]:
    """Everything that *history* reads, by request."""
    found = [row for logged in history.read("leaving", "production", **window) for row in logged.table.to_pylist()]
    return sorted(found, key=lambda row: int(str(row["request_id"])[1:]))


class PredictionLogContract:
    """Mixed into a test class that has the fixtures ``make_log`` and ``history``."""

    def test_what_is_appended_is_read(self, make_log: MakeLog, history: PredictionHistory) -> None:
        """Every field comes back, once the log is closed."""
        log = make_log(SERVED)
        log.append([prediction(3, at=1_790_000_000.25)])
        log.close()
        when = datetime.datetime.fromtimestamp(1_790_000_000.25, datetime.UTC)
        assert rows(history) == [
            {
                "time": when,
                "request_id": "r3",
                "row": 0,
                "entity": None,
                "score": [0.003],
                "decision": "no",
                "features": {"tenure": None, "contract": "month"},
            }
        ]

    def test_the_rows_of_a_request_are_rows(self, make_log: MakeLog, history: PredictionHistory) -> None:
        """Handed over in columns they come back one by one, each at its place, between others that came alone."""
        answered = AnsweredRows(
            1_790_000_000.5,
            "r2",
            entities=[None, "e", None],
            features={"tenure": [1.0, None, 3.0], "contract": [None, OTHER, "month"]},
            scores=[[0.25, 0.5], [0.125], []],
            decisions=["no", None, "yes"],
        )
        log = make_log(SERVED)
        log.append([prediction(1, at=1_790_000_000)])
        log.append(answered)
        log.append([prediction(3, at=1_790_000_001)])
        log.close()
        assert log.standing().written == 5
        found = [row for logged in history.read("leaving", "production") for row in logged.table.to_pylist()]
        assert [(row["request_id"], row["row"]) for row in found] == [
            ("r1", 0),
            ("r2", 0),
            ("r2", 1),
            ("r2", 2),
            ("r3", 0),
        ]
        when = datetime.datetime.fromtimestamp(1_790_000_000.5, datetime.UTC)
        assert [Prediction(**{**row, "time": answered.time}) for row in found[1:4]] == list(answered)
        assert {row["time"] for row in found[1:4]} == {when}

    def test_a_log_that_is_open_is_read_too(self, make_log: MakeLog, history: PredictionHistory) -> None:
        """Drift does not wait for a server to stop."""
        log = make_log(SERVED)
        log.append([prediction(1), prediction(2)])
        until(lambda: log.standing().written == 2)
        assert [row["request_id"] for row in rows(history)] == ["r1", "r2"]
        log.append([prediction(3)])
        log.close()
        assert [row["request_id"] for row in rows(history)] == ["r1", "r2", "r3"]

    def test_every_record_is_accounted_for(self, make_log: MakeLog, history: PredictionHistory) -> None:
        """Every record that was appended is written, pending or dropped."""
        log = make_log(SERVED)
        for number in range(100):
            log.append([prediction(number)])
        log.close()
        standing = log.standing()
        assert standing.pending == 0
        assert standing.written + sum(standing.dropped.values()) == 100
        assert len(rows(history)) == standing.written

    def test_after_closing_records_are_dropped_not_raised(self, make_log: MakeLog) -> None:
        """A late answer must not fail because its record came too late."""
        log = make_log(SERVED)
        log.close()
        log.append([prediction(1)])
        assert sum(log.standing().dropped.values()) == 1

    def test_records_say_which_release_answered(self, make_log: MakeLog, history: PredictionHistory) -> None:
        """Two versions of one model keep apart."""
        for version in (4, 5):
            log = make_log(ServedRelease("leaving", "production", version, f"sha256:{version}"))
            log.append([prediction(version)])
            log.close()
        found: list[Logged] = list(history.read("leaving", "production"))
        assert sorted((one.served.version, one.table.num_rows) for one in found) == [(4, 1), (5, 1)]

    def test_environments_and_models_keep_apart(self, make_log: MakeLog, history: PredictionHistory) -> None:
        """Nobody reads another's."""
        log = make_log(ServedRelease("leaving", "staging", 4, "sha256:4"))
        log.append([prediction(1)])
        log.close()
        assert rows(history) == []
        assert list(history.read("other", "staging")) == []

    def test_a_window_is_from_inclusive_to_exclusive(self, make_log: MakeLog, history: PredictionHistory) -> None:
        """So that windows that touch share no record."""
        start = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
        log = make_log(SERVED)
        log.append([prediction(number, at=start.timestamp() + number) for number in range(4)])
        log.close()
        found = rows(history, since=start + datetime.timedelta(seconds=1), until=start + datetime.timedelta(seconds=3))
        assert [row["request_id"] for row in found] == ["r1", "r2"]

    def test_segments_are_of_one_release_and_one_hour(self, make_log: MakeLog, history: PredictionHistory) -> None:
        """Each says which, and holds what :meth:`read` gives; only those that reach into the window are named."""
        noon = datetime.datetime(2026, 3, 29, 12, tzinfo=datetime.UTC)
        for version in (4, None):
            log = make_log(ServedRelease("leaving", "production", version, f"sha256:{version}"))
            log.append([prediction(number, at=noon.timestamp() + 1800 * number) for number in range(4)])
            log.close()
        found = list(history.segments("leaving", "production"))
        assert [(ref.hour.hour, ref.version, ref.digest) for ref in sorted(found, key=str)] == [
            (12, 4, "sha256:4"),
            (13, 4, "sha256:4"),
            (12, None, "sha256:None"),
            (13, None, "sha256:None"),
        ]
        assert [ref.hour.hour for ref in found] == [12, 12, 13, 13]
        assert [history.read_segment(ref).table["request_id"].to_pylist() for ref in found] == [
            *[["r0", "r1"]] * 2,
            *[["r2", "r3"]] * 2,
        ]
        assert all(ref.sealed for ref in found)
        late = noon + datetime.timedelta(minutes=59)
        assert {ref.hour.hour for ref in history.segments("leaving", "production", since=late, until=late)} == {12}
        assert list(history.segments("leaving", "production", until=noon)) == []
        assert list(history.segments("leaving", "production", since=noon + datetime.timedelta(hours=2))) == []

    def test_what_is_not_shipped_yet_says_so(self, make_log: MakeLog, history: PredictionHistory) -> None:
        """Its name will not come again; once shipped, each record is still there once."""
        log = make_log(SERVED)
        log.append([prediction(1)])
        until(lambda: log.standing().written == 1)
        (ref,) = history.segments("leaving", "production")
        assert not ref.sealed
        assert history.read_segment(ref).table.num_rows == 1
        log.append([prediction(2)])
        log.close()
        (shipped,) = history.segments("leaving", "production")
        assert shipped.sealed
        assert shipped.name != ref.name
        assert history.read_segment(shipped).table.num_rows == 2

    def test_what_is_shipped_is_counted(self, make_log: MakeLog) -> None:
        """And while it waits, how much and for how long."""
        log = make_log(SERVED)
        log.append([prediction(1), prediction(2)])
        until(lambda: log.standing().waiting_bytes > 0)
        until(lambda: log.standing().oldest_seconds > 0)
        assert log.standing().shipped == 0
        log.close()
        standing = log.standing()
        assert (standing.shipped, standing.waiting_bytes, standing.oldest_seconds) == (2, 0, 0.0)

    def test_what_is_old_is_deleted(self, make_log: MakeLog, history: PredictionHistory) -> None:
        """Whole hours, of every model, up to a moment; the rest stays, and a segment that is gone is no failure of a reader."""
        noon = datetime.datetime(2026, 3, 29, 12, tzinfo=datetime.UTC)
        log = make_log(SERVED)
        log.append([prediction(number, at=noon.timestamp() + 3600 * number) for number in range(3)])
        log.close()
        first, *_ = history.segments("leaving", "production")
        assert history.prune(noon + datetime.timedelta(hours=2, minutes=59)) == 2
        assert [row["request_id"] for row in rows(history)] == ["r2"]
        gone = history.read_segment(first)
        assert (gone.table.num_rows, gone.damaged) == (0, 1)

    def test_a_clock_that_is_set_loses_nothing(self, make_log: MakeLog, history: PredictionHistory) -> None:
        """A record is in the window of its own time, whenever its log was begun: the clock may have been set back, or far forth."""
        start = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
        hours = [0, -1, -30, 5, 100]
        log = make_log(SERVED)
        log.append([prediction(number, at=start.timestamp() + 3600 * hour) for number, hour in enumerate(hours)])
        log.close()
        for number, hour in enumerate(hours):
            since = start + datetime.timedelta(hours=hour)
            found = rows(history, since=since, until=since + datetime.timedelta(hours=1))
            assert [row["request_id"] for row in found] == [f"r{number}"]
        assert rows(history, until=start - datetime.timedelta(hours=31)) == []


def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait for *condition*; fails the test where it does not hold in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            pytest.fail("it did not happen in time")
        time.sleep(0.01)
