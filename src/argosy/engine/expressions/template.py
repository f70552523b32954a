"""``{{name}}`` and ``{{=expression}}`` in a text, replaced from a scope.

As the controller does: a tag ends at the first ``}}``; a name may itself contain one more tag; what a later moment may still know stays as
it is unless the caller is strict.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from argosy.engine.expressions import expr
from argosy.engine.expressions.errors import ExpressionError
from argosy.engine.expressions.values import to_json

OPEN, CLOSE = "{{", "}}"
DEEPEST = 100

# Known only at a later moment: an expression that names one of them waits for it.
LATE = (
    "item",
    "retries",
    "lastRetry.exitCode",
    "lastRetry.status",
    "lastRetry.duration",
    "lastRetry.message",
    "workflow.status",
    "workflow.failures",
)


@dataclass(frozen=True)
class Tag:
    """One reference in a text. *body*: what is between the braces, without the ``=`` of an expression."""

    kind: Literal["simple", "expression"]
    body: str


def tags(text: str) -> list[Tag]:
    """The references of *text*, in order. Raises ExpressionError where one does not end."""
    return [_tag(part) for literal, part in _split(text) if not literal]


def substitute(text: str, scope: Mapping[str, object], *, strict: bool) -> str:
    """*text* with its references replaced. Strict: raises ExpressionError where one is unknown; else it stays as it is."""
    for _ in range(DEEPEST):
        replaced = "".join(part if literal else _replaced(part, scope, strict=strict) for literal, part in _split(text))
        # Only a tag in a tag gives rise to a new one; what a value holds is not looked into.
        if not any(OPEN in part for literal, part in _split(text) if not literal) or replaced == text:
            return replaced
        text = replaced
    raise ExpressionError(f"references are nested deeper than {DEEPEST}")


def _split(text: str) -> list[tuple[bool, str]]:
    """(True, literal text) and (False, what is inside braces), in order."""
    parts: list[tuple[bool, str]] = []
    position = 0
    while (start := text.find(OPEN, position)) >= 0:
        end = text.find(CLOSE, start + len(OPEN))
        if end < 0:
            raise ExpressionError(f"'{{{{' without '}}}}' in {text[start : start + 60]!r}")
        parts += [(True, text[position:start]), (False, text[start + len(OPEN) : end])]
        position = end + len(CLOSE)
    return [*parts, (True, text[position:])]


def _tag(inside: str) -> Tag:
    return Tag("expression", inside[1:]) if inside.startswith("=") else Tag("simple", inside.strip())


def _replaced(inside: str, scope: Mapping[str, object], *, strict: bool) -> str:
    tag = _tag(inside)
    if tag.kind == "expression":
        return _evaluated(inside, tag.body, scope, strict=strict)
    name = tag.body
    if name in scope:
        return _text_of(name, scope[name])
    outer, braces, nested = inside.rpartition(OPEN)
    if braces and nested in scope:
        return f"{OPEN}{outer}{_text_of(nested, scope[nested])}"  # its own end is still to come in the text
    if strict:
        raise ExpressionError(f"failed to resolve {{{{{name}}}}}")
    return f"{OPEN}{inside}{CLOSE}"


def _text_of(name: str, value: object) -> str:
    if value is None:
        raise ExpressionError(
            f"unable to substitute {{{{{name}}}}}: the output is absent (a skipped node without a default)"
        )
    return value if isinstance(value, str) else to_json(value)


def _evaluated(inside: str, body: str, scope: Mapping[str, object], *, strict: bool) -> str:
    names = expr.identifiers(body)
    unknown = {name for name in names if not expr.is_known(name, scope)}
    if not strict and unknown:
        return f"{OPEN}{inside}{CLOSE}"
    if strict and (late := sorted(unknown & set(LATE))):
        raise ExpressionError(f"failed to resolve {{{{{inside}}}}}: {late[0]} is not known yet")
    value = expr.evaluate(body, scope)
    if value is None:
        raise ExpressionError(f"failed to evaluate {{{{{inside}}}}}: it gives nothing")
    return (
        value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False, default=str)
    )
