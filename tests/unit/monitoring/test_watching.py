"""A look at what a model answered: held against its holdout, its season or the window before."""

import datetime
from collections.abc import Callable
from dataclasses import replace
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.compute as pc
import pytest

from argosy import errors
from argosy.adapters.memory_objects import MemoryObjects
from argosy.domain import looks
from argosy.domain.looks import Look
from argosy.domain.monitor_settings import Monitor
from argosy.domain.retraining_settings import Retraining
from argosy.monitoring import retrainings, watching
from argosy.monitoring.watching import Watched
from kit.memory_history import BEGIN, MemoryHistory
from kit.watched_toy import DAY, HOUR, JULY, SUMMER, a_day, drawn, watched


def looked(
    subject: Watched, history: MemoryHistory, begin: datetime.datetime = BEGIN, objects: MemoryObjects | None = None
) -> Look:
    """The look at the day from *begin* on."""
    store = MemoryObjects() if objects is None else objects
    until = begin + DAY
    return watching.judge(subject, history=history, objects=store, since=begin, until=until, now=until).look


def test_an_unchanged_day_is_no_drift() -> None:
    """The look says what it is held against, how many rows and segments it saw, and by which limits it was judged."""
    found = looked(watched(Monitor()), a_day(BEGIN))
    assert (found.verdict, found.rows, found.segments, found.reference) == ("no drift", 2400, 24, "holdout")
    assert found.thresholds.minimum_rows == 200
    assert found.drifted == []
    assert [finding.difference.column for finding in found.report.answers] == ["decision"]


def test_a_moved_column_is_drift_and_the_look_says_how_far() -> None:
    """The farthest comes first; admission and the cause read this."""
    found = looked(watched(Monitor()), a_day(BEGIN, seats=14))
    assert found.verdict == "drift"
    names = [finding.difference.column for _, finding in found.drifted]
    assert set(names) >= {"seats", "prediction"}
    assert found.distance == found.drifted[0][1].difference.jensen_shannon > 0.3


@pytest.mark.parametrize(
    ("count", "word"), [pytest.param(0, "no data", id="empty"), pytest.param(5, "too few", id="a-hundred-rows")]
)
def test_an_empty_window_is_no_data_and_never_no_drift(count: int, word: str) -> None:
    """However its few rows look, and by every baseline."""
    history = a_day(JULY, count=count, seats=30) if count else MemoryHistory()
    for monitor in (
        Monitor(),
        Monitor(baseline="previous window"),
        Monitor(baseline="season", seasonality=SUMMER, slices=["plan"]),
    ):
        found = looked(watched(monitor), history, JULY)
        assert (found.verdict, found.drifted) == (word, [])


def test_a_season_that_comes_again_is_no_drift() -> None:
    """July is like July before; without the seasonal baseline it is drift, and what moved in July beside its season is found with it."""
    plain, seasonal = Monitor(), Monitor(baseline="season", seasonality=SUMMER)
    summer = a_day(JULY, seats=18)
    assert looked(watched(plain), summer, JULY).verdict == "drift"
    found = looked(watched(seasonal), summer, JULY)
    assert (found.verdict, found.reference) == ("no drift", "season: month 07")
    assert looked(watched(seasonal), a_day(JULY, seats=21), JULY).drifted
    assert looked(watched(seasonal), a_day(JULY, seats=10), JULY).drifted


def test_a_window_of_two_seasons_is_held_against_both() -> None:
    """In the proportion that it has rows of each."""
    seasonal = Monitor(baseline="season", seasonality=SUMMER)
    subject = watched(seasonal)
    reference = subject.reference
    assert reference is not None
    turned = {**reference.counts, "month 06": reference.counts["month 03"]}
    subject = replace(subject, reference=reference.model_copy(update={"counts": turned}))
    begin = datetime.datetime(2026, 6, 30, 12, tzinfo=datetime.UTC)
    history = MemoryHistory()
    for place in range(24):
        hour = begin + place * HOUR
        history.ship(hour, drawn(50 + place, hour, 100, seats=10 if place < 12 else 18))
    assert looked(subject, history, begin).verdict == "no drift"


