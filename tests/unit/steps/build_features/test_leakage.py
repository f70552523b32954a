"""Nothing that was not known at a flight's departure reaches its features, through the join that the step really does.

Each case plants one observation of the weather beside an old and harmless one. That the test can fail is shown in the same way: what
was known in time does arrive, and with the filter on the time of publication taken out the late one arrives, too.
"""

import contextlib
import dataclasses
import datetime
import sqlite3
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from argosy import wiring
from argosy.adapters.feast_features.repository import FeastFeatures
from argosy.domain.data import FeatureSchema, SnapshotManifest, ValidationResult
from argosy.domain.model_settings import ModelSettings
from argosy.files import model_folder
from argosy.ports.tables import AsOfView
from argosy.steps.build_features import run as build_features
from argosy.steps.ingest import run as ingest

MINUTE = datetime.timedelta(minutes=1)
DEPARTURE = datetime.datetime(2013, 3, 5, 15, 0, tzinfo=datetime.UTC)
HELD_OUT = datetime.datetime(2013, 11, 5, 15, 0, tzinfo=datetime.UTC)
ORDINARY, PLANTED = 40.0, 99.0


def flight(name: str, departure: datetime.datetime) -> dict[str, Any]:
    """A flight from Newark."""
    return {
        "flight_id": name, "scheduled_departure": departure, "carrier": "UA", "origin": "EWR", "station": "EWR",
        "destination": "BOS", "tail_number": "N1", "distance": 200, "departure_hour": 10, "month": departure.month,
        "weekday": departure.weekday(), "scheduled_minutes": 70, "departed": True, "arrival_delay": 3.0,
    }  # fmt: skip


def weather(observed: datetime.datetime, published: datetime.datetime, temp: float) -> dict[str, Any]:
    """One observation at Newark; of all it says, the temperature tells which one it is."""
    return {
        "station": "EWR", "observed": observed, "published": published, "temp": temp, "dewp": temp - 10,
        "humid": 50.0, "wind_speed": 8.0, "precip": 0.0, "pressure": 1012.0, "visib": temp / 10,
    }  # fmt: skip


def write(rows: list[dict[str, Any]], file: Path) -> None:
    """Write *rows* with times in microseconds, as sources have them."""
    table = pa.Table.from_pylist(rows)
    times = [
        field.with_type(pa.timestamp("us", "UTC")) if pa.types.is_timestamp(field.type) else field
        for field in table.schema
    ]
    pq.write_table(table.cast(pa.schema(times)), file)


def temperatures(
    root: Path, folder: Path, planted: list[dict[str, Any]]
) -> dict[str, tuple[float | None, float | None]]:
    """Temperature and visibility that each flight's features hold, by ``ingest`` and ``build-features`` with nothing replaced."""
    model = root / "workflows" / "flight_delay"
    settings = model_folder.load_settings(model / "model.yaml")
    sources = folder / "sources"
    sources.mkdir()
    write([flight("before", DEPARTURE), flight("after", HELD_OUT)], sources / "flights.parquet")
    known = [weather(moment - 120 * MINUTE, moment - 55 * MINUTE, ORDINARY) for moment in (DEPARTURE, HELD_OUT)]
    write([*known, *planted], sources / "weather.parquet")
    write(
        [{"tail_number": "N1", "built": 2001, "engines": 2, "seats": 149, "engine": "Turbo-fan"}],
        sources / "planes.parquet",
    )
    snapshot = snapshot_of(settings, sources, folder)
    outputs = build_features.FeatureOutputs(folder / "features", folder / "online")
    build_features.run(
        settings=settings,
        snapshot=snapshot,
        validation=folder / "validation",
        tables=wiring.tables(),
        features=wiring.features(model / "features.py", settings, folder / "repository"),
        outputs=outputs,
    )
    rows = pq.read_table(outputs.features / "rows.parquet").to_pylist()
    return {row["flight_id"]: (row["temp"], row["visib"]) for row in rows}


