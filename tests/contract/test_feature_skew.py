"""Online and offline features are held against each other by the real stores: files, Redis, PostgreSQL, with differences planted in each.

Sources are read by their contract, features looked up by the views of the version, as of the moment of each answer.
"""

import contextlib
import datetime
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from argosy import errors
from argosy.adapters.duckdb_tables.tables import DuckDBTables
from argosy.adapters.feast_features import publishing, shared_store
from argosy.adapters.feast_features.index import moment_of
from argosy.adapters.feast_features.online import FeastOnline
from argosy.adapters.feast_features.postgres_store import PostgresStore
from argosy.adapters.feast_features.redis_store import RedisStore
from argosy.adapters.memory_objects import MemoryObjects
from argosy.domain.data import FeatureColumn
from argosy.domain.feature_skew import FeatureSkew, SkewedFeature
from argosy.domain.model_settings import ModelSettings
from argosy.domain.monitor_settings import SkewSettings
from argosy.domain.pseudonyms import hashed
from argosy.exporter import series, skew_samples
from argosy.monitoring import skew_comparison
from argosy.monitoring.skew_comparison import SkewTools, SkewWindow
from argosy.ports import view_shapes
from argosy.ports.features import Definition, OnlineFeatures, OnlineView
from argosy.ports.tables import EVENT_TIME, AsOfView, Taken
from argosy.report import skew_table
from kit.databases import postgres_server, redis_server
from kit.memory_history import OURS, MemoryHistory
from kit.toy import SETTINGS

pytestmark = pytest.mark.slow
KEY, OLDER_KEY = b"key", b"the key before"
DAY = datetime.timedelta(days=1)
NOW = datetime.datetime(2026, 3, 10, tzinfo=datetime.UTC)
SINCE = NOW - 3 * DAY
COUNT = 60
FIRST_ID = 2**53 + 1
"""A float64 has no such number."""
COLUMNS = [
    FeatureColumn(name="plan", type="category", levels=["free", "pro"], view="people"),
    FeatureColumn(name="seats", type="number", view="people"),
    FeatureColumn(name="temp", type="number", view="weather"),
    FeatureColumn(name="income", type="number", view="people", personal=True),
]
VIEWS = [
    AsOfView("people", ["id"], "seen", None, None, True,
             [Taken("plan", "plan", "category"), Taken("seats", "seats", "number"), Taken("income", "income", "number")]),
    AsOfView("weather", ["station"], "observed", "published", 2 * DAY, True, [Taken("temp", "temp", "number")]),
]  # fmt: skip


def model() -> ModelSettings:
    """A model of people, whose weather is another table's."""

    def column(name: str, kind: str, **more: object) -> dict[str, object]:
        return {"name": name, "type": kind, "meaning": name, **more}

    people = [
        column("id", "integer"),
        column("seen", "timestamp"),
        column("station", "integer"),
        column("plan", "string"),
        column("seats", "integer"),
        column("income", "number", personal=True),
    ]
    weather = [
        column("station", "integer"),
        column("observed", "timestamp"),
        column("published", "timestamp"),
        column("temp", "number", nullable=True),
    ]
    sources = [
        {"name": "people", "file": "people.parquet", "entity": ["id"], "timestamp": "seen", "columns": people},
        {
            "name": "weather",
            "file": "weather.parquet",
            "entity": ["station"],
            "timestamp": "observed",
            "created": "published",
            "columns": weather,
        },
    ]
    label = {**SETTINGS["label"], "source": "people"}
    return ModelSettings.model_validate({**SETTINGS, "sources": sources, "label": label})


def plan(number: int) -> str:
    """The plan of a person; the model knows two of the three."""
    return ("free", "pro", "new")[number % 3]


def moments(values: list[datetime.datetime]) -> pa.Array:
    """Times of a table."""
    return pa.array(values, pa.timestamp("us", tz="UTC"))


@pytest.fixture
def sources(tmp_path: Path) -> Mapping[str, Path]:
    """People seen long ago, and weather of each day at noon, known an hour later; its temperature is the day of March."""
    folder = tmp_path / "sources"
    folder.mkdir()
    ids = list(range(COUNT))
    pq.write_table(
        pa.table(
            {
                "id": [FIRST_ID + each for each in ids],
                "seen": moments([NOW - 30 * DAY] * COUNT),
                "station": [FIRST_ID + each % 2 for each in ids],
                "plan": [plan(each) for each in ids],
                "seats": ids,
                "income": [1.0] * COUNT,
            }
        ),
        folder / "people.parquet",
    )
    days = [datetime.datetime(2026, 3, day, 12, tzinfo=datetime.UTC) for day in range(1, 10) for _ in range(2)]
    pq.write_table(
        pa.table(
            {
                "station": [FIRST_ID, FIRST_ID + 1] * 9,
                "observed": moments(days),
                "published": moments([day + datetime.timedelta(hours=1) for day in days]),
                "temp": [float(day.day) for day in days],
            }
        ),
        folder / "weather.parquet",
    )
    return {name: folder / f"{name}.parquet" for name in ("people", "weather")}


