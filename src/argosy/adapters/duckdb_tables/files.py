"""Opens a file for DuckDB: finds its columns, refuses what is no table in plain words, and says how to select its rows.

What DuckDB says of a malformed file quotes the line it is in, and that line may hold personal data; so only the line's number and the
kind of problem are passed on.
"""

import codecs
import csv
import itertools
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from argosy import errors
from argosy.adapters.duckdb_tables import sql
from argosy.domain.model_settings import Source

LONGEST_LINE = 1 << 20
"""Bytes of the longest line of a CSV file. A longer one is a missing quote or an attack, and would be held in memory whole."""

MOST_COLUMNS = 2000

FOREIGN = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)


@dataclass(frozen=True)
class Table:
    """A file whose rows can be selected."""

    columns: dict[str, str]
    """Column to the type it has in the file; in the file's order."""
    select: str
    """The SQL that reads the rows as they are."""
    typed: bool
    """Whether the file says the types of its columns itself."""


def open_table(database: duckdb.DuckDBPyConnection, source: Source, file: Path) -> Table:
    """The table in *file*. Raises Rejected where it is none, Misconfigured where nothing is there."""
    if not file.is_file():
        raise errors.Misconfigured(f"source {source.name!r}: there is no file {file}")
    if file.stat().st_size == 0:
        raise errors.Rejected(f"source {source.name!r}: {file} is empty: it has not even a header")
    kind = source.format or {".csv": "csv", ".parquet": "parquet"}.get(file.suffix.lower())
    if kind is None:
        raise errors.Misconfigured(
            f"source {source.name!r}: {file} ends in neither .csv nor .parquet; say `format:` in the settings"
        )
    return _csv(source, file) if kind == "csv" else _parquet(database, source, file)


def _csv(source: Source, file: Path) -> Table:
    header = _header(source, file)
    _check_names(source, file, header)
    # Every column as text: types come from the contract.
    columns = ", ".join(f"{sql.text(column)}: 'VARCHAR'" for column in header)
    select = (
        f"SELECT * FROM read_csv({sql.text(str(file))}, columns = {{{columns}}}, auto_detect = false, header = true, "  # noqa: S608
        f"delim = ',', quote = '\"', escape = '\"', nullstr = '', strict_mode = true, max_line_size = {LONGEST_LINE})"
    )
    return Table(dict.fromkeys(header, "VARCHAR"), select, typed=False)


def _header(source: Source, file: Path) -> list[str]:
    with file.open("rb") as stream:
        start = stream.read(LONGEST_LINE)
    for mark, encoding in FOREIGN:
        if start.startswith(mark):
            raise errors.Rejected(f"source {source.name!r}: {file} is written in {encoding}; save it as UTF-8")
    try:
        # The last character may be cut in two.
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(start)
    except UnicodeDecodeError as error:
        line = start.count(b"\n", 0, error.start) + 1
        raise _not_utf8(source, file, line) from None
    try:
        return next(csv.reader(itertools.islice(text.splitlines(keepends=True), 1000), strict=True))
    except (StopIteration, csv.Error):
        raise errors.Rejected(f"source {source.name!r}: the header of {file} cannot be read as CSV") from None


def _not_utf8(source: Source, file: Path, line: int) -> errors.Rejected:
    return errors.Rejected(
        f"source {source.name!r}: line {line} of {file} is not UTF-8 (it may be Latin-1 or Windows-1252); save the file as UTF-8"
    )


def _parquet(database: duckdb.DuckDBPyConnection, source: Source, file: Path) -> Table:
    reader = f"read_parquet({sql.text(str(file))})"
    try:
        names = [
            row[0]
            for row in database.execute(
                f"SELECT name FROM parquet_schema({sql.text(str(file))}) OFFSET 1"  # noqa: S608 - the name is quoted
            ).fetchall()
        ]
        found = database.execute(f"DESCRIBE SELECT * FROM {reader}").fetchall()  # noqa: S608
    except duckdb.Error as error:
        raise unreadable(source, file, error) from None
    _check_names(source, file, names[: len(found)] if len(names) == len(found) else [row[0] for row in found])
    columns = {row[0]: row[1] for row in found}
    selected = ", ".join(f"{sql.missing_or(name, kind)} AS {sql.name(name)}" for name, kind in columns.items())
    return Table(columns, f"SELECT {selected} FROM {reader}", typed=True)  # noqa: S608


def _check_names(source: Source, file: Path, names: Sequence[str]) -> None:
    if len(names) > MOST_COLUMNS:
        raise errors.Rejected(
            f"source {source.name!r}: {file} has {len(names)} columns, more than the {MOST_COLUMNS} a table may have"
        )
    # DuckDB does not tell "A" from "a".
    twice = [name for name, count in Counter(name.casefold() for name in names).items() if count > 1]
    if twice:
        raise errors.Rejected(
            f"source {source.name!r}: {file} has the column {shown(twice[0])} twice; which of them is meant?"
        )
    if absent := [column.name for column in source.columns if column.name not in names]:
        raise errors.Rejected(
            f"source {source.name!r}: {file} has no column {absent[0]!r}{_more(absent)}; "
            f"its columns: {', '.join(shown(name) for name in names[:40])}"
        )


def _more(absent: Sequence[str]) -> str:
    return f" (nor {', '.join(repr(name) for name in absent[1:6])})" if len(absent) > 1 else ""


def unreadable(source: Source, file: Path, error: duckdb.Error) -> errors.ArgosyError:
    """What to say of *file* after DuckDB could not read it."""
    message = str(error)
    if "No space left" in message or "could not write" in message.lower():
        return errors.LocalDisk(f"source {source.name!r}: there is no room to read {file}; free some and try again")
    line = re.search(r"CSV Error on Line: (\d+)", message)
    if line is None:
        return errors.Rejected(f"source {source.name!r}: {file} cannot be read: {_first_line(message)}")
    if "nvalid unicode" in message:
        return _not_utf8(source, file, int(line[1]))
    return errors.Rejected(f"source {source.name!r}: line {line[1]} of {file} cannot be read: {_problem(message)}")


def _problem(message: str) -> str:
    if columns := re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", message):
        return f"it has {columns[2]} values where the header has {columns[1]} columns"
    if "unterminated quote" in message:
        return "a quote is opened and never closed"
    if "Maximum line size" in message or "max_line_size" in message:
        return f"it is longer than {LONGEST_LINE:,} bytes; a closing quote may be missing"
    return "it is not CSV (comma between values, quotes doubled inside quotes)"


def _first_line(message: str) -> str:
    """The kind of problem alone: what follows may quote the file."""
    first = message.splitlines()[0].split(": ", 1)[-1]
    return first if "CSV" not in first else "it is not CSV (comma between values, one kind of line end)"


def shown(word: str) -> str:
    """A name out of somebody's file, fit for a message."""
    return repr(word if len(word) <= 60 else f"{word[:57]}...")
