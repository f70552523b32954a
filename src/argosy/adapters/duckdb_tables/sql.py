"""The SQL that types a value by the contract, and the quoting of what goes into SQL.

DuckDB's own casts guess: they round 1.5 to a whole number and take "nan" for one. The contract does not, so text has to look like its
type before it is cast. An unreadable value becomes null; which rows that happened in is asked by comparing with what was read.
"""

import glob
from collections.abc import Sequence
from pathlib import Path

from argosy.domain.model_settings import Label
from argosy.domain.source_settings import EPOCHS, Column, ColumnType

NO_PATHS = "hive_partitioning = false"
"""DuckDB would put what a path says (``country=de/``) in the place of the file's own column."""
ROW = "__argosy_row"
REASON = "__argosy_reason"

# A whole number with nothing behind its decimal sign is one: so it is written beside missing values by whoever keeps them as floats.
INTEGER = r"([+-]?[0-9]{1,19})([.]0*)?"
MAYBE_THOUSANDS = r"[+-]?[1-9][0-9]{0,2}[.]000"
"""One thing with a decimal point and a thousand times that with a sign between thousands: only who knows the file can tell."""
NUMBER = r"[+-]?([0-9]+([.][0-9]*)?|[.][0-9]+)([eE][+-]?[0-9]{1,3})?"
BOOLEAN = r"(?i)true|false"
DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
CLOCK = r"[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?"
# Without an offset nobody can say which moment is meant; then the contract has to name a zone.
MOMENT = rf"{DATE}{CLOCK}(Z|[+-][0-9]{{2}}(:?[0-9]{{2}})?)"
LOCAL = rf"{DATE}({CLOCK})?"
LARGEST_EXACT = 2**53
"""Up to here every whole number is a double of its own."""

SQL_TYPE: dict[ColumnType, str] = {
    "string": "VARCHAR",
    "integer": "BIGINT",
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "timestamp": "TIMESTAMPTZ",
}
WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT")
FRACTIONS = ("FLOAT", "DOUBLE")
NOTHING = '"NULL"'
ZONELESS = ("TIMESTAMP", "TIMESTAMP_NS", "TIMESTAMP_MS", "TIMESTAMP_S", "DATE")
ACCEPTED: dict[ColumnType, tuple[str, ...]] = {
    # A decimal keeps its digits as text, which a number cannot promise.
    "string": ("VARCHAR", "ENUM", "DECIMAL"),
    # Writers that keep missing values as NaN write the whole numbers beside them as fractions.
    "integer": (*WHOLE, *FRACTIONS),
    "number": (*FRACTIONS, "DECIMAL", *WHOLE),
    "boolean": ("BOOLEAN",),
    "timestamp": ("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ_NS"),
}
"""The types of a typed file that can be a column of the contract. Its text is read only where the contract says how it is written."""


def name(identifier: str) -> str:
    """*identifier* quoted as a name."""
    return '"' + identifier.replace('"', '""') + '"'


def text(value: str) -> str:
    """*value* quoted as a string."""
    return "'" + value.replace("'", "''") + "'"


def one(file: Path) -> str:
    """*file*, and no other: DuckDB takes the brackets and stars of a name for a pattern, and reads what fits it."""
    return text(glob.escape(str(file)))


def parquet(files: Path | Sequence[Path], *options: str) -> str:
    """The rows of Parquet *files*; nothing that a path says (``country=de/``) takes the place of a file's own column."""
    named = one(files) if isinstance(files, Path) else f"[{', '.join(map(one, files))}]"
    return f"read_parquet({', '.join([named, NO_PATHS, *options])})"


def from_text(column: Column, decimal: str | None = ".") -> str:
    """The value of a column that was read as text; null where it does not look like its type. *decimal*: None where nobody said it."""
    is_said, decimal = decimal is not None, decimal or "."
    quoted = name(column.name)
    trimmed = f"trim({quoted}::VARCHAR)"
    match column.type:
        case "string":
            return quoted
        case "integer":
            pattern = text(_with_decimal(INTEGER, decimal))
            whole = f"TRY_CAST(regexp_extract({trimmed}, {pattern}, 1) AS BIGINT)"
            clear = "" if is_said else f" AND NOT regexp_full_match({trimmed}, {text(MAYBE_THOUSANDS)})"
            return f"CASE WHEN regexp_full_match({trimmed}, {pattern}){clear} THEN {whole} END"
        case "number":
            pointed = trimmed if decimal == "." else f"replace({trimmed}, {text(decimal)}, '.')"
            looks = f"regexp_full_match({trimmed}, {text(_with_decimal(NUMBER, decimal))})"
            return _finite(f"CASE WHEN {looks} THEN TRY_CAST({pointed} AS DOUBLE) END")
        case "boolean":
            return _truth(column, trimmed)
        case "timestamp":
            return _moment(column, trimmed)


