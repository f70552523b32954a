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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from pyarrow import compute

from argosy import errors, memory, scratch
from argosy.adapters.feast_features import columnar_codec
from argosy.adapters.feast_features import index as indexes
from argosy.adapters.feast_features.index import Index
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
from argosy.ports.features import Definition, OnlineView
from argosy.ports.tables import EVENT_TIME, Tables

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
BATCH = 8_192
"""Entities that are encoded at once: each is a kilobyte or two of bytes to digest, or more where it has many features."""
KEY = "argosy_key"
FIELD_TYPES = {"number": Float64, "category": String}
KEY_TYPES = {"string": ("STRING", ValueType.STRING), "int64": ("INT64", ValueType.INT64)}


def publish(
    rows: Path,
    keys: Sequence[str],
    features: Sequence[Definition],
    project: str,
    folder: Path,
    tables: Tables,
    views: Sequence[OnlineView],
) -> str:
    """Write the newest row of each entity in the file *rows*, sorted by *keys* and time, to *folder*; returns the digest of the content.

    *views*: those that the features come from; *rows* has the moments of each in the column that :func:`index.moment_of` names. Raises
    Misconfigured where a key is of a type that Feast takes for no key.
    """
    folder.mkdir(parents=True)
    view = f"{project}{SUFFIX}"
    schema = pq.read_schema(rows)
    index = Index(
        f"{project}_{view}",
        tuple(sorted((key, KEY_TYPES[_key_type(schema, key)][0]) for key in keys)),
        tuple(feature.name for feature in features),
        tuple(views),
    )
    (folder / indexes.FILE).write_text(canonical_json(index.as_json()), encoding="utf-8")
    (folder / "feature_store.yaml").write_text(CONFIGURATION.format(project=project), encoding="utf-8")
    _registry(schema, keys, _fields(features, index), project, folder)
    return _database(_Newest(rows, index.keys, sorted(index.cells), tables), index, folder)


def _fields(features: Sequence[Definition], index: Index) -> list[Field]:
    """What Feast is told that the store has."""
    kinds = {feature.name: FIELD_TYPES[feature.type] for feature in features}
    return [Field(name=name, dtype=kinds.get(name, Float64)) for name in index.cells]


def _key_type(schema: pa.Schema, key: str) -> str:
    kind = str(schema.field(key).type)
    if kind not in KEY_TYPES:
        raise errors.Misconfigured(f"`entity` names {key!r}, which is {kind}; a join key is a string or an integer")
    return kind


def _database(newest: "_Newest", index: Index, folder: Path) -> str:
    digest = hashlib.sha256(canonical_json(index.as_json()).encode())
    file = folder / indexes.DATABASE
    with _on_disk(file), contextlib.closing(sqlite3.connect(file)) as database, database:
        _layout(database, index.table, newest.names)
        parts = list(enumerate(indexes.parts(len(newest.names))))
        inserts = [_insert(indexes.rows_of(index.table, part), len(places) + 2) for part, places in parts]
        for entities in newest.entities():
            for text in entities.described(newest.names):
                digest.update(text)
            for insert, (_, places) in zip(inserts, parts, strict=True):
                database.executemany(insert, entities.lines(places))
    return f"sha256:{digest.hexdigest()}"


def _insert(table: str, columns: int) -> str:
    return f"INSERT INTO {indexes.quoted(table)} VALUES ({', '.join('?' * columns)})"  # noqa: S608 - our own names


def _layout(database: sqlite3.Connection, table: str, names: Sequence[str]) -> None:
    """A line an entity, and Feast's own table of a line a value as a view of that: its keys and names would be most of the bytes."""
    named = indexes.quoted(f"{table}_names")
    selects = []
    for part, places in enumerate(indexes.parts(len(names))):
        lines = indexes.quoted(indexes.rows_of(table, part))
        values = ", ".join(f"{indexes.value(place)} BLOB" for place in places)
        # Without row ids: long keys are then kept once and not twice.
        database.execute(
            f"CREATE TABLE {lines} (entity_key BLOB PRIMARY KEY, event_ts timestamp, {values}) WITHOUT ROWID"
        )
        selects.append(_values(lines, named, places, len(names)))
    database.execute(f"CREATE TABLE {named} (feature_name TEXT PRIMARY KEY, place INTEGER) WITHOUT ROWID")
    database.executemany(f"INSERT INTO {named} VALUES (?, ?)", zip(names, range(len(names)), strict=True))  # noqa: S608
    database.execute(f"CREATE VIEW {indexes.quoted(table)} AS {' UNION ALL '.join(selects)}")


def _values(lines: str, named: str, places: range, of: int) -> str:
    """A line a value, of the table *lines* of an entity's features at *places*."""
    chosen = " ".join(f"WHEN {place} THEN {indexes.value(place)}" for place in places)
    theirs = f" WHERE place BETWEEN {places[0]} AND {places[-1]}" if len(places) < of else ""
    return (
        f"SELECT entity_key, feature_name, CASE place {chosen} END AS value, "  # noqa: S608
        f"NULL AS value_text, NULL AS vector_value, event_ts, NULL AS created_ts FROM {lines} CROSS JOIN {named}{theirs}"
    )


