"""Loops: ``withItems``, ``withParam`` and ``withSequence`` expanded into one task or step an item, named as Argo names them."""

import json
import re
from collections.abc import Mapping

from argosy.engine.expressions import govaluate
from argosy.engine.expressions.errors import ExpressionError
from argosy.engine.machine import items, substitution
from argosy.engine.machine.items import Item
from argosy.engine.manifest.model import Sequence, Task

MAX_ITEMS = 100_000
"""More items than this end the task as an error, rather than this machine's memory."""

LONGEST_WIDTH = 3
"""Digits of a width that a number is written with: three are a thousand characters for each of them."""

LONGEST_SHOWN = 2_000
"""Characters of a value that an error repeats."""

FIELDS = ("withItems", "withParam", "withSequence")


class LoopError(Exception):
    """The loop cannot be expanded."""


def expand(task: Task, scope: Mapping[str, object]) -> list[Task]:
    """One task for each item of *task*'s loop, ``{{item}}`` replaced. Raises LoopError or ExpressionError."""
    body = {key: value for key, value in task.written.items() if key not in FIELDS}
    return [_of_item(Task(body), index, item, scope) for index, item in enumerate(_items(task))]


def _items(task: Task) -> list[Item]:
    try:
        found = _listed(task)
    except LoopError:
        # A loop that will not run need not make sense.
        if _will_not_run(task.when):
            return []
        raise
    if len(found) > MAX_ITEMS:
        raise LoopError(f"the loop has {len(found)} items; at most {MAX_ITEMS} run on one machine")
    return found


def _listed(task: Task) -> list[Item]:
    if task.with_items:
        return [items.of_value(value) for value in task.with_items]
    if task.with_sequence is None or task.with_param:
        return _parsed(task.with_param)  # of which nothing may be left, now that its references are replaced
    return [items.of_value(written) for written in _sequence(task.with_sequence)]


def _parsed(text: str) -> list[Item]:
    try:
        return items.of_list(text)
    except ValueError as error:
        shown = text.strip()
        shown = f"{shown[:LONGEST_SHOWN]}…" if len(shown) > LONGEST_SHOWN else shown
        raise LoopError(f"withParam value could not be parsed as a JSON list: {shown}: {error}") from None


def _sequence(sequence: Sequence) -> list[str]:
    start = _whole(sequence.start, "start") if sequence.start is not None else 0
    if sequence.end is not None:
        end = _whole(sequence.end, "end")
    elif sequence.count is not None:
        count = _whole(sequence.count, "count")
        if count == 0:
            return []
        end = start + count - 1
    else:
        raise LoopError("neither end nor count was specified in withSequence")
    if abs(end - start) >= MAX_ITEMS:
        raise LoopError(f"withSequence has {abs(end - start) + 1} items; at most {MAX_ITEMS} run on one machine")
    numbers = range(start, end + 1) if start <= end else range(start, end - 1, -1)
    return [_formatted(sequence.format or "%d", number) for number in numbers]


def _whole(value: object, field: str) -> int:
    try:
        return int(str(value))
    except ValueError:
        raise LoopError(f"withSequence.{field} is {value!r}, not a whole number") from None


def _formatted(pattern: str, number: int) -> str:
    if any(len(size) > LONGEST_WIDTH for size in re.findall(r"\d+", pattern)):
        raise LoopError(
            f"withSequence.format {pattern!r} asks for a width of more than {10**LONGEST_WIDTH - 1} characters"
        )
    try:
        return pattern % number
    except (TypeError, ValueError) as error:
        raise LoopError(f"withSequence.format {pattern!r}: {error}") from None


def _will_not_run(condition: str) -> bool:
    try:
        return not govaluate.holds(condition) if condition else False
    except ExpressionError:
        return False


def _of_item(task: Task, index: int, item: Item, scope: Mapping[str, object]) -> Task:
    variables = {**scope, "item": item.shown(), **{f"item.{key}": text for key, text in item.members().items()}}
    if _will_not_run(task.when):
        # It never executes, so what is absent must not fail it.
        variables = {key: value for key, value in variables.items() if value is not None}
        expanded = Task(substitution.replace(task.written, variables))
    else:
        expanded = Task(substitution.replace(task.written, variables))
        _demand_item(expanded)
    named = {"name": f"{task.name}({index}:{item.name()})", "template": task.written.get("template")}
    return Task({**expanded.written, **named})


def _demand_item(task: Task) -> None:
    left = _ITEM.search(json.dumps(task.arguments.written)) or _ITEM.search(task.when)
    if left:
        raise LoopError(f"failed to resolve {{{{{left[1]}}}}}: the item has no such field")


_ITEM = re.compile(r"\{\{\s*(item(?:\.[^{}]*?)?)\s*\}\}")
