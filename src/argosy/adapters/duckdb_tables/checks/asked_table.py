"""Puts questions to one table: all measures in one pass, then what needs a query of its own, then a few examples in one pass more."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import duckdb

from argosy.adapters.duckdb_tables import derivation, sql
from argosy.adapters.duckdb_tables.checks import asked_columns, questions
from argosy.adapters.duckdb_tables.checks.asked_columns import AskedColumn
from argosy.adapters.duckdb_tables.checks.questions import ExampleRows, Measure, TableAnswers, TableQuestion
from argosy.ports.tables import Derived

MOST_EXAMPLES = 5


class AskedTable:
    """The table *derived* in *database*."""

    def __init__(self, database: duckdb.DuckDBPyConnection, derived: Derived) -> None:
        self._database = database
        inner = derivation.query(derived, row=questions.ROW)
        described = [(name, kind) for name, kind, *_ in database.execute(f"DESCRIBE {inner}").fetchall()]
        self.names = [name for name, _ in described if name != questions.ROW]
        self.columns: Mapping[str, AskedColumn] = asked_columns.of(
            (name, kind) for name, kind in described if name != questions.ROW
        )
        replaced = [f"{column.normal} AS {column.sql}" for column in self.columns.values() if column.kind == "number"]
        star = f"* REPLACE ({', '.join(replaced)})" if replaced else "*"
        database.execute(f"CREATE TEMP VIEW {questions.TABLE} AS SELECT {star} FROM ({inner})")  # noqa: S608 - names are quoted

    def measured(self, asked: Iterable[TableQuestion]) -> Mapping[Measure, Any]:
        """All measures of *asked*, in one pass over the table."""
        measures = list(dict.fromkeys(measure for question in asked for measure in question.measures))
        if not measures:
            return {}
        selected = ", ".join(measure.sql for measure in measures)
        return dict(zip(measures, self._rows(f"SELECT {selected} FROM {questions.TABLE}")[0], strict=True))  # noqa: S608

    def answers(self, asked: Sequence[TableQuestion]) -> TableAnswers:
        """All that *asked* need."""
        measured = TableAnswers(self.measured(asked))
        queries = [query for question in asked for query in (*question.queries, *question.then(measured))]
        return TableAnswers(measured.measured, {query: self._rows(query.sql) for query in dict.fromkeys(queries)})

    def examples(self, wanted: Mapping[int, ExampleRows]) -> Mapping[int, list[Any]]:
        """A few rows for each of *wanted*, by its number; in one pass those that need no join."""
        plain = {number: each for number, each in wanted.items() if not each.joined}
        found = self._in_one_pass(plain) if plain else {}
        return found | {number: self._joined(each) for number, each in wanted.items() if each.joined}

    def _in_one_pass(self, wanted: Mapping[int, ExampleRows]) -> dict[int, list[Any]]:
        selected = ", ".join(
            f"min({_numbered(each)}, {MOST_EXAMPLES}) FILTER (WHERE {each.where})" for each in wanted.values()
        )
        lists = self._rows(f"SELECT {selected} FROM {questions.TABLE}")[0]  # noqa: S608
        return {
            number: [each.shown(tuple(row[f"v{n}"] for n in range(len(each.columns)))) for row in rows or ()]
            for (number, each), rows in zip(wanted.items(), lists, strict=True)
        }

    def _joined(self, wanted: ExampleRows) -> list[Any]:
        query = (
            f"SELECT {', '.join(wanted.columns)} FROM {questions.TABLE}{wanted.joined} WHERE {wanted.where} "  # noqa: S608
            f"ORDER BY {questions.ROW} LIMIT {MOST_EXAMPLES}"
        )
        return [wanted.shown(row) for row in self._rows(query)]

    def _rows(self, query: str) -> list[tuple[Any, ...]]:
        rows: list[tuple[Any, ...]] = self._database.execute(query).fetchall()
        return rows


def _numbered(examples: ExampleRows) -> str:
    values = "".join(f", {sql.text(f'v{number}')}: {column}" for number, column in enumerate(examples.columns))
    return f"{{'argosy_row': {questions.ROW}{values}}}"
