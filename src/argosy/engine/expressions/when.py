"""``when`` conditions after their variables were replaced: the language of govaluate, in which a bare word is a string.

Argo turns govaluate's variables into strings, so ``{{x}} == heads`` needs no quotes. Strings and numbers are never equal, ``<`` compares
numbers with numbers and strings with strings, and the result must be a boolean.
"""

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from argosy.engine.expressions.errors import ExpressionError
from argosy.engine.expressions.values import equal, is_number, to_text

DEEPEST = 200

_TOKEN = re.compile(
    r"\s*(?:(?P<number>0[xX][0-9a-fA-F]+|\d+(?:\.\d*)?|\.\d+)(?![A-Za-z_])|'(?P<single>(?:\\.|[^'\\])*)'|\"(?P<double>(?:\\.|[^\"\\])*)\""
    r"|\[(?P<bracketed>[^\]]*)\]|(?P<word>[A-Za-z_][A-Za-z0-9_]*)"
    r"|(?P<operator>==|!=|>=|<=|=~|!~|&&|\|\||\*\*|>>|<<|\?\?|[-+*/%^&|<>!~?:,()]))",
    re.DOTALL,
)
_BINDING = {
    "?": 1, "??": 1, ":": 1, "||": 2, "&&": 3,
    "==": 4, "!=": 4, ">": 4, "<": 4, ">=": 4, "<=": 4, "=~": 4, "!~": 4, "in": 4,
    "&": 5, "|": 5, "^": 5, "<<": 6, ">>": 6, "+": 7, "-": 7, "*": 8, "/": 8, "%": 8, "**": 9,
}  # fmt: skip


def holds(condition: str) -> bool:
    """Whether *condition* holds. Raises ExpressionError where it cannot be read, or gives no boolean."""
    if not condition:
        return True
    try:
        value = _Reader(_tokens(condition)).whole()
    except (RecursionError, re.error) as error:
        raise ExpressionError(f"Invalid 'when' expression '{condition[:200]}': {error}") from error
    except ExpressionError as error:
        raise ExpressionError(f"Invalid 'when' expression '{condition[:200]}': {error}") from None
    if not isinstance(value, bool):
        raise ExpressionError(f"Expected boolean evaluation for '{condition[:200]}'. Got {to_text(value)}")
    return value


@dataclass(frozen=True)
class _Token:
    kind: str
    value: Any


@functools.lru_cache(maxsize=1024)
def _tokens(text: str) -> tuple[_Token, ...]:
    found: list[_Token] = []
    position = 0
    while text[position:].strip():
        match = _TOKEN.match(text, position)
        if match is None:
            raise ExpressionError(f"Invalid token: '{text[position:].strip()[:40]}' (hint: put it in quotes)")
        found.append(_token(match))
        position = match.end()
    return (*found, _Token("end", ""))


def _token(match: "re.Match[str]") -> _Token:
    kind, text = next((name, value) for name, value in match.groupdict().items() if value is not None)
    if kind == "number":
        return _Token("value", float(int(text, 16)) if text[:2].lower() == "0x" else float(text))
    if kind in ("single", "double"):
        return _Token("value", re.sub(r"\\(.)", r"\1", text, flags=re.DOTALL))
    if kind == "word" and text in ("true", "false"):
        return _Token("value", text == "true")
    if kind == "word" and text.lower() == "in":
        return _Token("operator", "in")
    return _Token("operator", text) if kind == "operator" else _Token("value", text)


