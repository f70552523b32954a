"""Rows of the past, replayed: who is set aside, what the log of it is, and which labels are of it."""

import datetime
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from argosy import errors
from argosy.domain import pseudonyms
from argosy.domain.data import FeatureSchema
from argosy.ml import frames
from argosy.ml.encoding import Encoder
from argosy.monitoring import replays
from argosy.ports.prediction_log import ServedRelease
from kit import flights
from kit.examples import make_settings, write_features

HOUR = datetime.timedelta(hours=1)
SINCE = datetime.datetime(2013, 3, 4, tzinfo=datetime.UTC)
KEY = b"a secret"


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """Features of 400 rows, every fifth held out."""
    return write_features(
        tmp_path / "made",
        {"size": [float(each) for each in range(400)]},
        [each % 2 for each in range(400)],
        task="binary",
    )


def test_half_of_what_is_learned_from_is_set_aside(made: Path, tmp_path: Path) -> None:
    """By the ids alone: the same ones every time, and none of the holdout."""
    traffic = replays.set_aside(made, tmp_path / "aside")
    sides = {name: set(frames.read(tmp_path / "aside", name).keys()) for name in ("train", "holdout", replays.TRAFFIC)}
    assert set(traffic.keys()) == sides[replays.TRAFFIC]
    assert sides["holdout"] == set(frames.read(made, "holdout").keys())
    assert sides["train"] | sides[replays.TRAFFIC] == set(frames.read(made, "train").keys())
    assert not sides["train"] & sides[replays.TRAFFIC]
    assert 0.4 < len(traffic) / 320 < 0.6
    again = replays.set_aside(made, tmp_path / "again")
    assert again.keys() == traffic.keys()


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> replays.ReplayedLog:
    """Two days of real flights, as a model that never saw them answered them."""
    place = tmp_path_factory.mktemp("flights")
    table = flights.departed(SINCE, SINCE + 48 * HOUR)
    answering = flights.fit(place / "bundle", flights.departed(SINCE - 480 * HOUR, SINCE))
    names = [feature.name for feature in answering.signature.features]
    rows = table.select(["flight_id", *names]).append_column(frames.TIME, table["scheduled_departure"])
    schema = FeatureSchema(
        features=answering.signature.features,
        context=[],
        join_keys=["flight_id"],
        rows_train=1,
        rows_holdout=1,
        online_digest="sha256:0",
    )
    encoded = Encoder(schema.features).table(rows)
    traffic = frames.Examples(schema, rows, encoded, np.zeros(len(rows)))
    return replays.replayed(answering, traffic, ServedRelease("flight_delay", "production", 1, answering.digest), KEY)


def test_the_log_is_by_the_hour_of_each_row(log: replays.ReplayedLog) -> None:
    """Every row once, at its own time, in the segment of that hour, with its id as a server hashes it."""
    refs = list(log.segments("flight_delay", "production"))
    assert [ref.hour for ref in refs] == sorted({ref.hour for ref in refs})
    for ref in refs:
        times = log.read_segment(ref).table["time"].to_pylist()
        assert all(ref.hour <= time < ref.hour + HOUR for time in times)
    flown = flights.departed(SINCE, SINCE + 48 * HOUR)
    logged = [entity for ref in refs for entity in log.read_segment(ref).table["entity"].to_pylist()]
    ids = flown["flight_id"].to_pylist()
    assert sorted(logged) == sorted(pseudonyms.hashed({"flight_id": each}, KEY) for each in ids)


def test_a_part_of_the_log_is_read(log: replays.ReplayedLog) -> None:
    """To the moment, both ends as the port has them; nothing of another environment."""
    since, until = SINCE + 12.5 * HOUR, SINCE + 36.25 * HOUR
    found = [
        time
        for part in log.read("flight_delay", "production", since=since, until=until)
        for time in part.table["time"].to_pylist()
    ]
    assert len(found) == flights.departed(since, until).num_rows > 0
    assert min(found) >= since
    assert max(found) < until
    assert list(log.segments("flight_delay", "staging")) == []
    hours = [ref.hour for ref in log.segments("flight_delay", "production", since=since, until=until)]
    assert (min(hours), max(hours)) == (SINCE + 12 * HOUR, SINCE + 36 * HOUR)


def test_rows_that_come_no_more(log: replays.ReplayedLog) -> None:
    """Those with the value are gone, the others are there."""
    left = log.without("origin", "EWR")
    origins = [features["origin"] for part in left.parts.values() for features in part.table["features"].to_pylist()]
    assert set(origins) == {"JFK", "LGA"}
    assert len(origins) < sum(part.table.num_rows for part in log.parts.values())


def test_labels_are_of_the_traffic_alone(made: Path, tmp_path: Path) -> None:
    """The file of the settings, with the rows that were set aside."""
    traffic = replays.set_aside(made, tmp_path / "aside")
    rows = pq.read_table(made / frames.ROWS)
    settings = flights.settings()
    settings = settings.model_copy(update={"entity": ["id"]})
    (tmp_path / "data").mkdir()
    pq.write_table(rows, tmp_path / "data" / "flights.parquet")
    folder = replays.labels_of(traffic, settings, tmp_path / "data", tmp_path / "labels")
    assert pq.read_table(folder / "flights.parquet")["id"].to_pylist() == traffic.keys()


def test_a_model_without_labels_is_not_replayed(made: Path, tmp_path: Path) -> None:
    """Nobody would know what it was worth."""
    traffic = replays.set_aside(made, tmp_path / "aside")
    with pytest.raises(errors.Misconfigured, match="name no `labels` that join by entity"):
        replays.labels_of(traffic, make_settings("binary", ["no", "yes"], "log_loss"), tmp_path, tmp_path / "labels")
