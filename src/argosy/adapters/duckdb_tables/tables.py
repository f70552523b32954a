"""Reads files by a data contract into snapshots, and asks snapshots for examples, in DuckDB.

Values are typed by the contract alone (see :mod:`~argosy.adapters.duckdb_tables.sql`); how a file is opened is
:mod:`~argosy.adapters.duckdb_tables.files`' business.
"""

import contextlib
import hashlib
import importlib.metadata
import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from argosy import errors, memory
from argosy.adapters.duckdb_tables import (
    as_of_join,
    bounded_database,
    derivation,
    dialects,
    files,
    headers,
    increments,
    partitions,
    setting_hints,
    sql,
)
from argosy.domain import epoch
from argosy.domain.as_of import Knowledge
from argosy.domain.model_settings import Label
from argosy.domain.source_settings import Column, RejectRule, Source
from argosy.ports import tables

if TYPE_CHECKING:
    import pyarrow as pa

PARQUET = "(FORMAT parquet, COMPRESSION zstd)"
MOST_SHOWN = 3
"""Keys that are there more than once, of which a few are shown."""
BATCH = 65_536
"""Rows that are handed on at once, of a table that is not wide."""


class DuckDBTables:
    """Tables through a DuckDB that lives in memory, and on disk in *scratch* where a table is larger than that."""

    def __init__(self, scratch: Path | None = None) -> None:
        self._scratch = scratch
        self._without_rows: duckdb.DuckDBPyConnection | None = None
        """Where expressions are tried: opened for the first, because it takes longer than they do."""

    def snapshot(
        self,
        source: Source,
        rules: Sequence[RejectRule],
        file: Path,
        *,
        kept: Path,
        rejected: Path,
        known: Knowledge | None = None,
        earlier: tables.Earlier | None = None,
    ) -> tables.Counts:
        """Type and sort the rows of *file*; see the port."""
        with self._database() as database:
            table = (
                partitions.open_folder(database, source, file, earlier.reached if earlier else None)
                if file.is_dir()
                else files.open_file(database, source, file)
            )
            counts = _typed(
                database,
                table,
                rules,
                file,
                kept=kept,
                rejected=rejected,
                known=known,
                earlier=earlier,
                empty=earlier is not None,
            )
        read_as = dialects.said(source, table.source)
        return replace(counts, read_as=read_as, absent=table.absent, parts=len(table.parts))

    def parts(
        self, source: Source, rules: Sequence[RejectRule], place: Path, into: Path
    ) -> Sequence[tables.TablePiece]:
        """The partitions of the folder *place*, or that file; see the port."""
        with self._database() as database:
            apart = derivation.is_by_row(database, [rule.when for rule in rules])
            if place.is_dir():
                # Rows of one table have numbers of their own, for which those before them are counted.
                table = partitions.open_folder(database, source, place, counted=not apart)
            else:
                table = files.open_file(database, source, place)
        if not apart:
            return [self._part(table, rules, place, into / "0.parquet", place.name, None)]
        return [
            self._part(
                replace(table, parts=(), select=part.select, in_lines=part.table.in_lines, avro=part.table.avro),
                rules,
                part.file,
                into / f"{number}.parquet",
                part.name,
                _digest(table, rules, part.file, part.select),
            )
            for number, part in enumerate(table.places(place))
        ]

    def _part(
        self,
        table: files.SourceTable,
        rules: Sequence[RejectRule],
        place: Path,
        kept: Path,
        name: str,
        digest: str | None,
    ) -> tables.TablePiece:
        """The *table* in *place* as the part called *name*; *kept*: the file that it becomes."""
        before = place.stat()

        def file() -> Path:
            if not kept.exists():
                with self._database() as database, tempfile.TemporaryDirectory(dir=kept.parent) as folder:
                    written, rejected = Path(folder) / "kept.parquet", Path(folder) / "rejected.parquet"
                    _typed(database, table, rules, place, kept=written, rejected=rejected, empty=True)
                    written.rename(kept)
                after = place.stat()
                if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
                    raise errors.TryAgain(f"{place} was changed while it was read; run this again once it is written")
            return kept

        return tables.TablePiece(name, file, digest)

    def examples(
        self, table: Path, source: Source, label: Label, columns: Sequence[str], order: Sequence[str]
    ) -> "Iterator[pa.RecordBatch]":
        """Ask the snapshot's *table* for examples; see the port."""
        time = source.timestamp or tables.EVENT_TIME
        selected = [sql.name(column) for column in columns]
        selected += [f"{sql.name(time)} AS {tables.EVENT_TIME}", f"{sql.of_label(label)} AS {tables.LABEL}"]
        query = (
            f"SELECT {', '.join(selected)} FROM {sql.parquet(table)} "  # noqa: S608 - the expression is the model's own
            f"ORDER BY {', '.join(sql.name(column) for column in dict.fromkeys([*order, time, *source.entity]))}"
        )
        return self._batches(query, f"`label.sql: {label.sql}` cannot be asked of source {source.name!r}")

    def join(
        self,
        examples: Path,
        snapshot: Path,
        columns: Sequence[str],
        views: Sequence[tables.AsOfView],
        *,
        where: str | None = None,
    ) -> "Iterator[pa.RecordBatch]":
        """Join as of each row's time; see the port."""
        condition = "true" if where is None else f"side = {sql.text(where)}"
        query = as_of_join.query(examples, snapshot, columns, tables.NUMBER, views, condition)
        return self._batches(query, "features cannot be joined to the examples")

    def in_order(self, file: Path, column: str) -> "Iterator[pa.RecordBatch]":
        """Sort the rows of *file*; see the port."""
        query = f"SELECT * FROM {sql.parquet(file)} ORDER BY {sql.name(column)}"  # noqa: S608 - names are quoted
        return self._batches(query, f"{file} cannot be sorted")

    def derive(self, derived: tables.Derived, columns: Sequence[str] | None = None) -> "pa.Table":
        """Add columns to a snapshot's table; see the port."""
        with self._asked(derived) as database:
            return database.sql(derivation.query(derived, columns)).to_arrow_table()

    def repeated(
        self, derived: tables.Derived, keys: Sequence[str], columns: Sequence[str] | None = None
    ) -> tables.Repeated:
        """Count the keys of a table; see the port."""
        rows, names = derivation.query(derived, columns or keys), ", ".join(map(sql.name, keys))
        distinct = f"SELECT DISTINCT * FROM ({rows})" if columns else rows  # noqa: S608 - names are quoted
        counted = f"SELECT {names}, count(*) AS argosy_count FROM ({distinct}) GROUP BY {names}"  # noqa: S608
        with self._asked(derived) as database:
            sizes = f"SELECT count(*), count(*) FILTER (WHERE argosy_count > 1) FROM ({counted})"  # noqa: S608
            found = database.execute(sizes).fetchall()[0]
            first = f"SELECT {names} FROM ({counted}) WHERE argosy_count > 1 ORDER BY ALL LIMIT {MOST_SHOWN if found[1] else 0}"  # noqa: S608
            return tables.Repeated(found[0], found[1], database.sql(first).to_arrow_table())

    @contextlib.contextmanager
    def _asked(self, derived: tables.Derived) -> Iterator[duckdb.DuckDBPyConnection]:
        """A database to ask for *derived*: what its expressions cannot be asked is said by their names."""
        problem = derivation.problem(derived)
        with self._database() as database, bounded_database.within_limits(problem):
            try:
                yield database
            except (duckdb.OutOfMemoryException, duckdb.IOException):
                raise
            except duckdb.Error as error:
                raise errors.Misconfigured(f"{problem}: {_said(error)}") from None

    def explain(self, source: Source, expression: str, *, condition: bool) -> str | None:
        """Ask a table without rows; see the port."""
        columns = ", ".join(
            f"NULL::{sql.SQL_TYPE[column.type]} AS {sql.name(column.name)}" for column in source.columns
        )
        if source.observed_at is not None:
            columns += f", NULL::TIMESTAMPTZ AS {tables.EVENT_TIME}"
        if self._without_rows is None:
            # One thread: nothing is calculated, and whoever asks may fork.
            self._without_rows = bounded_database.prepared(duckdb.connect(config={"threads": 1}))
        question = f"DESCRIBE SELECT ({expression}) AS c FROM (SELECT {columns})"  # noqa: S608 - the model's own
        try:
            kind = self._without_rows.execute(question).fetchall()[0][1]
        except duckdb.Error as error:
            return f"`{expression}` cannot be asked of source {source.name!r}: {_explained(error)}"
        if condition and kind != "BOOLEAN":
            return f"`{expression}` gives {kind}, not a condition; write one that is true or false"
        return None

    def _batches(self, query: str, problem: str) -> "Iterator[pa.RecordBatch]":
        """The answer to *query* as it is made; the database is closed when all of it was taken."""
        with self._database() as database, bounded_database.within_limits(problem):
            try:
                # Objections to names, types and values come before the first batch: it has to be sorted for that.
                answer = database.sql(query)
                reader = answer.to_arrow_reader(memory.rows_at_once(BATCH, len(answer.columns)))
            except (duckdb.OutOfMemoryException, duckdb.IOException):
                raise
            except duckdb.Error as error:
                raise errors.Misconfigured(f"{problem}: {_said(error)}") from None
            yield from reader

    def _database(self) -> contextlib.AbstractContextManager[duckdb.DuckDBPyConnection]:
        return bounded_database.opened(self._scratch)


