"""Opens a file for DuckDB: finds its columns, refuses what is no table in plain words, and says how to select its rows.

What DuckDB says of a malformed file quotes the line it is in, and that line may hold personal data; so only the line's number and the
kind of problem are passed on. Places in a CSV file are lines as an editor counts them, in a Parquet file rows.
"""

import codecs
import contextlib
import csv
import dataclasses
import itertools
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from argosy import errors
from argosy.adapters.duckdb_tables import avro_rows, dialects, headers, sql
from argosy.domain.source_settings import Source
from argosy.ml import avro_file
from argosy.ml.avro_file import AvroFile

LONGEST_LINE = 1 << 20
"""Bytes of the longest line of a CSV file. A longer one is a missing quote or an attack, and would be held in memory whole."""
_TOO_LONG = f"it is longer than {LONGEST_LINE:,} bytes; a closing quote may be missing"

FOREIGN = (
    (codecs.BOM_UTF32_LE, "UTF-32"),
    (codecs.BOM_UTF32_BE, "UTF-32"),
    (codecs.BOM_UTF16_LE, "UTF-16"),
    (codecs.BOM_UTF16_BE, "UTF-16"),
)

OTHERS = (
    (b"PK\x03\x04", "a spreadsheet or an archive"),
    (b"\x1f\x8b", "compressed by gzip"),
    (b"PAR1", "Parquet"),
    (avro_file.MAGIC, "Avro"),
)
"""Magic bytes of files of other kinds."""
KINDS = {".csv": "csv", ".tsv": "csv", ".parquet": "parquet", ".avro": "avro"}
"""Kinds of files, by the end of their names."""


@dataclass(frozen=True)
class PartitionFile:
    """One file of a table that is in several."""

    name: str
    """Its path below the folder of all."""
    file: Path
    rows: int
    select: str
    """The SQL that reads its rows with the columns of the whole."""
    table: "SourceTable"


@dataclass(frozen=True)
class SourceTable:
    """A file whose rows can be selected."""

    columns: dict[str, str]
    """Column to the type it has in the file; in the file's order."""
    select: str
    """The SQL that reads the rows as they are."""
    typed: bool
    """True where the file says the types of its columns itself (Parquet, Avro)."""
    source: Source
    """The source, with the delimiter and the decimal sign of the file where its settings name none."""
    in_lines: bool = False
    """True where a row has a line that an editor counts."""
    texts: frozenset[str] = frozenset()
    """Columns of a typed table that are read as text all the same."""
    parts: tuple[PartitionFile, ...] = ()
    """The files of a table that is in several, in the order of their rows; ``select`` is empty then."""
    absent: str | None = None
    """What of the contract some of its files do not have, in words."""
    avro: AvroFile | None = None
    """The file, where DuckDB does not read it itself: ``select`` asks ``avro_rows.TABLE``."""

    def places(self, file: Path) -> list[PartitionFile]:
        """Each part; *file* where it is one, whose rows nobody has counted."""
        return list(self.parts) or [PartitionFile(file.name, file, 0, self.select, self)]

    def readable(self, database: duckdb.DuckDBPyConnection) -> contextlib.AbstractContextManager[None]:
        """Within, *database* can run ``select``, once."""
        return contextlib.nullcontext() if self.avro is None else avro_rows.handed_on(self.avro, database)


def open_file(database: duckdb.DuckDBPyConnection, source: Source, file: Path, *, whole: bool = True) -> SourceTable:
    """The table in *file*; where it need not be *whole*, columns of the contract may be missing.

    Raises Rejected where it is none, Misconfigured where nothing is there.
    """
    if not file.is_file():
        raise errors.Misconfigured(f"source {source.name!r}: there is no file {file}")
    if file.stat().st_size == 0:
        raise errors.Rejected(f"source {source.name!r}: {file} is empty: it has not even a header")
    if source.has_no_file:
        return _answered(database, source, file)
    kind = kind_of(source, file)
    if kind is None:
        raise errors.Misconfigured(
            f"source {source.name!r}: {file} ends in none of {', '.join(KINDS)}; say `format:` in the settings"
        )
    if kind == "csv":
        return _csv(dialects.found(source, file, whole=whole), file, whole=whole)
    return (_avro if kind == "avro" else _parquet)(database, source, file, whole=whole)


def kind_of(source: Source, file: Path) -> str | None:
    """``csv``, ``parquet`` or ``avro``; None where neither settings nor name say it."""
    return source.format or KINDS.get(file.suffix.lower())


