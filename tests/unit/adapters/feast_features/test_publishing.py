"""An online store of many features: what SQLite can keep in one table, and what a batch of them holds, is no limit of a service."""

import asyncio
import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from feast import FeatureStore

from argosy import memory
from argosy.adapters.duckdb_tables.tables import DuckDBTables
from argosy.adapters.feast_features import index, publishing, shared_store
from argosy.adapters.feast_features.online import FeastOnline
from argosy.ports.features import Definition, OnlineRow
from argosy.ports.tables import EVENT_TIME

MOMENT = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
ENTITIES = 4


def published(features: int, folder: Path, *, keys: tuple[str, ...] = ("a", "b", "c", "d")) -> tuple[Path, str]:
    """A store of *features* numbers, each entity's and feature's its own; and the digest of its content."""
    names = [f"f{number}" for number in range(features)]
    rows = {"id": list(keys), EVENT_TIME: pa.array([MOMENT] * len(keys), pa.timestamp("us", tz="UTC"))}
    values = {name: [number + entity / 8 for entity in range(len(keys))] for number, name in enumerate(names)}
    file = folder / "rows.parquet"
    pq.write_table(pa.table({**rows, **values}), file)
    definitions = [Definition(name, "number", "v", "s", name) for name in names]
    digest = publishing.publish(file, ["id"], definitions, "wide", folder / "online", DuckDBTables(), [])
    return folder / "online", digest


@pytest.mark.slow
def test_two_and_a_half_thousand_features(tmp_path: Path) -> None:
    """They are published, found by the server, loaded into a shared store, and read by Feast itself."""
    folder, _ = published(2_500, tmp_path)
    wanted = {f"f{number}": number + 2 / 8 for number in range(2_500)}
    found = asyncio.run(FeastOnline(folder).get([{"id": "c"}, {"id": "nobody"}], at=0))
    assert found == [OnlineRow(wanted, [], []), None]
    assert [len(entity.cells) for entity in shared_store.entities(folder)] == [2_500] * ENTITIES
    store = FeatureStore(repo_path=str(folder))
    read = store.get_online_features(store.get_feature_service("wide"), [{"id": "c"}]).to_dict()
    assert {name: value for name, (value,) in read.items() if name != "id"} == wanted


@pytest.mark.parametrize("features", [7, 8, 9, 20])
def test_tables_are_as_many_as_it_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, features: int) -> None:
    """In one table or in several: the same values, and the same digest of them."""
    (tmp_path / "one").mkdir()
    one, digest = published(features, tmp_path / "one")
    monkeypatch.setattr(index, "MOST_VALUES", 4)
    several, again = published(features, tmp_path)
    assert again == digest
    assert list(shared_store.entities(several)) == list(shared_store.entities(one))


def test_entities_of_many_features_are_encoded_a_few_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a batch's bytes do not grow with the features; whatever order the file is in."""
    monkeypatch.setattr(publishing, "BATCH", 4)
    monkeypatch.setattr(memory, "_COLUMNS", 2)
    sizes = []
    encode = publishing._Newest._encoded
    monkeypatch.setattr(
        publishing._Newest, "_encoded", lambda newest, batch: sizes.append(batch.num_rows) or encode(newest, batch)
    )
    keys = tuple("a" * length for length in (3, 1, 2, 4, 5))
    folder, _ = published(4, tmp_path, keys=keys)
    assert sizes == [2, 2, 1]
    assert len(list(shared_store.entities(folder))) == 5
