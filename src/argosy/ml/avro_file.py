"""Reads Avro's files of objects, block by block, as batches whose columns are fields of their records.

Values keep every digit: those of logical types are taken as the numbers and bytes that they are stored as, and become Arrow's here, a
column at a time. fastavro would make an object of each, round a decimal to the digits that its type states, and knows neither nanoseconds
nor moments outside the years 1 to 9999.
"""

import contextlib
import decimal
import itertools
import math
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any, BinaryIO

import pyarrow as pa

from argosy import errors

MAGIC = b"Obj\x01"
BATCH_ROWS = 5_000
BATCH_BYTES = 4 * 2**20
"""Of blocks as they lie in the file, from which on a batch is handed on although it has fewer rows."""
NO_COLUMN = "argosy_no_column"
"""Of rows of which no column is wanted."""
CODECS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        **dict.fromkeys(("null", "deflate", "bzip2", "xz"), ()),
        "snappy": ("cramjam",),
        "zstandard": ("backports.zstd", "compression.zstd"),
        "lz4": ("lz4.block",),
    }
)
"""How blocks may be compressed, and the modules of which each needs one beside fastavro."""
RECORDS = ("record", "error")
NAMED = ("enum", "fixed")
"""Kinds without parts that are defined once and named afterwards."""
PLAIN: Mapping[str, pa.DataType] = MappingProxyType(
    {
        "boolean": pa.bool_(),
        "int": pa.int32(),
        "long": pa.int64(),
        "float": pa.float32(),
        "double": pa.float64(),
        "string": pa.string(),
        "enum": pa.string(),
        "bytes": pa.binary(),
        "fixed": pa.binary(),
    }
)
LOGICAL: Mapping[tuple[str, str], pa.DataType] = MappingProxyType(
    {
        ("int", "date"): pa.date32(),
        ("int", "time-millis"): pa.time32("ms"),
        ("long", "time-micros"): pa.time64("us"),
        ("long", "timestamp-millis"): pa.timestamp("ms", "UTC"),
        ("long", "timestamp-micros"): pa.timestamp("us", "UTC"),
        ("long", "timestamp-nanos"): pa.timestamp("ns", "UTC"),
        ("long", "local-timestamp-millis"): pa.timestamp("ms"),
        ("long", "local-timestamp-micros"): pa.timestamp("us"),
        ("long", "local-timestamp-nanos"): pa.timestamp("ns"),
    }
)
"""By kind and logical type, as https://avro.apache.org/docs/1.12.0/specification/#logical-types has them."""
WIDER = ((("int", "long"), "long"), (("float", "double"), "double"), (("string", "enum"), "string"))
"""Kinds of a union whose values all are of one of them."""
IN_TEXT = ("boolean", "int", "long", "float", "double", "string", "enum")
"""Kinds whose unions are read as text."""
LONGEST_DECIMAL = 38
"""Digits of the longest decimal that DuckDB has; a longer one is text."""
DECIMAL_BYTES = 16
"""Of a decimal of Arrow, little end first."""


@dataclass(frozen=True)
class _Field:
    """What the values of one field become."""

    kind: pa.DataType
    array: Callable[[Sequence[Any]], pa.Array]
    is_text: bool = False
    """True where the values are of several kinds, or of more digits than a number has, and a contract says what they are."""