def test_how_far_windows_of_the_season_usually_are_is_no_drift() -> None:
    """A day's weather is not its month's: what the training data shows as usual is added to the limit, as squares are."""
    seasonal = Monitor(baseline="season", seasonality=SUMMER)
    warm = a_day(JULY, seats=20)
    assert "seats" in looked(watched(seasonal), warm, JULY).report.drifted
    found = looked(watched(seasonal, usual={"seats": 0.3}), warm, JULY)
    assert "seats" not in found.report.drifted
    limits = {finding.difference.column: finding.limit for finding in found.report.findings}
    assert limits["seats"] == pytest.approx((0.1**2 + 0.3**2) ** 0.5)


def test_a_season_with_its_usual_weather_is_over() -> None:
    """Admission asks how far a look is beyond what is usual: a retraining's answer ends when its season is as always, and not before.

    By the plain distance no July would ever be near enough to a July, and only a merge would end it.
    """
    seasonal = Monitor(baseline="season", seasonality=SUMMER)
    subject = watched(seasonal, usual={"seats": 0.3, "prediction": 0.3, "plan": 0.05, "decision": 0.3})
    over, still = (retrainings.observation(looked(subject, a_day(JULY, seats=seats), JULY)) for seats in (19.5, 24.0))
    plain = looked(watched(seasonal), a_day(JULY, seats=19.5), JULY)
    limit = Retraining().leave.distance
    assert plain.distance > limit
    assert (over.drifted, still.drifted) == (False, True)
    assert over.distance < limit < still.distance


def test_an_unknown_season_says_nothing() -> None:
    """And that is not "no drift"."""
    seasonal = Monitor(baseline="season", seasonality=SUMMER)
    august = datetime.datetime(2026, 8, 3, tzinfo=datetime.UTC)
    found = looked(watched(seasonal), a_day(august, seats=30), august)
    assert found.verdict == "too few"
    assert "month 08 of the training data has 0 rows" in found.explanation


def test_the_window_before() -> None:
    """A change is seen once, and the next window is like the one before again."""
    monitor = Monitor(baseline="previous window")
    history = a_day(BEGIN)
    for day in (1, 2):
        history.shipped |= a_day(BEGIN + day * DAY, seed=100 * day, seats=15).shipped
    words = [looked(watched(monitor), history, BEGIN + day * DAY).verdict for day in (0, 1, 2)]
    assert words == ["too few", "drift", "no drift"]


def test_what_moves_in_a_small_part_is_found_there() -> None:
    """A slice is judged by itself; the whole may be as it was."""
    history = a_day(BEGIN)
    for place in range(24):
        hour = BEGIN + place * HOUR
        history.ship(hour, drawn(500 + place, hour, 10, seats=25, pro=1.0))
    monitor = Monitor(slices=["plan"], thresholds={"distance": 0.22})
    found = looked(watched(monitor), history)
    assert found.report.verdict == "no drift"
    assert [(part.column, part.value) for part in found.slices if part.report.verdict == "drift"] == [("plan", "pro")]
    assert found.verdict == "drift"
    assert found.explanation.startswith("where plan is pro, ")
    assert ("plan=pro", "seats") in [(name, finding.difference.column) for name, finding in found.drifted]


def test_a_slice_is_not_called_drifted_for_being_one() -> None:
    """The column that makes the slice has one value in it, and is not compared there."""
    found = looked(watched(Monitor(slices=["plan"])), a_day(BEGIN))
    columns = {part.value: [finding.difference.column for finding in part.report.features] for part in found.slices}
    assert columns == {"free": ["seats"], "pro": ["seats"]}
    assert found.verdict == "no drift"


def test_unchanged_windows_rarely_alarm_however_many_slices_there_are() -> None:
    """All columns of all slices are tests at once: of a hundred days without a change, five at most may be called drift."""
    subject = watched(Monitor(slices=["plan"], thresholds={"distance": 0}))
    words = [looked(subject, a_day(BEGIN, seed=1000 + 24 * place, count=30)).verdict for place in range(100)]
    assert words.count("drift") <= 5


