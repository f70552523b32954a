"""A definitions file is held to what can be kept: one service, the contract's tables and times, nothing known only with the label."""

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from argosy import errors
from argosy.adapters.duckdb_tables.tables import DuckDBTables
from argosy.adapters.feast_features import definitions
from argosy.adapters.feast_features.repository import FeastFeatures
from argosy.domain.model_settings import ModelSettings
from argosy.ports.tables import NUMBER
from kit.examples import make_settings

GOOD = """\
from datetime import timedelta
from feast import Entity, FeatureService, FeatureView, Field, FileSource, ValueType
from feast.types import Bool, Int64, String, UnixTimestamp

who = Entity(name="who", join_keys=["id"], value_type=ValueType.STRING)
source = FileSource(
    name="rows", path="rows.parquet", timestamp_field="seen", created_timestamp_column="published"
)
view = FeatureView(
    name="view", entities=[who], ttl=timedelta(days=9), source=source,
    schema=[Field(name="x", dtype=Int64), Field(name="kind", dtype=String), Field(name="new", dtype=Bool)],
)
service = FeatureService(name="toy", features=[view])
"""
COLUMNS = {
    "id": "string",
    "seen": "timestamp",
    "published": "timestamp",
    "x": "integer",
    "kind": "string",
    "y": "integer",
}
Load = Callable[[str], definitions.LoadedDefinitions]


def joined(folder: Path, features: FeastFeatures, examples: pa.Table) -> pa.Table:
    """*examples* with the features of the snapshot in *folder*."""
    numbered = examples.append_column(NUMBER, pa.array(range(examples.num_rows), pa.int64()))
    pq.write_table(numbered, folder / "examples.parquet")
    tables = DuckDBTables()
    batches = tables.join(folder / "examples.parquet", folder / "snapshot", examples.column_names, features.views())
    return pa.Table.from_batches(batches)


def contract(columns: list[str]) -> ModelSettings:
    """The settings of a model with one source that has both times."""
    source: dict[str, Any] = {
        "name": "rows",
        "file": "rows.csv",
        "entity": ["id"],
        "timestamp": "seen",
        "created": "published",
    }
    source["columns"] = [{"name": name, "type": COLUMNS.get(name, "integer"), "meaning": "m"} for name in columns]
    return make_settings("binary", ["no", "yes"], "auc", sources=[source])


def load_with(folder: Path, columns: list[str], content: str) -> definitions.LoadedDefinitions:
    """Loads a file of this content, for a source of *columns*."""
    (folder / "features.py").write_text(content, encoding="utf-8")
    return definitions.load(folder / "features.py", contract(columns))


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Loads a file of this content."""
    return lambda content: load_with(tmp_path, list(COLUMNS), content)


def test_what_is_defined_is_known_without_data(load: Load) -> None:
    """Features in the service's order; a Bool is a number."""
    loaded = load(GOOD)
    assert [(feature.name, feature.type, feature.view, feature.source) for feature in loaded.features] == [
        ("x", "number", "view", "rows"),
        ("kind", "category", "view", "rows"),
        ("new", "number", "view", "rows"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        pytest.param(
            ', created_timestamp_column="published"', "",
            "created_timestamp_column='', the data contract says 'published': another time would let a row be seen before it was known",
            id="no-time-of-publication",
        ),
        pytest.param('timestamp_field="seen"', 'timestamp_field="x"', "the data contract says 'seen'", id="another-time"),
        pytest.param('path="rows.parquet"', 'path="other.parquet"', "must read a table of the snapshot: FileSource", id="another-file"),
        pytest.param('Field(name="x"', 'Field(name="y"', "'y' is a feature, but `label.columns` says", id="the-label"),
        pytest.param('"x", dtype=Int64', '"x", dtype=UnixTimestamp', "a feature is a number, Bool, or String", id="a-time"),
        pytest.param('name="toy"', 'name="tyo"', "no FeatureService 'toy', .* found: tyo", id="no-service"),
        pytest.param("features=[view]", "features=[]", "has no features", id="nothing"),
        pytest.param("who = ", "who == ", "cannot be loaded: NameError: name 'who'", id="broken"),
    ],
)  # fmt: skip
def test_what_is_refused(load: Load, old: str, new: str, told: str) -> None:
    """Before anything is joined, with the file's name and the reason."""
    assert old in GOOD
    with pytest.raises(errors.Misconfigured, match=rf"^features[.]py: .*{told}"):
        load(GOOD.replace(old, new))


