"""Expectations about a table: which columns it has, which is known beforehand, and how many rows."""

from collections.abc import Mapping, Sequence
from typing import Any

from argosy.adapters.duckdb_tables.checks import questions, summary_checks
from argosy.adapters.duckdb_tables.checks.questions import TableAnswers, TableJudgement, TableQuestion

Arguments = Mapping[str, Any]


def question(kind: str, arguments: Arguments, contract: Sequence[str]) -> TableQuestion | None:
    """The question that the expectation *kind* asks of a table with the columns *contract*; None where it is not asked here."""
    named = set(arguments)
    match kind:
        case "expect_table_row_count_to_equal" if named == {"value"} and type(arguments["value"]) is int:
            return _rows_equal(arguments["value"])
        case "expect_table_row_count_to_be_between" if named <= summary_checks.BOUNDS:
            return _rows_between(arguments)
        case "expect_table_column_count_to_equal" if named == {"value"} and type(arguments["value"]) is int:
            return _known(TableJudgement(len(contract) == arguments["value"], observed=len(contract)))
        case "expect_table_columns_to_match_ordered_list" if named == {"column_list"} and _are_names(
            arguments["column_list"]
        ):
            return _known(TableJudgement(list(contract) == arguments["column_list"], observed=list(contract)))
        case "expect_table_columns_to_match_set" if named <= {"column_set", "exact_match"}:
            return _columns_of_set(arguments, contract)
        case "expect_column_to_exist" if named <= {"column", "column_index"} and isinstance(
            arguments.get("column"), str
        ):
            return _exists(arguments["column"], arguments.get("column_index"), contract)
    return None


def _known(judgement: TableJudgement | None) -> TableQuestion | None:
    return None if judgement is None else TableQuestion((), lambda _: judgement)


def _are_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _rows_equal(value: int) -> TableQuestion:
    def judge(answers: TableAnswers) -> TableJudgement:
        rows = answers[questions.ROWS]
        return TableJudgement(rows == value, observed=rows)

    return TableQuestion((questions.ROWS,), judge)


def _rows_between(arguments: Arguments) -> TableQuestion | None:
    if not all(type(arguments.get(name, 0)) is int for name in ("min_value", "max_value")):
        return None
    if not summary_checks.are_bounds(arguments):
        return None
    return TableQuestion(
        (questions.ROWS,), lambda answers: summary_checks.within(answers[questions.ROWS], arguments, exact=True)
    )


def _columns_of_set(arguments: Arguments, contract: Sequence[str]) -> TableQuestion | None:
    wanted, exact = arguments.get("column_set"), arguments.get("exact_match", True)
    if not _are_names(wanted) or type(exact) is not bool or not wanted:
        return None
    passed = set(wanted) == set(contract) if exact else set(wanted) <= set(contract)
    return _known(TableJudgement(passed, observed=sorted(contract)))


def _exists(column: str, index: Any, contract: Sequence[str]) -> TableQuestion | None:
    if index is None:
        return _known(TableJudgement(column in contract))
    if type(index) is not int or index <= 0:
        return None
    return _known(TableJudgement(index < len(contract) and contract[index] == column))
