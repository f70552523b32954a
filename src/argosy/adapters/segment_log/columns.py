"""Turns the records of a segment into columns, by hour, and columns into Parquet and back.

pyarrow is imported by nobody else of this package, and only once there is something to ship or to read.
"""

import datetime
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json
import pyarrow.parquet as pq

from argosy.adapters.segment_log import blocks, framing, layout, segments
from argosy.ports.prediction_log import Logged, SegmentRef, ServedRelease

_ABOUT = b"argosy.served"
_TYPES = {"number": pa.float64(), "category": pa.string()}
_BLOCK = 1 << 24
"""Bytes the JSON reader looks at in one piece, unless a line is longer: that of a large request to a wide model may be."""

HOUR = 3600


@dataclass(frozen=True, slots=True)
class HourOfSegment:
    """The records of a segment that are of one hour."""

    ref: SegmentRef
    coded: Logged
    """The records, each text as the place of one in a dictionary: so they lie in Parquet, and nobody else wants them."""

    @property
    def found(self) -> Logged:
        """The records."""
        return _plain_texts(self.coded)


def logged(content: framing.SegmentContent) -> Logged:
    """All of *content*, which has a head. Raises ValueError where it is none of ours."""
    return _plain_texts(_coded(content))


def _coded(content: framing.SegmentContent) -> Logged:
    served, features = segments.about(content.payloads[0])
    payloads = content.payloads[1:]
    if not payloads:
        table = _seen(_schema(features).empty_table())
    else:
        table = _table(b"".join(payloads), features) if content.lines else _of_blocks(payloads, features)
    return Logged(served, table, damaged=content.damaged)


def _plain_texts(found: Logged) -> Logged:
    """*found*, with texts as texts."""
    inner = found.table.schema.field("features").type
    features = [(field.name, "number" if pa.types.is_float64(field.type) else "category") for field in inner]
    return replace(found, table=found.table.cast(_seen(_schema(features).empty_table()).schema))


def hours(content: framing.SegmentContent) -> list[HourOfSegment]:
    """*content* by hour: one, unless an hour ended while a batch was taken, or its writer's clock was set. Raises ValueError where it is
    none of ours."""
    if content.begun_only or (content.headed and not content.payloads):
        return []
    if not content.headed or not content.payloads:
        raise ValueError("its head is damaged, which says what its records are about")
    whole = _coded(content)
    # Of the records rather than of the Parquet file, which another version of Arrow would write otherwise.
    hashed = hashlib.sha256()
    for payload in content.payloads:
        hashed.update(payload)
    by_hour = list(_by_hour(whole.table))
    return [
        HourOfSegment(
            _ref(whole.served, hour, hashed.copy()),
            # Of which hour the damaged records were is not known: what a kill tears is of the last.
            replace(whole, table=table, damaged=whole.damaged if place == len(by_hour) else 0),
        )
        for place, (hour, table) in enumerate(by_hour, 1)
    ]


def packed(found: Logged) -> bytes:
    """*found*, whose texts may be coded, as Parquet."""
    table = found.table.replace_schema_metadata(None)
    if not table.schema.field("features").type.num_fields:
        table = table.drop_columns("features")  # a group without columns is nothing that Parquet can hold
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(
        sink,
        table.schema,
        compression="zstd",
        write_page_checksum=True,
        use_dictionary=_repeating(table.schema),
        write_statistics=["time"],  # of others nobody looks for a range
        store_schema=False,  # else who reads it gets dictionaries for texts
    ) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata({_ABOUT: orjson.dumps([_fields(found.served), found.damaged])})
    return bytes(sink.getvalue())


def _repeating(schema: pa.Schema) -> list[str]:
    """Columns whose values repeat. For numbers, which rarely do, trying a dictionary takes four times as long, and a tenth more room."""
    features = schema.field("features").type if "features" in schema.names else []
    return [
        "request_id",
        "decision",
        *(f"features.{field.name}" for field in features if not pa.types.is_float64(field.type)),
    ]


def unpacked(content: bytes) -> Logged:
    """What :func:`packed` packed. Raises ValueError where it is something else, or damaged."""
    try:
        reading = pq.ParquetFile(pa.BufferReader(content), page_checksum_verification=True)
        table = reading.read(use_threads=False)
        fields, damaged = orjson.loads((table.schema.metadata or {}).get(_ABOUT, b""))
        if "features" not in table.schema.names:
            table = table.append_column("features", _no_features(table.num_rows))
        found = Logged(ServedRelease(**fields), table.replace_schema_metadata(None), damaged=damaged)
    except (
        OSError,
        TypeError,
        MemoryError,
        pa.ArrowException,
    ) as error:  # no file is read here: all of it is the content's fault
        raise ValueError(str(error)) from error
    if not _is_log(table.schema):
        raise ValueError("its columns are not those of a prediction log")
    return found


