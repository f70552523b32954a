"""Counts by the hour: each row once, whatever comes when."""

import datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from argosy import errors
from argosy.adapters.memory_objects import MemoryObjects
from argosy.domain import looks
from argosy.domain.bundle import Bins, Histogram, Moments
from argosy.domain.tallies import WHOLE, HourCounts, Layout
from argosy.monitoring.hourly import CountedModel, Hours
from argosy.ports.prediction_log import OTHER
from kit.memory_history import BEGIN, OURS, MemoryHistory, rows

HOUR = datetime.timedelta(hours=1)
BINS = Bins(
    reference="holdout",
    rows=400,
    columns=[
        Histogram(column="seats", edges=[10.0, 20.0], counts=[100, 200, 100], missing=0),
        Histogram(column="plan", levels=["free", "pro"], counts=[200, 200, 0], missing=0),
    ],
    prediction=Histogram(column="prediction", edges=[0.5], counts=[200, 200], missing=0),
    scores=Moments(count=400, total=200 << 20, squares=150 << 20),
)
LAYOUT = Layout.of(BINS)
SUBJECT = CountedModel("toy", "production", OURS, LAYOUT, ("plan",))


def drawn(seed: int, hour: datetime.datetime, count: int = 5) -> pa.Table:
    """*count* rows of *hour*."""
    random = np.random.default_rng(seed)
    plans = random.choice(["free", "pro", OTHER], count).tolist()
    seats = [None if value < 0 else float(value) for value in random.integers(-3, 30, count)]
    times = [hour + datetime.timedelta(seconds=int(second)) for second in random.integers(0, 3600, count)]
    return rows(times, {"seats": seats, "plan": plans}, random.random(count).tolist())


def hours(history: MemoryHistory, objects: MemoryObjects, subject: CountedModel = SUBJECT) -> Hours:
    """What counts *history*."""
    return Hours(history, objects, subject)


def kept(objects: MemoryObjects) -> dict[str, bytes]:
    """All counts in the store."""
    return {key: objects.get(key) or b"" for key in objects.keys("counts/")}


@settings(max_examples=60, deadline=None)
@given(
    arrivals=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5)), max_size=12),
    looked=st.lists(st.integers(0, 12), max_size=5),
)
def test_counting_again_after_late_segments_equals_counting_at_once(
    arrivals: list[tuple[int, int]], looked: list[int]
) -> None:
    """Segments of any hours, in any order and some shipped twice, looked at between any of them: the same counts, to the byte."""
    history, objects = MemoryHistory(), MemoryObjects()
    until = BEGIN + 4 * HOUR
    for place, (hour, seed) in enumerate(arrivals):
        history.ship(BEGIN + hour * HOUR, drawn(seed, BEGIN + hour * HOUR))
        if place in looked:
            hours(history, objects).count(BEGIN, until)
    step_by_step = hours(history, objects).count(BEGIN, until)
    at_once = hours(history, once := MemoryObjects()).count(BEGIN, until)
    assert step_by_step == at_once
    assert kept(objects) == kept(once)
    different = {(hour, seed) for hour, seed in arrivals}
    assert step_by_step.total(LAYOUT)[WHOLE].rows == 5 * len(different)


def test_one_more_hour_costs_that_hour_only() -> None:
    """Nothing that was counted is read again."""
    history, objects = MemoryHistory(), MemoryObjects()
    for place in range(24):
        history.ship(BEGIN + place * HOUR, drawn(place, BEGIN + place * HOUR))
    hours(history, objects).count(BEGIN, BEGIN + 24 * HOUR)
    history.read_names.clear()
    new = history.ship(BEGIN + 24 * HOUR, drawn(99, BEGIN + 24 * HOUR))
    late = history.ship(BEGIN + 5 * HOUR, drawn(98, BEGIN + 5 * HOUR))
    counted = hours(history, objects).count(BEGIN + HOUR, BEGIN + 25 * HOUR)
    assert sorted(history.read_names) == sorted([new.name, late.name])
    assert counted.total(LAYOUT)[WHOLE].rows == 5 * 25


def test_slices_add_up_to_the_whole() -> None:
    """Each row is in one slice of a column; a level that the model does not know has a slice of its own."""
    history = MemoryHistory()
    history.ship(BEGIN, drawn(1, BEGIN, 300))
    total = hours(history, MemoryObjects()).count(BEGIN, BEGIN + HOUR).total(LAYOUT)
    sliced = [tally for name, tally in total.items() if name]
    assert set(total) == {"", "plan=free", "plan=pro", "plan=(unseen)"}
    assert [sum(numbers) for numbers in zip(*(tally.cells for tally in sliced), strict=True)] == total[WHOLE].cells
    assert sum(tally.scores.total for tally in sliced) == total[WHOLE].scores.total


def test_versions_are_kept_apart() -> None:
    """Two versions that answer in the same hours are counted each by itself; of the other it is said how many rows there were."""
    history, objects = MemoryHistory(), MemoryObjects()
    other = f"sha256:{'b' * 64}"
    history.ship(BEGIN, drawn(1, BEGIN))
    history.ship(BEGIN, drawn(2, BEGIN, 7), digest=other, version=2)
    for _ in range(2):
        counted = hours(history, objects).count(BEGIN, BEGIN + HOUR)
        assert (counted.total(LAYOUT)[WHOLE].rows, counted.rows_of_others) == (5, 7)
    theirs = hours(history, objects, CountedModel("toy", "production", other, LAYOUT)).count(BEGIN, BEGIN + HOUR)
    assert (theirs.total(LAYOUT)[WHOLE].rows, theirs.rows_of_others) == (7, 5)
    history.read_names.clear()
    hours(history, objects).count(BEGIN, BEGIN + HOUR)
    assert history.read_names == []


