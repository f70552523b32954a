"""Tables of three hundred columns, and what does not fit: an enormous field, a snapshot larger than the disk."""

import datetime
import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from argosy import errors
from argosy.adapters.duckdb_tables.tables import DuckDBTables
from argosy.domain.source_settings import Column, Source

MOMENT = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
WIDE = [f"column_{place}" for place in range(300)]


def source(*names: str) -> Source:
    """A table with an id and numbers."""
    columns = [Column(name="id", type="string", meaning="Which.")]
    columns += [Column(name=name, type="number", meaning="A reading.") for name in names]
    return Source(name="readings", file="readings.csv", entity=["id"], columns=columns, observed_at=MOMENT)


def snapshot(wanted: Source, file: Path) -> pa.Table:
    """The rows that were kept."""
    kept = file.with_name("kept.parquet")
    DuckDBTables().snapshot(wanted, [], file, kept=kept, rejected=file.with_name("rejected.parquet"))
    return pq.read_table(kept)


def test_three_hundred_columns(tmp_path: Path) -> None:
    """All of them, in CSV as in Parquet; each that is absent is named."""
    values = {name: [float(place), place / 7] for place, name in enumerate(WIDE)}
    table = pa.table({"id": ["a", "b"], **values})
    pq.write_table(table, tmp_path / "readings.parquet")
    rows = [
        ",".join(["id", *WIDE]),
        *(",".join([key, *(repr(values[name][row]) for name in WIDE)]) for row, key in enumerate("ab")),
    ]
    (tmp_path / "readings.csv").write_text("\n".join(rows), encoding="utf-8")
    for name in ("readings.parquet", "readings.csv"):
        found = snapshot(source(*WIDE), tmp_path / name).select(["id", *WIDE])
        assert found.to_pydict() == table.to_pydict()
    with pytest.raises(errors.Rejected, match="'column_300'"):
        snapshot(source(*WIDE, "column_300"), tmp_path / "readings.csv")


@pytest.mark.parametrize("megabytes", [2, 40])
@pytest.mark.parametrize("behind", [pytest.param("c,3\n", id="among-others"), pytest.param("", id="at-the-end")])
def test_an_enormous_field(tmp_path: Path, megabytes: int, behind: str) -> None:
    """Refused in one line that names the file, wherever it is: it is never a row that is not there."""
    file = tmp_path / "readings.csv"
    with file.open("w", encoding="utf-8") as out:
        out.write("id,x\na,1\n")
        out.write("b" * (megabytes << 20) + f",2\n{behind}")
    with pytest.raises(errors.Rejected, match=r"readings\.csv cannot be read: it is") as caught:
        snapshot(source("x"), file)
    assert len(str(caught.value)) < 500


def test_a_last_line_that_just_fits(tmp_path: Path) -> None:
    """With or without a line end behind it, alone or after others."""
    file = tmp_path / "readings.csv"
    for text in ("id,x\n" + "b" * 1_000_000 + ",2", "id,x\na,1\n" + "b" * 1_000_000 + ",2\n"):
        file.write_text(text, encoding="utf-8", newline="")
        assert max(map(len, snapshot(source("x"), file)["id"].to_pylist())) == 1_000_000


def in_a_child(work: Callable[[], None], largest_file: int) -> str:
    """What *work* raised, in a process that may write no file beyond so many bytes: writes fail as on a disk that is full."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))
            work()
            said = "nothing"
        except BaseException as error:  # noqa: BLE001 - told to the test
            said = f"{type(error).__name__}: {error}"
        os.write(writing, said[:60_000].encode())
        sys.stdout.flush()
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, encoding="utf-8") as told:
        found = told.read()
    os.waitpid(child, 0)
    return found


def numbers(rows: int) -> pa.Table:
    """Rows that no compression makes small."""
    random = os.urandom(16 * rows)
    texts = [random[16 * place : 16 * place + 16].hex() for place in range(rows)]
    return pa.table({"id": texts, "x": [float(place) for place in range(rows)]})


def test_a_snapshot_larger_than_the_disk(tmp_path: Path) -> None:
    """Code 74 and what to do; nothing that looks like a snapshot stays."""
    pq.write_table(numbers(50_000), tmp_path / "readings.parquet")
    said = in_a_child(lambda: snapshot(source("x"), tmp_path / "readings.parquet"), 300_000)
    assert said.startswith("LocalDisk: "), said