def _is_log(schema: pa.Schema) -> bool:
    """True for the columns that :func:`packed` writes, whatever the features."""
    fixed = _seen(_schema([]).empty_table()).schema
    features = schema.field("features").type if "features" in schema.names else None
    return (
        features is not None
        and pa.types.is_struct(features)
        and all(field.type in _TYPES.values() for field in features)
        and [*map(_plain, schema.remove(schema.get_field_index("features")))]
        == [*map(_plain, fixed.remove(fixed.get_field_index("features")))]
    )


def _plain(field: pa.Field) -> tuple[str, str]:
    return field.name, str(field.type).replace("element", "item")  # as Parquet and as Arrow call what is in a list


def unreadable(ref: SegmentRef) -> Logged:
    """No records, and one damaged part."""
    served = ServedRelease(ref.model, ref.environment, ref.version, ref.digest)
    return Logged(served, _seen(_schema([]).empty_table()), damaged=1)


def _ref(served: ServedRelease, hour: datetime.datetime, hashed: "hashlib._Hash") -> SegmentRef:
    hashed.update(hour.isoformat().encode())
    name = layout.name(served.digest, hashed.hexdigest())
    return SegmentRef(served.model, served.environment, served.version, served.digest, hour, name)


def _by_hour(table: pa.Table) -> Iterator[tuple[datetime.datetime, pa.Table]]:
    ends = pc.min_max(table["time"].cast(pa.int64()))  # a time as such imports pandas, too
    first, last = (_hour_of(ends[end].as_py()) for end in ("min", "max"))
    if first is None or first == last:  # nearly always, and then no row is looked at by itself
        yield from [(first, table)] if first else []
        return
    begins = pc.floor_temporal(table["time"], unit="hour").cast(pa.int64())
    # Compared as what Arrow has: a number of Python's imports pandas as well.
    for begin in sorted(pc.unique(begins), key=lambda begin: int(begin.as_py())):
        if hour := _hour_of(begin.as_py()):
            yield hour, table.filter(pc.equal(begins, begin))


