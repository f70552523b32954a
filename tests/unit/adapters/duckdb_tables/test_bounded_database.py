"""What waits on disk has its limits too, and what is short is said with what helps."""

import contextlib
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from argosy import errors, memory
from argosy.adapters.duckdb_tables import bounded_database
from argosy.adapters.duckdb_tables.tables import DuckDBTables


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A table of 20 MB that does not compress in memory."""
    numbers = pa.array(range(300_000), pa.int64())
    texts = pa.array([f"{number * 7919 % 300_007:032d}{number:032d}" for number in range(300_000)])
    pq.write_table(pa.table({"number": numbers, "text": texts}), tmp_path / "table.parquet")
    return tmp_path / "table.parquet"


@pytest.mark.parametrize(
    ("config", "kind", "said"),
    [
        pytest.param(
            {"memory_limit": "24MiB", "max_temp_directory_size": "1MiB"},
            errors.LocalDisk,
            r"cannot be sorted: what waits on disk needs more room than .* has: .*; make room there",
            id="disk",
        ),
        pytest.param(
            {"memory_limit": "4MiB", "temp_directory": ""},
            errors.Misconfigured,
            r"cannot be sorted in the memory of the step, [0-9,]+ MiB: .*resources: \{<step>: \{memory: 2Gi\}\}",
            id="memory",
        ),
    ],
)
def test_what_is_short_is_one_line(
    config: dict[str, str], kind: type[errors.ArgosyError], said: str, file: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """The disk is no setting's fault and not tried again; memory is the setting that is named."""
    place = tmp_path / "spill"

    def small(_: Path | None) -> contextlib.AbstractContextManager[duckdb.DuckDBPyConnection]:
        return duckdb.connect(config={"temp_directory": str(place), "threads": "1", **config})

    monkeypatch.setattr(bounded_database, "opened", small)
    with pytest.raises(kind, match=said) as caught:
        list(DuckDBTables().in_order(file, "text"))
    assert "\n" not in str(caught.value)


def test_a_database_has_half_of_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """And no more threads than that has room for, however many cores the machine has."""
    monkeypatch.setattr(memory, "limit", lambda: 1 << 30)
    monkeypatch.setattr(memory, "in_use", lambda: 512 << 20)
    monkeypatch.setattr("os.cpu_count", lambda: 64)
    with bounded_database.opened(None) as database:
        found = database.execute("SELECT current_setting('memory_limit'), current_setting('threads')").fetchone()
    assert found == ("256.0 MiB", 2)


def test_a_database_has_enough_to_sort(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is nothing left, the step's own limit decides."""
    monkeypatch.setattr(memory, "limit", lambda: 1)
    assert bounded_database.most() == bounded_database.LEAST
