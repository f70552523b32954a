"""The join gives what Feast's own point-in-time join gives, over tables made of what joins get wrong; a look-up by id what the join gives.

Ties, rows written down late, corrections, the last microsecond of a lifetime, keys that are missing or unknown, several keys, several views
of one source, the hours in which clocks are set back. What both give is compared row by row; a seed that fails says which one it was.
"""

import asyncio
import contextlib
import datetime
import io
import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from feast import FeatureStore

from argosy.adapters.duckdb_tables.tables import DuckDBTables
from argosy.adapters.feast_features.online import FeastOnline
from argosy.adapters.feast_features.repository import FeastFeatures
from argosy.domain.model_settings import ModelSettings
from argosy.ports.tables import EVENT_TIME, NUMBER
from kit.examples import make_settings

DEFINITIONS = """\
from datetime import timedelta
from feast import Entity, FeatureService, FeatureView, Field, FileSource, ValueType
from feast.types import Bool, Float64, Int64, String

who = Entity(name="who", join_keys=["id"], value_type=ValueType.STRING)
where = Entity(name="where", join_keys=["place"], value_type=ValueType.INT64)
visits = FileSource(name="visits", path="visits.parquet", timestamp_field="seen", created_timestamp_column="published")
people = FileSource(name="people", path="people.parquet", timestamp_field="since")
fresh = FeatureView(
    name="fresh", entities=[who, where], ttl=timedelta(hours=1, microseconds=1), source=visits,
    schema=[Field(name="x", dtype=Int64), Field(name="kind", dtype=String)],
)
lasting = FeatureView(
    name="lasting", entities=[who, where], source=visits, ttl=timedelta(0),
    schema=[Field(name="z", dtype=Float64), Field(name="new", dtype=Bool)],
)
person = FeatureView(
    name="person", entities=[who], ttl=timedelta(days=2), source=people, schema=[Field(name="age", dtype=Int64)]
)
service = FeatureService(name="toy", features=[fresh, lasting, person])
"""
FEAST = """\
project: toy
provider: local
registry: registry.db
offline_store: {type: duckdb}
online_store: {type: sqlite, path: online.db}
entity_key_serialization_version: 3
"""
# Three moments of which two are one hour by the clocks of Berlin, and what lies a microsecond beside them.
BACK = datetime.datetime(2025, 10, 26, 0, 30, tzinfo=datetime.UTC)
MICROSECOND, HOUR = datetime.timedelta(microseconds=1), datetime.timedelta(hours=1)
MOMENTS = [BACK + hours * HOUR + step * MICROSECOND for hours in (0, 1, 2, 47, 48) for step in (-1, 0, 1)]
TIME = pa.timestamp("us", tz="UTC")


def settings() -> ModelSettings:
    """The settings of a model with these two sources."""

    def columns(**types: str) -> list[dict[str, Any]]:
        return [{"name": name, "type": kind, "meaning": "m", "nullable": True} for name, kind in types.items()]

    visits = columns(id="string", place="integer", seen="timestamp", published="timestamp", x="integer", kind="string")
    visits += columns(z="number", new="boolean")
    sources = [
        {"name": "visits", "file": "v.csv", "entity": ["id", "place"], "timestamp": "seen", "created": "published", "columns": visits},
        {"name": "people", "file": "p.csv", "entity": ["id"], "timestamp": "since",
         "columns": columns(id="string", since="timestamp", age="integer")},
    ]  # fmt: skip
    label = {"source": "visits", "sql": "y", "classes": ["no", "yes"], "columns": []}
    return make_settings("binary", ["no", "yes"], "auc", sources=sources, label=label, entity=["id", "place"])


def write(chance: random.Random, folder: Path) -> pa.Table:
    """Write both tables to *folder*; what is asked of them."""
    ids, places = [None, "a", "b", "ä", ""], [None, 1, 2**53 + 1]
    visits: dict[tuple[Any, ...], dict[str, Any]] = {}
    for number in range(300):
        row = {"id": chance.choice(ids), "place": chance.choice(places), "seen": chance.choice(MOMENTS)}
        # Written down at once, late, or by a clock that is behind.
        row["published"] = chance.choice([row["seen"], row["seen"] - HOUR, *MOMENTS])
        row |= {"x": chance.choice([None, number]), "kind": chance.choice([None, f"k{number}"])}
        row |= {"z": chance.choice([None, number / 7, -0.0]), "new": chance.choice([None, True, False])}
        visits[tuple(row[name] for name in ("id", "place", "seen", "published"))] = row
    people: dict[tuple[Any, ...], dict[str, Any]] = {}
    for number in range(40):
        row = {"id": chance.choice(ids), "since": chance.choice(MOMENTS), "age": chance.choice([None, number])}
        people[row["id"], row["since"]] = row
    kinds = {
        "id": pa.string(),
        "place": pa.int64(),
        "seen": TIME,
        "published": TIME,
        "x": pa.int64(),
        "kind": pa.string(),
    }
    kinds |= {"z": pa.float64(), "new": pa.bool_(), "since": TIME, "age": pa.int64(), EVENT_TIME: TIME}
    for name, rows in {"visits": list(visits.values()), "people": list(people.values())}.items():
        chance.shuffle(rows)
        schema = pa.schema([(column, kinds[column]) for column in rows[0]])
        pq.write_table(pa.Table.from_pylist(rows, schema), folder / f"{name}.parquet")
    asked = [
        {
            "id": chance.choice([*ids, "unknown"]),
            "place": chance.choice([*places, 9]),
            EVENT_TIME: chance.choice(MOMENTS),
        }
        for _ in range(400)
    ]
    return pa.Table.from_pylist(asked, pa.schema([(name, kinds[name]) for name in asked[0]]))