Change = Callable[[int, dict[str, Any]], None]


def unchanged(_number: int, _row: dict[str, Any]) -> None:
    """As the sources say."""


def answered(change: Change = unchanged, *, hour: int = 18, key: bytes = KEY) -> MemoryHistory:
    """A log of one answer a person on the 8th of March, by the features of that moment as *change* leaves them; and one of a stranger,
    one without a name, and one of another version."""
    history, begin = MemoryHistory(), datetime.datetime(2026, 3, 8, hour, tzinfo=datetime.UTC)
    told: list[tuple[str | None, dict[str, Any]]] = []
    for number in range(COUNT):
        known = plan(number) if plan(number) != "new" else "\N{HORIZONTAL ELLIPSIS}other"
        row = {"plan": known, "seats": float(number), "temp": 8.0 if hour >= 13 else 7.0}
        change(number, row)
        told.append((hashed({"id": FIRST_ID + number}, key), row))
    told += [(hashed({"id": 5}, key), told[0][1]), (None, told[0][1])]
    history.ship(begin, logged(begin, told))
    history.ship(
        begin,
        logged(begin, [(hashed({"id": FIRST_ID}, key), {"plan": "pro", "seats": -1.0, "temp": -1.0})]),
        digest="sha256:b",
    )
    return history


def logged(begin: datetime.datetime, told: Sequence[tuple[str | None, dict[str, Any]]]) -> pa.Table:
    """Rows of a log."""
    names = {"plan": pa.string(), "seats": pa.float64(), "temp": pa.float64()}
    columns = [pa.array([row[name] for _, row in told], kind) for name, kind in names.items()]
    return pa.table(
        {
            "time": moments([begin] * len(told)),
            "request_id": [f"r{place}" for place in range(len(told))],
            "row": pa.array([0] * len(told), pa.int32()),
            "entity": pa.array([one for one, _ in told], pa.string()),
            "features": pa.StructArray.from_arrays(columns, names=list(names)),
        }
    )


@contextlib.contextmanager
def nowhere() -> Iterator[None]:
    """No online store."""
    yield None


def measured(
    sources: Mapping[str, Path], history: MemoryHistory, online: Callable[[], Any] = nowhere, **asked: Any
) -> FeatureSkew:
    """The comparison of the three days before now."""
    watched: Any = SimpleNamespace(
        version=SimpleNamespace(model="toy", version=3, model_digest=OURS),
        environment="production",
        features=COLUMNS,
        logged=COLUMNS[:3],
        reference=SimpleNamespace(views=[view_shapes.shape(view) for view in VIEWS]),
    )
    remembered: Any = history  # that forgets nothing
    tools = SkewTools(remembered, DuckDBTables(), online, [KEY, OLDER_KEY])
    return skew_comparison.measure(watched, model(), SkewSettings(**asked), SkewWindow(SINCE, NOW, NOW), sources, tools)


def features(found: FeatureSkew, part: int = 0) -> dict[str, SkewedFeature]:
    """By name."""
    return {each.name: each for each in found.parts[part].features}


