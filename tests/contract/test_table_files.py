"""All files of rows hold the contract, whether they lie in a folder or in a bucket."""

import io
from collections.abc import Iterator
from pathlib import Path

import fastavro
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from argosy import errors, wiring
from argosy.adapters.file_tables import FileTables
from argosy.adapters.s3.table_objects import S3Tables
from argosy.adapters.sql_tables import SqlTables
from argosy.domain import table_places
from argosy.scoring import parts
from argosy.testing.table_files_contract import TableFilesContract
from kit.s3_gateway import GATEWAY, s3_gateway
from kit.s3_server import KEYS, Buckets, s3_server


def _lead_to(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{endpoint}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEYS["access"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEYS["secret"])
    monkeypatch.setenv("AWS_REGION", "us-east-1")


@pytest.fixture
def buckets() -> Buckets:
    """What the object store holds: bucket to key to content."""
    return {"tables": {}}


@pytest.fixture
def bucket(buckets: Buckets, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URI of a prefix in a bucket, with the surroundings that lead there."""
    with s3_server(buckets) as endpoint:
        _lead_to(endpoint, monkeypatch)
        yield "s3://tables/team/customers"


class TestFileTables(TableFilesContract):
    """A folder of this machine."""

    @pytest.fixture
    def files(self, tmp_path: Path) -> FileTables:
        """One that does not exist yet."""
        return FileTables(tmp_path / "the tables")


class TestS3Tables(TableFilesContract):
    """A bucket, as a small server in this process has it."""

    @pytest.fixture
    def files(self, bucket: str) -> S3Tables:
        """An empty prefix."""
        return S3Tables(bucket, "--in")


@pytest.mark.skipif(GATEWAY is None, reason="versitygw, an S3 gateway, is not on PATH")
class TestTablesOfAGateway(TableFilesContract):
    """A bucket of a real gateway."""

    @pytest.fixture
    def files(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Tables]:
        """The whole of an empty bucket."""
        with s3_gateway(tmp_path, "tables") as endpoint:
            _lead_to(endpoint, monkeypatch)
            yield S3Tables("s3://tables", "--in")

    def test_avro_as_it_streams(self, files: S3Tables, tmp_path: Path) -> None:
        """Read by what its blocks need; a file that was laid into the gateway's folder has no version, and that is said."""
        schema = {"type": "record", "name": "Row", "fields": [{"name": "x", "type": ["null", "double"]}]}
        written = io.BytesIO()
        fastavro.writer(
            written, schema, [{"x": None if each % 7 == 0 else each / 3} for each in range(9_000)], codec="snappy"
        )
        files.put("a.avro", written.getvalue())
        (part,) = parts.of(files)
        read = pa.concat_tables(parts.batches(files, part, []))
        assert read.column("x").to_pylist() == [None if each % 7 == 0 else each / 3 for each in range(9_000)]
        (tmp_path / "gateway" / "tables" / "b.avro").write_bytes(written.getvalue())
        with pytest.raises(
            errors.Misconfigured, match=r"s3://tables/b\.avro has no ETag.*put it there through the gateway"
        ):
            parts.of(files)


def test_one_object_is_a_table_as_one_file_is(bucket: str, buckets: Buckets, tmp_path: Path) -> None:
    """Named whole; its results are called after it alone, and whoever reads it need not be who listed it: executors are not."""
    pq.write_table(pa.table({"x": [1, 2]}), tmp_path / "a.parquet")
    buckets["tables"]["team/customers/a.parquet"] = (tmp_path / "a.parquet").read_bytes()
    for place in (str(tmp_path / "a.parquet"), f"{bucket}/a.parquet"):
        (part,) = parts.of(wiring.table_files(place, "--in"))
        assert (part.file, part.name, part.groups) == ("a.parquet", "a", (0,))
        with wiring.table_files(place, "--in").open(part.file, part.version) as stream:
            assert stream.read() == (tmp_path / "a.parquet").read_bytes()


def test_a_table_that_changes_while_it_is_read(bucket: str, buckets: Buckets, tmp_path: Path) -> None:
    """Half of one and half of the other is no table: it is said, and tried again."""
    pq.write_table(pa.table({"x": range(1_000_000)}), tmp_path / "a.parquet", compression="none", use_dictionary=False)
    objects = buckets["tables"]
    objects["team/customers/a.parquet"] = (tmp_path / "a.parquet").read_bytes()
    tables = S3Tables(bucket, "--in")
    with tables.open("a.parquet", tables.version("a.parquet")) as stream, pq.ParquetFile(stream) as file:
        objects["team/customers/a.parquet"] += b" "
        with pytest.raises(errors.TryAgain, match=r"customers/a\.parquet was changed since it was looked at"):
            file.read()


def test_a_bucket_that_is_not_there_is_no_empty_one(bucket: str) -> None:
    """Nothing is taken for gone, or for new, because the bucket is."""
    there, gone = S3Tables(bucket, "--in"), S3Tables("s3://gone/team", "--in")
    assert there.version("a.parquet") is None
    with pytest.raises(errors.Misconfigured, match="there is no bucket s3://gone"):
        gone.version("a.parquet")


@pytest.mark.parametrize("place", ["gs://bucket/x", "file://host/x", "s3://UPPER/x", "s3://b/../c"])
def test_other_places_are_refused(place: str) -> None:
    """The option is named."""
    with pytest.raises(errors.Misconfigured, match="--in"):
        wiring.table_files(place, "--in")


@pytest.mark.parametrize(
    ("inner", "outer", "within"),
    [
        ("in/scored", "in", True),
        ("in", "./in/", True),
        ("in-scored", "in", False),
        ("in/../out", "in", False),
        ("s3://a/in/scored", "s3://a/in/", True),
        ("s3://a/in-scored", "s3://a/in", False),
        ("s3://a/in", "in", False),
    ],
)
def test_what_lies_in_what(inner: str, outer: str, *, within: bool) -> None:
    """By names alone, of paths and of addresses."""
    assert table_places.is_within(inner, outer) is within


class TestSqlTables(TableFilesContract):
    """A table of an SQLite file: what is no Parquet is kept in the ledger as it is."""

    @pytest.fixture
    def files(self, tmp_path: Path) -> SqlTables:
        """A database that does not exist yet."""
        return SqlTables("sql://warehouse/scores", "--out", {"ARGOSY_SOURCE_WAREHOUSE": f"sqlite:///{tmp_path}/w.db"})
