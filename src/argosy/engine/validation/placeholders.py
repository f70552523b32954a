"""Placeholders for variables while a template is looked at: Argo replaces them before it asks for the names of steps, tasks, outputs.

It looks at a template as it is once it is called: the workflow's parameters have their values there, and a template's inputs some text.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from argosy.argo import fnv32a
from argosy.engine.expressions.errors import ExpressionError
from argosy.engine.machine import substitution
from argosy.engine.nodes import Json

PREFIX = "__placeholder__"
"""No name of a task begins so, nor can any hold it: Argo takes a variable that it does not know yet in other names only."""

_PLACEHOLDER = re.compile(rf"{PREFIX}\d+")
_INNER = re.compile(r"(?<=\{\{)([^{}]*)\{\{\s*([^{}]*?)\s*\}\}")


def standing_in(names: Iterable[str]) -> dict[str, str]:
    """A text for each of the variables *names*, which could be a name's."""
    return {name: f"{PREFIX}{fnv32a(name)}" for name in names}


def settled(template: Json, known: Mapping[str, str]) -> Json:
    """*template* with the variables *known* replaced in the names that it gives and takes, and where one is within another's braces."""
    found: Json = _in_texts(template, known)
    if outputs := found.get("outputs"):
        found["outputs"] = _with_lists(outputs, known)
    if "steps" in found:
        found["steps"] = [_called(group, known) for group in found["steps"]]
    if dag := found.get("dag"):
        found["dag"] = {**_with(dag, known, ("target",)), "tasks": _called(dag.get("tasks") or [], known)}
    return found


def without(name: str) -> str:
    """*name* with a letter for each variable that is not known yet."""
    return _PLACEHOLDER.sub("x", name)


def restored(text: str, known: Mapping[str, str]) -> str:
    """*text* with the variables again that :func:`standing_in` gave a text for."""
    for name, value in known.items():
        text = text.replace(value, f"{{{{{name}}}}}") if value.startswith(PREFIX) else text
    return text


def _in_texts(value: object, known: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return _INNER.sub(lambda found: found[1] + known.get(found[2], found[0][len(found[1]) :]), value)
    if isinstance(value, dict):
        return {key: _in_texts(entry, known) for key, entry in value.items()}
    return [_in_texts(entry, known) for entry in value] if isinstance(value, list) else value


def _called(calls: list[Json], known: Mapping[str, str]) -> list[Json]:
    """The tasks or steps *calls*."""
    named = [_with(call, known, ("name", "depends", "dependencies", "template", "templateRef")) for call in calls]
    return [
        {**call, "arguments": _with_lists(call["arguments"], known)} if call.get("arguments") else call
        for call in named
    ]


def _with_lists(values: Json, known: Mapping[str, str]) -> Json:
    """Arguments or outputs."""
    lists = {plural: values[plural] for plural in ("parameters", "artifacts") if values.get(plural)}
    return {
        **values,
        **{plural: [_with(entry, known, ("name",)) for entry in entries] for plural, entries in lists.items()},
    }


def _with(entry: Json, known: Mapping[str, str], fields: tuple[str, ...]) -> Json:
    return {key: replaced(value, known) if key in fields else value for key, value in entry.items()}


def replaced(value: object, known: Mapping[str, str]) -> Any:
    """*value* with the variables *known* replaced; as it is where one of its expressions has no value yet."""
    try:
        return substitution.replace(value, known)
    except ExpressionError:
        return value
