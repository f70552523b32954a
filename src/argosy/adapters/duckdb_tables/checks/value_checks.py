"""Expectations about each value of one column: which values are unexpected, and how many may be."""

import operator
from collections.abc import Callable, Mapping
from typing import Any

from argosy.adapters.duckdb_tables import sql
from argosy.adapters.duckdb_tables.checks import literals, questions, regex_translation
from argosy.adapters.duckdb_tables.checks.asked_columns import AskedColumn
from argosy.adapters.duckdb_tables.checks.questions import (
    ExampleRows,
    Measure,
    TableAnswers,
    TableJudgement,
    TableQuestion,
)

Arguments = Mapping[str, Any]
Condition = Callable[[AskedColumn, Arguments], str | None]
"""The SQL that holds for an unexpected value, and never for a missing one; None where the arguments are not understood."""

OF_VALUES = frozenset({"column", "mostly"})


def question(kind: str, arguments: Arguments, columns: Mapping[str, AskedColumn]) -> TableQuestion | None:
    """The question that the expectation *kind* asks of one of *columns*; None where it is not asked here."""
    column = columns.get(arguments.get("column", ""))
    share = arguments.get("mostly", 1)
    if column is None or isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
        return None
    known = set(arguments)
    if kind in MISSING and known <= OF_VALUES:
        return _about_missing(column, share, wanted=kind == "expect_column_values_to_be_null")
    if kind == "expect_column_values_to_be_unique" and known <= OF_VALUES:
        return _unique(column, share)
    if kind not in CONDITIONS or not known <= OF_VALUES | CONDITIONS[kind][1]:
        return None
    condition = CONDITIONS[kind][0](column, arguments)
    return None if condition is None else _about_values(column, share, condition, _doubted(column, arguments))


MISSING = ("expect_column_values_to_be_null", "expect_column_values_to_not_be_null")


def _about_missing(column: AskedColumn, share: float, *, wanted: bool) -> TableQuestion:
    there = questions.nonnull(column.sql)

    def often(answers: TableAnswers) -> int:
        found: int = answers[there]
        return found if wanted else answers[questions.ROWS] - found

    def judge(answers: TableAnswers) -> TableJudgement:
        rows, found = answers[questions.ROWS], answers[there]
        unexpected = often(answers)
        condition = f"{column.sql} IS {'NOT ' if wanted else ''}NULL"
        return TableJudgement(
            questions.mostly(rows, unexpected, share),
            unexpected_count=unexpected,
            element_count=rows,
            examples=_examples(column, condition, often, gaps=found < rows) if unexpected else None,
        )

    return TableQuestion((questions.ROWS, there), judge)


def _about_values(column: AskedColumn, share: float, condition: str, doubted: Measure | None) -> TableQuestion:
    there, outside = questions.nonnull(column.sql), questions.times(condition)
    measures = (questions.ROWS, there, outside, *([doubted] if doubted else ()))

    def judge(answers: TableAnswers) -> TableJudgement | None:
        if doubted and answers[doubted]:
            return None
        rows, found = answers[questions.ROWS], answers[there]
        examples = _examples(column, condition, operator.itemgetter(outside), gaps=found < rows)
        return _judged(share, rows, found, answers[outside], examples)

    return TableQuestion(measures, judge)


def _judged(share: float, rows: int, there: int, unexpected: int, examples: ExampleRows) -> TableJudgement:
    return TableJudgement(
        questions.mostly(there, unexpected, share),
        unexpected_count=unexpected,
        element_count=rows,
        missing_count=rows - there,
        examples=examples if unexpected else None,
    )


def _examples(
    column: AskedColumn, condition: str, often: Callable[[TableAnswers], int], *, gaps: bool, joined: str = ""
) -> ExampleRows:
    return ExampleRows([column.sql], condition, lambda row: column.shown(row[0], gaps=gaps), often, joined)


def _unique(column: AskedColumn, share: float) -> TableQuestion:
    there, groups = questions.nonnull(column.sql), questions.groups([column.sql], f"{column.sql} IS NOT NULL")

    def judge(answers: TableAnswers) -> TableJudgement:
        unexpected = answers.rows(groups)[0][1]
        joined = questions.joined_to_repeated([column.sql], f"{column.sql} IS NOT NULL")
        rows, found = answers[questions.ROWS], answers[there]
        examples = _examples(column, "true", lambda _: unexpected, gaps=found < rows, joined=joined)
        return _judged(share, rows, found, unexpected, examples)

    return TableQuestion((questions.ROWS, there), judge, queries=(groups,))


def _between(column: AskedColumn, arguments: Arguments) -> str | None:
    return (
        None
        if column.kind == "text"
        else outside(column.sql, arguments, lambda value: literals.bound(value, column.kind))
    )