def _typed(
    database: duckdb.DuckDBPyConnection,
    table: files.SourceTable,
    rules: Sequence[RejectRule],
    file: Path,
    *,
    kept: Path,
    rejected: Path,
    known: Knowledge | None = None,
    earlier: tables.Earlier | None = None,
    empty: bool = False,
) -> tables.Counts:
    """Write the rows of *table*, which *file* holds, by its contract. *empty*: whether there may be none."""
    source = table.source
    _load(database, source, table, file)
    if not empty:
        _demand_rows(database, source, file)
    _check_types(source, table, file)
    _judge(database, source, table, rules, known, earlier)
    counts = _count(database, source, table, rules)
    taken = increments.take(database, source, earlier) if earlier is not None else 0
    if known is not None:
        counts = _with_unknown(database, source, counts, known)
    if problems := _broken(database, source, table, file):
        raise errors.Rejected(errors.listed(problems))
    progress = increments.progress(database, source, earlier)
    _write(database, source, rules, kept=kept, rejected=rejected, with_earlier=earlier is not None)
    return replace(counts, taken=taken, progress=progress)


def _digest(table: files.SourceTable, rules: Sequence[RejectRule], file: Path, select: str) -> str:
    """Of the content of *file*, and of all that decides which rows it becomes."""
    with file.open("rb") as stream:
        content = hashlib.file_digest(stream, "sha256").hexdigest()
    read = select.replace(sql.one(file), "")
    said = [
        importlib.metadata.version("argosy"),
        duckdb.__version__,
        content,
        read,
        table.source.model_dump_json(),
        *(rule.model_dump_json() for rule in rules),
    ]
    return f"sha256:{hashlib.sha256(json.dumps(said).encode()).hexdigest()}"