def test_the_newest_row_of_the_online_store_is_named(root: Path, tmp_path: Path) -> None:
    """It is of the holdout here, which is by time: customers are answered with that row, and not with the newest of the training side."""
    temperatures(root, tmp_path, [weather(DEPARTURE - 120 * MINUTE, DEPARTURE - 55 * MINUTE, ORDINARY)])
    schema = FeatureSchema.read(tmp_path / "features" / "schema.json")
    assert schema.trained_until == DEPARTURE
    assert schema.online_until == HELD_OUT
    with contextlib.closing(sqlite3.connect(tmp_path / "online" / "online.db")) as database:
        (table,) = (row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'view'"))
        (newest,) = database.execute(f'SELECT max(event_ts) FROM "{table}"').fetchone()  # noqa: S608 - our own table
    assert newest == int(HELD_OUT.timestamp())


def snapshot_of(settings: ModelSettings, sources: Path, folder: Path) -> Path:
    """The snapshot of *sources*, with the word that it was found good."""
    outputs = ingest.IngestOutputs(folder / "snapshot", folder / "rejected", folder / "lineage.json")
    ingest.run(
        settings=settings,
        location=sources,
        tables=wiring.tables(),
        code_version="test",
        now=lambda: "2014-01-01T00:00:00Z",
        report=print,
        outputs=outputs,
    )
    digest = SnapshotManifest.read(outputs.snapshot / "manifest.json").content_digest()
    ValidationResult(snapshot_digest=digest, results=[]).write(folder / "validation" / "validation.json")
    return outputs.snapshot


@pytest.fixture
def unfiltered(monkeypatch: pytest.MonkeyPatch) -> None:
    """The join without its word on when a row became known."""
    views = FeastFeatures.views

    def unguarded(features: FeastFeatures) -> list[AsOfView]:
        found = views(features)
        assert any(view.created for view in found)
        return [dataclasses.replace(view, created=None, unambiguous=False) for view in found]

    monkeypatch.setattr(FeastFeatures, "views", unguarded)


@pytest.mark.parametrize(
    "departure", [pytest.param(DEPARTURE, id="training-side"), pytest.param(HELD_OUT, id="holdout")]
)
@pytest.mark.parametrize(
    ("observed", "published", "arrives"),
    [
        pytest.param(-60, -1, True, id="known-in-time"),
        pytest.param(+1, +66, False, id="measured-after-departure"),
        pytest.param(+1, -1, False, id="measured-after-departure-by-a-wrong-clock"),
        pytest.param(-60, +1, False, id="published-after-departure"),
        pytest.param(-120, +1, False, id="corrected-after-departure"),
    ],
)
def test_only_what_was_known_at_departure_is_seen(
    root: Path, tmp_path: Path, departure: datetime.datetime, observed: int, published: int, arrives: bool
) -> None:
    """An observation is a feature only when it was measured and published by then; a correction counts from when it came."""
    planted = weather(departure + observed * MINUTE, departure + published * MINUTE, PLANTED)
    name, other = ("before", "after") if departure == DEPARTURE else ("after", "before")
    found = temperatures(root, tmp_path, [planted])
    assert found[name] == ((PLANTED, PLANTED / 10) if arrives else (ORDINARY, ORDINARY / 10))
    assert found[other] == (ORDINARY, ORDINARY / 10)


@pytest.mark.parametrize("observed", [pytest.param(-60, id="new-observation"), pytest.param(-120, id="correction")])
@pytest.mark.usefixtures("unfiltered")
def test_without_the_filter_the_future_would_be_seen(root: Path, tmp_path: Path, observed: int) -> None:
    """The same planted rows arrive: it is this filter, and nothing else here, that keeps them out."""
    planted = weather(DEPARTURE + observed * MINUTE, DEPARTURE + MINUTE, PLANTED)
    assert temperatures(root, tmp_path, [planted])["before"] == (PLANTED, PLANTED / 10)
