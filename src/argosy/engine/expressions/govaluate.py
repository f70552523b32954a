"""``when`` conditions, after their tags were replaced: govaluate's language, whose words Argo takes for strings.

Numbers are floats. ``a in (b, c)`` is a list; a word with a dot is a member of a variable, and there are none, so using one is an error.
"""

import functools
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from argosy.engine.expressions import govaluate_tokens, patterns, time_limit, values
from argosy.engine.expressions.errors import ExpressionError
from argosy.engine.expressions.govaluate_tokens import ConditionToken, TokenKind

MAX_DEPTH = 40


def holds(condition: str) -> bool:
    """True where *condition* is true; an empty one is. Raises ExpressionError where it is neither true nor false."""
    if condition == "":
        return True
    with time_limit.limited():
        value = _value(_read(condition), condition)
    if not isinstance(value, bool):
        raise ExpressionError(f"expected true or false for the condition {condition!r}, got {values.written(value)}")
    return value


def _read(condition: str) -> "_Node":
    try:
        return _tree(condition)
    except ExpressionError as error:
        raise type(error)(f"Invalid 'when' expression '{condition}': {error}") from None


@dataclass(frozen=True, slots=True)
class _Leaf:
    value: Any


@dataclass(frozen=True, slots=True)
class _Unknown:
    word: str


@dataclass(frozen=True, slots=True)
class _Operation:
    operator: str
    left: "_Node"
    right: "_Node"


_Node = _Leaf | _Unknown | _Operation

# From the weakest to the strongest; each joins from the left.
_LEVELS: tuple[tuple[TokenKind, frozenset[str]], ...] = (
    (TokenKind.SEPARATOR, frozenset({","})),
    (TokenKind.TERNARY, govaluate_tokens.TERNARIES),
    (TokenKind.LOGICAL, frozenset({"||"})),
    (TokenKind.LOGICAL, frozenset({"&&"})),
    (TokenKind.COMPARATOR, govaluate_tokens.COMPARATORS),
    (TokenKind.MODIFIER, frozenset({"^", "&", "|"})),
    (TokenKind.MODIFIER, frozenset({">>", "<<"})),
    (TokenKind.MODIFIER, frozenset({"+", "-"})),
    (TokenKind.MODIFIER, frozenset({"*", "/", "%"})),
    (TokenKind.MODIFIER, frozenset({"**"})),
)


@functools.lru_cache(1024)
def _tree(condition: str) -> _Node:
    return _Parser(govaluate_tokens.tokens(condition), condition).level(0)


class _Parser:
    def __init__(self, tokens: list[ConditionToken], condition: str) -> None:
        self._tokens = tokens
        self._condition = condition
        self._place = 0
        self._depth = 0

    def level(self, strength: int) -> _Node:
        """The operands that operators of one level join, and all stronger ones."""
        if strength == len(_LEVELS):
            return self._operand()
        kind, operators = _LEVELS[strength]
        left = self.level(strength + 1)
        while (token := self._current()) and token.kind is kind and token.value in operators:
            self._place += 1
            left = _Operation(str(token.value), left, self.level(strength + 1))
        return left

    def _current(self) -> ConditionToken | None:
        return self._tokens[self._place] if self._place < len(self._tokens) else None

    def _operand(self) -> _Node:
        token = self._current()
        if token is None or token.kind is TokenKind.CLAUSE_CLOSE:
            return _Leaf(None)
        self._place += 1
        if token.kind is TokenKind.CLAUSE:
            return self._clause()
        if token.kind is TokenKind.PREFIX:
            return _Operation(f"prefix {token.value}", _Leaf(None), self._operand())
        if token.kind is TokenKind.ACCESSOR:
            if (following := self._current()) and following.kind is TokenKind.CLAUSE:
                self.level(0)
            return _Unknown(str(token.value))
        if token.kind in (TokenKind.NUMERIC, TokenKind.STRING, TokenKind.PATTERN, TokenKind.BOOLEAN, TokenKind.TIME):
            return _Leaf(token.value)
        raise ExpressionError(f"unexpected {token.value!r} in {self._condition!r}")

    def _clause(self) -> _Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ExpressionError(f"parentheses nest more than {MAX_DEPTH} deep in {self._condition[:80]!r}…")
        inner = self.level(0)
        self._depth -= 1
        # Whatever stands here is taken for the closing one, as in the original: `((true) false)` is true.
        self._place += 1
        return inner


def _value(node: _Node, condition: str) -> object:
    """The value of *node*. A long chain leans to the left; it is walked, not recursed into."""
    spine: list[_Operation] = []
    while isinstance(node, _Operation):
        spine.append(node)
        node = node.left
    if isinstance(node, _Unknown):
        raise ExpressionError(f"there is no variable {node.word!r} for {condition!r} (hint: try wrapping it in quotes)")
    value = node.value
    for operation in reversed(spine):
        if not _decided(operation.operator, value):
            value = _applied(operation.operator, value, _value(operation.right, condition), condition)
        elif operation.operator == "?":
            value = None
    return value


