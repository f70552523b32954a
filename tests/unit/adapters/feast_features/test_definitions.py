"""A definitions file is held to what can be kept: one service, the contract's tables and times, nothing known only with the label."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from argosy import errors
from argosy.adapters.feast_features import definitions
from argosy.testing.examples import make_settings

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
Load = Callable[[str], definitions.Loaded]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Loads a file of this content, for a model with one source that has both times."""
    source: dict[str, Any] = {
        "name": "rows",
        "file": "rows.csv",
        "entity": ["id"],
        "timestamp": "seen",
        "created": "published",
    }
    source["columns"] = [{"name": name, "type": kind, "meaning": "m"} for name, kind in COLUMNS.items()]
    settings = make_settings("binary", ["no", "yes"], "auc", sources=[source])

    def written(content: str) -> definitions.Loaded:
        (tmp_path / "features.py").write_text(content, encoding="utf-8")
        return definitions.load(tmp_path / "features.py", settings)

    return written


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
