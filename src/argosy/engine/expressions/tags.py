"""``{{tags}}`` in a text, as Argo replaces them in a template's JSON. Where which variables are known is the caller's business."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from argosy.engine.expressions import expr, values
from argosy.engine.expressions import scope as scopes
from argosy.engine.expressions.errors import ExpressionError, GivenUp

OPENING, CLOSING = "{{", "}}"

LATE = frozenset(
    {
        "item",
        "retries",
        "lastRetry.exitCode",
        "lastRetry.status",
        "lastRetry.duration",
        "lastRetry.message",
        "workflow.status",
        "workflow.failures",
    }
)
"""Variables that become known late: an expression about one waits for it, even where it would have a value without."""

# What a JSON string cannot hold once Go has quoted it: Argo refuses such a value.
_UNQUOTABLE = re.compile("[\x00-\x07\x0b\x0e-\x1f\x7f]")


@dataclass(frozen=True)
class Tag:
    """One reference. *body* is without the braces, and without the ``=`` of an expression."""

    kind: Literal["simple", "expression"]
    body: str


def substitute(text: str, scope: Mapping[str, object], *, strict: bool) -> str:
    """*text* with ``{{name}}`` and ``{{=expression}}`` replaced from *scope*.

    Not *strict*: what is not known stays as it is. A name whose value is None is an output that was never produced: that is an error in
    either case. Raises ExpressionError.
    """
    return "".join(piece if tag is None else _replacement(piece, scope, strict=strict) for piece, tag in _pieces(text))


def references(text: str) -> list[Tag]:
    """The references of *text*, in order. Raises ExpressionError where one is not closed."""
    return [tag for _, tag in _pieces(text) if tag is not None]


def _pieces(text: str) -> Iterator[tuple[str, Tag | None]]:
    """The texts between tags (no tag), and the texts in them."""
    place = 0
    while (start := text.find(OPENING, place)) >= 0:
        yield text[place:start], None
        end = text.find(CLOSING, start + 2)
        if end < 0:
            raise ExpressionError(f"a {OPENING} is not closed by {CLOSING}: {text[start : start + 60]!r}")
        body = text[start + 2 : end]
        yield body, Tag("expression", body[1:]) if body.startswith("=") else Tag("simple", body)
        place = end + 2
    yield text[place:], None


def _replacement(body: str, scope: Mapping[str, object], *, strict: bool) -> str:
    if body.startswith("="):
        return _of_expression(body[1:], scope, strict=strict)
    name = body.strip()
    if name in scope:
        return _quotable(_string(name, scope[name]))
    # A tag in a tag: the inner one is replaced, the whole is left for the next round.
    inner = body.rfind(OPENING)
    if inner > 0 and body[inner + 2 :] in scope:
        value = scope[body[inner + 2 :]]
        if value is None:
            raise ExpressionError(
                f"unable to substitute nested tag {{{{{body}}}}}: {body[inner + 2 :]!r} is an absent optional"
            )
        if isinstance(value, str):
            return OPENING + body[:inner] + _quotable(value)
    if strict:
        raise ExpressionError(f"failed to resolve {{{{{body}}}}}")
    return f"{{{{{body}}}}}"


def _string(name: str, value: object) -> str:
    if value is None:
        raise ExpressionError(
            f"unable to substitute {{{{{name}}}}}: output is an absent optional (skipped/omitted node with no default)"
        )
    if not isinstance(value, str):
        raise ExpressionError(f"failed to resolve {{{{{name}}}}} to string")
    return value


def _quotable(value: str) -> str:
    beyond = not value.isascii() and any(ord(char) > 0xFFFF and not char.isprintable() for char in value)
    if (found := _UNQUOTABLE.search(value)) or beyond:
        what = f"the control character {found[0]!r}" if found else "a character that cannot be printed"
        raise ExpressionError(f"a value holds {what}, which a manifest cannot hold: {value[:60]!r}")
    return value


def _of_expression(text: str, scope: Mapping[str, object], *, strict: bool) -> str:
    whole = f"{{{{={text}}}}}"
    expr.parsed(text)
    try:
        missing = {name for name in expr.identifiers(text) if not _is_known(name, scope)}
        if missing and strict:
            raise ExpressionError(f"failed to evaluate expression: {min(missing)} is missing")
        if missing & LATE:
            return whole
        value = expr.evaluate(text, scope)
        if value is None:
            raise ExpressionError(f"failed to evaluate expression {text!r}: it is nil")
        return _spliced(value)
    except GivenUp:
        raise
    except ExpressionError:
        if strict:
            raise
        return whole


def _spliced(value: object) -> str:
    if isinstance(value, str):
        return value
    text = values.to_json(value)
    # What is written as one string goes in without its quotes: the text it stands in has some.
    return str(json.loads(text)) if text.startswith('"') else text


def _is_known(name: str, scope: Mapping[str, object]) -> bool:
    return expr.is_function(name) or scopes.has(scope, name)
