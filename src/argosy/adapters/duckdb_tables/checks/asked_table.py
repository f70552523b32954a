"""Puts questions to one table: all measures in one pass, then what needs a query of its own, then a few examples, which are looked for
from the first row on and no further than until enough are found.

A table in several parts is measured part by part, and what was measured of a part is kept by the part's digest: one that is known is not
opened. Queries are put to all parts at once.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb

from argosy.adapters.duckdb_tables import derivation, sql
from argosy.adapters.duckdb_tables.checks import asked_columns, merging, questions
from argosy.adapters.duckdb_tables.checks.asked_columns import AskedColumn
from argosy.adapters.duckdb_tables.checks.kept_measures import KeptMeasures
from argosy.adapters.duckdb_tables.checks.questions import ExampleRows, Measure, Query, TableAnswers, TableQuestion
from argosy.ports.tables import Derived, TablePiece

MOST_EXAMPLES = 5
FIRST = 122_880
"""Rows among which most examples are: a row group of DuckDB's."""
DESCRIBED = "described"
ANYWHERE = Path("part.parquet")

Described = list[tuple[str, str]]
"""Name and DuckDB's type of each column."""


class AskedTable:
    """The table *derived* in *database*. *kept*: what is known of parts already."""

    def __init__(self, database: duckdb.DuckDBPyConnection, derived: Derived, kept: KeptMeasures | None = None) -> None:
        self._database = database
        self._derived = derived
        self.in_parts = len(derived.parts) > 1 and derivation.is_by_row(database, _expressions(derived))
        parts = derived.parts if self.in_parts else [None]
        self._parts = [_AskedPart(database, derived, part, number, kept) for number, part in enumerate(parts)]
        described = self._parts[0].described()
        if any(part.described() != described for part in self._parts):
            # Which type a column has as a whole DuckDB is to say.
            self.in_parts, self._parts = False, [_AskedPart(database, derived, None, 0, None)]
            described = self._parts[0].described()
        self._whole: str | None = None
        self._apart: list[TableAnswers] = []
        self.names = [name for name, _ in described if name != questions.ROW]
        self.columns: Mapping[str, AskedColumn] = asked_columns.of(
            (name, kind) for name, kind in described if name != questions.ROW
        )

    def answers(self, asked: Sequence[TableQuestion]) -> TableAnswers:
        """All that *asked* need."""
        measures = list(dict.fromkeys(measure for question in asked for measure in question.measures))
        self._apart = [TableAnswers(part.measured(measures)) for part in self._parts]
        together = TableAnswers(
            {measure: merging.merged(measure, [found[measure] for found in self._apart]) for measure in measures}
        )
        queries = [query for question in asked for query in queries_of(question, together)]
        return TableAnswers(together.measured, {query: self._queried(query) for query in dict.fromkeys(queries)})

    def examples(self, wanted: Mapping[int, ExampleRows]) -> Mapping[int, list[Any]]:
        """A few rows for each of *wanted*, by its number; together those that need no join. Answers have to be there."""
        plain = {number: each for number, each in wanted.items() if not each.joined}
        return self._in_order(plain) | {number: self._joined(each) for number, each in wanted.items() if each.joined}

    def _in_order(self, wanted: Mapping[int, ExampleRows]) -> dict[int, list[Any]]:
        found: dict[int, list[Any]] = {number: [] for number in wanted}
        for part, answers in zip(self._parts, self._apart, strict=True):
            left = {
                number: len(found[number]) + each.often(answers)
                for number, each in wanted.items()
                if len(found[number]) < MOST_EXAMPLES and each.often(answers)
            }
            for rows in part.slices() if left else ():
                missing = {
                    number: wanted[number]
                    for number, most in left.items()
                    if len(found[number]) < min(most, MOST_EXAMPLES)
                }
                if not missing:
                    break
                for number, more in part.first(missing, rows).items():
                    found[number] = [*found[number], *more][:MOST_EXAMPLES]
        return {
            number: [
                wanted[number].shown(tuple(row[f"v{n}"] for n in range(len(wanted[number].columns)))) for row in rows
            ]
            for number, rows in found.items()
        }

    def _joined(self, wanted: ExampleRows) -> list[Any]:
        query = (
            f"SELECT {', '.join(wanted.columns)} FROM {questions.TABLE}{wanted.joined} WHERE {wanted.where} "  # noqa: S608
            f"ORDER BY {questions.ROW} LIMIT {MOST_EXAMPLES}"
        )
        return [wanted.shown(row) for row in self._queried(Query(query))]

    def _queried(self, query: Query) -> list[tuple[Any, ...]]:
        if self._whole is None:
            inner = derivation.query(self._derived, row=questions.ROW)
            self._whole = _view(self._database, questions.TABLE, inner, self._parts[0].described())
        rows: list[tuple[Any, ...]] = self._database.execute(query.sql).fetchall()
        return rows