def place(source: Source, table: SourceTable, file: Path, row: int) -> str:
    """The place of row number *row* (from 1) in *file*: a line of CSV, a row of anything else."""
    for part in table.parts:
        if row <= part.rows:
            return f"{place(source, part.table, part.file, row)} of {part.name}"
        row -= part.rows
    if not table.in_lines:
        return f"row {row}"
    # DuckDB skips blank lines, except where a blank line is a missing value.
    kept = (line for line, record in _records(source, file) if record or len(table.columns) == 1)
    line = _nth(kept, row + dialects.hint_lines(file))
    return f"data row {row}" if line is None else f"line {line}"


def _csv(source: Source, file: Path, *, whole: bool) -> SourceTable:
    header = headers.distinct(source, file, _header(source, file), whole=whole)
    _last_line_fits(source, file)
    # Every column as text: types come from the contract.
    columns = ", ".join(f"{sql.text(column)}: 'VARCHAR'" for column in header)
    missing = ", ".join(sql.text(word) for word in ["", *(source.missing or [])])
    skipped = "skip = 1, " * dialects.hint_lines(file)
    select = (
        f"SELECT * FROM read_csv({sql.one(file)}, columns = {{{columns}}}, auto_detect = false, header = true, {skipped}"  # noqa: S608
        f"delim = {sql.text(source.delimiter or ',')}, quote = '\"', escape = '\"', nullstr = [{missing}], strict_mode = true, "
        f"max_line_size = {LONGEST_LINE}, {sql.NO_PATHS})"
    )
    return SourceTable(dict.fromkeys(header, "VARCHAR"), select, typed=False, source=source, in_lines=True)


def _last_line_fits(source: Source, file: Path) -> None:
    """Raise Rejected where the last line is longer than any may be: DuckDB says so of other lines, and leaves out one at the end that does
    not fit into its buffer (findings/duckdb-last-long-line.sh)."""
    with file.open("rb") as stream:
        size = stream.seek(0, os.SEEK_END)
        stream.seek(max(0, size - LONGEST_LINE - 2))
        end = stream.read().rstrip(b"\r\n")
    if len(end) > LONGEST_LINE and b"\n" not in end and b"\r" not in end:
        raise errors.Rejected(f"source {source.name!r}: the last line of {file} cannot be read: {_TOO_LONG}")


def _header(source: Source, file: Path) -> list[str]:
    with file.open("rb") as stream:
        start = stream.read(LONGEST_LINE)
    before = dialects.hint_lines(file)
    for mark, kind in OTHERS:
        if start.startswith(mark):
            raise errors.Rejected(f"source {source.name!r}: {file} is no CSV file: it is {kind}")
    for mark, encoding in FOREIGN:
        if start.startswith(mark):
            raise errors.Rejected(f"source {source.name!r}: {file} is written in {encoding}; save it as UTF-8")
    try:
        # The last character may be cut in two.
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(start)
    except UnicodeDecodeError as error:
        line = start.count(b"\n", 0, error.start) + 1
        raise _not_utf8(source, file, line) from None
    first, *rest = text.splitlines(keepends=True)[:2]
    # DuckDB skips a line by the end that it has, and then finds no row, and says nothing.
    if before and rest and first.endswith("\r\n") != rest[0].endswith("\r\n"):
        raise errors.Rejected(
            f"source {source.name!r}: the first line of {file}, a hint for Excel ({first.strip()}), ends otherwise than the lines below it "
            "(LF and CRLF); take it out"
        )
    try:
        lines = itertools.islice(text.splitlines(keepends=True), before, 1000)
        header = next(csv.reader(lines, delimiter=source.delimiter or ",", strict=True))
    except (StopIteration, csv.Error):
        raise errors.Rejected(f"source {source.name!r}: the header of {file} cannot be read as CSV") from None
    if not header:
        raise errors.Rejected(
            f"source {source.name!r}: {file} begins with a blank line; its first line is to be the header"
        )
    return header


def _records(source: Source, file: Path) -> Iterator[tuple[int, list[str]]]:
    """Each record of a CSV file, a hint for Excel, the header and blank lines too, with the line that it begins in, from 1. Raises
    csv.Error."""
    csv.field_size_limit(LONGEST_LINE)
    with file.open(encoding="utf-8-sig", errors="replace", newline="") as stream:
        reader = csv.reader(stream, delimiter=source.delimiter or ",")
        begins = 1
        for record in reader:
            yield begins, record
            begins = reader.line_num + 1