class AvroFile:
    """One file, of whose fields some are columns. *place*: it, in messages; *opened*: opens it, each time from its first byte."""

    def __init__(
        self,
        place: str,
        opened: Callable[[], AbstractContextManager[BinaryIO]],
        wanted: Collection[str] | None = None,
        *,
        why: str = "a column of the contract is one value",
    ) -> None:
        """Read its head. *wanted*: the fields that have to be columns, for the reason *why*; None: those that can be.

        Raises Rejected where it is none, or what is wanted no single value; Misconfigured where a package is lacking.
        """
        self._opened, self._place = opened, place
        head = self._head()
        self._demand_codec(head.codec)
        names: dict[str, Any] = {}
        self._stored = _stored(head.writer_schema, names)
        if _kind(self._stored) not in RECORDS:
            raise errors.Rejected(
                f"{self._place}: its rows are {_said(self._stored)}, and have to be records, whose fields are columns"
            )
        fields = {each["name"]: _field(each["type"], names) for each in head.writer_schema["fields"]}
        self.names = list(fields)
        """The fields of its records."""
        self.left_out = {name: each for name, each in fields.items() if isinstance(each, str)}
        """Fields that are no single values, each with what it is, in words."""
        problems = [
            f"{self._place}: column {name!r} is {each}; {why}: have its parts written as columns of their own, or leave it out"
            for name, each in self.left_out.items()
            if wanted is not None and name in wanted
        ]
        if problems:
            raise errors.Rejected(errors.listed(problems))
        self._columns = {
            name: each
            for name, each in fields.items()
            if isinstance(each, _Field) and (wanted is None or name in wanted)
        }

    @property
    def schema(self) -> pa.Schema:
        """Of the columns."""
        found = [pa.field(name, each.kind) for name, each in self._columns.items()]
        return pa.schema(found or [pa.field(NO_COLUMN, pa.null())])

    @property
    def texts(self) -> frozenset[str]:
        """Columns that are text and may mean numbers."""
        return frozenset(name for name, each in self._columns.items() if each.is_text)

    def table(self) -> pa.Table:
        """All rows at once."""
        return pa.Table.from_batches(self.batches(), self.schema)

    def write_numbered(self, key: str, target: Path, first: int) -> int:
        """Write the file to *target* with a field *key* in front that numbers its records from *first*; returns how many there are.

        What is a column and what is not, and what values mean, stays as it is.
        """
        library, head, count = _library(self._place), self._head(), 0

        def numbered() -> Iterator[dict[str, Any]]:
            nonlocal count
            for block in self._blocks():
                before = count
                for part in self._records(block, before):
                    for record in part:
                        yield {key: first + count, **record}
                        count += 1

        schema = {**head.writer_schema, "fields": [{"name": key, "type": "long"}, *head.writer_schema["fields"]]}
        with target.open("wb") as stream:
            library.writer(stream, schema, numbered(), codec=head.codec)
        return count

    def rows(self) -> int:
        """How many rows it has; none of them is read."""
        return sum(block.num_records for block in self._blocks())

    def _head(self) -> Any:
        library = _library(self._place)
        with self._opened() as stream:
            if stream.read(len(MAGIC)) != MAGIC:
                raise errors.Rejected(
                    f"{self._place} is no file of Avro's objects; say its `format`, or write it as one"
                )
            stream.seek(0)
            try:
                # With a schema to read by, it forgives the defaults that old writers put into theirs; it is not read by.
                return library.block_reader(stream, reader_schema="null")
            except UnicodeDecodeError:
                raise errors.Rejected(
                    f"{self._place}: its head has something that is no text, such as metadata beside the schema; write it without them"
                ) from None
            except Exception as error:  # noqa: BLE001 - whatever its head makes of a parser
                raise errors.Rejected(
                    f"{self._place}: its schema cannot be understood: {errors.first_line(error)}"
                ) from None

    def _demand_codec(self, codec: str) -> None:
        if codec not in CODECS:
            raise errors.Rejected(
                f"{self._place} is compressed by {codec!r}; of Avro's codecs {', '.join(CODECS)} are read"
            )
        if CODECS[codec] and not any(map(_installed, CODECS[codec])):
            package = CODECS[codec][0].removesuffix(".block")
            raise _lacking(f"{self._place} is compressed by {codec}, which {package} reads", package)

    def _blocks(self) -> Iterator[Any]:
        library, before = _library(self._place), 0
        with self._opened() as stream:
            blocks = library.block_reader(stream, reader_schema="null")
            while True:
                with self._damage(before):
                    block = next(blocks, None)
                if block is None:
                    break
                yield block
                before += block.num_records

    def _records(self, block: Any, before: int) -> Iterator[list[dict[str, Any]]]:
        """The rows of *block* in parts: there are writers that make one block of a whole table."""
        block.writer_schema, block.reader_schema = self._stored, None
        rows = iter(block)
        while True:
            with self._damage(before):
                part = list(itertools.islice(rows, BATCH_ROWS))
            if not part:
                break
            yield part
            before += len(part)
        if block.bytes_.read(1):
            raise errors.Rejected(
                f"{self._place}: the block that ends with row {before:,} has more in it than the rows that it says; write it anew"
            )

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Its rows. Raises Rejected where it is damaged, with the place."""
        kept: list[dict[str, Any]] = []
        size = before = 0
        for block in self._blocks():
            for part in self._records(block, before):
                kept += part
                if len(kept) >= BATCH_ROWS:
                    yield from self._of_records(kept)
                    kept = []
            size, before = size + block.size, before + block.num_records
            if size >= BATCH_BYTES:
                yield from self._of_records(kept)
                kept, size = [], 0
        yield from self._of_records(kept)

    def _of_records(self, rows: Sequence[Mapping[str, Any]]) -> Iterator[pa.RecordBatch]:
        for first in range(0, len(rows), BATCH_ROWS):
            part = rows[first : first + BATCH_ROWS]
            columns = [self._array(name, each, [row[name] for row in part]) for name, each in self._columns.items()]
            yield pa.RecordBatch.from_arrays(columns or [pa.nulls(len(part))], schema=self.schema)

    def _array(self, name: str, field: _Field, values: Sequence[Any]) -> pa.Array:
        try:
            return field.array(values)
        except (OverflowError, pa.ArrowInvalid):
            raise errors.Rejected(
                f"{self._place}: a value of column {name!r} is none of its type, {field.kind}: it has more digits, or is beyond what that "
                "holds; have it written as another"
            ) from None

    @contextlib.contextmanager
    def _damage(self, before: int) -> Iterator[None]:
        """What a decoder says of damage quotes what it stumbled over, or speaks of an index: said is where it is."""
        try:
            yield
        except errors.Rejected:
            raise
        except EOFError:
            raise self._broken_off(before) from None
        except Exception as error:  # noqa: BLE001 - whatever damaged bytes make of a decoder; it is named
            raise errors.Rejected(
                f"{self._place} cannot be read after row {before:,}: it is damaged there ({type(error).__name__}); write it anew"
            ) from None

    def _broken_off(self, before: int) -> errors.Rejected:
        return errors.Rejected(
            f"{self._place} breaks off after row {before:,}, in the middle of a block; write it anew"
        )


def _library(place: str) -> ModuleType:
    try:
        import fastavro  # noqa: PLC0415 - most models read none
    except ImportError:
        raise _lacking(f"{place} is Avro, which fastavro reads", "fastavro") from None
    found: ModuleType = fastavro
    return found


def _installed(module: str) -> bool:
    try:
        __import__(module)
    except ImportError:
        return False
    return True


def _lacking(subject: str, package: str) -> errors.Misconfigured:
    return errors.Misconfigured(
        f"{subject}, and that is not installed here: install {package} beside Argosy; in a pod, in an image of your own for its "
        "family (images/images.lock)"
    )


def _kind(schema: Any) -> str:
    return "union" if isinstance(schema, list) else str(schema["type"] if isinstance(schema, dict) else schema)


def _stored(schema: Any, names: dict[str, Any]) -> Any:
    """*schema* without what its values mean, and with each enum and fixed where it is named; *names*: takes those that it defines."""
    if isinstance(schema, str):
        return _stored(names[schema], {}) if schema in names else schema
    if isinstance(schema, list):
        return [_stored(each, names) for each in schema]
    kind = schema["type"]
    if not isinstance(kind, str):
        return _stored(kind, names)
    if kind in RECORDS:
        return {
            **schema,
            "fields": [{"name": each["name"], "type": _stored(each["type"], names)} for each in schema["fields"]],
        }
    if kind in ("array", "map"):
        part = "items" if kind == "array" else "values"
        return {"type": kind, part: _stored(schema[part], names)}
    if kind in NAMED:
        names[schema["name"]] = schema
        return {name: value for name, value in schema.items() if name not in ("logicalType", "precision", "scale")}
    return kind


def _field(schema: Any, names: Mapping[str, Any]) -> _Field | str:
    """What the values of *schema* become; where they are no single values, what they are, in words."""
    branches = [_defined(each, names) for each in (schema if isinstance(schema, list) else [schema])]
    values = [each for each in branches if _kind(each) != "null"]
    if len(values) > 1:
        return _several([_kind(each) for each in values], branches)
    if not values:
        return _Field(pa.null(), lambda missing: pa.nulls(len(missing)))
    return _single(values[0])


def _defined(schema: Any, names: Mapping[str, Any]) -> Any:
    """*schema* where it is named, and not wrapped in another."""
    while isinstance(schema, dict) and not isinstance(schema["type"], str):
        schema = schema["type"]
    return names.get(schema, schema) if isinstance(schema, str) else schema


def _several(kinds: Sequence[str], branches: Sequence[Any]) -> _Field | str:
    meant = [each for each in branches if isinstance(each, dict) and each.get("logicalType")]
    if meant or not set(kinds) <= set(IN_TEXT):
        return f"a union of {', '.join(_said(each) for each in branches)}"
    for few, widest in WIDER:
        if set(kinds) <= set(few):
            return _of_plain(PLAIN[widest])
    return _Field(pa.string(), lambda values: pa.array([_text(each) for each in values], pa.string()), is_text=True)


def _single(schema: Any) -> _Field | str:
    kind = _kind(schema)
    if kind not in PLAIN:
        return _said(schema)
    logical = schema.get("logicalType") if isinstance(schema, dict) else None
    if kind in ("bytes", "fixed") and logical == "decimal":
        return _decimal(schema)
    if kind == "fixed" and logical == "uuid" and schema["size"] == DECIMAL_BYTES:
        return _Field(
            pa.string(),
            lambda values: pa.array([None if each is None else str(uuid.UUID(bytes=each)) for each in values]),
        )
    meant = LOGICAL.get((kind, str(logical)))
    return _of_plain(PLAIN[kind]) if meant is None else _of_number(PLAIN[kind], meant)


def _of_plain(kind: pa.DataType) -> _Field:
    return _Field(kind, lambda values: pa.array(values, kind))


def _of_number(stored: pa.DataType, meant: pa.DataType) -> _Field:
    # Milliseconds as microseconds: DuckDB would let those overflow.
    last = pa.timestamp("us", meant.tz) if pa.types.is_timestamp(meant) and meant.unit == "ms" else meant
    return _Field(last, lambda values: pa.array(values, stored).cast(meant).cast(last))


def _decimal(schema: Mapping[str, Any]) -> _Field:
    precision, scale = schema.get("precision"), schema.get("scale", 0)
    if not isinstance(precision, int) or not isinstance(scale, int) or not 0 <= scale <= precision or precision < 1:
        return _of_plain(pa.binary())  # what is not valid means nothing, says the specification
    if precision > LONGEST_DECIMAL:
        return _Field(
            pa.string(), lambda values: pa.array([_digits(each, scale) for each in values], pa.string()), is_text=True
        )
    return _Field(kind := pa.decimal128(precision, scale), lambda values: _decimals(values, kind))


def _decimals(values: Sequence[bytes | None], kind: Any) -> pa.Array:
    """The decimals of *kind* that *values* are, whole numbers of units of its scale, big end first."""
    numbers = [0 if each is None else int.from_bytes(each, "big", signed=True) for each in values]
    if any(abs(number) >= 10**kind.precision for number in numbers):
        raise OverflowError
    content = b"".join(number.to_bytes(DECIMAL_BYTES, "little", signed=True) for number in numbers)
    there = pa.array([each is not None for each in values]).buffers()[1]
    return pa.Array.from_buffers(kind, len(values), [there, pa.py_buffer(content)])


def _digits(value: bytes | None, scale: int) -> str | None:
    if value is None:
        return None
    number = int.from_bytes(value, "big", signed=True)
    digits = tuple(int(digit) for digit in str(abs(number)))
    return format(decimal.Decimal((int(number < 0), digits, -scale)), "f")


def _text(value: Any) -> str | None:
    """A value of a union as text; None where it is no number."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else repr(value)


def _said(schema: Any) -> str:
    """*schema* in words."""
    kind = _kind(schema)
    if kind in RECORDS and isinstance(schema, dict):
        names = [each["name"] for each in schema["fields"]]
        return f"a record of {', '.join(names[:5])}{', …' if len(names) > 5 else ''}"
    if kind == "union":
        return f"a union of {', '.join(_said(each) for each in schema)}"
    if isinstance(schema, dict) and schema.get("logicalType"):
        return str(schema["logicalType"])
    named = kind if kind in PLAIN or kind == "null" else f"a record ({kind})"
    return {"array": "a list", "map": "a map"}.get(kind, named)
