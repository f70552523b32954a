"""Variables of a manifest replaced in a whole structure, as the controller does with a template's JSON.

How one text is replaced is ``expressions``' business; what is in scope is ``scopes``'.
"""

import re
from collections.abc import Mapping
from typing import Any

from argosy.engine.expressions import template
from argosy.engine.expressions.errors import ExpressionError

Scope = Mapping[str, object]

# A reference to another task that is still there after its turn came. Artifacts are resolved later, by themselves.
_UNRESOLVED = re.compile(r"\{\{\s*((?:tasks|steps)\.(?!name\s*\}\})(?:(?!\.outputs\.artifacts\.)[^{}])*?)\s*\}\}")


def replace(value: Any, scope: Scope) -> Any:
    """A copy of *value* with every known variable replaced; unknown ones stay for whoever knows them later."""
    if isinstance(value, str):
        return template.substitute(value, scope, strict=False) if "{{" in value else value
    if isinstance(value, dict):
        return {_key(key, scope): replace(entry, scope) for key, entry in value.items()}
    if isinstance(value, list):
        return [replace(entry, scope) for entry in value]
    return value


def replace_strictly(value: Any, scope: Scope) -> Any:
    """As :func:`replace`, but a reference to another task's or step's value must be known. Raises ExpressionError."""
    replaced = replace(value, scope)
    demand_resolved(replaced)
    return replaced


def replace_all(text: str, scope: Scope) -> str:
    """*text* with every variable replaced. Raises ExpressionError where one is unknown."""
    return template.substitute(text, scope, strict=True) if "{{" in text else text


def demand_resolved(value: Any) -> None:
    """Raise ExpressionError where *value* still refers to another task's or step's value."""
    if isinstance(value, str):
        if "{{" in value and (left := _UNRESOLVED.search(value)):
            raise ExpressionError(f"failed to resolve {{{{{left[1]}}}}}: nothing of that name was produced")
    elif isinstance(value, dict):
        for entry in value.values():
            demand_resolved(entry)
    elif isinstance(value, list):
        for entry in value:
            demand_resolved(entry)


def _key(key: str, scope: Scope) -> str:
    return template.substitute(key, scope, strict=False) if "{{" in key else key