def _hour_of(microseconds: int | None) -> datetime.datetime | None:
    """When the hour begins in which the moment is, *microseconds* after 1970 began."""
    if microseconds is None:
        return None
    return datetime.datetime.fromtimestamp(microseconds // 1_000_000 // HOUR * HOUR, datetime.UTC)


def _fields(served: ServedRelease) -> dict[str, str | int | None]:
    return {name: getattr(served, name) for name in ("model", "environment", "version", "digest")}


def _of_blocks(payloads: Sequence[bytes], features: Sequence[tuple[str, str]]) -> pa.Table:
    """The rows of blocks: their columns, one after another."""
    found, counts_of, times_of, firsts_of = [], [], [], []
    for payload in payloads:
        block = blocks.read(payload, features)
        found.append(block)
        counts_of.append(np.array(block.counts, np.int64))
        times_of.append(np.array(block.times, np.int64))
        firsts_of.append(np.array(block.first_rows, np.int64))
    counts = np.concatenate(counts_of)
    request = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    numbers = np.concatenate([block.numbers for block in found], axis=1)
    words = _words([block.words for block in found], [block.codes for block in found])
    decisions, texts = words[0], iter(words[1:])
    values = iter(numbers)
    kept = [
        _array(row := next(values), absent=np.isnan(row)) if kind == "number" else next(texts) for _, kind in features
    ]
    schema = _schema(features)
    places = np.arange(len(request)) - np.repeat(np.cumsum(counts) - counts - np.concatenate(firsts_of), counts)
    times = np.concatenate(times_of)
    ids = _strings(list(chain.from_iterable(block.request_ids for block in found)))
    table = pa.table(
        [
            _array(np.repeat(times, counts)),
            pa.DictionaryArray.from_arrays(_array(request), ids),
            _array(places.astype(np.int32)),
            _entities(found),
            _scores(found),
            decisions,
            pa.StructArray.from_arrays(kept, names=[name for name, _ in features])
            if kept
            else _no_features(len(request)),
        ],
        names=schema.names,
    )
    return _seen(table)


def _no_features(rows: int) -> pa.Array:
    """What is kept of *rows* of which no feature may be."""
    return pa.Array.from_buffers(pa.struct([]), rows, [None])


# pa.array imports pandas, where it is installed: 0.4 s of CPU, and 50 MiB from then on. So what it would make is made of its buffers.
def _array(values: npt.NDArray[Any], absent: npt.NDArray[np.bool_] | None = None) -> pa.Array:
    """*values*, those that are *absent* as null."""
    content = pa.py_buffer(np.ascontiguousarray(values))
    return pa.Array.from_buffers(pa.from_numpy_dtype(values.dtype), len(values), [_known(absent), content])


def _strings(values: Sequence[str | None]) -> pa.Array:
    """*values*, None as null."""
    encoded = [b"" if value is None else value.encode() for value in values]
    ends = np.cumsum([0, *map(len, encoded)], dtype=np.int32)
    absent = np.array([value is None for value in values], np.bool_) if None in values else None
    content = [_known(absent), pa.py_buffer(ends), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.string(), len(values), content)


def _known(absent: npt.NDArray[np.bool_] | None) -> pa.Buffer | None:
    return None if absent is None or not absent.any() else pa.py_buffer(np.packbits(~absent, bitorder="little"))


def _words(words: Sequence[Sequence[Sequence[str | None]]], codes: Sequence[blocks.Codes]) -> list[pa.Array]:
    """For each column that has codes its values, the blocks' one after another, as places in a dictionary."""
    columns = []
    for column in range(len(codes[0])):
        if all(
            known[column] == words[0][column] for known in words
        ):  # nearly always, and then no block is looked at by itself
            columns.append(_dictionary(words[0][column], np.concatenate([found[column] for found in codes])))
            continue
        places: dict[str | None, int] = {}
        meant = [
            np.array([places.setdefault(word, len(places)) for word in known[column]], np.int32)[found[column]]
            if known[column]
            else found[column]
            for known, found in zip(words, codes, strict=True)
        ]
        columns.append(_dictionary(list(places), np.concatenate(meant)))
    return columns


def _dictionary(words: Sequence[str | None], codes: blocks.Codes) -> pa.Array:
    """The *words* that *codes* mean. Raises ValueError where one means none."""
    if len(codes) and not 0 <= codes.min() <= codes.max() < len(words):
        raise ValueError("a code means no word")
    absent = codes == words.index(None) if None in words else None
    known = _strings([word or "" for word in words])
    return pa.DictionaryArray.from_arrays(_array(codes, absent=absent), known)


def _entities(found: Sequence[blocks.RecordBlock]) -> pa.Array:
    if not any(block.entities for block in found):
        return pa.nulls(sum(map(sum, (block.counts for block in found))), pa.string())
    given = (block.entities or [None] * sum(block.counts) for block in found)
    return _strings(list(chain.from_iterable(given)))


def _scores(found: Sequence[blocks.RecordBlock]) -> pa.Array:
    values = _array(np.concatenate([block.scores for block in found]))
    same = found[0].widths
    if len(same) == 1 and all(block.widths == same for block in found):  # nearly always
        ends = np.arange(sum(sum(block.counts) for block in found) + 1, dtype=np.int32) * np.int32(same[0])
        return pa.ListArray.from_arrays(_array(ends), values)
    widths = [
        np.repeat(np.array(block.widths, np.int32), sum(block.counts) if len(block.widths) == 1 else 1)
        for block in found
    ]
    offsets = np.concatenate([np.zeros(1, np.int32), np.cumsum(np.concatenate(widths), dtype=np.int32)])
    return pa.ListArray.from_arrays(_array(offsets), values)


def _table(lines: bytes, features: Sequence[tuple[str, str]]) -> pa.Table:
    options = pyarrow.json.ParseOptions(explicit_schema=_schema_of_lines(features), unexpected_field_behavior="ignore")
    longest = max(map(len, lines.splitlines()))
    reading = pyarrow.json.ReadOptions(block_size=max(_BLOCK, longest + 1), use_threads=False)
    table: pa.Table = pyarrow.json.read_json(pa.BufferReader(lines), read_options=reading, parse_options=options)
    return _seen(_rows(table.combine_chunks(), features))


def _rows(table: pa.Table, features: Sequence[tuple[str, str]]) -> pa.Table:
    """*table*, which has a request a row, with a row a row."""
    scores = table["score"].combine_chunks()
    request = pc.list_parent_indices(scores)
    begins = pc.take(scores.offsets.cast(pa.int64()), request)
    place = pc.subtract(_array(np.arange(len(request), dtype=np.int64)), begins)
    inner = table["features"].combine_chunks()
    columns = [pc.list_flatten(inner.field(name)) for name, _ in features]
    schema = _schema(features)
    kept = pa.StructArray.from_arrays(columns, fields=list(schema.field("features").type))
    return pa.table(
        [
            pc.take(table["time"], request),
            pc.take(table["request_id"], request),
            pc.add(pc.take(table["row"], request), place.cast(pa.int32())),
            pc.list_flatten(table["entity"]),
            pc.list_flatten(scores),
            pc.list_flatten(table["decision"]),
            kept if columns else _no_features(len(request)),
        ],
        schema=schema,
    )


def _schema_of_lines(features: Sequence[tuple[str, str]]) -> pa.Schema:
    schema = _schema(features)
    inner = pa.struct([(name, pa.list_(_TYPES[kind])) for name, kind in features])
    types = {
        **{name: schema.field(name).type for name in ("time", "request_id", "row")},
        **{name: pa.list_(schema.field(name).type) for name in ("entity", "score", "decision")},
        "features": inner,
    }
    return pa.schema(types.items())


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