class _Reader:
    """Reads and evaluates at once: a condition is short, and is evaluated once."""

    def __init__(self, tokens: tuple[_Token, ...]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def whole(self) -> Any:
        value = self.value(0)
        if self._now.kind != "end":
            raise ExpressionError(f"Cannot transition token types from VALUE to {self._now.value}")
        return value

    def value(self, least: int) -> Any:
        self._depth += 1
        if self._depth > DEEPEST:
            raise ExpressionError(f"nested deeper than {DEEPEST}")
        left = self._operand()
        while self._now.kind == "operator" and (binding := _BINDING.get(self._now.value, -1)) >= max(least, 1):
            operator = self._now.value
            if operator in ("?", ":"):
                if operator == ":":
                    break
                left = self._choice(left)
                continue
            self._at += 1
            left = _operate(operator, left, self.value(binding + 1))
        self._depth -= 1
        return left

    def _choice(self, test: Any) -> Any:
        self._at += 1
        yes = self.value(2)
        if self._now.value != ":":
            return yes if _boolean(test, "?") else None
        self._at += 1
        no = self.value(1)
        return yes if _boolean(test, "?") else no

    def _operand(self) -> Any:
        token = self._now
        self._at += 1
        if token.kind == "value":
            return token.value
        if token.value == "(":
            return self._bracket()
        if token.value == "!":
            return not _boolean(self._operand(), "!")
        if token.value == "-":
            return -_number(self._operand(), "-")
        self._at -= 1
        raise ExpressionError(
            "Unexpected end of expression" if token.kind == "end" else f"Unexpected token {token.value!r}"
        )

    def _bracket(self) -> Any:
        values = [] if self._now.value == ")" else [self.value(0)]
        while self._now.kind == "operator" and self._now.value == ",":
            self._at += 1
            values.append(self.value(0))
        if self._now.kind != "operator" or self._now.value != ")":
            raise ExpressionError("Unbalanced parenthesis")
        self._at += 1
        return values[0] if len(values) == 1 else values

    @property
    def _now(self) -> _Token:
        return self._tokens[self._at]


def _boolean(value: object, operator: str) -> bool:
    if not isinstance(value, bool):
        raise ExpressionError(
            f"Value '{to_text(value)}' cannot be used with the logical operator '{operator}', it is not a bool"
        )
    return value


def _number(value: Any, operator: str) -> float:
    if not is_number(value):
        raise ExpressionError(
            f"Value '{to_text(value)}' cannot be used with the modifier '{operator}', it is not a number"
        )
    return float(value)


def _operate(operator: str, left: Any, right: Any) -> Any:
    if operator in ("==", "!="):
        return equal(left, right) == (operator == "==")
    if operator in ("&&", "||"):
        first, second = _boolean(left, operator), _boolean(right, operator)
        return first and second if operator == "&&" else first or second
    if operator == "in":
        return any(equal(left, entry) for entry in (right if isinstance(right, list) else [right]))
    if operator in ("=~", "!~"):
        return (re.search(to_text(right), to_text(left)) is not None) == (operator == "=~")
    if operator == "??":
        return right if left is None else left
    if operator in _ORDER:
        both = [left, right]
        if not (all(is_number(value) for value in both) or all(isinstance(value, str) for value in both)):
            raise ExpressionError(f"Value '{to_text(left)}' cannot be used with the comparator '{operator}'")
        return _ORDER[operator](left, right)
    if operator == "+" and (isinstance(left, str) or isinstance(right, str)):
        return to_text(left) + to_text(right)
    return _ARITHMETIC[operator](_number(left, operator), _number(right, operator))


def _quotient(left: float, right: float) -> float:
    return left / right if right else float("nan") if not left else float("inf") * left


_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda left, right: left < right,
    ">": lambda left, right: left > right,
    "<=": lambda left, right: left <= right,
    ">=": lambda left, right: left >= right,
}
_ARITHMETIC: dict[str, Callable[[float, float], float]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": _quotient,
    "%": lambda left, right: float("nan") if right == 0 else left - right * int(left / right),
    "**": lambda left, right: float(left**right),
    "&": lambda left, right: float(int(left) & int(right)),
    "|": lambda left, right: float(int(left) | int(right)),
    "^": lambda left, right: float(int(left) ^ int(right)),
    "<<": lambda left, right: float(int(left) << min(int(right), 63)),
    ">>": lambda left, right: float(int(left) >> min(int(right), 63)),
}