def test_what_the_log_no_longer_keeps_stays_counted() -> None:
    """Retention removes segments and not what they said; a slice that is asked for later begins with the rows that are still there."""
    history, objects = MemoryHistory(), MemoryObjects()
    gone = history.ship(BEGIN, drawn(1, BEGIN))
    whole = CountedModel("toy", "production", OURS, LAYOUT)
    hours(history, objects, whole).count(BEGIN, BEGIN + HOUR)
    del history.shipped[gone]
    history.ship(BEGIN, drawn(2, BEGIN))
    total = hours(history, objects).count(BEGIN, BEGIN + HOUR).total(LAYOUT)
    assert total[WHOLE].rows == 10
    assert sum(tally.rows for name, tally in total.items() if name) == 5


def test_a_part_of_an_hour_is_of_its_own_rows_and_is_not_kept() -> None:
    """Who asks about the last twenty minutes is told of these; the hour's counts stay whole."""
    history, objects = MemoryHistory(), MemoryObjects()
    times = [BEGIN + datetime.timedelta(minutes=minute) for minute in (5, 25, 45)]
    history.ship(BEGIN, rows(times, {"seats": [1.0, 15.0, 25.0], "plan": ["free"] * 3}, [0.1, 0.2, 0.9]))
    counted = hours(history, objects).count(
        BEGIN + datetime.timedelta(minutes=25), BEGIN + datetime.timedelta(minutes=45)
    )
    assert counted.total(LAYOUT)[WHOLE].rows == 1
    assert kept(objects) == {}


def test_counts_in_other_bins_are_counted_anew() -> None:
    """Counts of another layout, or none of ours at all, are replaced and never added to."""
    history, objects = MemoryHistory(), MemoryObjects()
    history.ship(BEGIN, drawn(1, BEGIN))
    other = Layout(BINS.prediction, (BINS.columns[0],))
    hours(history, objects, CountedModel("toy", "production", OURS, other)).count(BEGIN, BEGIN + HOUR)
    assert hours(history, objects).count(BEGIN, BEGIN + HOUR).total(LAYOUT)[WHOLE].rows == 5
    (key,) = objects.keys("counts/")
    objects.put(key, b"{}")
    assert hours(history, objects).count(BEGIN, BEGIN + HOUR).total(LAYOUT)[WHOLE].rows == 5
    assert HourCounts.model_validate_json(objects.get(key) or b"").layout == LAYOUT.digest


def test_a_damaged_segment_is_told_of_and_looked_at_again() -> None:
    """It is left out, and counted once it can be read."""
    history, objects = MemoryHistory(), MemoryObjects()
    ref = history.ship(BEGIN, drawn(1, BEGIN, 0), damaged=1)
    assert hours(history, objects).count(BEGIN, BEGIN + HOUR).damaged == 1
    history.shipped[ref] = type(history.shipped[ref])(history.shipped[ref].served, drawn(1, BEGIN))
    counted = hours(history, objects).count(BEGIN, BEGIN + HOUR)
    assert (counted.damaged, counted.total(LAYOUT)[WHOLE].rows) == (0, 5)


@pytest.mark.parametrize("column", ["seats", "plan"])
def test_a_column_that_is_gone_or_renamed_is_not_counted_as_missing(column: str) -> None:
    """Its numbers are all 0: nothing is known of it, which is not the same as rows without a value."""
    history = MemoryHistory()
    table = drawn(1, BEGIN)
    struct = table["features"].combine_chunks()
    names = [f"{field.name}_new" if field.name == column else field.name for field in struct.type]
    renamed = pa.StructArray.from_arrays(struct.flatten(), names=names)
    history.ship(BEGIN, table.set_column(table.schema.get_field_index("features"), "features", renamed))
    total = hours(history, MemoryObjects()).count(BEGIN, BEGIN + HOUR).total(LAYOUT)
    window = LAYOUT.window(total[WHOLE])
    found = {each.column: sum(each.counts) + each.missing for each in window.columns}
    assert found == {"seats": 5, "plan": 5} | {column: 0}


def test_the_keys_are_of_hours_in_utc() -> None:
    """So two hours that a clock calls by one name are two."""
    history, objects = MemoryHistory(), MemoryObjects()
    autumn = datetime.datetime(2026, 10, 25, 0, tzinfo=datetime.UTC)
    for place in (0, 1):
        history.ship(autumn + place * HOUR, drawn(place, autumn + place * HOUR))
    hours(history, objects).count(autumn, autumn + 2 * HOUR)
    assert list(objects.keys()) == [
        looks.counts_key("toy", "production", OURS, autumn + place * HOUR) for place in (0, 1)
    ]


class FullObjects(MemoryObjects):
    """Takes nothing."""

    asked = 0

    def put(self, key: str, content: bytes) -> None:
        self.asked += 1
        raise errors.LocalDisk(f"the disk takes no more at {key}")


def test_a_store_that_takes_nothing_counts_all_the_same() -> None:
    """It is asked once, and why nothing is kept is told; what was kept before is used."""
    history, full = MemoryHistory(), FullObjects()
    for place in range(4):
        history.ship(BEGIN + place * HOUR, drawn(place, BEGIN + place * HOUR))
    counted = hours(history, full).count(BEGIN, BEGIN + 4 * HOUR)
    assert counted.hours == hours(history, MemoryObjects()).count(BEGIN, BEGIN + 4 * HOUR).hours
    assert (full.asked, counted.unkept.startswith("the disk takes no more at counts/toy/")) == (1, True)