@pytest.mark.parametrize(
    ("name", "said"),
    [
        pytest.param("colour", "no feature of toy; it has seats, plan", id="unknown"),
        pytest.param("seats", "a number; slices are by categories", id="number"),
    ],
)
def test_slices_by_what_cannot_make_them_are_refused(name: str, said: str) -> None:
    """One line that names the setting."""
    with pytest.raises(errors.Misconfigured, match=f"monitor.slices names '{name}', .*{said}"):
        looked(watched(Monitor(slices=[name])), MemoryHistory())


def test_seasons_that_nobody_counted_are_refused() -> None:
    """A model that was trained before the setting says what to do."""
    subject = watched(Monitor(baseline="season", seasonality=SUMMER))
    with pytest.raises(errors.Misconfigured, match="run `argosy run toy` with these settings"):
        looked(replace(subject, reference=None), a_day(BEGIN))


def test_records_from_the_future_are_counted_when_their_hour_comes() -> None:
    """A server's clock that is ahead, or steps back: each record is in the hour that it says, and none is lost or counted twice."""
    history, objects = a_day(BEGIN), MemoryObjects()
    ahead = BEGIN + DAY + 3 * HOUR
    history.ship(ahead, drawn(77, ahead, 40))
    subject = watched(Monitor())
    assert looked(subject, history, BEGIN, objects).rows == 2400
    assert looked(subject, history, BEGIN + DAY, objects).rows == 40
    assert looked(subject, history, BEGIN, objects).rows == 2400


def test_the_hour_that_is_not_over_grows() -> None:
    """It is counted so far, and what comes in it later is added."""
    history, objects = MemoryHistory(), MemoryObjects()
    subject, now = watched(Monitor()), BEGIN + datetime.timedelta(minutes=20)
    history.ship(BEGIN, drawn(1, BEGIN, 30))
    first = watching.judge(subject, history=history, objects=objects, since=BEGIN - DAY, until=now, now=now).look
    history.ship(BEGIN, drawn(2, BEGIN, 30))
    second = watching.judge(subject, history=history, objects=objects, since=BEGIN - DAY, until=now, now=now).look
    assert (first.rows, second.rows) == (30, 60)


def test_the_newest_look_stays_the_newest() -> None:
    """Who looks at last week again leaves `latest` alone."""
    objects, subject = MemoryObjects(), watched(Monitor())
    history = a_day(BEGIN)
    newer, older = (looked(subject, history, BEGIN - day * DAY, objects) for day in (0, 7))
    older = older.model_copy(update={"looked": newer.looked})
    for found in (newer, older):
        watching.keep(objects, found)
    assert watching.latest(objects, "toy", "production") == newer
    assert list(objects.keys(looks.looks_prefix("toy", "production"))) == [
        looks.look_key("toy", "production", older.until),
        looks.look_key("toy", "production", newer.until),
        looks.latest_key("toy", "production"),
    ]


def test_a_newest_look_that_is_still_to_come() -> None:
    """A clock that was ahead when it was kept: it is the newest no longer than until the next look."""
    objects, subject, history = MemoryObjects(), watched(Monitor()), a_day(BEGIN)
    ahead, now = looked(subject, history, BEGIN + 30 * DAY, objects), looked(subject, history, BEGIN, objects)
    for found in (ahead, now):
        watching.keep(objects, found)
    assert watching.latest(objects, "toy", "production") == now


def test_a_newest_look_of_another_argosy() -> None:
    """Its place is taken: an upgrade does not end the looks."""
    objects, subject = MemoryObjects(), watched(Monitor())
    objects.put(looks.latest_key("toy", "production"), b'{"of": "another version"}')
    found = looked(subject, a_day(BEGIN), BEGIN, objects)
    watching.keep(objects, found)
    assert watching.latest(objects, "toy", "production") == found


WEEKLY = {"by": "hour of week", "history": "28d"}


def weeks(*seats: float, begin: datetime.datetime = BEGIN) -> MemoryHistory:
    """A log of one weekday in as many weeks: so many seats on it, three more than that at night, and a row of the day after."""
    history = MemoryHistory()
    for week, mean in enumerate(seats):
        for place in range(24):
            hour = begin + week * 7 * DAY + place * HOUR
            history.ship(hour, drawn(1000 * week + place, hour, 60, seats=mean + (3 if place < 6 else 0)))
        after = begin + (week * 7 + 1) * DAY + 12 * HOUR
        history.ship(after, drawn(week, after, 60, seats=40))
    return history


