"""expr-lang's functions that take a predicate. *test(element, index=…)* evaluates it for one element."""

from collections.abc import Callable
from typing import Any

from argosy.engine.expressions.errors import ExpressionError
from argosy.engine.expressions.values import to_text

Test = Callable[..., Any]


def _each(values: list[Any], test: Test) -> list[Any]:
    return [test(value, index=position) for position, value in enumerate(values)]


def _true(values: list[Any], test: Test) -> list[bool]:
    answers = _each(values, test)
    if wrong := [answer for answer in answers if not isinstance(answer, bool)]:
        raise ExpressionError(f"a predicate gives a boolean, this one gave {to_text(wrong[0])}")
    return answers


def _first(positions: list[int]) -> int | None:
    return positions[0] if positions else None


def _hits(values: list[Any], test: Test) -> list[int]:
    return [position for position, answer in enumerate(_true(values, test)) if answer]


def _reduce(values: list[Any], test: Test, *start: Any) -> Any:
    if not values and not start:
        raise ExpressionError("reduce of an empty list without a start")
    result, rest = (start[0], values) if start else (values[0], values[1:])
    for position, value in enumerate(rest):
        result = test(value, index=position, acc=result)
    return result


def _group_by(values: list[Any], test: Test) -> dict[Any, list[Any]]:
    groups: dict[Any, list[Any]] = {}
    for value, key in zip(values, _each(values, test), strict=True):
        groups.setdefault(key, []).append(value)
    return groups


def _sort_by(values: list[Any], test: Test, order: str = "asc") -> list[Any]:
    keyed = sorted(zip(_each(values, test), range(len(values)), strict=True), reverse=order == "desc")
    return [values[position] for _, position in keyed]


def _at(values: list[Any], position: int | None) -> Any:
    return None if position is None else values[position]


HIGHER: dict[str, Callable[..., Any]] = {
    "all": lambda values, test: all(_true(values, test)),
    "any": lambda values, test: any(_true(values, test)),
    "none": lambda values, test: not any(_true(values, test)),
    "one": lambda values, test: len(_hits(values, test)) == 1,
    "count": lambda values, test: len(_hits(values, test)),
    "filter": lambda values, test: [values[position] for position in _hits(values, test)],
    "map": _each,
    "find": lambda values, test: _at(values, _first(_hits(values, test))),
    "findIndex": lambda values, test: _first(_hits(values, test)),
    "findLast": lambda values, test: _at(values, _first(_hits(values, test)[::-1])),
    "findLastIndex": lambda values, test: _first(_hits(values, test)[::-1]),
    "sum": lambda values, test: sum(_each(values, test)),
    "groupBy": _group_by,
    "sortBy": _sort_by,
    "reduce": _reduce,
}