def _load(database: duckdb.DuckDBPyConnection, source: Source, table: files.SourceTable, file: Path) -> None:
    before = 0
    for number, part in enumerate(table.places(file)):
        into = "INSERT INTO read_rows" if number else "CREATE TABLE read_rows AS"
        try:
            with part.table.readable(database):
                database.execute(f"{into} SELECT row_number() OVER () + {before} AS {sql.ROW}, * FROM ({part.select})")  # noqa: S608
        except duckdb.Error as error:
            raise files.unreadable(source, part.file, error) from None
        before += part.rows


def _demand_rows(database: duckdb.DuckDBPyConnection, source: Source, file: Path) -> None:
    row = database.execute("SELECT count(*) FROM read_rows").fetchone()
    if row is None or row[0] == 0:
        raise errors.Rejected(f"source {source.name!r}: {file} has no rows, only columns")


def _check_types(source: Source, table: files.SourceTable, file: Path) -> None:
    if not table.typed:
        return
    problems = [
        f"source {source.name!r}: column {column.name!r} of {file} is {found}, the contract says {column.type}"
        f"{_how_to_accept(column, found)}"
        for column in source.columns
        if column.name not in table.texts and not sql.accepts(column, found := table.columns[column.name])
    ]
    if problems:
        raise errors.Rejected(errors.listed(problems))


