"""Variables of a manifest replaced in a whole structure, as the controller does with a template's JSON.

How one text is replaced is ``expressions``' business; what is in scope is ``scopes``'.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from argosy.engine.expressions import tags
from argosy.engine.expressions.errors import ExpressionError

T = TypeVar("T")
Scope = Mapping[str, object]

# A reference to another task that is still there after its turn came. Artifacts are resolved later, by themselves.
_UNRESOLVED = re.compile(r"\{\{\s*((?:tasks|steps)\.(?:(?!\.outputs\.artifacts\.)[^{}])*?)\s*\}\}")

_OWN = dict.fromkeys(
    ("tasks.name", "steps.name"),
    "it is known inside the template that is called, not in what it is called with; a cluster would wait for ever",
)


def replace(value: T, scope: Scope) -> T:
    """A copy of *value* with every known variable replaced; unknown ones stay for whoever knows them later.

    Artifacts are known by their names only: they are looked up where one is wanted, never written into a text.
    """

    known: list[Scope] = []

    def texts() -> Scope:
        # Put together when the first variable is met: most structures have none.
        if not known:
            known.append({name: entry for name, entry in scope.items() if entry is None or isinstance(entry, str)})
        return known[0]

    replaced: T = _replace(value, texts)
    return replaced


def _replace(value: object, texts: Callable[[], Scope]) -> Any:
    if isinstance(value, str):
        return tags.substitute(value, texts(), strict=False) if "{{" in value else value
    if isinstance(value, dict):
        return {_replace(key, texts): _replace(entry, texts) for key, entry in value.items()}
    if isinstance(value, list):
        return [_replace(entry, texts) for entry in value]
    return value


def replace_strictly(value: T, scope: Scope) -> T:
    """As :func:`replace`, but a reference to another task's or step's value must be known. Raises ExpressionError."""
    replaced = replace(value, scope)
    demand_resolved(replaced)
    return replaced


def demand_resolved(value: object) -> None:
    """Raise ExpressionError where *value* still refers to another task's or step's value."""
    if isinstance(value, str):
        if "{{" in value and (left := _UNRESOLVED.search(value)):
            raise ExpressionError(
                f"failed to resolve {{{{{left[1]}}}}}: {_OWN.get(left[1], 'nothing of that name was produced')}"
            )
    elif isinstance(value, dict):
        for entry in value.values():
            demand_resolved(entry)
    elif isinstance(value, list):
        for entry in value:
            demand_resolved(entry)
