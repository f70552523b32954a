"""Avro's files as sources: each value to its last digit, whoever wrote it and however; what is no table, or damaged, in one line."""

import datetime
import io
import json
import sys
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import fastavro
import pyarrow.parquet as pq
import pytest

from argosy import errors
from argosy.adapters.duckdb_tables.row_eraser import DuckDBRowEraser
from argosy.adapters.duckdb_tables.tables import DuckDBTables
from argosy.domain.source_settings import Source
from argosy.ml import avro_file
from argosy.ml.avro_file import AvroFile

SYNC = b"0123456789abcdef"
KEY = {"name": "id", "type": "long"}
Field = dict[str, Any]


def meaning(kind: str, logical: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "logicalType": logical, **more}


def schema(*fields: Field) -> dict[str, Any]:
    return {"type": "record", "name": "Row", "namespace": "some.where", "fields": [KEY, *fields]}


def encoded(kind: Any, *values: Any) -> bytes:
    stream = io.BytesIO()
    for value in values:
        fastavro.schemaless_writer(stream, kind, value)
    return stream.getvalue()


def stored(kind: Any) -> Any:
    """*kind* without what its values mean, so that a test can write numbers and bytes that mean something odd."""
    if isinstance(kind, list):
        return [stored(each) for each in kind]
    if isinstance(kind, dict):
        return {name: stored(each) for name, each in kind.items() if name not in ("logicalType", "precision", "scale")}
    return kind


def written(file: Path, said: Any, *blocks: Sequence[Any], **metadata: bytes) -> Path:
    """*file*, with the schema that is *said* and the records of each block as they are stored."""
    head = {"avro.schema": json.dumps(said).encode(), "avro.codec": b"null", **metadata}
    content = avro_file.MAGIC + encoded({"type": "map", "values": "bytes"}, head) + SYNC
    body = stored(said)
    if isinstance(body, dict) and "fields" in body:
        body = {**body, "fields": [{"name": each["name"], "type": stored(each["type"])} for each in said["fields"]]}
    kind = fastavro.parse_schema(body)
    for rows in blocks:
        content += encoded("long", len(rows)) + encoded("bytes", encoded(kind, *rows)) + SYNC
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return file


def source(kinds: dict[str, str], **place: Any) -> Source:
    """Nullable columns by name and type; a time that says no zone is one of Berlin."""
    columns = [
        {"name": name, "type": kind, "meaning": "Something.", "nullable": True}
        | ({"timezone": "Europe/Berlin"} if kind == "timestamp" else {})
        for name, kind in kinds.items()
    ]
    moment = "2020-01-01T00:00:00Z"
    return Source.model_validate(
        {
            "name": "rows",
            "entity": ["id"],
            "observed_at": moment,
            "columns": columns,
            **(place or {"file": "rows.avro"}),
        }
    )


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., list[dict[str, Any]]]:
    """The rows of a file or folder by a contract, in the order of their ids."""

    def rows(place: Path, kinds: dict[str, str], **more: Any) -> list[dict[str, Any]]:
        kept, rejected = tmp_path / "kept.parquet", tmp_path / "rejected.parquet"
        DuckDBTables().snapshot(source({"id": "integer", **kinds}, **more), [], place, kept=kept, rejected=rejected)
        return sorted(pq.read_table(kept).to_pylist(), key=lambda row: row["id"])

    return rows


