"""Expectations about a column as a whole: its extremes, its average, its values as a set."""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from argosy.adapters.duckdb_tables.checks import literals, positions, questions
from argosy.adapters.duckdb_tables.checks.asked_columns import AskedColumn
from argosy.adapters.duckdb_tables.checks.questions import Measure, Query, TableAnswers, TableJudgement, TableQuestion

Arguments = Mapping[str, Any]
BOUNDS = frozenset({"min_value", "max_value", "strict_min", "strict_max"})
CLOSE = 1e-9
"""Of two ways to add up fractions nobody can say which is right closer than this."""
EXACT = 2**53
"""Up to here sums of whole numbers are the same as fractions."""
MOST_MODES = 100
"""More values that are the most common ones are not brought here."""
MOST_DISTINCT = 20
"""So many values at the most Great Expectations shows of a set."""


def question(kind: str, arguments: Arguments, columns: Mapping[str, AskedColumn]) -> TableQuestion | None:
    """The question that the expectation *kind* asks of one of *columns*; None where it is not asked here."""
    column = columns.get(arguments.get("column", ""))
    if column is None or kind not in OF_COLUMNS:
        return None
    asked, named = OF_COLUMNS[kind]
    return asked(column, arguments) if set(arguments) <= {"column", *named} else None


def _extreme(end: Callable[[str], Measure]) -> "Callable[[AskedColumn, Arguments], TableQuestion | None]":
    def asked(column: AskedColumn, arguments: Arguments) -> TableQuestion | None:
        if column.kind not in ("integer", "number", "moment") or not are_bounds(arguments, column):
            return None
        there = questions.nonnull(column.sql)
        found = end(column.sql)

        def judge(answers: TableAnswers) -> TableJudgement | None:
            value = column.shown(answers[found], gaps=answers[there] < answers[questions.ROWS])
            return within(value, arguments, exact=True)

        return TableQuestion((questions.ROWS, there, found), judge)

    return asked


def _mean(column: AskedColumn, arguments: Arguments) -> TableQuestion | None:
    if column.kind not in ("integer", "number", "boolean") or not are_bounds(arguments):
        return None
    there, total = questions.nonnull(column.sql), _total(column)
    largest = _largest(column)

    def judge(answers: TableAnswers) -> TableJudgement | None:
        count = answers[there]
        if not count:
            return TableJudgement(passed=False)
        return within(float(answers[total]) / count, arguments, exact=_is_exact(column, answers, largest, count))

    return TableQuestion((there, total, *largest), judge)


def _sum(column: AskedColumn, arguments: Arguments) -> TableQuestion | None:
    if column.kind not in ("integer", "number") or not are_bounds(arguments):
        return None
    there, total, largest = questions.nonnull(column.sql), _total(column), _largest(column)

    def judge(answers: TableAnswers) -> TableJudgement | None:
        if not answers[there] or (column.kind == "integer" and not -(2**63) <= answers[total] < 2**63):
            return None
        gaps = answers[there] < answers[questions.ROWS]
        value = column.shown(answers[total], gaps=gaps)
        return within(value, arguments, exact=_is_exact(column, answers, largest, answers[there]))

    return TableQuestion((questions.ROWS, there, total, *largest), judge)


def _total(column: AskedColumn) -> Measure:
    if column.kind == "boolean":
        return questions.times(column.sql)
    # Of fractions the sum that forgets nothing on the way.
    return Measure(f"fsum({column.sql})" if column.kind == "number" else f"sum({column.sql}::HUGEINT)")


def _largest(column: AskedColumn) -> tuple[Measure, ...]:
    if column.kind != "integer":
        return ()
    return questions.least(column.sql), questions.greatest(column.sql)


def _is_exact(column: AskedColumn, answers: TableAnswers, largest: Sequence[Measure], count: int) -> bool:
    return column.kind == "boolean" or (
        column.kind == "integer" and max(abs(int(answers[each])) for each in largest) * count < EXACT
    )


def _stdev(column: AskedColumn, arguments: Arguments) -> TableQuestion | None:
    if column.kind not in ("integer", "number") or not are_bounds(arguments):
        return None
    there = questions.nonnull(column.sql)
    spread = Measure(f"[count({column.sql}), avg({column.sql}), var_pop({column.sql}) * count({column.sql})]", "spread")

    def judge(answers: TableAnswers) -> TableJudgement | None:
        if answers[there] < 2:
            return TableJudgement(passed=False)
        squares = answers[spread][2]
        return within(math.sqrt(squares / (answers[there] - 1)), arguments, exact=False)

    return TableQuestion((there, spread), judge)