class TestWhatWasAnswered:
    """Rows of the log."""

    @pytest.mark.parametrize("key", [pytest.param(KEY, id="key"), pytest.param(OLDER_KEY, id="key-before")])
    @pytest.mark.parametrize("hour", [pytest.param(11, id="before-noon"), pytest.param(18, id="evening")])
    def test_what_the_sources_say_is_equal(self, sources: Mapping[str, Path], hour: int, key: bytes) -> None:
        """By the weather that was known at that hour, ids beyond 2^53 and levels unknown to the model included; strangers are counted."""
        found = measured(sources, answered(hour=hour, key=key))
        assert (found.verdict, found.logged, found.named) == ("equal", COUNT + 2, COUNT + 1)
        served = found.parts[0]
        assert (served.rows, served.compared, served.unknown) == (COUNT + 1, COUNT, 1)
        assert {each.skewed for each in served.features} == {0}
        assert list(features(found)) == ["plan", "seats", "temp"]  # and nothing personal
        assert "income: personal" in found.problems[0]

    def test_planted_differences_are_counted_by_kind(self, sources: Mapping[str, Path]) -> None:
        """Another category, another number, a value that is missing on one side: each counted as what it is, the worst shown first."""

        def change(number: int, row: dict[str, Any]) -> None:
            if number < 3:
                row["plan"] = "pro" if row["plan"] != "pro" else "free"
            if number in (10, 11):
                row["seats"] += number
            if number in (20, 21, 22):
                row["temp"] = None

        found = measured(sources, answered(change))
        told = features(found)
        assert found.verdict == "skewed"
        assert [told["plan"].differing, told["seats"].differing, told["temp"].offline_only] == [3, 2, 3]
        assert (told["seats"].largest, told["temp"].missing_online, told["temp"].missing_offline) == (11.0, 3, 0)
        worst = next(one for one in found.parts[0].examples if one.feature == "seats")
        assert (worst.online, worst.offline, worst.request) == (22.0, 11.0, "r11")
        assert "SKEWED" in skew_table.text(found)
        assert "seats: online 22, offline 11 (request r11, row 0" in skew_table.text(found)

    def test_the_tolerance_is_a_share_of_the_larger_number(self, sources: Mapping[str, Path]) -> None:
        """What JSON or a float32 may lose is borne; twice as much is not."""

        def change(number: int, row: dict[str, Any]) -> None:
            row["seats"] *= 1 + 1e-4

        assert measured(sources, answered(change), tolerance=1e-3).verdict == "equal"
        found = measured(sources, answered(change), tolerance=1e-5)
        assert (found.verdict, features(found)["seats"].differing) == ("skewed", COUNT - 1)  # 0 is 0

    def test_a_few_are_borne(self, sources: Mapping[str, Path]) -> None:
        """A share up to `most` of one feature."""

        def change(number: int, row: dict[str, Any]) -> None:
            row["temp"] += number < 3

        assert measured(sources, answered(change), most=0.05).verdict == "equal"
        found = measured(sources, answered(change), most=0.04)
        assert found.explanation == "of 60 answered rows temp in 5.0% are not what the sources say of the same moment"

    def test_a_draw_is_the_same_each_time(self, sources: Mapping[str, Path]) -> None:
        """So many rows, and those of one window the same."""
        found = [measured(sources, answered(), rows=20) for _ in range(2)]
        assert found[0] == found[1]
        assert (found[0].parts[0].rows, found[0].named) == (20, COUNT + 1)

    def test_nothing_and_too_little_say_nothing(self, sources: Mapping[str, Path]) -> None:
        """No row is no agreement."""
        assert measured(sources, MemoryHistory()).verdict == "no data"
        few, begin = MemoryHistory(), datetime.datetime(2026, 3, 8, tzinfo=datetime.UTC)
        one = (hashed({"id": FIRST_ID}, KEY), {"plan": "free", "seats": -1.0, "temp": 8.0})
        few.ship(begin, logged(begin, [one] * 19))
        assert measured(sources, few).verdict == "too few"

    def test_entities_that_the_sources_knew_too_late(self, sources: Mapping[str, Path], tmp_path: Path) -> None:
        """Of the log and of the store: they are counted as unknown, and nothing is compared."""
        people = pq.read_table(sources["people"])
        later = people.set_column(people.column_names.index("seen"), "seen", moments([NOW + DAY] * COUNT))
        pq.write_table(later, sources["people"])

        @contextlib.contextmanager
        def online() -> Iterator[OnlineFeatures]:
            yield FeastOnline(published(tmp_path / "online", planted=False))

        found = measured(sources, answered(), online)
        served, store = found.parts
        assert (served.rows, served.compared, served.unknown) == (COUNT + 1, 0, COUNT + 1)
        assert (store.rows, store.compared, store.unknown) == (COUNT, 0, COUNT)
        assert (found.verdict, found.explanation) == (
            "no data",
            "the sources knew none of the entities of 121 rows at their moment",
        )

    def test_sources_say_how_new_they_are(self, sources: Mapping[str, Path]) -> None:
        """By what their rows are about; Prometheus gets it with the rest, and what is kept holds no row's value."""
        found = measured(sources, answered(lambda number, row: row.update(seats=-1.0)))
        assert [(each.source, str(each.newest)[:13]) for each in found.sources] == [
            ("people", "2026-02-08 00"),
            ("weather", "2026-03-09 12"),
        ]
        labels = {"model": "toy", "environment": "production", "version": "3", "digest": OURS}
        shown = list(skew_samples.of_skew(found, labels))
        assert {each.labels[-1]: each.value for each in shown if each.series is series.SKEW_VERDICT}["skewed"] == 1
        assert next(each.value for each in shown if each.series is series.SKEW_SHARE and "seats" in each.labels) == 1.0
        objects = MemoryObjects()
        skew_comparison.keep(objects, found)
        kept = skew_comparison.latest(objects, "toy", "production")
        assert kept is not None
        assert (kept.verdict, kept.parts[0].examples) == ("skewed", [])

    def test_a_version_whose_views_nobody_knows(self, sources: Mapping[str, Path]) -> None:
        """An earlier Argosy's: what brings them is said."""
        watched: Any = SimpleNamespace(version=SimpleNamespace(model="toy", version=3), reference=None)
        with pytest.raises(errors.Misconfigured, match="train it again"):
            skew_comparison.needed(watched, model())


