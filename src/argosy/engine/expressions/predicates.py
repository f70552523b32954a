"""The functions of expr-lang that look at each element: ``filter(list, # > 1)`` and its kin."""

from collections.abc import Callable, Iterator
from functools import cmp_to_key
from typing import Any

from argosy.engine.expressions import interpreter, values
from argosy.engine.expressions.errors import ExpressionError
from argosy.engine.expressions.interpreter import Interpreter
from argosy.engine.expressions.syntax import Node
from argosy.engine.expressions.values import AnyMap, type_name


def _elements(run: Interpreter, node: Node) -> list[Any]:
    found = run.value(node)
    if isinstance(found, list | tuple):
        return list(found)
    raise ExpressionError(f"a list is needed, not {type_name(found)}")


def _answers(run: Interpreter, items: list[Any], body: Node) -> Iterator[tuple[int, Any, bool]]:
    for index, item in enumerate(items):
        answer = run.each(body, item, index)
        if not isinstance(answer, bool):
            raise ExpressionError(f"a predicate must be true or false, not {type_name(answer)}")
        yield index, item, answer


def _all(run: Interpreter, items: Node, body: Node) -> bool:
    return all(answer for _, _, answer in _answers(run, _elements(run, items), body))


def _none(run: Interpreter, items: Node, body: Node) -> bool:
    return not _any(run, items, body)


def _any(run: Interpreter, items: Node, body: Node) -> bool:
    return any(answer for _, _, answer in _answers(run, _elements(run, items), body))


def _one(run: Interpreter, items: Node, body: Node) -> bool:
    return _count(run, items, body) == 1


def _filter(run: Interpreter, items: Node, body: Node) -> list[Any]:
    kept = [item for _, item, answer in _answers(run, _elements(run, items), body) if answer]
    run.grow(len(kept))
    return kept


def _map(run: Interpreter, items: Node, body: Node) -> list[Any]:
    mapped = [run.each(body, item, index) for index, item in enumerate(_elements(run, items))]
    run.grow(len(mapped))
    return mapped


def _count(run: Interpreter, items: Node, body: Node | None = None) -> int:
    found = _elements(run, items)
    if body is None:
        return sum(_is_true(item) for item in found)
    return sum(answer for _, _, answer in _answers(run, found, body))


def _is_true(item: object) -> bool:
    if not isinstance(item, bool):
        raise ExpressionError(f"true or false is needed, not {type_name(item)}")
    return item


def _sum(run: Interpreter, items: Node, body: Node | None = None) -> object:
    total: Any = 0
    add = interpreter.OPERATORS["+"]
    for index, item in enumerate(_elements(run, items)):
        total = add(total, item if body is None else run.each(body, item, index))
    return total


def _find(run: Interpreter, items: Node, body: Node) -> object:
    return next((item for _, item, answer in _answers(run, _elements(run, items), body) if answer), None)


def _find_index(run: Interpreter, items: Node, body: Node) -> object:
    return next((index for index, _, answer in _answers(run, _elements(run, items), body) if answer), None)


def _find_last(run: Interpreter, items: Node, body: Node) -> object:
    found = _last(run, items, body)
    return None if found is None else found[1]


def _find_last_index(run: Interpreter, items: Node, body: Node) -> object:
    found = _last(run, items, body)
    return None if found is None else found[0]


def _last(run: Interpreter, items: Node, body: Node) -> tuple[int, Any] | None:
    found = _elements(run, items)
    for index in range(len(found) - 1, -1, -1):
        if _is_true(run.each(body, found[index], index)):
            return index, found[index]
    return None


def _group_by(run: Interpreter, items: Node, body: Node) -> AnyMap:
    groups = AnyMap()
    for index, item in enumerate(_elements(run, items)):
        key = run.each(body, item, index)
        if isinstance(key, list | dict):
            raise ExpressionError(f"{type_name(key)} cannot be the key of a group")
        groups.setdefault(key, []).append(item)
    run.grow(len(groups))
    return groups


def _sort_by(run: Interpreter, items: Node, body: Node, order: Node | None = None) -> list[Any]:
    found = _elements(run, items)
    direction = "asc" if order is None else run.value(order)
    keyed = [(run.each(body, item, index), item) for index, item in enumerate(found)]
    run.grow(len(keyed))
    return [item for _, item in sorted_by(keyed, lambda pair: pair[0], direction)]


def _reduce(run: Interpreter, items: Node, body: Node, start: Node | None = None) -> object:
    found = _elements(run, items)
    if start is not None:
        gathered, rest = run.value(start), found
    elif found:
        gathered, rest = found[0], found[1:]
    else:
        raise ExpressionError("reduce of an empty list with no initial value")
    for index, item in enumerate(rest, start=len(found) - len(rest)):
        gathered = run.each(body, item, index, gathered)
    return gathered


def sorted_by(items: list[Any], key: Callable[[Any], Any], order: object) -> list[Any]:
    """*items* in the *order* (``asc`` or ``desc``) of their keys. Raises ExpressionError where they have none."""
    if order not in ("asc", "desc"):
        raise ExpressionError(f"unknown order {order!r}, use asc or desc")

    def compare(left: object, right: object) -> int:
        before = values.less(key(left), key(right))
        return -1 if before else int(values.less(key(right), key(left)))

    return sorted(items, key=cmp_to_key(compare), reverse=order == "desc")


PREDICATES: dict[str, interpreter.Function] = {
    "all": _all,
    "none": _none,
    "any": _any,
    "one": _one,
    "filter": _filter,
    "map": _map,
    "count": _count,
    "sum": _sum,
    "find": _find,
    "findIndex": _find_index,
    "findLast": _find_last,
    "findLastIndex": _find_last_index,
    "groupBy": _group_by,
    "sortBy": _sort_by,
    "reduce": _reduce,
}
