"""The SQL that types a value by the contract, and the quoting of what goes into SQL.

DuckDB's own casts guess: they round 1.5 to a whole number and take "nan" for one. The contract does not, so text has to look like its
type before it is cast. An unreadable value becomes null; which rows that happened in is asked by comparing with what was read.
"""

from argosy.domain.model_settings import Column, ColumnType

ROW = "__argosy_row"
REASON = "__argosy_reason"

LOOKS_LIKE: dict[ColumnType, str] = {
    "integer": r"[+-]?[0-9]{1,19}",
    "number": r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?",
    "boolean": r"(?i)true|false",
    # Without an offset nobody can say which moment is meant.
    "timestamp": r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?(Z|[+-][0-9]{2}(:?[0-9]{2})?)",
}
SQL_TYPE: dict[ColumnType, str] = {
    "string": "VARCHAR",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "timestamp": "TIMESTAMPTZ",
}
ACCEPTED: dict[ColumnType, tuple[str, ...]] = {
    "string": ("VARCHAR", "ENUM"),
    "integer": ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"),
    "number": (
        *("FLOAT", "DOUBLE", "DECIMAL"),
        *("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT"),
    ),
    "boolean": ("BOOLEAN",),
    "timestamp": ("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ_NS"),
}
"""The types of a typed file that can be a column of the contract. A file that has types is never re-read as text."""


def name(identifier: str) -> str:
    """*identifier* quoted as a name."""
    return '"' + identifier.replace('"', '""') + '"'


def text(value: str) -> str:
    """*value* quoted as a string."""
    return "'" + value.replace("'", "''") + "'"


def from_text(column: Column) -> str:
    """The value of a column that was read as text; null where it does not look like its type."""
    if column.type == "string":
        return name(column.name)
    trimmed = f"trim({name(column.name)})"
    looks = f"regexp_full_match({trimmed}, {text(LOOKS_LIKE[column.type])})"
    return _finite(column, f"CASE WHEN {looks} THEN TRY_CAST({trimmed} AS {SQL_TYPE[column.type]}) END")


def from_typed(column: Column) -> str:
    """The value of a column that came with a type of its own; infinity is unreadable."""
    return _finite(column, f"TRY_CAST({name(column.name)} AS {SQL_TYPE[column.type]})")


def missing_or(identifier: str, found: str) -> str:
    """A column of a typed file as it was written, NaN as null: writers without a missing number use it for one."""
    quoted = name(identifier)
    return f"CASE WHEN NOT isnan({quoted}) THEN {quoted} END" if found in {"FLOAT", "DOUBLE"} else quoted


def _finite(column: Column, expression: str) -> str:
    if column.type != "number":
        return expression
    return f"CASE WHEN isfinite({expression}) THEN {expression} END"


def accepts(column: Column, found: str) -> bool:
    """Whether a file's column of DuckDB type *found* can be *column* of the contract."""
    return found.split("(", maxsplit=1)[0] in ACCEPTED[column.type]