def from_typed(column: Column, found: str) -> str:
    """The value of a column that came with the type *found*; infinity is unreadable, and a fraction where a whole number is due."""
    quoted = name(column.name)
    if column.is_read_from_text and found in ("VARCHAR", *WHOLE):
        return from_text(column)
    if column.type == "timestamp" and found in ZONELESS:
        return f"timezone({text(column.timezone or 'UTC')}, TRY_CAST({quoted} AS TIMESTAMP))"
    if column.type == "integer" and found in FRACTIONS:
        whole = f"{quoted} = trunc({quoted}) AND abs({quoted}) <= {LARGEST_EXACT}"
        return f"CASE WHEN {whole} THEN TRY_CAST({quoted} AS BIGINT) END"
    if column.type == "number":
        return _finite(f"TRY_CAST({quoted} AS DOUBLE)")
    return f"TRY_CAST({quoted} AS {SQL_TYPE[column.type]})"


def of_label(label: Label) -> str:
    """The label as a number: a value, or the index of the class given by number, by name or as a condition; -1 for a name of no class."""
    asked = f"({label.sql})"
    if not label.classes:
        return f"{asked}::DOUBLE"
    names = ", ".join(text(each) for each in label.classes)
    by_name = f"coalesce(list_position([{names}], {asked}::VARCHAR), 0)::BIGINT - 1"
    return (
        f"CASE WHEN {asked} IS NULL THEN NULL WHEN typeof({asked}) = 'VARCHAR' THEN {by_name} "
        f"ELSE TRY_CAST({asked} AS BIGINT) END"
    )


def missing_or(identifier: str, found: str) -> str:
    """A column of a typed file as it was written, NaN as null: writers without a missing number use it for one."""
    quoted = name(identifier)
    return without_nan(quoted) if found in FRACTIONS else quoted


def without_nan(fraction: str) -> str:
    """*fraction*, an expression of type FLOAT or DOUBLE, with NaN as null.

    ``isnan`` is not asked: DuckDB 2.0.1 answers it by the statistics of a Parquet file, which leave NaN out
    (findings/duckdb-nan-in-parquet.sh).
    """
    return f"CASE WHEN isfinite({fraction}) OR isinf({fraction}) THEN {fraction} END"


def accepts(column: Column, found: str) -> bool:
    """True where a file's column of DuckDB type *found* can be *column* of the contract."""
    plain = found.split("(", maxsplit=1)[0]
    if column.is_read_from_text and plain in ("VARCHAR", *WHOLE):
        return True
    # A column of which not one value is there has no type of its own.
    return plain == NOTHING or plain in ACCEPTED[column.type] or (column.timezone is not None and plain in ZONELESS)


def _with_decimal(pattern: str, decimal: str) -> str:
    return pattern.replace("[.]", f"[{decimal}]")


def _truth(column: Column, trimmed: str) -> str:
    if column.means_true is None or column.means_false is None:
        return f"CASE WHEN regexp_full_match({trimmed}, {text(BOOLEAN)}) THEN TRY_CAST({trimmed} AS BOOLEAN) END"
    yes, no = (
        ", ".join(text(word.strip().lower()) for word in words) for words in (column.means_true, column.means_false)
    )
    return f"CASE WHEN lower({trimmed}) IN ({yes}) THEN true WHEN lower({trimmed}) IN ({no}) THEN false END"


def _moment(column: Column, trimmed: str) -> str:
    zone = column.timezone
    if column.format in EPOCHS:
        # As many digits as microseconds of 64 bits have room for.
        digits = 18 - len(str(EPOCHS[column.format])) + 1
        counted = f"TRY_CAST({trimmed} AS BIGINT) * {EPOCHS[column.format]}"
        return (
            f"CASE WHEN regexp_full_match({trimmed}, '[+-]?[0-9]{{1,{digits}}}') THEN make_timestamptz({counted}) END"
        )
    if column.format is not None:
        parsed = f"try_strptime({trimmed}, {text(column.format)})"
        return parsed if zone is None or column.format_has_zone else f"timezone({text(zone)}, {parsed})"
    exact = f"WHEN regexp_full_match({trimmed}, {text(MOMENT)}) THEN TRY_CAST({trimmed} AS TIMESTAMPTZ)"
    if zone is None:
        return f"CASE {exact} END"
    local = f"timezone({text(zone)}, TRY_CAST({trimmed} AS TIMESTAMP))"
    return f"CASE {exact} WHEN regexp_full_match({trimmed}, {text(LOCAL)}) THEN {local} END"


def _finite(expression: str) -> str:
    return f"CASE WHEN isfinite({expression}) THEN {expression} END"