def _how_to_accept(column: Column, found: str) -> str:
    if column.type == "timestamp" and found in sql.ZONELESS:
        return " (a time without a zone is no moment: set `timezone: UTC`, or another, at the column)"
    if found == "VARCHAR" and column.type == "timestamp":
        return " (say how it is written with `format:` at the column)"
    if found == "VARCHAR" and column.type == "boolean":
        return " (name its words: `means_true`, `means_false`)"
    if found in ("BLOB", "TIME"):
        return f" ({'bytes are' if found == 'BLOB' else 'a time of day is'} no type of a contract: have it written as text)"
    return ""


def _judge(
    database: duckdb.DuckDBPyConnection,
    source: Source,
    table: files.SourceTable,
    rules: Sequence[RejectRule],
    known: Knowledge | None,
    earlier: tables.Earlier | None,
) -> None:
    """Make ``typed_rows``: the contract's columns of the rows that were *known*, and which rule keeps the row aside."""
    _check_zones(database, source)
    typed = ", ".join(f"{_converted(source, table, column)} AS {sql.name(column.name)}" for column in source.columns)
    database.execute(f"CREATE VIEW converted AS SELECT {sql.ROW}, {typed} FROM read_rows")  # noqa: S608
    for rule in rules:
        _check_rule(database, source, rule)
    branches = " ".join(f"WHEN ({rule.when}) THEN {number}" for number, rule in enumerate(rules))
    reason = f"CASE {branches} END" if rules else "NULL::INTEGER"
    were_known = "true" if known is None else _was_known(database, source, known)
    are_new = "true" if earlier is None else increments.is_new(source, earlier)
    try:
        database.execute(
            f"CREATE TABLE typed_rows AS SELECT *, {reason} AS {sql.REASON} FROM converted "  # noqa: S608
            f"WHERE ({were_known}) AND ({are_new})"
        )
    except duckdb.Error as error:
        raise errors.Misconfigured(
            f"the `reject` rules of source {source.name!r} cannot be asked: {_said(error)}"
        ) from None


def _was_known(database: duckdb.DuckDBPyConnection, source: Source, known: Knowledge) -> str:
    """The condition that a row of ``converted`` was known. A time that is missing is for the contract's checks to find."""
    try:
        database.execute(f"DESCRIBE SELECT {_known_at(source, known)} FROM converted")  # noqa: S608
    except duckdb.Error as error:
        raise errors.Misconfigured(
            f"`labels.known: {known.label}` cannot be asked of source {source.name!r}: {_said(error)}"
        ) from None
    return f"coalesce({_known_at(source, known)} <= {sql.text(known.moment.isoformat())}::TIMESTAMPTZ, true)"


def _known_at(source: Source, known: Knowledge) -> str:
    """The moment at which a row of ``converted`` was known: once it was true, written down, and its label there."""
    observed = f"{sql.text(source.observed_at.isoformat())}::TIMESTAMPTZ" if source.observed_at is not None else None
    columns = [sql.name(name) for name in (source.timestamp, source.created) if name is not None]
    label = f"({known.label})::TIMESTAMPTZ" if known.label is not None else None
    return f"greatest({', '.join(filter(None, [observed, *columns, label]))})"


