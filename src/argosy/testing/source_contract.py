"""The contract suite of what reads rows of a database, whose address begins with a name of its own."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from argosy import errors
from argosy.domain.source_settings import Source
from argosy.ports.source_reader import SourceReader

TABLE = "people"
COLUMNS = ("id", "name", "share")
ROWS = (("9007199254740993", 'Ünal, "A"', "0.1"), ("2", "", None), ("3", None, "-1.5"))
"""The rows of the table ``people``, as texts: a whole number beyond a double, odd texts, an empty text, missing ones."""
DATABASE = "crm"


def source(name: str = "rows", columns: Sequence[str] = COLUMNS, **sql: Any) -> Source:
    """A source of the table ``people``; *sql*: in place of that table."""
    return Source.model_validate(
        {
            "name": name,
            "sql": {"secret": DATABASE, **(sql or {"table": TABLE})},
            "entity": ["id"],
            "observed_at": "2020-01-01T00:00:00Z",
            "columns": [
                {"name": each, "type": "string", "meaning": "Something.", "nullable": True} for each in columns
            ],
        }
    )


class SourceReaderContract:
    """Inherit, and provide a fixture ``reader``: at the variable ARGOSY_SOURCE_CRM is a table ``people`` of ``ROWS``."""

    def test_each_value_is_there_as_text(self, reader: SourceReader, tmp_path: Path) -> None:
        """Digit by digit; a missing value is null and an empty text none; in the order of the contract's columns."""
        found = reader.fetch([source()], tmp_path)["rows"]
        rows = pq.read_table(found.file).select(list(COLUMNS)).to_pylist()
        assert sorted(tuple(row.values()) for row in rows) == sorted(ROWS)
        assert found.file == tmp_path / "rows.parquet"

    def test_several_sources_are_read(self, reader: SourceReader, tmp_path: Path) -> None:
        """Each by its name, with the columns of its own contract at least."""
        found = reader.fetch([source(), source("others", ["id"])], tmp_path)
        assert sorted(found) == ["others", "rows"]
        assert pq.read_metadata(found["others"].file).num_rows == len(ROWS)

    def test_it_says_what_was_asked_and_when(self, reader: SourceReader, tmp_path: Path) -> None:
        """For the lineage."""
        found = reader.fetch([source()], tmp_path)["rows"]
        assert found.location
        assert found.reading is None or TABLE in found.reading.asked

    def test_what_is_not_there_is_somebody_s_to_mend(self, reader: SourceReader, tmp_path: Path) -> None:
        """Not tried again; no half of a file stays."""
        with pytest.raises(errors.Misconfigured):
            reader.fetch([source(table="nobody_made_this")], tmp_path)
        assert not list(tmp_path.iterdir())
