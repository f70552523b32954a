"""Folders of partitions: one table by the contract, however the files changed over time; what was lost is said with its place."""

import datetime
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from argosy import errors
from argosy.adapters.duckdb_tables import partitions
from argosy.adapters.duckdb_tables.tables import DuckDBTables
from argosy.domain.source_settings import Column, ColumnType, RejectRule, Source
from argosy.ports.tables import Counts

Content = str | pa.Table
Read = Callable[..., tuple[list[dict[str, Any]], Counts]]


def column(name: str, kind: ColumnType = "string", **more: Any) -> Column:
    return Column(name=name, type=kind, meaning="For a test.", **more)


def source(*columns: Column, **more: Any) -> Source:
    moment = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    return Source(name="calls", folder="calls", entity=["id"], columns=list(columns), observed_at=moment, **more)


PLAIN = source(column("id"), column("x", "integer", nullable=True))


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Reads files (path to content) into rows without their time, and what was counted."""

    def rows(files: Mapping[str, Content], wanted: Source = PLAIN, *rules: RejectRule) -> Any:
        for name, content in files.items():
            file = tmp_path / "calls" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, str):
                file.write_text(content, encoding="utf-8")
            else:
                pq.write_table(content, file)
        kept, rejected = tmp_path / "kept.parquet", tmp_path / "rejected.parquet"
        counts = DuckDBTables().snapshot(wanted, rules, tmp_path / "calls", kept=kept, rejected=rejected)
        found = pq.read_table(kept).to_pylist()
        return [{name: row[name] for name in row if name != "event_timestamp"} for row in found], counts

    return rows


def test_files_below_a_folder_are_one_table(read: Read) -> None:
    """At any depth, whatever their names; what writers leave beside them is none."""
    files = {
        "2024/01/a.csv": "id,x\na,1\n",
        "2024/02/a.csv": "x,id\n2,b\n",
        "_SUCCESS": "",
        ".a.csv.crc": "?",
        "_tmp/b.csv": "id,x\nno,0\n",
    }
    found, counts = read(files)
    assert found == [{"id": "a", "x": 1}, {"id": "b", "x": 2}]
    assert (counts.read, counts.parts, counts.absent) == (2, 2, None)


def test_names_of_folders_are_columns(read: Read) -> None:
    """As Hive and Spark write them, where the contract names them, typed by it; the missing value has a name of its own."""
    wanted = source(column("id"), column("day", "timestamp", timezone="UTC"), column("shop", nullable=True))
    files = {
        "day=2024-02-29/shop=A%20B/a.parquet": pa.table({"id": ["a"]}),
        "day=2024-03-01/shop=__HIVE_DEFAULT_PARTITION__/other=1/a.parquet": pa.table({"id": ["b"]}),
    }
    found, _ = read(files, wanted)
    assert [(row["id"], str(row["day"].date()), row["shop"]) for row in found] == [
        ("a", "2024-02-29", "A B"),
        ("b", "2024-03-01", None),
    ]


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_the_name_of_a_file_is_no_pattern(read: Read, kind: str) -> None:
    """Browsers and people write brackets and stars: each file is read, once, and not another that fits."""
    names = ["calls1", "calls[1]", "call*"]
    content: dict[str, Content] = (
        {f"{name}.csv": f"id\n{name}\n" for name in names}
        if kind == "csv"
        else {f"{name}.parquet": pa.table({"id": [name]}) for name in names}
    )
    found, _ = read(content, source(column("id")))
    assert sorted(row["id"] for row in found) == sorted(names)


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_path_does_not_overwrite_a_column(read: Read, kind: str) -> None:
    """What the file says itself counts, where a folder on the way to it is named otherwise."""
    content = {"csv": "id,shop\na,own\n", "parquet": pa.table({"id": ["a"], "shop": ["own"]})}[kind]
    found, _ = read({f"shop=42/a.{kind}": content}, source(column("id"), column("shop")))
    assert found == [{"id": "a", "shop": "own"}]


def test_a_folder_named_by_a_number_is_text_where_the_contract_says_so(read: Read) -> None:
    """Its digits stay as they are."""
    found, _ = read({"shop=42/a.parquet": pa.table({"id": ["a"]})}, source(column("id"), column("shop")))
    assert found == [{"id": "a", "shop": "42"}]


@pytest.mark.parametrize("target", ["elsewhere", "nowhere"])
def test_links_that_would_not_be_followed(read: Read, tmp_path: Path, target: str) -> None:
    """Rows behind a link to a folder, or to nothing, are not left out without a word."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/b.csv").write_text("id,x\nb,1\n", encoding="utf-8")
    (tmp_path / "calls").mkdir()
    (tmp_path / "calls/day=2").symlink_to(tmp_path / target)
    with pytest.raises(errors.Misconfigured, match="holds day=2, a link"):
        read({"day=1/a.csv": "id,x\na,1\n"})


