"""Writes an online store as files that are the same bytes for the same content: for digests, signatures, a store that keeps them once.

One view by the model's own keys, so that a caller who knows an entity need not know its other keys, and gets what the model would have
been trained on. Feast reads the files as its own (a registry, a database, a configuration); they are not written by Feast, because its
files hold times of calls, random ids, and rows in the order they came.
"""

import contextlib
import datetime
import hashlib
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from argosy import errors
from argosy.adapters.feast_features import codec
from argosy.adapters.feast_features import index as indexes
from argosy.adapters.feast_features.library import (
    Entity,
    FeatureService,
    FeatureStore,
    FeatureView,
    Field,
    FileSource,
    Float64,
    Int64,
    Registry,
    String,
    ValueType,
)
from argosy.domain.documents import canonical_json
from argosy.ports.features import Definition
from argosy.ports.tables import EVENT_TIME

if TYPE_CHECKING:
    import pyarrow as pa

SUFFIX = "_online"
EACH_TIME_ANEW = {"version_id", "project_uuid", "feature_view_version_history"}
"""Random ids in Feast's registry, and its diary of definitions, which begins anew in a new folder."""
CONFIGURATION = """\
project: {project}
provider: local
registry: {{path: registry.db}}
offline_store: {{type: duckdb}}
online_store: {{type: sqlite, path: online.db}}
entity_key_serialization_version: 3
"""
KEY_TYPES = {"string": ("STRING", ValueType.STRING), "int64": ("INT64", ValueType.INT64)}


def publish(rows: "pa.Table", keys: Sequence[str], features: Sequence[Definition], project: str, folder: Path) -> str:
    """Write the newest row of each entity in *rows* to *folder*; returns the digest of the content.

    Raises Misconfigured where a key is of a type that Feast takes for no key.
    """
    folder.mkdir(parents=True)
    view = f"{project}{SUFFIX}"
    index = {
        "table": f"{project}_{view}",
        "keys": {key: KEY_TYPES[_key_type(rows, key)][0] for key in keys},
        "features": [feature.name for feature in features],
    }
    (folder / indexes.FILE).write_text(canonical_json(index), encoding="utf-8")
    (folder / "feature_store.yaml").write_text(CONFIGURATION.format(project=project), encoding="utf-8")
    _registry(rows, keys, features, project, folder)
    return _database(rows, index, folder / indexes.DATABASE)


def _key_type(rows: "pa.Table", key: str) -> str:
    kind = str(rows.schema.field(key).type)
    if kind not in KEY_TYPES:
        raise errors.Misconfigured(f"`entity` names {key!r}, which is {kind}; a join key is a string or an integer")
    return kind


def _database(rows: "pa.Table", index: dict[str, Any], file: Path) -> str:
    table = indexes.quoted(index["table"])
    digest = hashlib.sha256(canonical_json(index).encode())
    with _on_disk(file), contextlib.closing(sqlite3.connect(file)) as database, database:
        # As Feast makes it, but without row ids: long keys are then kept once and not three times.
        database.execute(
            f"CREATE TABLE {table} (entity_key BLOB, feature_name TEXT, value BLOB, value_text TEXT, vector_value BLOB, "
            "event_ts timestamp, created_ts timestamp, PRIMARY KEY (entity_key, feature_name)) WITHOUT ROWID"
        )
        database.executemany(
            f"INSERT INTO {table} (entity_key, feature_name, value, event_ts) VALUES (?, ?, ?, ?)",  # noqa: S608
            _digested(_cells(rows, index), digest),
        )
    return f"sha256:{digest.hexdigest()}"


@contextlib.contextmanager
def _on_disk(file: Path) -> Iterator[None]:
    """A new file of our own fails to be written for one reason: the disk does not take it."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if not errors.says_disk_full(str(error)):
            raise
        raise errors.LocalDisk(f"the online store cannot be written to {file}: {error}; free space there") from error


Cell = tuple[bytes, str, bytes, int]


def _digested(cells: Iterator[Cell], digest: "hashlib._Hash") -> Iterator[Cell]:
    for key, name, value, moment in cells:
        digest.update(b"%d:%b%d:%b%d:%b%d" % (len(key), key, len(name), name.encode(), len(value), value, moment))
        yield key, name, value, moment


def _cells(rows: "pa.Table", index: dict[str, Any]) -> Iterator[Cell]:
    """Key, feature, value and time (seconds) of each entity's newest row, in the order of the table."""
    types = sorted(index["keys"].items())
    names = sorted(index["features"])
    newest = {
        codec.encode_key(types, row): row
        for row in rows.sort_by(EVENT_TIME).select([*index["keys"], EVENT_TIME, *names]).to_pylist()
    }
    for key in sorted(newest):
        row = newest[key]
        moment = int(row[EVENT_TIME].timestamp())
        for name in names:
            yield key, name, codec.encode(row[name]), moment


def _registry(
    rows: "pa.Table", keys: Sequence[str], features: Sequence[Definition], project: str, folder: Path
) -> None:
    """Let Feast describe the store, then settle what of that is different each time."""
    entities = [Entity(name=key, join_keys=[key], value_type=KEY_TYPES[_key_type(rows, key)][1]) for key in keys]
    kinds = {"number": Float64, "category": String}
    view = FeatureView(
        name=f"{project}{SUFFIX}",
        entities=entities,
        # What is old enough to be refused is the release's business, not the store's.
        ttl=datetime.timedelta(0),
        schema=[
            *(Field(name=key, dtype=String if _key_type(rows, key) == "string" else Int64) for key in keys),
            *(Field(name=feature.name, dtype=kinds[feature.type]) for feature in features),
        ],
        source=FileSource(name=f"{project}_rows", path="rows.parquet", timestamp_field=EVENT_TIME),
    )
    service = FeatureService(name=project, features=[view])
    with contextlib.chdir(folder):
        FeatureStore(repo_path=".").apply([*entities, view, service])
    (folder / indexes.DATABASE).unlink()
    registry = Registry()
    registry.ParseFromString((folder / "registry.db").read_bytes())
    _settle(registry)
    (folder / "registry.db").write_bytes(registry.SerializeToString(deterministic=True))


def _settle(message: Message) -> None:
    """Take times of calls and random ids out of *message*, and sort what comes in any order."""
    for field, value in message.ListFields():
        if field.name in EACH_TIME_ANEW or isinstance(value, Timestamp):
            message.ClearField(field.name)
        elif field.message_type is not None and not field.message_type.GetOptions().map_entry:
            repeated = not isinstance(value, Message)
            for part in value if repeated else [value]:
                _settle(part)
            if repeated and message.DESCRIPTOR.name == "Registry":
                value.sort(key=lambda part: part.SerializeToString(deterministic=True))