def test_the_log_itself_is_a_season() -> None:
    """The same hours of the weeks before, although the holdout and the day after are otherwise; what moved beside them is found."""
    subject = watched(Monitor(baseline="season", seasonality=WEEKLY))
    last = BEGIN + 28 * DAY
    same, moved = (looked(subject, weeks(18, 18, 18, 18, now), last) for now in (18, 21))
    assert (same.verdict, moved.verdict) == ("no drift", "drift")
    assert same.reference == "season: Mon 00-06, Mon 06-12, Mon 12-18, Mon 18-24, as logged"
    assert same.report.rows_before == 4 * 24 * 60
    assert "the same hours of the week of the last 28d of the log" in same.explanation
    assert "seats" in moved.report.drifted
    assert looked(watched(Monitor()), weeks(18, 18, 18, 18, 18), last).verdict == "drift"


def test_how_far_the_weeks_of_the_log_were_apart_is_usual() -> None:
    """Each week held against the others: a Monday that is as far from them as one before was is no drift."""
    subject = watched(Monitor(baseline="season", seasonality=WEEKLY))
    last = BEGIN + 28 * DAY
    steady, changing = (
        looked(subject, weeks(*before, 20.5), last) for before in ((18, 18, 18, 18), (18, 20.5, 15.5, 18))
    )
    assert "seats" in steady.report.drifted
    assert "seats" not in changing.report.drifted
    (seats,) = (finding for finding in changing.report.features if finding.difference.column == "seats")
    assert seats.usual > 0.2
    assert changing.distance < Retraining().leave.distance


@pytest.mark.parametrize("before", [(), (18,)], ids=["nothing", "a-week"])
def test_a_log_that_is_too_short_leaves_the_season_to_the_training_data(before: tuple[float, ...]) -> None:
    """A version that serves for less than it takes: by what was counted when it was trained, where that has the season; else "too few"."""
    monitor = Monitor(baseline="season", seasonality={"by": "month", "history": "400d"})
    history = weeks(*before, 18, begin=JULY - len(before) * 7 * DAY)
    assert looked(watched(monitor), history, JULY).reference == "season: month 07"
    weekly = watched(Monitor(baseline="season", seasonality=WEEKLY))
    found = looked(weekly, history, JULY)
    assert (found.verdict, found.drifted) == ("too few", [])


def test_a_model_without_counts_of_its_training_is_watched_by_the_log() -> None:
    """One that was trained before the setting; as long as the log is too short the setting's line is said."""
    subject = replace(watched(Monitor(baseline="season", seasonality=WEEKLY)), reference=None)
    assert looked(subject, weeks(10, 10, 10), BEGIN + 14 * DAY).verdict == "no drift"
    with pytest.raises(errors.Misconfigured, match=r"no counts of toy by its `monitor\.seasonality`"):
        looked(subject, weeks(10, 10), BEGIN + 7 * DAY)


def test_hours_of_other_seasons_and_versions_are_not_read() -> None:
    """A look back over weeks costs the hours that it is about; those that were counted before, nothing but their counts."""
    subject, objects = watched(Monitor(baseline="season", seasonality=WEEKLY)), MemoryObjects()
    history, last = weeks(18, 18, 18, 18, 18), BEGIN + 28 * DAY
    others = {history.ship(BEGIN + 9 * DAY, drawn(9, BEGIN + 9 * DAY, 20), digest="sha256:bb").name}
    tuesdays = {ref.name for ref in history.shipped if ref.hour.weekday() == 1}
    looked(subject, history, last, objects)
    assert not set(history.read_names) & (others | tuesdays)
    history.read_names.clear()
    looked(subject, history, last, objects)
    assert history.read_names == []