@pytest.mark.parametrize(
    "name",
    ["rn", "RN", "entity_row_id", "entity_row_id_yyyy", "event_expire_timestamp", "argosy_row", "id_y", "event_timestamp_Y"],
)  # fmt: skip
def test_a_column_that_the_join_makes_itself(tmp_path: Path, name: str) -> None:
    """Refused whether or not it is a feature: Feast would fail, or leave features empty without a word."""
    columns = [*COLUMNS, name]
    with pytest.raises(errors.Misconfigured, match=r"the join of features .*; give it another name"):
        load_with(tmp_path, columns, GOOD)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        pytest.param("qty_y", "ends in '_y', and the join of features drops", id="dropped"),
        pytest.param("a:b", "has a colon", id="colon"),
        pytest.param("label", "is a column of every example", id="label"),
        pytest.param("Side", "is a column of every example", id="side"),
        pytest.param("event_timestamp", "is a column of every example", id="time"),
        pytest.param("ID", "called 'id' but for their case", id="case"),
    ],
)
def test_a_name_that_no_feature_can_have(tmp_path: Path, name: str, told: str) -> None:
    """Refused where the definitions are read, with the reason."""
    with pytest.raises(errors.Misconfigured, match=told):
        load_with(tmp_path, [*COLUMNS, name], GOOD.replace('Field(name="kind"', f'Field(name="{name}"'))


@pytest.mark.parametrize("name", ["Seats [n]", "a<b", "a.b", "a b", "qty_Y", "id_yyyy", "view__x", "__log_date"])
def test_a_name_that_a_feature_can_have(tmp_path: Path, name: str) -> None:
    """Whatever else people call their columns is joined."""
    moment = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    columns = {"id": ["a", "b"], "seen": [moment] * 2, "published": [moment] * 2, "x": [1, 2], name: [3, 4]}
    (tmp_path / "snapshot").mkdir()
    pq.write_table(pa.table(columns), tmp_path / "snapshot" / "rows.parquet")
    fields = f"schema=[Field(name={name!r}, dtype=Int64)],\n)\nservice"
    content = GOOD.replace(GOOD[GOOD.index("schema=") : GOOD.index("service =") + 7], fields)
    (tmp_path / "features.py").write_text(content, encoding="utf-8")
    settings = contract([*COLUMNS, name])
    features = FeastFeatures(tmp_path / "features.py", settings, tmp_path / "work")
    times = pa.array([moment + datetime.timedelta(days=1)] * 2, pa.timestamp("us", tz="UTC"))
    rows = joined(tmp_path, features, pa.table({"id": ["a", "b"], "event_timestamp": times}))
    assert rows.column(name).to_pylist() == [3.0, 4.0]
    pq.write_table(rows, tmp_path / "rows.parquet")
    assert features.publish(tmp_path / "rows.parquet", tmp_path / "online", DuckDBTables()).startswith("sha256:")


@pytest.mark.parametrize("created", [pytest.param(True, id="known-later"), pytest.param(False, id="alike")])
def test_the_join_repeats_itself_at_a_hundred_thousand_keys(tmp_path: Path, created: bool) -> None:
    """Two rows a key and time, told apart by when they became known, or alike: the same features at every call."""
    count = 100_000
    moment = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    later = moment + datetime.timedelta(hours=1) if created else moment
    keys = [f"k{n}" for n in range(count)] * 2
    columns = {"id": keys, "seen": [moment] * 2 * count, "published": [moment] * count + [later] * count}
    columns["x"] = [n % 97 for n in range(count)] * 2 if not created else list(range(2 * count))
    (tmp_path / "snapshot").mkdir()
    pq.write_table(pa.table(columns), tmp_path / "snapshot" / "rows.parquet")
    content = GOOD.replace(', Field(name="kind", dtype=String), Field(name="new", dtype=Bool)', "")
    (tmp_path / "features.py").write_text(content, encoding="utf-8")
    features = FeastFeatures(tmp_path / "features.py", contract(list(COLUMNS)), tmp_path / "work")
    times = pa.array([moment + datetime.timedelta(days=1)] * count, pa.timestamp("us", tz="UTC"))
    examples = pa.table({"id": keys[:count], "event_timestamp": times})
    expected = [float(value) for value in columns["x"][count:]]
    found = [joined(tmp_path, features, examples).column("x").to_pylist() for _ in range(2)]
    assert [values == expected for values in found] == [True, True]
