"""JSONPath as far as manifests use it: ``$``, ``.name``, ``['name']``, ``[0]``, ``[*]``, ``.*``. Anything else is refused by name."""

import re
from typing import Any

from argosy.engine.expressions.errors import ExpressionError

_STEP = re.compile(
    r"\.(?P<name>[A-Za-z_][\w-]*)|\[(?P<index>-?\d+)\]|\[(?P<quote>['\"])(?P<key>.*?)(?P=quote)\]|(?P<all>\.\*|\[\*\])"
)


def query(value: Any, path: str) -> Any:
    """What *path* leads to in *value*; a list where it may lead to several. Raises ExpressionError where it leads nowhere."""
    if not path.startswith("$"):
        raise ExpressionError(f"jsonpath {path!r} does not start with '$'")
    position, several, found = 1, False, [value]
    while position < len(path):
        step = _STEP.match(path, position)
        if step is None:
            raise ExpressionError(f"jsonpath {path!r}: {path[position:]!r} is not supported")
        found = [entry for one in found for entry in _follow(one, step, path)]
        several = several or step["all"] is not None
        position = step.end()
    return found if several else found[0]


def _follow(value: Any, step: "re.Match[str]", path: str) -> list[Any]:
    if step["all"]:
        return list(value.values()) if isinstance(value, dict) else list(value) if isinstance(value, list) else []
    try:
        if step["index"] is not None:
            return [value[int(step["index"])]] if isinstance(value, list) else []
        return [value[step["name"] or step["key"]]]
    except (KeyError, IndexError, TypeError):
        raise ExpressionError(f"jsonpath {path!r}: there is no {step[0]}") from None