def changed(history: MemoryHistory, hours: range, change: Callable[[pa.Table], dict[str, pa.Array]]) -> MemoryHistory:
    """*history*, in whose *hours* the features are what *change* makes of them."""
    for ref, part in list(history.shipped.items()):
        if int((ref.hour - BEGIN) / HOUR) in hours:
            features = change(part.table)
            struct = pa.StructArray.from_arrays(list(features.values()), names=list(features))
            place = part.table.schema.get_field_index("features")
            history.shipped[ref] = replace(part, table=part.table.set_column(place, "features", struct))
    return history


def feature(table: pa.Table, name: str) -> pa.Array:
    """One of the logged features."""
    return pc.struct_field(table["features"].combine_chunks(), name)


@pytest.mark.parametrize(
    ("change", "word", "said"),
    [
        pytest.param(
            lambda table: {"plan": feature(table, "plan")},
            "no drift",
            "; seats: not in all that was logged, and of rows without nothing is said",
            id="gone",
        ),
        pytest.param(
            lambda table: {"plan": feature(table, "plan"), "seat_count": feature(table, "seats")},
            "no drift",
            "; seats: not in all that was logged, and of rows without nothing is said",
            id="renamed",
        ),
        pytest.param(
            lambda table: {"plan": feature(table, "plan"), "seats": pa.nulls(table.num_rows, pa.float64())},
            "drift",
            "seats is missing in 100% of the rows, it was in 0%",
            id="nulls",
        ),
        pytest.param(
            lambda table: {"plan": feature(table, "plan"), "seats": pa.array(["many"] * table.num_rows)},
            "drift",
            "seats is missing in 100% of the rows, it was in 0%",
            id="words-in-place-of-numbers",
        ),
        pytest.param(
            lambda table: {"plan": feature(table, "plan"), "seats": feature(table, "seats").cast(pa.string())},
            "no drift",
            "no column differs from the model's holdout",
            id="numbers-as-text",
        ),
        pytest.param(
            lambda table: {"plan": pa.array([1.0] * table.num_rows), "seats": feature(table, "seats")},
            "drift",
            "plan has values that the model does not know in 100% of the rows",
            id="numbers-in-place-of-words",
        ),
        pytest.param(
            lambda table: {"plan": pa.array(["gold"] * table.num_rows), "seats": feature(table, "seats")},
            "drift",
            "plan has values that the model does not know in 100% of the rows",
            id="renamed-levels",
        ),
    ],
)
def test_a_column_that_is_not_what_it_was_is_one_clear_line(
    change: Callable[[pa.Table], dict[str, pa.Array]], word: str, said: str
) -> None:
    """Gone, renamed, emptied, of another type: the look is taken, and says what is wrong with which column."""
    found = looked(watched(Monitor()), changed(a_day(BEGIN), range(24), change))
    assert (found.verdict, found.rows) == (word, 2400)
    assert said in found.explanation
    assert "\n" not in found.explanation


def test_a_column_that_is_gone_for_some_hours_is_told() -> None:
    """What there is of it is judged."""
    found = looked(
        watched(Monitor()), changed(a_day(BEGIN, seats=14), range(6), lambda table: {"plan": feature(table, "plan")})
    )
    assert "seats" in found.report.drifted
    assert found.explanation.endswith("; seats: not in all that was logged, and of rows without nothing is said")


@pytest.mark.parametrize(
    ("day", "hours"),
    [
        pytest.param("2026-03-29", 23, id="an-hour-that-is-left-out"),
        pytest.param("2026-10-25", 25, id="an-hour-that-comes-twice"),
    ],
)
def test_a_day_of_a_changing_clock(day: str, hours: int) -> None:
    """By people's clocks it has 23 or 25 hours: each is counted, once, and its season is theirs."""
    berlin = ZoneInfo("Europe/Berlin")
    begin = datetime.datetime.fromisoformat(day).replace(tzinfo=berlin)
    until = begin + DAY  # of the same wall clock
    history = MemoryHistory()
    for place in range(-2, 28):
        hour = begin.astimezone(datetime.UTC) + place * HOUR
        history.ship(hour, drawn(place + 5, hour, 20))
    found = watching.judge(
        watched(Monitor()), history=history, objects=MemoryObjects(), since=begin, until=until, now=until + 2 * DAY
    ).look
    assert found.rows == hours * 20
    assert found.verdict == "no drift"