STORED = [OnlineView("people", ("plan", "seats", "income"), None), OnlineView("weather", ("temp",), 2 * 86_400 * 10**6)]


def published(
    folder: Path,
    planted: bool,
    observed: datetime.datetime = NOW - DAY / 2,
    views: Sequence[OnlineView] = STORED,
) -> Path:
    """An online store of the people, as of now; *planted*: five people's seats are others, and one is not there.

    *observed*: when its weather was.
    """
    some = [each for each in range(COUNT) if not (planted and each == 0)]
    rows = pa.table(
        {
            "id": [FIRST_ID + each for each in some],
            EVENT_TIME: moments([NOW] * len(some)),
            "plan": [plan(each) for each in some],
            "seats": [float(each + (100 if planted and each <= 5 else 0)) for each in some],
            "temp": [9.0] * len(some),
            "income": [1.0] * len(some),
            moment_of("people"): [int((NOW - 30 * DAY).timestamp()) * 10**6] * len(some),
            moment_of("weather"): [int(observed.timestamp()) * 10**6] * len(some),
        }
    )
    file = folder.with_name(f"{folder.name}.parquet")
    pq.write_table(rows, file)
    definitions = [Definition(each.name, each.type, each.view, each.view, each.name) for each in COLUMNS]
    publishing.publish(file, ["id"], definitions, "toy", folder, DuckDBTables(), views)
    return folder


@pytest.fixture(params=["files", "redis", "postgres"])
def opened(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Opens what was published, in a store of each kind."""
    monkeypatch.setattr(shared_store, "ANSWER_SECONDS", 30.0)
    if request.param == "files":
        yield lambda folder, _planted: FeastOnline(folder)
        return
    (tmp_path / "redis").mkdir()
    with redis_server(tmp_path / "redis") if request.param == "redis" else postgres_server() as server:
        store = RedisStore(server.uri) if request.param == "redis" else PostgresStore(server.uri)

        def loaded(folder: Path, planted: bool) -> OnlineFeatures:
            digest = f"sha256:{str(int(planted) + 1) * 64}"
            store.load(folder, digest, "toy")
            return store.open(digest)

        yield loaded


def test_a_store_is_held_against_the_sources(opened: Any, sources: Mapping[str, Path], tmp_path: Path) -> None:
    """As it would answer now: equal where it is; then planted differences are found in the real store, each a count and an example."""

    @contextlib.contextmanager
    def online(planted: bool) -> Iterator[OnlineFeatures]:
        yield opened(published(tmp_path / f"online-{planted}", planted), planted)

    found = measured(sources, MemoryHistory(), lambda: online(planted=False))
    assert (found.verdict, found.parts[1].compared, found.parts[1].absent) == ("equal", COUNT, 0)

    found = measured(sources, MemoryHistory(), lambda: online(planted=True))
    part = found.parts[1]
    assert (found.verdict, part.compared, part.absent) == ("skewed", COUNT - 1, 1)
    assert (features(found, 1)["seats"].differing, features(found, 1)["seats"].largest) == (5, 100.0)
    assert features(found, 1)["temp"].skewed == features(found, 1)["plan"].skewed == 0
    assert {(one.online, one.offline) for one in part.examples} <= {(each + 100.0, float(each)) for each in range(1, 6)}
    assert "an entity of the online store" in skew_table.text(found)


@pytest.mark.parametrize(
    ("views", "verdict"), [pytest.param(STORED, "equal", id="moments"), pytest.param([], "skewed", id="none")]
)
def test_weather_that_outlived_its_view(
    sources: Mapping[str, Path], tmp_path: Path, views: list[OnlineView], verdict: str
) -> None:
    """It is missing on both sides. A store without moments goes on answering with what training would not have any more: that is told
    from one that answers otherwise."""
    kept = pq.read_table(sources["weather"]).slice(0, 10)  # up to the 5th of March
    pq.write_table(kept, sources["weather"])

    @contextlib.contextmanager
    def online() -> Iterator[OnlineFeatures]:
        observed = datetime.datetime(2026, 3, 5, 12, tzinfo=datetime.UTC)
        yield FeastOnline(published(tmp_path / "online", planted=False, observed=observed, views=views))

    found = measured(sources, MemoryHistory(), online)
    assert found.verdict == verdict
    temp = features(found, 1)["temp"]
    expired = COUNT if verdict == "equal" else 0
    assert (temp.missing_online, temp.missing_offline, temp.differing) == (expired, COUNT, 0)
    if verdict == "skewed":
        assert "temp in 100.0% are online only: at that moment the sources had none" in found.explanation
