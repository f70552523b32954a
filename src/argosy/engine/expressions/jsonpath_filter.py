"""The condition of a JSONPath filter, ``[?(@.age > 42 && @.name == 'Ann')]``: logic, comparisons, ``=~`` and brackets. No arithmetic.

As in the library that Argo uses, an element whose condition cannot be evaluated is left out, and text that looks like a number is one.
"""

import re
from collections.abc import Callable
from typing import Any

from argosy.engine.expressions.errors import ExpressionError

Lookup = Callable[[str, Any], Any]
"""Looks up the value that a path that starts with ``$`` leads to. Raises ExpressionError where it leads nowhere."""

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<operator>\|\||&&|==|!=|<=|>=|=~|<|>|!|\(|\))
    | (?P<path>[@$](?:\.\.|\.[\w*-]+|\[(?:'[^']*'|"[^"]*"|[^\]'"]+)+\])*)
    | (?P<text>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")
    | (?P<pattern>/(?:[^/\\]|\\.)*/)
    | (?P<number>-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
    | (?P<word>true|false|null)\b
    )""",
    re.VERBOSE,
)
_ORDERS: dict[str, Callable[[float, float], bool]] = {
    "<": lambda one, other: one < other,
    "<=": lambda one, other: one <= other,
    ">": lambda one, other: one > other,
    ">=": lambda one, other: one >= other,
}
_WORDS = {"true": True, "false": False, "null": None}

Condition = Callable[[Any, Any], Any]
"""The value of a condition, from the document and the element."""


def compiled(text: str, lookup: Lookup) -> Callable[[Any, Any], bool]:
    """A predicate of the document and an element: is the element wanted? Raises ExpressionError where *text* is not such a condition."""
    condition = _Parser(text, lookup).condition()

    def wanted(root: object, element: object) -> bool:
        try:
            return bool(condition(root, element))
        except (ExpressionError, ValueError, re.error):
            return False

    return wanted


class _Parser:
    """Recursive descent: ``||`` binds least, then ``&&``, ``!``, comparisons."""

    def __init__(self, text: str, lookup: Lookup) -> None:
        self._text, self._lookup, self._place = text, lookup, 0
        self._tokens = list(self._tokenized())

    def condition(self) -> Condition:
        """The whole text as a condition."""
        found = self._either()
        if self._place < len(self._tokens):
            raise self._not_understood()
        return found

    def _tokenized(self) -> list[tuple[str, str]]:
        found, place, text = [], 0, self._text.rstrip()
        while place < len(text):
            match = _TOKEN.match(text, place)
            if match is None or match.lastgroup is None:
                raise self._not_understood()
            found.append((match.lastgroup, match[match.lastgroup]))
            place = match.end()
        return found

    def _not_understood(self) -> ExpressionError:
        return ExpressionError(f"jsonpath: the filter {self._text!r} is not supported by `argosy run`")

    def _takes(self, *operators: str) -> str:
        kind, text = self._tokens[self._place] if self._place < len(self._tokens) else ("", "")
        if kind == "operator" and text in operators:
            self._place += 1
            return text
        return ""

    def _either(self) -> Condition:
        first = self._both()
        if not self._takes("||"):
            return first
        second = self._either()
        return lambda root, element: first(root, element) or second(root, element)

    def _both(self) -> Condition:
        first = self._comparison()
        if not self._takes("&&"):
            return first
        second = self._both()
        return lambda root, element: first(root, element) and second(root, element)

    def _comparison(self) -> Condition:
        if self._takes("!"):
            opposite = self._comparison()
            return lambda root, element: not opposite(root, element)
        first = self._operand()
        operator = self._takes("==", "!=", "=~", *_ORDERS)
        if not operator:
            return first
        second = self._operand()
        return lambda root, element: _compared(operator, first(root, element), second(root, element))

    def _operand(self) -> Condition:
        if self._takes("("):
            inner = self._either()
            if not self._takes(")"):
                raise self._not_understood()
            return inner
        kind, text = self._tokens[self._place] if self._place < len(self._tokens) else ("", "")
        self._place += 1
        if kind == "path":
            lookup, path = self._lookup, "$" + text[1:]
            return (
                (lambda _, element: lookup(path, element)) if text[0] == "@" else (lambda root, _: lookup(path, root))
            )
        if kind in ("text", "pattern"):
            inside = text[1:-1] if kind == "pattern" else re.sub(r"\\(.)", r"\1", text[1:-1])
            return lambda *_: inside
        if kind == "number":
            return lambda *_: float(text)
        if kind == "word":
            return lambda *_: _WORDS[text]
        raise self._not_understood()


def _compared(operator: str, one: object, other: object) -> bool:
    if operator == "=~":
        return re.search(str(other), str(one)) is not None
    if operator in _ORDERS:
        return _ORDERS[operator](_number(one), _number(other))
    try:
        equal = _number(one) == _number(other)
    except ValueError:
        equal = _text(one) == _text(other)
    return equal if operator == "==" else not equal


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError(f"{value!r} is not a number")
    return float(value)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