@pytest.mark.parametrize(
    ("kind", "value", "contract", "found"),
    [
        pytest.param("int", -(2**31), "integer", -(2**31), id="int"),
        pytest.param(["long", "null"], 2**63 - 1, "integer", 2**63 - 1, id="long"),
        pytest.param("float", 0.5, "number", 0.5, id="float"),
        pytest.param("double", float("nan"), "number", None, id="nan"),
        pytest.param("boolean", True, "boolean", True, id="boolean"),
        pytest.param("string", "Zoë 🙂", "string", "Zoë 🙂", id="string"),
        pytest.param({"type": "enum", "name": "E", "symbols": ["A", "B"]}, "B", "string", "B", id="enum"),
        pytest.param("null", None, "string", None, id="null"),
        pytest.param(meaning("int", "date"), 19_813, "timestamp", "2024-03-30 23:00:00+00:00", id="date"),
        pytest.param(meaning("long", "timestamp-millis"), 253402300799999, "timestamp", "9999-12-31 23:59:59.999000+00:00", id="ms"),
        pytest.param(meaning("long", "timestamp-micros"), -62135596800000000, "timestamp", "0001-01-01 00:00:00+00:00", id="us"),
        pytest.param(meaning("long", "timestamp-nanos"), 1711846800123456000, "timestamp", "2024-03-31 01:00:00.123456+00:00", id="ns"),
        pytest.param(
            meaning("long", "local-timestamp-millis"),
            1711846800123, "timestamp", "2024-03-31 00:00:00.123000+00:00", id="local",
        ),
        pytest.param(
            meaning("long", "local-timestamp-nanos"), 1711843200000001000,
            "timestamp", "2024-03-30 23:00:00.000001+00:00", id="local-ns",
        ),
        pytest.param(
            meaning("bytes", "decimal", precision=38, scale=4),
            (10**37 + 1).to_bytes(16, "big"), "string", f"1{'0' * 33}.0001", id="decimal",
        ),
        pytest.param(
            meaning("fixed", "decimal", precision=10, scale=2, size=5, name="F"),
            (-5).to_bytes(5, "big", signed=True), "number", -0.05, id="fixed",
        ),
        pytest.param(
            meaning("bytes", "decimal", precision=60, scale=2),
            (10**55).to_bytes(30, "big"), "string", f"1{'0' * 53}.00", id="longest",
        ),
        pytest.param(meaning("fixed", "uuid", size=16, name="F"), uuid.UUID(int=7).bytes, "string", str(uuid.UUID(int=7)), id="uuid"),
        pytest.param(["null", "string", "long"], 2**60, "string", str(2**60), id="union"),
        pytest.param(["double", "string", "boolean"], "7", "integer", 7, id="union-of-words"),
        pytest.param(["int", "null", "long"], 2**40, "integer", 2**40, id="wider"),
        pytest.param(meaning("string", "money"), "7 EUR", "string", "7 EUR", id="somebody's-own"),
    ],
)  # fmt: skip
def test_values_keep_every_digit(
    read: Callable[..., Any], tmp_path: Path, kind: Any, value: Any, contract: str, found: Any
) -> None:
    """By the type and the logical type of its field; a missing value is one."""
    said = schema(
        {"name": "x", "type": kind}, {"name": "again", "type": ["null", kind["name"]] if "name" in kind else "null"}
    )
    (row,) = read(
        written(tmp_path / "rows.avro", said, [{"id": 1, "x": value, "again": None}]),
        {"x": contract, "again": "string"},
    )
    assert (str(row["x"]) if isinstance(row["x"], datetime.datetime) else row["x"]) == found
    assert row["again"] is None


@pytest.mark.parametrize("codec", ["null", "deflate", "bzip2", "xz", "snappy", "zstandard"])
def test_blocks_of_each_codec(
    read: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, codec: str
) -> None:
    """In batches that are smaller than a block and larger, all rows once, in the file's order; only the contract's fields are columns."""
    if codec == "zstandard":
        pytest.importorskip("backports.zstd")  # Argosy does not bring it: clients of HTTP would ask servers for it, too
    monkeypatch.setattr(avro_file, "BATCH_ROWS", 7)
    file, said = (
        tmp_path / "rows.avro",
        schema({"name": "Id", "type": "string"}, {"name": "deep", "type": {"type": "map", "values": "long"}}),
    )
    rows = [{"id": number, "Id": "-", "deep": {"x": number}} for number in range(100)]
    for interval in (1, 100_000):
        with file.open("wb") as stream:
            fastavro.writer(stream, said, rows, codec=codec, sync_interval=interval)
        assert [row["id"] for row in read(file, {})] == list(range(100))
        assert AvroFile("-", lambda: file.open("rb"), ["id"]).rows() == 100