def queries_of(question: TableQuestion, measured: TableAnswers) -> list[Query]:
    """What *question* asks of all rows at once."""
    return [*question.queries, *question.then(measured)]


class _AskedPart:
    """The part number *number* of *derived*; without a part all of it."""

    def __init__(
        self,
        database: duckdb.DuckDBPyConnection,
        derived: Derived,
        part: TablePiece | None,
        number: int,
        kept: KeptMeasures | None,
    ) -> None:
        self._database = database
        self._derived = derived if part is None else replace(derived, parts=[part])
        self._number = number
        self._view: str | None = None
        self._digest = None if part is None or kept is None else part.digest
        self._kept = kept
        self._known: dict[str, Any] = dict(kept.of(self._digest)) if kept and self._digest else {}
        self._shape = derivation.query(
            replace(self._derived, parts=[TablePiece("", lambda: ANYWHERE)]), row=questions.ROW
        )

    def described(self) -> Described:
        """Its columns, the number of the row among them."""
        key = self._key(DESCRIBED)
        if key not in self._known:
            inner = derivation.query(self._derived, row=questions.ROW)
            found = self._database.execute(f"DESCRIBE {inner}").fetchall()
            self._learn({key: [[name, kind] for name, kind, *_ in found]})
        return [(name, kind) for name, kind in self._known[key]]

    def measured(self, measures: Sequence[Measure]) -> Mapping[Measure, Any]:
        """All of *measures*, in one pass those that are not known."""
        keys = {measure: self._key(measure.sql) for measure in measures}
        if missing := [measure for measure in measures if keys[measure] not in self._known]:
            selected = ", ".join(measure.sql for measure in missing)
            row = self._database.execute(f"SELECT {selected} FROM {self._asked()}").fetchall()[0]  # noqa: S608 - names are quoted
            values = map(merging.as_json, row)
            self._learn({keys[measure]: value for measure, value in zip(missing, values, strict=True)})
        return {measure: merging.from_json(self._known[keys[measure]]) for measure in measures}

    def slices(self) -> Iterator[str]:
        """Conditions that divide its rows, the first of them first."""
        if len(self._derived.parts) > 1:
            yield "true"
            return
        yield f"{questions.ROW} < {FIRST}"
        yield f"{questions.ROW} >= {FIRST}"

    def first(self, wanted: Mapping[int, ExampleRows], rows: str) -> Mapping[int, list[dict[str, Any]]]:
        """The first of its rows for which *rows* holds, for each of *wanted*."""
        selected = ", ".join(
            f"min({_numbered(each)}, {MOST_EXAMPLES}) FILTER (WHERE {each.where})" for each in wanted.values()
        )
        found = self._database.execute(f"SELECT {selected} FROM {self._asked()} WHERE {rows}").fetchall()[0]  # noqa: S608
        return {number: each or [] for number, each in zip(wanted, found, strict=True)}

    def _asked(self) -> str:
        if self._view is None:
            inner = derivation.query(self._derived, row=questions.ROW)
            self._view = _view(self._database, f"{questions.TABLE}_{self._number}", inner, self.described())
        return self._view

    def _key(self, asked: str) -> str:
        """What *asked* is kept as: the same for the same question by the same expressions."""
        return hashlib.sha256(json.dumps([duckdb.__version__, self._shape, asked]).encode()).hexdigest()

    def _learn(self, known: Mapping[str, Any]) -> None:
        self._known |= known
        if self._kept is not None and self._digest is not None:
            self._kept.keep(self._digest, self._known)


def _expressions(derived: Derived) -> list[str]:
    label = [sql.of_label(derived.label)] if derived.label is not None else []
    return [*derived.expressions.values(), *label]


def _view(database: duckdb.DuckDBPyConnection, name: str, inner: str, described: Described) -> str:
    """A view *name* of the rows of *inner*, whose columns are *described*, with what pandas takes for missing as null."""
    numbers = [column for column in asked_columns.of(described).values() if column.kind == "number"]
    replaced = ", ".join(f"{column.normal} AS {column.sql}" for column in numbers)
    star = f"* REPLACE ({replaced})" if replaced else "*"
    database.execute(f"CREATE TEMP VIEW {name} AS SELECT {star} FROM ({inner})")  # noqa: S608 - names are quoted
    return name


def _numbered(examples: ExampleRows) -> str:
    values = "".join(f", {sql.text(f'v{number}')}: {column}" for number, column in enumerate(examples.columns))
    return f"{{'argosy_row': {questions.ROW}{values}}}"