def joined_by_feast(folder: Path, asked: pa.Table) -> pa.Table:
    """*asked* with the features that Feast finds in the tables of *folder*."""
    (folder / "feature_store.yaml").write_text(FEAST, encoding="utf-8")
    with contextlib.chdir(folder), contextlib.redirect_stdout(io.StringIO()):
        named: dict[str, Any] = {}
        exec(DEFINITIONS, named)  # noqa: S102 - ours, above
        store = FeatureStore(repo_path=".")
        store.apply([named[name] for name in ("who", "where", "fresh", "lasting", "person", "service")])
        frame = asked.append_column("number", pa.array(range(asked.num_rows))).to_pandas()
        found = store.get_historical_features(
            entity_df=frame, features=store.get_feature_service("toy"), filter_by_created_timestamp=True
        )
        return found.to_arrow().sort_by("number")


def joined_by_us(folder: Path, asked: pa.Table) -> pa.Table:
    """*asked* with the features that the step finds."""
    return joined(folder, asked, defined(folder))


def defined(folder: Path) -> FeastFeatures:
    """The features of DEFINITIONS."""
    (folder / "features.py").write_text(DEFINITIONS, encoding="utf-8")
    return FeastFeatures(folder / "features.py", settings(), folder / "work")


def joined(folder: Path, asked: pa.Table, features: FeastFeatures) -> pa.Table:
    """*asked* with *features* of the tables in *folder*."""
    numbered = asked.append_column(NUMBER, pa.array(range(asked.num_rows), pa.int64()))
    pq.write_table(numbered, folder / "examples.parquet")
    batches = DuckDBTables().join(folder / "examples.parquet", folder, asked.column_names, features.views())
    return pa.Table.from_batches(batches)


@pytest.mark.filterwarnings("ignore")  # Feast's, about itself
@pytest.mark.parametrize("seed", range(3))
def test_both_give_the_same_rows(seed: int, tmp_path: Path) -> None:
    """Numbers as float64 and categories as text on our side; what is missing is missing on both."""
    asked = write(random.Random(seed), tmp_path)
    ours, theirs = joined_by_us(tmp_path, asked), joined_by_feast(tmp_path, asked)
    assert ours.select(asked.column_names) == asked
    found = 0
    for name in ("x", "kind", "z", "new", "age"):
        kind = pa.string() if name == "kind" else pa.float64()
        values = ours.column(name)
        assert values.type == kind
        assert values.to_pylist() == theirs.column(name).cast(kind).to_pylist(), name
        found += len(values) - values.null_count
    assert found > 300


LATER = [0 * HOUR, MICROSECOND, HOUR, HOUR + MICROSECOND, HOUR + 2 * MICROSECOND, 47 * HOUR, 48 * HOUR, 3 * 24 * HOUR]
LATER += [24 * HOUR * days + step * MICROSECOND for days in (1, 2) for step in (-1, 0, 1)]


def test_a_look_up_gives_what_the_join_would(tmp_path: Path) -> None:
    """At any moment after the newest rows: each view's values are there as long as they are to training, to the microsecond."""
    write(random.Random(5), tmp_path)
    features, newest = defined(tmp_path), max(MOMENTS)
    people = [(name, place) for name in ("", "a", "b", "ä") for place in (1, 2**53 + 1)]
    columns = {"id": [name for name, _ in people], "place": [place for _, place in people]}

    def at(moment: datetime.datetime) -> pa.Table:
        asked = pa.table({**columns, EVENT_TIME: pa.array([moment] * len(people), TIME)})
        return joined(tmp_path, asked, features)

    pq.write_table(at(newest), tmp_path / "rows.parquet")
    features.publish(tmp_path / "rows.parquet", tmp_path / "online", DuckDBTables())
    online, names = FeastOnline(tmp_path / "online"), [each.name for each in features.definitions()]
    keys = [{"id": name, "place": place} for name, place in people]
    expired = 0
    for late in LATER:
        moment = newest + late
        micros = (moment - datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)) // MICROSECOND
        found = asyncio.run(online.get(keys, micros))
        assert [row and row.features for row in found] == at(moment).select(names).to_pylist(), late
        expired += sum(len(row.expired) for row in found if row)
    assert expired > 50