@pytest.mark.parametrize(
    ("kind", "value", "told"),
    [
        pytest.param(
            {"type": "record", "name": "A", "fields": [{"name": "city", "type": "string"}]},
            {"city": "-"}, "'x' is a record of city; .*columns of their own", id="record",
        ),
        pytest.param({"type": "array", "items": "long"}, [], "'x' is a list", id="list"),
        pytest.param(["null", "string", "bytes"], None, "'x' is a union of null, string, bytes", id="union"),
        pytest.param(["string", meaning("long", "timestamp-micros")], "-", "'x' is a union of string, timestamp-micros", id="moments"),
        pytest.param(["null", "Row"], None, r"'x' is a record \(some.where.Row\)", id="recursive"),
        pytest.param("bytes", b"", "'x' .* is BLOB, .*have it written as text", id="bytes"),
        pytest.param(meaning("int", "time-millis"), 0, "'x' .* is TIME, .*have it written as text", id="time"),
        pytest.param(
            meaning("bytes", "decimal", precision=3, scale=1),
            (12345).to_bytes(2, "big"), "'x' is none of its type, decimal128.3, 1.: it has more digits", id="digits",
        ),
        pytest.param(meaning("long", "timestamp-millis"), 2**60, "'x' is none of its type", id="beyond-time"),
    ],
)  # fmt: skip
def test_what_is_no_column_is_said_by_its_name(
    read: Callable[..., Any], tmp_path: Path, kind: Any, value: Any, told: str
) -> None:
    """Parts of values, unions that mean several things, bytes, more digits than are stated; out of the contract it is no matter."""
    file = written(tmp_path / "rows.avro", schema({"name": "x", "type": kind}), [{"id": 1, "x": value}])
    with pytest.raises(errors.Rejected, match=told):
        read(file, {"x": "string"})
    assert len(read(file, {})) == 1


def test_damage_is_said_with_its_place(read: Callable[..., Any], tmp_path: Path) -> None:
    """Broken off anywhere but between two blocks, bytes of another kind, a file of another kind: in one line, and never fewer rows."""
    file = written(tmp_path / "rows.avro", schema(), [{"id": 1}, {"id": 2}], [{"id": 3}])
    content = file.read_bytes()
    for length in (len(content) - 1, len(content) - 17, len(content) - 18):
        file.write_bytes(content[:length])
        with pytest.raises(errors.Rejected, match=r"after row 2[,:].* write it anew"):
            read(file, {})
    for odd, told in (
        (content + b"\x02", "breaks off after row 3"),
        (content + b"\x80", "cannot be read after row 3"),
        (content[:-18] + b"\x04" + content[-17:], "cannot be read after row 2: it is damaged there"),
        (content.replace(b"long", b"lung"), "its schema cannot be understood"),
        (b"id\n1\n", "is no file of Avro's objects; say its `format`"),
    ):
        file.write_bytes(odd)
        with pytest.raises(errors.Rejected, match=told):
            read(file, {})
    written(file, schema(), [{"id": 1}], somebody=b"\xff\xfe")
    with pytest.raises(errors.Rejected, match="its head has something that is no text"):
        read(file, {})
    with pytest.raises(errors.Rejected, match="its rows are long, and have to be records"):
        read(written(file, "long", [1]), {})
    with pytest.raises(errors.Rejected, match=r"compressed by 'squash'; of Avro's codecs null, .* are read"):
        read(written(file, schema(), [{"id": 1}], **{"avro.codec": b"squash"}), {})