def _nth(lines: Iterator[int], number: int) -> int | None:
    try:
        return next(itertools.islice(lines, number, None), None)
    except csv.Error:  # what DuckDB reads and Python's reader does not
        return None


def _not_utf8(source: Source, file: Path, line: int) -> errors.Rejected:
    return errors.Rejected(
        f"source {source.name!r}: line {line} of {file} is not UTF-8 (it may be Latin-1 or Windows-1252); save the file as UTF-8"
    )


def _answered(database: duckdb.DuckDBPyConnection, source: Source, file: Path) -> SourceTable:
    """The rows that a database or a broker answered with, each value a text: types come from the contract."""
    return dataclasses.replace(_parquet(database, source, file), typed=False)


def _parquet(database: duckdb.DuckDBPyConnection, source: Source, file: Path, *, whole: bool = True) -> SourceTable:
    reader = sql.parquet(file)
    try:
        names = [
            row[0]
            for row in database.execute(
                f"SELECT name FROM parquet_schema({sql.one(file)}) OFFSET 1"  # noqa: S608 - the name is quoted
            ).fetchall()
        ]
        found = database.execute(f"DESCRIBE SELECT * FROM {reader}").fetchall()  # noqa: S608
    except duckdb.Error as error:
        raise unreadable(source, file, error) from None
    # DuckDB gives a column another name where two are the same to it.
    written = names if len(names) == len(found) else [row[0] for row in found]
    named = list(zip(headers.distinct(source, file, written, whole=whole), found, strict=True))
    selected = ", ".join(f"{sql.missing_or(row[0], row[1])} AS {sql.name(name)}" for name, row in named)
    select = f"SELECT {selected} FROM {reader}"  # noqa: S608 - names are quoted
    return SourceTable({name: row[1] for name, row in named}, select, typed=True, source=source)


def _avro(database: duckdb.DuckDBPyConnection, source: Source, file: Path, *, whole: bool = True) -> SourceTable:
    avro = AvroFile(
        f"source {source.name!r}: {file}", lambda: file.open("rb"), {column.name for column in source.columns}
    )
    headers.distinct(source, file, avro.names, whole=whole)
    there = database.from_arrow(avro.schema.empty_table())
    kinds = dict(zip(there.columns, map(str, there.types), strict=True))
    selected = ", ".join(f"{sql.missing_or(name, kind)} AS {sql.name(name)}" for name, kind in kinds.items())
    select = f"SELECT {selected} FROM {avro_rows.TABLE}"  # noqa: S608 - names are quoted
    return SourceTable(kinds, select, typed=True, source=source, texts=avro.texts, avro=avro)


def unreadable(source: Source, file: Path, error: duckdb.Error) -> errors.ArgosyError:
    """The error for *file*, which DuckDB could not read; it quotes no content."""
    message = str(error)
    if errors.says_disk_full(message) or "could not write" in message.lower():
        return errors.LocalDisk(f"source {source.name!r}: there is no room to read {file}; free some and try again")
    line = re.search(r"CSV Error on Line: (\d+)", message)
    if line is None:
        return errors.Rejected(f"source {source.name!r}: {file} cannot be read: {_first_line(message)}")
    begins = _begin_of(source, file, record=int(line[1]))
    if "nvalid unicode" in message:
        return _not_utf8(source, file, begins)
    return errors.Rejected(
        f"source {source.name!r}: line {begins} of {file} cannot be read: {_problem(source, message)}"
    )


def _begin_of(source: Source, file: Path, record: int) -> int:
    """The line that a record begins in: DuckDB counts records and calls them lines."""
    return _nth((line for line, _ in _records(source, file)), record - 1) or record


def _problem(source: Source, message: str) -> str:
    if columns := re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", message):
        expected, found = int(columns[1]), int(columns[2])
        nameless = "; a value before the first column, such as R's names of rows, needs a header too" * (
            found == expected + 1
        )
        return f"it has {found} values where the header has {expected} columns{nameless}"
    if "unterminated quote" in message:
        return "a quote is opened and never closed"
    if "Maximum line size" in message or "max_line_size" in message:
        return _TOO_LONG
    return f"it is not CSV ({source.delimiter or ','!r} between values, quotes doubled inside quotes)"


def _first_line(message: str) -> str:
    """The kind of problem alone: what follows may quote the file."""
    first = message.splitlines()[0].split(": ", 1)[-1]
    return first if "CSV" not in first else "it is not CSV (comma between values, one kind of line end)"