def outside(value: str, arguments: Arguments, bound: Callable[[Any], str | None]) -> str | None:
    """The SQL that holds where *value* is not between the bounds of *arguments*; None where those are not understood."""
    least, most = arguments.get("min_value"), arguments.get("max_value")
    strict = [arguments.get(name, False) for name in ("strict_min", "strict_max")]
    if (least is None and most is None) or not all(isinstance(each, bool) for each in strict):
        return None
    found = [bound(each) for each in (least, most) if each is not None]
    # What is compared with what is for Great Expectations to object to, and so are bounds the wrong way round.
    if None in found or (least is not None and most is not None and least > most):
        return None
    parts = []
    if least is not None:
        parts.append(f"{value} {'<=' if strict[0] else '<'} {bound(least)}")
    if most is not None:
        parts.append(f"{value} {'>=' if strict[1] else '>'} {bound(most)}")
    return " OR ".join(parts)


def _in_set(column: AskedColumn, arguments: Arguments) -> str | None:
    found = literals.members(arguments.get("value_set"), column.kind)
    return None if found is None else f"{column.sql} NOT IN {literals.listed(found)}"


def _not_in_set(column: AskedColumn, arguments: Arguments) -> str | None:
    found = literals.members(arguments.get("value_set"), column.kind)
    return None if found is None else f"{column.sql} IN {literals.listed(found)}"


def _length(column: AskedColumn, arguments: Arguments) -> str | None:
    value = arguments.get("value")
    fits = column.kind == "text" and isinstance(value, int) and not isinstance(value, bool)
    return f"length({column.sql}) <> {value}" if fits else None


def _lengths(column: AskedColumn, arguments: Arguments) -> str | None:
    if column.kind != "text":
        return None
    # Of a bound that is a fraction Great Expectations takes the whole part.
    return outside(f"length({column.sql})", arguments, lambda value: literals.member(value, "integer"))


def _matches(column: AskedColumn, arguments: Arguments) -> str | None:
    found = _found(column, [arguments.get("regex")])
    return None if found is None else f"NOT {found[0]}"


def _matches_not(column: AskedColumn, arguments: Arguments) -> str | None:
    found = _found(column, [arguments.get("regex")])
    return None if found is None else found[0]


def _matches_of_list(column: AskedColumn, arguments: Arguments) -> str | None:
    found, on = _found(column, arguments.get("regex_list")), arguments.get("match_on", "any")
    if found is None or on not in ("any", "all"):
        return None
    return f"NOT ({(' OR ' if on == 'any' else ' AND ').join(found)})"


def _matches_none_of_list(column: AskedColumn, arguments: Arguments) -> str | None:
    found = _found(column, arguments.get("regex_list"))
    return None if found is None else " OR ".join(found)


def _found(column: AskedColumn, regexes: Any) -> list[str] | None:
    """The conditions that a value of *column* matches each of *regexes*."""
    translated = _translated(regexes)
    if column.kind != "text" or not translated or None in translated:
        return None
    return [f"regexp_matches({column.sql}, {sql.text(each.text)})" for each in translated if each]


def _translated(regexes: Any) -> list[regex_translation.Pattern | None]:
    return [regex_translation.translated(each) for each in regexes] if isinstance(regexes, list) else []


def _doubted(column: AskedColumn, arguments: Arguments) -> Measure | None:
    """How many values there are of which a pattern's classes may say something else here than in Python."""
    regexes = [*arguments.get("regex_list", []), *([arguments["regex"]] if "regex" in arguments else [])]
    if any(each and each.ascii_only for each in _translated(regexes)):
        return questions.times(f"strlen({column.sql}) <> length({column.sql})")
    return None


BOUNDS = frozenset({"min_value", "max_value", "strict_min", "strict_max"})
CONDITIONS: Mapping[str, tuple[Condition, frozenset[str]]] = {
    "expect_column_values_to_be_between": (_between, BOUNDS),
    "expect_column_values_to_be_in_set": (_in_set, frozenset({"value_set"})),
    "expect_column_values_to_not_be_in_set": (_not_in_set, frozenset({"value_set"})),
    "expect_column_value_lengths_to_equal": (_length, frozenset({"value"})),
    "expect_column_value_lengths_to_be_between": (_lengths, BOUNDS),
    "expect_column_values_to_match_regex": (_matches, frozenset({"regex"})),
    "expect_column_values_to_not_match_regex": (_matches_not, frozenset({"regex"})),
    "expect_column_values_to_match_regex_list": (_matches_of_list, frozenset({"regex_list", "match_on"})),
    "expect_column_values_to_not_match_regex_list": (_matches_none_of_list, frozenset({"regex_list"})),
}
"""The unexpected values by expectation, and the arguments that it takes beside those of every such one."""