def _decided(operator: str, left: object) -> bool:
    """True where the left side alone says what comes out (or, for ``?``, that nothing does)."""
    if operator in ("&&", "?"):
        return left is False
    if operator == "||":
        return left is True
    return operator in (":", "??") and left is not None


def _applied(operator: str, left: object, right: object, condition: str) -> object:
    rule, check = _RULES[operator]
    if not check(left, right):
        raise ExpressionError(
            f"{operator.removeprefix('prefix ')} cannot be used on {values.written(left)!r} and {values.written(right)!r} in {condition!r}"
        )
    return rule(left, right)


def _is_float(value: object) -> bool:
    return isinstance(value, float)


def _floats(left: object, right: object) -> bool:
    return _is_float(left) and _is_float(right)


def _strings(left: object, right: object) -> bool:
    return isinstance(left, str) and isinstance(right, str)


def _ordered(left: object, right: object) -> bool:
    return _floats(left, right) or _strings(left, right)


def _addable(left: object, right: object) -> bool:
    return _floats(left, right) or isinstance(left, str) or isinstance(right, str)


def _bools(left: object, right: object) -> bool:
    return isinstance(left, bool) and isinstance(right, bool)


def _anything(_left: object, _right: object) -> bool:
    return True


def _matchable(left: object, right: object) -> bool:
    return isinstance(left, str) and isinstance(right, str | re.Pattern)


def _is_found(left: str, right: str | re.Pattern[str]) -> bool:
    return bool((patterns.compiled(right) if isinstance(right, str) else right).search(left))


def _added(left: Any, right: Any) -> object:
    if isinstance(left, str) or isinstance(right, str):
        return values.written(left) + values.written(right)
    return left + right


def _divided(left: float, right: float) -> float:
    if right:
        return left / right
    return math.nan if left == 0 or math.isnan(left) else math.copysign(math.inf, left) * math.copysign(1, right)


def _remainder(left: float, right: float) -> float:
    return math.fmod(left, right) if right and math.isfinite(left) else math.nan


def _power(left: float, right: float) -> float:
    try:
        return math.pow(left, right)
    except OverflowError:
        return math.inf
    except ValueError:
        return math.inf if left == 0 else math.nan


def _listed(left: object, right: object) -> list[Any]:
    return [*left, right] if isinstance(left, list) else [left, right]


def _unsigned(value: float) -> int:
    return values.to_int(value) % (1 << 64)


_Rule = tuple[Callable[[Any, Any], Any], Callable[[Any, Any], bool]]
_RULES: dict[str, _Rule] = {
    "==": (values.same, _anything),
    "!=": (lambda left, right: not values.same(left, right), _anything),
    "<": (lambda left, right: left < right, _ordered),
    ">": (lambda left, right: left > right, _ordered),
    "<=": (lambda left, right: left <= right, _ordered),
    ">=": (lambda left, right: left >= right, _ordered),
    "=~": (_is_found, _matchable),
    "!~": (lambda left, right: not _is_found(left, right), _matchable),
    "in": (
        lambda left, right: any(values.same(left, entry) for entry in right),
        lambda _, right: isinstance(right, list),
    ),
    "&&": (lambda left, right: left and right, _bools),
    "||": (lambda left, right: left or right, _bools),
    "+": (_added, _addable),
    "-": (lambda left, right: left - right, _floats),
    "*": (lambda left, right: left * right, _floats),
    "/": (_divided, _floats),
    "%": (_remainder, _floats),
    "**": (_power, _floats),
    "&": (lambda left, right: float(values.to_int(left) & values.to_int(right)), _floats),
    "|": (lambda left, right: float(values.to_int(left) | values.to_int(right)), _floats),
    "^": (lambda left, right: float(values.to_int(left) ^ values.to_int(right)), _floats),
    "<<": (lambda left, right: float((_unsigned(left) << min(_unsigned(right), 64)) % (1 << 64)), _floats),
    ">>": (lambda left, right: float(_unsigned(left) >> min(_unsigned(right), 64)), _floats),
    "?": (lambda _, right: right, lambda left, _: isinstance(left, bool)),
    ":": (lambda _, right: right, _anything),
    "??": (lambda _, right: right, _anything),
    ",": (_listed, _anything),
    "prefix -": (lambda _, right: -right, lambda _, right: _is_float(right)),
    "prefix !": (lambda _, right: not right, lambda _, right: isinstance(right, bool)),
    "prefix ~": (lambda _, right: float(~values.to_int(right)), lambda _, right: _is_float(right)),
}