def test_more_in_a_block_than_it_says(read: Callable[..., Any], tmp_path: Path) -> None:
    """Rows that nobody counted are not left behind without a word."""
    file = written(tmp_path / "rows.avro", schema(), [{"id": 1}, {"id": 2}])
    content = file.read_bytes()
    at = content.index(SYNC) + len(SYNC)
    file.write_bytes(content[:at] + encoded("long", 1) + content[at + 1 :])
    with pytest.raises(errors.Rejected, match="the block that ends with row 1 has more in it"):
        read(file, {})


def test_a_codec_that_lacks_its_package(
    read: Callable[..., Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Said by the package's name; so is the library itself."""
    file = written(tmp_path / "rows.avro", schema(), [{"id": 1}], **{"avro.codec": b"lz4"})
    monkeypatch.setitem(sys.modules, "lz4.block", None)
    with pytest.raises(errors.Misconfigured, match=r"compressed by lz4, which lz4 reads.*install lz4 beside Argosy"):
        read(file, {})
    monkeypatch.setitem(sys.modules, "fastavro", None)
    with pytest.raises(errors.Misconfigured, match=r"is Avro, .*install fastavro beside Argosy"):
        read(file, {})


def test_partitions_whose_schemas_differ(read: Callable[..., Any], tmp_path: Path) -> None:
    """A field that came later, a type that changed, a column that the path alone has; rows are counted without being read."""
    folder = tmp_path / "calls"
    place = {"folder": "calls"}
    written(folder / "day=1" / "a.avro", schema(), [{"id": 1}], [{"id": 2}])
    written(folder / "day=2" / "b.avro", schema({"name": "x", "type": "long"}), [{"id": 3, "x": 2**60}])
    written(
        folder / "day=3" / "c.avro", schema({"name": "x", "type": ["null", "string", "long"]}), [{"id": 4, "x": "5"}]
    )
    found = read(folder, {"x": "integer", "day": "integer"}, **place)
    assert [(row["id"], row["x"], row["day"]) for row in found] == [
        (1, None, 1),
        (2, None, 1),
        (3, 2**60, 2),
        (4, 5, 3),
    ]
    written(folder / "day=3" / "c.avro", schema({"name": "x", "type": "string"}), [{"id": 4, "x": "five"}])
    with pytest.raises(errors.Rejected, match=r"row 1 of day=3/c.avro it says 'five'"):
        read(folder, {"x": "integer"}, **place)
    (folder / "d.csv").write_text("id,x\n1,2\n")
    with pytest.raises(
        errors.Misconfigured, match=r"holds CSV \(d.csv\) and Avro \(day=1/a.avro\); partitions are of one kind"
    ):
        read(folder, {}, **place)


def test_parts_are_named_by_what_is_in_them(tmp_path: Path) -> None:
    """A part that is the same has the same digest wherever it lies, and another one another."""
    asked, digests = source({"id": "integer"}, folder="calls"), []
    for number, place in enumerate((1, 1, 2)):
        folder, into = tmp_path / str(number) / "calls", tmp_path / f"into-{number}"
        into.mkdir()
        written(folder / "a.avro", schema(), [{"id": place}])
        (piece,) = DuckDBTables().parts(asked, [], folder, into)
        assert pq.read_table(piece.file())["id"].to_pylist() == [place]
        digests.append(piece.digest)
    assert digests[0] == digests[1] != digests[2]


def test_one_person_is_found_although_blocks_are_compressed(tmp_path: Path) -> None:
    """The number of the person's rows, by each join key; a file without one of the keys has none."""
    file = tmp_path / "rows.avro"
    with file.open("wb") as stream:
        fastavro.writer(
            stream,
            schema({"name": "shop", "type": "string"}),
            [{"id": n, "shop": "A"} for n in range(5)],
            codec="deflate",
        )
    eraser = DuckDBRowEraser()
    assert [
        eraser.holds(file, each) for each in ({"id": "3"}, {"id": "3", "shop": "A"}, {"id": "9"}, {"other": "3"})
    ] == [1, 1, 0, 0]