def test_a_schema_that_widens(read: Read) -> None:
    """A nullable column is missing in the partitions before its first; which they are is said."""
    found, counts = read({"1.csv": "id\na\n", "2.csv": "id;x\nb;2\n", "3.csv": "x,id,more\n3,c,?\n"})
    assert found == [{"id": "a", "x": None}, {"id": "b", "x": 2}, {"id": "c", "x": 3}]
    assert counts.absent == "no column 'x' in 1 of 3 partitions (1.csv): missing there"


@pytest.mark.parametrize(
    ("files", "told"),
    [
        pytest.param(
            {"1.csv": "id,x\na,1\n", "2.csv": "id,x\nb,1\n", "3.csv": "id\nc\n"},
            r"column 'x' of .*calls is gone in 3\.csv, and 2\.csv before it has it", id="disappears",
        ),
        pytest.param(
            {"1.csv": "x\n1\n", "2.csv": "id,x\na,1\n"},
            r"column 'id' .* begins with 2\.csv, and 1 partition before, from 1\.csv on, has none", id="required",
        ),
        pytest.param({"1.csv": "id\na\n", "2.csv": "id\nb\n"}, "column 'x' is in none of the 2 partitions", id="nowhere"),
        pytest.param({"1.csv": "id,x\na,1\n", "2.csv": "id,x\nb,1\nc,soon\n"}, r"in line 3 of 2\.csv it says 'soon'", id="value"),
        pytest.param(
            {"1.csv": "id,x\na,1\n", "2.csv": "id,x\nb,1,2\n"}, r"line 2 of .*2\.csv cannot be read: it has 3", id="broken",
        ),
        pytest.param({"1.csv": "id,x\na,1\n", "2.csv": ""}, r"2\.csv is empty", id="empty"),
        pytest.param({"1.csv": "id,x\n", "2.csv": "id,x\n"}, "has no rows", id="no-rows"),
        pytest.param(
            {"1.parquet": pa.table({"id": ["a"], "x": [1]}), "2.parquet": pa.table({"id": ["b"], "x": [True]})},
            r"column 'x' of 2\.parquet is BOOLEAN, the contract says integer", id="another-type",
        ),
    ],
)  # fmt: skip
def test_what_breaks_the_contract(read: Read, files: Mapping[str, Content], told: str) -> None:
    """With the partition that does."""
    with pytest.raises(errors.Rejected, match=told):
        read(files)


def test_types_that_differ_lose_no_digits(read: Read) -> None:
    """Whole numbers in one partition and fractions in another (a missing value came): the large one keeps its last digit."""
    files = {
        "1.parquet": pa.table({"id": ["a"], "x": pa.array([2**53 + 1], pa.int64())}),
        "2.parquet": pa.table({"id": ["b", "c"], "x": [2.0, float("nan")]}),
        "3.parquet": pa.table({"id": ["d"], "x": pa.array([None], pa.null())}),
    }
    found, _ = read(files)
    assert [row["x"] for row in found] == [2**53 + 1, 2, None, None]


def test_rows_kept_aside_come_from_any_partition(read: Read, tmp_path: Path) -> None:
    """As they were read, numbered over all."""
    rule = RejectRule(source="calls", when="x < 0", reason="odd")
    _, counts = read({"1.csv": "id,x\na,1\nb,-1\n", "2.csv": "id,x\nc,-2\n"}, PLAIN, rule)
    assert counts.rejected == {"odd": 2}
    assert [(row["__argosy_row"], row["id"]) for row in pq.read_table(tmp_path / "rejected.parquet").to_pylist()] == [
        (2, "b"),
        (3, "c"),
    ]


@pytest.mark.parametrize(
    ("files", "told"),
    [
        pytest.param({"_SUCCESS": ""}, "there are no partitions in the folder", id="none"),
        pytest.param({"a.csv": "id,x\n", "b.json": "{}"}, r"holds b\.json, which ends in none of \.csv", id="another-kind"),
        pytest.param(
            {"a.csv": "id,x\n", "b.parquet": pa.table({"id": ["a"]})},
            re.escape("holds CSV (a.csv) and Parquet (b.parquet)"), id="two-kinds",
        ),
        pytest.param({"a.csv": "id,x\n", "b.csv": "id,x\n", "c.csv": "id,x\n"}, "has 3 files, more than the 2", id="too-many"),
    ],
)  # fmt: skip
def test_what_somebody_has_to_mend(
    read: Read, monkeypatch: pytest.MonkeyPatch, files: Mapping[str, Content], told: str
) -> None:
    """Before anything is read."""
    monkeypatch.setattr(partitions, "MOST", 2)
    with pytest.raises(errors.Misconfigured, match=told):
        read(files)
