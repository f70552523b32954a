"""Turns the lines of a segment into columns, and columns into a sealed Parquet file.

pyarrow is imported by nobody else of this package, and only once there is something to seal or to read.
"""

import os
from collections.abc import Sequence
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json
import pyarrow.parquet as pq

from argosy.adapters.segment_log import framing, layout, segments
from argosy.ports.prediction_log import Logged, ServedRelease

_ABOUT = b"argosy.served"
_TYPES = {"number": pa.float64(), "category": pa.string()}
_BLOCK = 1 << 24
"""Bytes the JSON reader looks at in one piece; a line must fit, and one record is far below that."""


def logged(content: framing.SegmentContent) -> Logged:
    """*content* in columns. Raises ValueError where it is none of ours."""
    if not content.payloads:
        return unreadable(int(content.damaged))
    served, features = segments.about(content.payloads[0])
    lines = b"".join(content.payloads[1:])
    table = _table(lines, features) if lines else _seen(_schema(features).empty_table())
    return Logged(served, table, damaged=int(content.damaged))


def unreadable(damaged: int = 1) -> Logged:
    """No records, of nobody knows whom."""
    return Logged(ServedRelease("", "", None, ""), _seen(_schema([]).empty_table()), damaged=damaged)


def write(found: Logged, target: Path) -> None:
    """Write *found* to *target*, whole or not at all, flushed to disk. Raises OSError."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    about = {_ABOUT: orjson.dumps([_fields(found.served), found.damaged])}
    try:
        pq.write_table(found.table.replace_schema_metadata(about), partial, compression="zstd")
        with partial.open("rb") as stream:
            os.fsync(stream.fileno())
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def read(path: Path) -> Logged:
    """The records that :func:`write` wrote. Raises OSError, or ValueError where it is something else."""
    table = pq.read_table(path, partitioning=None)
    metadata = table.schema.metadata or {}
    if _ABOUT not in metadata:
        raise ValueError(f"{path} is no sealed prediction log")
    fields, damaged = orjson.loads(metadata[_ABOUT])
    return Logged(ServedRelease(**fields), table.replace_schema_metadata(None), damaged=damaged)


def span(found: Logged) -> layout.Span | None:
    """The times of the first and the last of *found*'s records."""
    if not found.table.num_rows:
        return None
    times = pc.min_max(found.table.column("time")).as_py()
    return times["min"], times["max"]


def _fields(served: ServedRelease) -> dict[str, str | int | None]:
    return {name: getattr(served, name) for name in ("model", "environment", "version", "digest")}


def _table(lines: bytes, features: Sequence[tuple[str, str]]) -> pa.Table:
    options = pyarrow.json.ParseOptions(explicit_schema=_schema(features), unexpected_field_behavior="ignore")
    reading = pyarrow.json.ReadOptions(block_size=_BLOCK, use_threads=False)
    table: pa.Table = pyarrow.json.read_json(pa.BufferReader(lines), read_options=reading, parse_options=options)
    return _seen(table)


def _seen(table: pa.Table) -> pa.Table:
    """*table* with its times as times."""
    place = table.schema.get_field_index("time")
    times = table.column("time").cast(pa.timestamp("us", tz="UTC"))
    return table.set_column(place, "time", times)


def _schema(features: Sequence[tuple[str, str]]) -> pa.Schema:
    return pa.schema(
        [
            ("time", pa.int64()),
            ("request_id", pa.string()),
            ("row", pa.int32()),
            ("entity", pa.string()),
            ("score", pa.list_(pa.float64())),
            ("decision", pa.string()),
            ("features", pa.struct([(name, _TYPES[kind]) for name, kind in features])),
        ]
    )