@contextlib.contextmanager
def _on_disk(file: Path) -> Iterator[None]:
    """A new file of our own fails to be written for one reason: the disk does not take it."""
    try:
        yield
    except sqlite3.OperationalError as error:
        if not errors.says_disk_full(str(error)):
            raise
        raise errors.LocalDisk(f"the online store cannot be written to {file}: {error}; free space there") from error


@dataclass(frozen=True)
class _Entities:
    """Some entities in the order of their keys, in the bytes that the store keeps."""

    keys: pa.Array
    seconds: pa.Array
    values: Sequence[pa.Array]

    def lines(self, places: range) -> Iterator[tuple[Any, ...]]:
        """What the database keeps of each in the table of the features at *places*."""
        values = (column.to_pylist() for column in self.values[places.start : places.stop])
        return zip(self.keys.to_pylist(), self.seconds.to_pylist(), *values, strict=True)

    def described(self, names: Sequence[str]) -> Iterator[memoryview]:
        """The text that the digest is of: each value's key, name, bytes and time."""
        key, moment = columnar_codec.counted(self.keys), self.seconds.cast(pa.string()).cast(pa.binary())
        parts: list[Any] = []
        for name, value in zip(names, self.values, strict=True):
            encoded = name.encode()
            # The number before a name is of its letters, not of its bytes, as it always was.
            parts += [key, b"%d:%b" % (len(name), encoded), columnar_codec.counted(value), moment]
        yield columnar_codec.bytes_of(compute.binary_join_element_wise(*parts, b""))


@dataclass(frozen=True)
class _Newest:
    """The newest row of each entity in a file that is sorted by join keys and time."""

    rows: Path
    types: Sequence[tuple[str, str]]
    """Join keys and their types, sorted by name."""
    names: Sequence[str]
    """Of the features, sorted."""
    tables: Tables

    def entities(self) -> Iterator[_Entities]:
        """All of them, in the order of their keys' bytes, which is seldom that of the file."""
        if self._are_in_order():
            yield from map(self._encoded, self._read(self.names))
            return
        with scratch.folder("online") as place:
            file = place / "newest.parquet"
            for number, batch in enumerate(self._read(self.names)):
                if number == 0:
                    writer = pq.ParquetWriter(file, batch.schema)
                writer.write_batch(batch)
            writer.close()
            for batch in self.tables.in_order(file, KEY):
                for start in range(0, batch.num_rows, self._at_once):
                    yield self._encoded(batch.slice(start, self._at_once))

    @property
    def _at_once(self) -> int:
        return memory.rows_at_once(BATCH, len(self.names))

    def _are_in_order(self) -> bool:
        last = None
        for batch in self._read([]):
            keys = batch.column(KEY)
            if last is not None and last > keys[0].as_py():
                return False
            if len(keys) > 1 and compute.any(compute.greater(keys[:-1], keys[1:])).as_py():
                return False
            last = keys[-1].as_py()
        return True

    def _read(self, names: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Key, time and the columns *names* of each newest row. A row is an entity's newest where another one's follows."""
        columns = [*(name for name, _ in self.types), EVENT_TIME, *names]
        held: pa.RecordBatch | None = None
        for batch in pq.ParquetFile(self.rows).iter_batches(self._at_once, columns=list(dict.fromkeys(columns))):
            keys = columnar_codec.encode_keys(self.types, batch)
            keyed = batch.select([EVENT_TIME, *names]).append_column(KEY, keys)
            if held is not None:
                keyed = pa.Table.from_batches([held, keyed]).combine_chunks().to_batches()[0]
                keys = keyed.column(KEY)
            ends = np.flatnonzero(compute.not_equal(keys[:-1], keys[1:]).to_numpy(zero_copy_only=False))
            if len(ends):
                yield keyed.take(pa.array(ends))
            held = keyed.slice(keyed.num_rows - 1)
        if held is not None:
            yield held

    def _encoded(self, batch: pa.RecordBatch) -> _Entities:
        micros = batch.column(EVENT_TIME).cast(pa.int64()).to_numpy()
        # Towards 1970 on either side of it.
        seconds = np.where(micros < 0, -(-micros // 10**6), micros // 10**6)
        values = [columnar_codec.encode_values(_as_stored(batch.column(name))) for name in self.names]
        return _Entities(batch.column(KEY).cast(pa.binary()), pa.array(seconds), values)


def _as_stored(column: pa.Array) -> pa.Array:
    """*column* as a feature is: a moment is a number like any other, exact until the year 2255."""
    return column.cast(pa.float64()) if pa.types.is_integer(column.type) else column


def _registry(schema: pa.Schema, keys: Sequence[str], fields: Sequence[Field], project: str, folder: Path) -> None:
    """Let Feast describe the store, then settle what of that is different each time."""
    entities = [Entity(name=key, join_keys=[key], value_type=KEY_TYPES[_key_type(schema, key)][1]) for key in keys]
    view = FeatureView(
        name=f"{project}{SUFFIX}",
        entities=entities,
        # Features of several views, each with a lifetime of its own; how old each is, is one of the fields.
        ttl=datetime.timedelta(0),
        schema=[
            *(Field(name=key, dtype=String if _key_type(schema, key) == "string" else Int64) for key in keys),
            *fields,
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