def _with_unknown(
    database: duckdb.DuckDBPyConnection, source: Source, counts: tables.Counts, known: Knowledge
) -> tables.Counts:
    """*counts* with those of the rows that were not known, and since when there is one."""
    row = database.execute(
        f"SELECT count(*), (epoch_us(min({_known_at(source, known)})))::BIGINT FROM converted"  # noqa: S608
    ).fetchone()
    if row is None:
        return counts
    # By hand: DuckDB hands out moments in the zone of the machine, and asks for a package to do so.
    first = None if row[1] is None else epoch.moment(row[1])
    return replace(counts, unknown=row[0] - counts.read, first_known=first)


def _check_zones(database: duckdb.DuckDBPyConnection, source: Source) -> None:
    for column in source.columns:
        if column.timezone is not None:
            try:
                database.execute("SELECT timezone(?, TIMESTAMP '2000-01-01')", [column.timezone])
            except duckdb.Error as error:
                raise errors.Misconfigured(
                    f"column {column.name!r} of source {source.name!r}: `timezone`: {_explained(error)}"
                ) from None


def _converted(source: Source, table: files.SourceTable, column: Column) -> str:
    if table.typed and column.name not in table.texts:
        return sql.from_typed(column, table.columns[column.name])
    return sql.from_text(column, "." if source.has_no_file else source.decimal)


def _check_rule(database: duckdb.DuckDBPyConnection, source: Source, rule: RejectRule) -> None:
    try:
        kind = database.execute(f"DESCRIBE SELECT ({rule.when}) AS c FROM converted").fetchall()[0][1]  # noqa: S608
    except duckdb.Error as error:
        raise errors.Misconfigured(
            f"`reject: when: {rule.when}` cannot be asked of source {source.name!r}: {_said(error)}"
        ) from None
    if kind != "BOOLEAN":
        raise errors.Misconfigured(
            f"`reject: when: {rule.when}` gives {kind}, not a condition; write one that is true or false"
        )


def _count(
    database: duckdb.DuckDBPyConnection, source: Source, table: files.SourceTable, rules: Sequence[RejectRule]
) -> tables.Counts:
    found = dict(
        database.execute(f"SELECT {sql.REASON}, count(*) FROM typed_rows GROUP BY ALL").fetchall()  # noqa: S608
    )
    by_reason: dict[str, int] = {}
    for number, rule in enumerate(rules):
        by_reason[rule.reason] = by_reason.get(rule.reason, 0) + found.get(number, 0)
    named = {column.name for column in source.columns}
    return tables.Counts(
        read=sum(found.values()),
        rejected=by_reason,
        left_behind=[name for name in table.columns if name not in named],
    )


def _broken(database: duckdb.DuckDBPyConnection, source: Source, table: files.SourceTable, file: Path) -> list[str]:
    """A sentence for each column with a value that the contract does not allow, in a row that nothing keeps aside."""
    required = {*source.entity, source.timestamp, source.created}
    found = [_unreadable(database, source, table, file, column) for column in source.columns]
    found += [
        _missing(database, source, table, file, column)
        for column, unreadable in zip(source.columns, found, strict=True)
        # An unreadable value is a missing one too: that was said.
        if not unreadable and (not column.nullable or column.name in required)
    ]
    return [problem for problem in found if problem]


def _unreadable(
    database: duckdb.DuckDBPyConnection, source: Source, table: files.SourceTable, file: Path, column: Column
) -> str | None:
    quoted = sql.name(column.name)
    row = database.execute(
        f"SELECT count(*), min({sql.ROW}), arg_min(r.{quoted}::VARCHAR, {sql.ROW}) "  # noqa: S608
        f"FROM typed_rows AS t JOIN read_rows AS r USING ({sql.ROW}) "
        f"WHERE {sql.REASON} IS NULL AND t.{quoted} IS NULL AND r.{quoted} IS NOT NULL"
    ).fetchone()
    if row is None or row[0] == 0:
        return None
    count, first, value = row
    example = "its value is withheld, the column is personal" if column.personal else f"it says {headers.shown(value)}"
    setting = setting_hints.of(source, column, value)
    return (
        f"source {source.name!r}: column {column.name!r} of {file} is no {column.type} in {count} row{'s' if count > 1 else ''}: "
        f"in {files.place(source, table, file, first)} {example}; {f'{setting}; or ' if setting else ''}mend the file, or keep such rows "
        f"aside with `reject: [{{source: {source.name}, when: '{_condition(column)}', reason: ...}}]`"
    )