def _median(column: AskedColumn, arguments: Arguments) -> TableQuestion | None:
    if column.kind not in ("integer", "number") or not are_bounds(arguments):
        return None
    there = questions.nonnull(column.sql)

    def middle(answers: TableAnswers) -> Query:
        count = answers[there]
        return positions.query(column, sorted({(count - 1) // 2, count // 2}), count)

    def judge(answers: TableAnswers) -> TableJudgement | None:
        if not answers[there]:
            return TableJudgement(passed=False)
        found = positions.values(answers, middle(answers))
        if column.kind == "integer" and max(map(abs, found)) >= EXACT:
            return None
        return within(sum(map(float, found)) / len(found), arguments, exact=True)

    return TableQuestion((there,), judge, then=lambda answers: [middle(answers)] if answers[there] else [])


def _quantiles(column: AskedColumn, arguments: Arguments) -> TableQuestion | None:
    asked: Any = arguments.get("quantile_ranges")
    if column.kind not in ("integer", "number") or not positions.understood(asked):
        return None
    there, shares, limits = questions.nonnull(column.sql), asked["quantiles"], asked["value_ranges"]

    def then(answers: TableAnswers) -> Sequence[Query]:
        count = answers[there]
        places = [positions.nearest(count, share) for share in shares] if count else []
        known = [place for place in places if place is not None]
        return [positions.query(column, known, count)] if known and known == places else []

    def judge(answers: TableAnswers) -> TableJudgement | None:
        gaps = answers[there] < answers[questions.ROWS]
        found = [positions.values(answers, query) for query in then(answers)]
        shown = [column.shown(value, gaps=gaps) for values in found for value in values]
        return positions.in_ranges(shares, shown, limits) if found else None

    return TableQuestion((questions.ROWS, there), judge, then=then)


def _share_there(column: AskedColumn, arguments: Arguments) -> TableQuestion | None:
    if not are_bounds(arguments):
        return None
    there = questions.nonnull(column.sql)

    def judge(answers: TableAnswers) -> TableJudgement | None:
        rows = answers[questions.ROWS]
        return within(answers[there] / rows if rows else 0, arguments, exact=True)

    return TableQuestion((questions.ROWS, there), judge)


def _distinct(column: AskedColumn, arguments: Arguments, *, share: bool) -> TableQuestion | None:
    if not are_bounds(arguments):
        return None
    there, found = questions.nonnull(column.sql), questions.groups([column.sql], f"{column.sql} IS NOT NULL")

    def judge(answers: TableAnswers) -> TableJudgement | None:
        count, distinct = answers[there], answers.rows(found)[0][0]
        value = distinct if not share else distinct / count if count else 0
        return within(value, arguments, exact=True)

    return TableQuestion((there,), judge, queries=(found,))


def _distinct_count(column: AskedColumn, arguments: Arguments) -> TableQuestion | None:
    return _distinct(column, arguments, share=False)


def _distinct_share(column: AskedColumn, arguments: Arguments) -> TableQuestion | None:
    return _distinct(column, arguments, share=True)


def _most_common(column: AskedColumn, arguments: Arguments) -> TableQuestion | None:
    members, ties = arguments.get("value_set"), arguments.get("ties_okay", False)
    if (
        column.kind not in ("integer", "text")
        or literals.members(members, column.kind) is None
        or type(ties) is not bool
    ):
        return None
    there = questions.nonnull(column.sql)
    counted = f"SELECT {column.sql} AS v, count(*) AS n FROM {questions.TABLE} WHERE {column.sql} IS NOT NULL GROUP BY {column.sql}"  # noqa: S608
    modes = Query(f"SELECT v FROM ({counted}) QUALIFY n = max(n) OVER () ORDER BY v LIMIT {MOST_MODES + 1}")  # noqa: S608

    def judge(answers: TableAnswers) -> TableJudgement | None:
        gaps = answers[there] < answers[questions.ROWS]
        found = [column.shown(value, gaps=gaps) for (value,) in answers.rows(modes)]
        if len(found) > MOST_MODES:
            return None
        inside = len(set(arguments["value_set"]) & set(found))
        return TableJudgement(inside > 0 if ties else len(found) == 1 and inside == 1, observed=found)

    return TableQuestion((questions.ROWS, there), judge, queries=(modes,))


def _distinct_set(column: AskedColumn, arguments: Arguments, *, others: bool, missing: bool) -> TableQuestion | None:
    members = literals.members(arguments.get("value_set"), column.kind)
    if column.kind not in ("integer", "text") or members is None:
        return None
    inside, there = f"{column.sql} IN {literals.listed(members)}", questions.nonnull(column.sql)
    distinct = f"FROM (SELECT DISTINCT {column.sql} FROM {questions.TABLE}"  # noqa: S608 - names are quoted
    count_others = Query(f"SELECT count(*) {distinct} WHERE NOT ({inside}))")
    first_others = Query(f"SELECT {column.sql} {distinct} WHERE NOT ({inside})) ORDER BY 1 LIMIT {MOST_DISTINCT}")
    count_inside = Query(f"SELECT count(*) {distinct} WHERE {inside})")

    def judge(answers: TableAnswers) -> TableJudgement | None:
        if not answers[there]:
            return None
        gaps = answers[there] < answers[questions.ROWS]
        unexpected = answers.rows(count_others)[0][0] if others else 0
        absent = len(set(arguments["value_set"])) - answers.rows(count_inside)[0][0] if missing else 0
        values = [column.shown(value, gaps=gaps) for (value,) in answers.rows(first_others)] if others else []
        return TableJudgement(not unexpected and not absent, unexpected_count=unexpected, values=values)

    queries = ((count_others, first_others) if others else ()) + ((count_inside,) if missing else ())
    return TableQuestion((questions.ROWS, there), judge, queries=queries)


def _distinct_in_set(column: AskedColumn, arguments: Arguments) -> TableQuestion | None:
    return _distinct_set(column, arguments, others=True, missing=False)


def _distinct_contain(column: AskedColumn, arguments: Arguments) -> TableQuestion | None:
    return _distinct_set(column, arguments, others=False, missing=True)


def _distinct_equal(column: AskedColumn, arguments: Arguments) -> TableQuestion | None:
    return _distinct_set(column, arguments, others=True, missing=True)


def are_bounds(arguments: Arguments, column: AskedColumn | None = None) -> bool:
    """Whether the bounds can be compared here: with values of *column*, or with numbers."""
    given = [arguments.get(name) for name in ("min_value", "max_value")]
    strict = [arguments.get(name, False) for name in ("strict_min", "strict_max")]
    if column is not None and column.kind == "moment":
        understood = all(value is None or literals.moment(value) for value in given)
    else:
        understood = all(value is None or literals.number(value, "number") for value in given)
    # No bound at all, and bounds the wrong way round, are for Great Expectations to object to.
    known = [value for value in given if value is not None]
    return understood and bool(known) and all(type(each) is bool for each in strict) and known == sorted(known)


def within(value: Any, arguments: Arguments, *, exact: bool) -> TableJudgement | None:
    """Whether *value* is between the bounds; None where it is not *exact* and lies on one of them, or is no number at all."""
    if value is None:
        return TableJudgement(passed=False)
    least, most = (literals.parsed(arguments.get(name), value) for name in ("min_value", "max_value"))
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if not exact and any(
        each is not None and math.isclose(value, each, rel_tol=CLOSE, abs_tol=CLOSE) for each in (least, most)
    ):
        return None
    above = least is None or (value > least if arguments.get("strict_min") else value >= least)
    below = most is None or (value < most if arguments.get("strict_max") else value <= most)
    return TableJudgement(passed=above and below, observed=value)


OF_COLUMNS: Mapping[str, tuple[Callable[[AskedColumn, Arguments], TableQuestion | None], frozenset[str]]] = {
    "expect_column_min_to_be_between": (_extreme(questions.least), BOUNDS),
    "expect_column_max_to_be_between": (_extreme(questions.greatest), BOUNDS),
    "expect_column_mean_to_be_between": (_mean, BOUNDS),
    "expect_column_sum_to_be_between": (_sum, BOUNDS),
    "expect_column_stdev_to_be_between": (_stdev, BOUNDS),
    "expect_column_median_to_be_between": (_median, BOUNDS),
    "expect_column_quantile_values_to_be_between": (_quantiles, frozenset({"quantile_ranges"})),
    "expect_column_proportion_of_non_null_values_to_be_between": (_share_there, BOUNDS),
    "expect_column_unique_value_count_to_be_between": (_distinct_count, BOUNDS),
    "expect_column_proportion_of_unique_values_to_be_between": (_distinct_share, BOUNDS),
    "expect_column_most_common_value_to_be_in_set": (_most_common, frozenset({"value_set", "ties_okay"})),
    "expect_column_distinct_values_to_be_in_set": (_distinct_in_set, frozenset({"value_set"})),
    "expect_column_distinct_values_to_contain_set": (_distinct_contain, frozenset({"value_set"})),
    "expect_column_distinct_values_to_equal_set": (_distinct_equal, frozenset({"value_set"})),
}
"""The questions about columns as a whole by expectation, and the arguments that it takes beside the column."""
