"""Expectations about columns side by side: keys that are there once, and pairs that have to agree.

pandas makes a fraction of a whole number where a column has gaps; what is too large for that to be exact is for Great Expectations to say.
"""

import operator
from collections.abc import Mapping, Sequence
from typing import Any

from argosy.adapters.duckdb_tables.checks import questions
from argosy.adapters.duckdb_tables.checks.asked_columns import AskedColumn
from argosy.adapters.duckdb_tables.checks.questions import (
    ExampleRows,
    Measure,
    TableAnswers,
    TableJudgement,
    TableQuestion,
)

Arguments = Mapping[str, Any]
EXACT = 2**53
PAIR = frozenset({"column_A", "column_B", "mostly", "ignore_row_if"})
GREATER = "expect_column_pair_values_a_to_be_greater_than_b"
EQUAL = "expect_column_pair_values_to_be_equal"


def question(kind: str, arguments: Arguments, columns: Mapping[str, AskedColumn]) -> TableQuestion | None:
    """The question that the expectation *kind* asks of several of *columns*; None where it is not asked here."""
    share = arguments.get("mostly", 1)
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
        return None
    if kind == "expect_compound_columns_to_be_unique" and set(arguments) <= {"column_list", "mostly", "ignore_row_if"}:
        return _unique(arguments, columns, share)
    if kind in (EQUAL, GREATER) and set(arguments) <= PAIR | ({"or_equal"} if kind == GREATER else set()):
        return _pair(kind, arguments, columns, share)
    return None


def _unique(arguments: Arguments, columns: Mapping[str, AskedColumn], share: float) -> TableQuestion | None:
    names, ignored = arguments.get("column_list"), arguments.get("ignore_row_if", "all_values_are_missing")
    if not isinstance(names, list) or len(names) < 2 or len(set(names)) < len(names):
        return None
    asked = [columns[name] for name in names if name in columns]
    where = _considered(asked, {"all_values_are_missing": " OR ", "any_value_is_missing": " AND "}.get(ignored, ""))
    if len(asked) < len(names) or where is None:
        return None
    keys = [column.sql for column in asked]
    groups, considered = questions.groups(keys, where), questions.times(where)

    def judge(answers: TableAnswers) -> TableJudgement | None:
        unexpected = answers.rows(groups)[0][1]
        shown = _Shown(asked, answers)
        if not shown.are_exact:
            return None
        joined = questions.joined_to_repeated(keys, where)
        examples = ExampleRows(keys, where, shown.by_name, lambda _: unexpected, joined) if unexpected else None
        return _judged(answers, considered, unexpected, share, examples)

    return TableQuestion((questions.ROWS, considered, *_sizes(asked)), judge, queries=(groups,))


def _pair(kind: str, arguments: Arguments, columns: Mapping[str, AskedColumn], share: float) -> TableQuestion | None:
    asked = [
        columns[name] for name in (arguments.get("column_A", ""), arguments.get("column_B", "")) if name in columns
    ]
    ignored, or_equal = arguments.get("ignore_row_if", "both_values_are_missing"), arguments.get("or_equal", False)
    # A column beside itself is two columns of one name to pandas, with answers of their own.
    if len({column.name for column in asked}) < 2 or not _are_comparable(asked) or type(or_equal) is not bool:
        return None
    where = _considered(asked, {"both_values_are_missing": " OR ", "either_value_is_missing": " AND "}.get(ignored, ""))
    if where is None:
        return None
    first, second = (column.sql for column in asked)
    sign = "=" if kind == EQUAL else ">=" if or_equal else ">"
    unexpected = f"({where}) AND NOT coalesce({first} {sign} {second}, false)"
    considered, outside = questions.times(where), questions.times(unexpected)

    def judge(answers: TableAnswers) -> TableJudgement | None:
        shown = _Shown(asked, answers)
        # Which of a text and nothing is the greater, Python refuses to say.
        if not shown.are_exact or (kind == GREATER and asked[0].kind == "text" and shown.have_gaps):
            return None
        often = operator.itemgetter(outside)
        examples = ExampleRows([first, second], unexpected, shown.in_order, often) if answers[outside] else None
        return _judged(answers, considered, answers[outside], share, examples)

    return TableQuestion((questions.ROWS, considered, outside, *_sizes(asked)), judge)


def _judged(
    answers: TableAnswers, considered: Measure, unexpected: int, share: float, examples: ExampleRows | None
) -> TableJudgement:
    rows = answers[questions.ROWS]
    return TableJudgement(
        questions.mostly(answers[considered], unexpected, share),
        unexpected_count=unexpected,
        element_count=rows,
        missing_count=rows - answers[considered],
        examples=examples,
    )


def _considered(columns: Sequence[AskedColumn], word: str) -> str | None:
    """The condition for the rows that are looked at; None where *word*, which joins the columns, is unknown."""
    return word.join(f"{column.sql} IS NOT NULL" for column in columns) if word else None


def _are_comparable(columns: Sequence[AskedColumn]) -> bool:
    kinds = {column.kind for column in columns}
    return kinds in ({"integer"}, {"number"}, {"text"}, {"moment"}, {"integer", "number"})


def _sizes(columns: Sequence[AskedColumn]) -> list[Measure]:
    """What tells whether all whole numbers of *columns* are exact as fractions, and whether there are gaps."""
    return [*(questions.nonnull(column.sql) for column in columns), *_ends(columns)]


def _ends(columns: Sequence[AskedColumn]) -> list[Measure]:
    """The least and the greatest of the whole numbers of each of *columns* that has them."""
    whole = [column.sql for column in columns if column.kind == "integer"]
    return [found for name in whole for found in (questions.least(name), questions.greatest(name))]


class _Shown:
    """Rows of *columns* as Great Expectations would show them."""

    def __init__(self, columns: Sequence[AskedColumn], answers: TableAnswers) -> None:
        self._columns = columns
        self._gaps = [answers[questions.nonnull(column.sql)] < answers[questions.ROWS] for column in columns]
        self.have_gaps = any(self._gaps)
        mixed = len({column.kind for column in columns}) > 1
        sizes = [answers[measure] for measure in _ends(columns)]
        largest = max((abs(size) for size in sizes if size is not None), default=0)
        self.are_exact = largest < EXACT or not (self.have_gaps or mixed)

    def in_order(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        """The values as a tuple."""
        return tuple(
            column.shown(value, gaps=gaps) for column, value, gaps in zip(self._columns, row, self._gaps, strict=True)
        )

    def by_name(self, row: tuple[Any, ...]) -> dict[str, Any]:
        """The values by their columns' names."""
        return dict(zip((column.name for column in self._columns), self.in_order(row), strict=True))