def _condition(column: Column) -> str:
    """The condition for a missing value, as it stands between single quotes in YAML."""
    plain = column.name.isidentifier() and column.name.isascii()
    return f"{column.name if plain else sql.name(column.name)} is null".replace("'", "''")


def _missing(
    database: duckdb.DuckDBPyConnection, source: Source, table: files.SourceTable, file: Path, column: Column
) -> str | None:
    row = database.execute(
        f"SELECT count(*), min({sql.ROW}) FROM typed_rows "  # noqa: S608
        f"WHERE {sql.REASON} IS NULL AND {sql.name(column.name)} IS NULL"
    ).fetchone()
    if row is None or not row[0]:
        return None
    optional = column.name not in {*source.entity, source.timestamp, source.created}
    return (
        f"source {source.name!r}: column {column.name!r} of {file} is missing in {row[0]} row{'s' if row[0] > 1 else ''}, "
        f"first in {files.place(source, table, file, row[1])}, and the contract does not allow it: mend the file, keep such rows aside "
        f"with `reject: [{{source: {source.name}, when: '{_condition(column)}', reason: ...}}]`"
        f"{', or declare the column `nullable: true`' if optional else ''}"
    )


def _write(
    database: duckdb.DuckDBPyConnection,
    source: Source,
    rules: Sequence[RejectRule],
    *,
    kept: Path,
    rejected: Path,
    with_earlier: bool,
) -> None:
    names = [sql.name(column.name) for column in source.columns]
    if source.observed_at is not None:
        moment = sql.text(source.observed_at.isoformat())
        names.append(f"{moment}::TIMESTAMPTZ AS {tables.EVENT_TIME}")
    # The whole row decides, so that the order rows came in leaves no trace.
    first = [name for name in (*source.entity, source.timestamp, source.created) if name]
    order = ", ".join(sql.name(name) for name in dict.fromkeys([*first, *(column.name for column in source.columns)]))
    rows = f"SELECT {', '.join(names)} FROM typed_rows WHERE {sql.REASON} IS NULL"  # noqa: S608 - names are quoted
    if with_earlier:
        rows += f" UNION ALL SELECT {', '.join(names)} FROM {increments.EARLIER}"  # noqa: S608 - as above
    passed = f"SELECT * FROM ({rows}) ORDER BY {order}"  # noqa: S608
    _copy(database, passed, kept)
    texts = " ".join(f"WHEN {number} THEN {sql.text(rule.reason)}" for number, rule in enumerate(rules))
    reason = f"CASE {sql.REASON} {texts} END" if rules else "NULL::VARCHAR"
    aside = (
        f"SELECT r.*, {reason} AS {sql.REASON} FROM typed_rows AS t JOIN read_rows AS r USING ({sql.ROW}) "  # noqa: S608
        f"WHERE t.{sql.REASON} IS NOT NULL ORDER BY {sql.ROW}"
    )
    _copy(database, aside, rejected)


def _copy(database: duckdb.DuckDBPyConnection, select: str, file: Path) -> None:
    try:
        database.execute(f"COPY ({select}) TO {sql.text(str(file))} {PARQUET}")
    except duckdb.IOException as error:
        raise errors.LocalDisk(f"{file} cannot be written: {_said(error)}") from None


def _said(error: duckdb.Error) -> str:
    """DuckDB's own words without the picture it draws of the query."""
    return str(error).split("\n", 1)[0]


def _explained(error: duckdb.Error) -> str:
    """As :func:`_said`, with the columns that DuckDB thinks were meant."""
    said = str(error).split("\nLINE", 1)[0]
    return " ".join(said.split())
