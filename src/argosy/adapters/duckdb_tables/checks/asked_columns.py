"""The columns that a question may name: what DuckDB has them as, and what they are to Great Expectations, which sees them in pandas.

Only kinds of which the two are known to agree; a column of any other type is asked by Great Expectations itself.
"""

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from argosy.adapters.duckdb_tables import sql

Kind = Literal["integer", "number", "text", "boolean", "moment"]
NARROW = ("TINYINT", "SMALLINT", "INTEGER")
KINDS: dict[str, Kind] = {
    **dict.fromkeys((*NARROW, "BIGINT"), "integer"),
    "DOUBLE": "number",
    "VARCHAR": "text",
    "BOOLEAN": "boolean",
    "TIMESTAMP WITH TIME ZONE": "moment",
}


@dataclass(frozen=True)
class AskedColumn:
    """A column of the table that is asked."""

    name: str
    kind: Kind
    type: str
    """DuckDB's."""

    @property
    def sql(self) -> str:
        """Its name in SQL."""
        return sql.name(self.name)

    @property
    def normal(self) -> str:
        """Its value in SQL, with what pandas takes for missing as null."""
        return sql.without_nan(self.sql) if self.kind == "number" else self.sql

    def shown(self, value: Any, *, gaps: bool) -> Any:
        """*value* as Great Expectations would show it; *gaps*: whether values of the column are missing.

        pandas makes a fraction of a whole number of less than 64 bits in a column with gaps.
        """
        if isinstance(value, datetime.datetime):
            return value.astimezone(datetime.UTC)
        return float(value) if gaps and self.type in NARROW and isinstance(value, int) else value


def of(described: Iterable[tuple[str, str]]) -> Mapping[str, AskedColumn]:
    """The columns of a table, by name, that questions may name. *described*: name and DuckDB's type of each."""
    return {name: AskedColumn(name, KINDS[kind], kind) for name, kind in described if kind in KINDS}
