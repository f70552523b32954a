"""expr-lang expressions, evaluated over what a workflow knows.

The environment is flat, as the controller's is (``tasks.a.outputs.result``), or nested; in an expression it is nested. A member that is not
there is nil. What an expression may cost is bounded: it cannot loop, and its depth and the lengths it makes are limited.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from argosy.engine.expressions import syntax
from argosy.engine.expressions.builtins import FUNCTIONS
from argosy.engine.expressions.errors import ExpressionError
from argosy.engine.expressions.predicates import HIGHER
from argosy.engine.expressions.sprig import SPRIG
from argosy.engine.expressions.values import equal, is_number, to_text

LONGEST = 1_000_000


def evaluate(text: str, environment: Mapping[str, object]) -> object:
    """The value of *text*. Raises ExpressionError where it cannot be read or evaluated."""
    tree = syntax.parse(text.strip())
    try:
        return Evaluation({**expand(environment), "sprig": SPRIG}).of(tree)
    except RecursionError:
        raise ExpressionError("the expression is nested too deeply") from None
    except (TypeError, ValueError, OverflowError, KeyError, IndexError, AttributeError, re.error) as error:
        raise ExpressionError(f"cannot be evaluated: {error}") from error


def identifiers(text: str) -> set[str]:
    """The variables that *text* needs, by dotted name; one that has a fallback (``??``, ``?.``) is not needed."""
    found: set[str] = set()
    _collect(syntax.parse(text.strip()), found, frozenset())
    return found


def is_known(name: str, environment: Mapping[str, object]) -> bool:
    """Whether *environment* has *name*, or anything below it."""
    return (
        name in environment
        or any(known.startswith(f"{name}.") for known in environment)
        or _leads_in(name, environment)
    )


def expand(environment: Mapping[str, object]) -> dict[str, Any]:
    """Dotted names as nested maps. A name that is both a value and a map, such as all parameters as JSON and each by itself, is a map."""
    nested: dict[str, Any] = {}
    for name in sorted(environment):
        *path, last = name.split(".")
        folder = nested
        for part in path:
            inner = folder.get(part)
            if not isinstance(inner, dict):
                inner = folder[part] = {}
            folder = inner
        value = environment[name]
        folder[last] = expand(value) if isinstance(value, Mapping) else value
    return nested


def _leads_in(name: str, environment: Mapping[str, object]) -> bool:
    value: object = environment
    for part in name.split("."):
        if not isinstance(value, Mapping) or part not in value:
            return False
        value = value[part]
    return True


def _collect(node: object, found: set[str], own: frozenset[str]) -> None:
    """Add the names that *node* needs; *own*: those that a ``let`` around it has given."""
    if isinstance(node, syntax.Binary) and node.operator == "??":
        _collect(node.right, found, own)
        return
    if isinstance(node, syntax.Let):
        _collect(node.value, found, own)
        _collect(node.body, found, own | {node.name})
        return
    if isinstance(node, syntax.Call) and isinstance(node.function, syntax.Name):
        children: Sequence[object] = node.arguments
    elif isinstance(node, syntax.Name | syntax.Member):
        name, children = _dotted(node)
        if name and name.partition(".")[0] not in own | {"sprig"} and name not in FUNCTIONS:
            found.add(name)
    else:
        children = _children(node)
    for child in children:
        _collect(child, found, own)


def _dotted(node: object) -> tuple[str, Sequence[object]]:
    """The dotted name *node* is, or none and what it is made of."""
    parts: list[str] = []
    inner = node
    while (
        isinstance(inner, syntax.Member) and isinstance(inner.key, syntax.Literal) and isinstance(inner.key.value, str)
    ):
        if inner.optional:
            return "", (inner.of.of,) if isinstance(inner.of, syntax.Member) else ()
        parts.append(inner.key.value)
        inner = inner.of
    if isinstance(inner, syntax.Name):
        return ".".join([inner.name, *reversed(parts)]), ()
    return "", _children(node)


def _children(node: object) -> list[object]:
    values = vars(node).values() if isinstance(node, syntax.Node) else node if isinstance(node, tuple) else ()
    return [value for value in values if isinstance(value, syntax.Node | tuple)]


class Evaluation:
    """One evaluation: the variables, and the element at hand of the predicates around."""

    def __init__(self, variables: Mapping[str, Any], elements: tuple[Mapping[str, object], ...] = ()) -> None:
        self.variables = variables
        self.elements = elements

    def of(self, node: syntax.Node) -> Any:
        """The value of *node*."""
        return self.handlers[type(node)](self, node)

    def with_element(self, element: object, **more: object) -> "Evaluation":
        """The same, inside a predicate: ``#`` is *element*."""
        return Evaluation(self.variables, (*self.elements, {"": element, **more}))

    def _name(self, node: syntax.Name) -> Any:
        if node.name in self.variables:
            return self.variables[node.name]
        if node.name == "$env":
            return self.variables
        if self.elements and isinstance(element := self.elements[-1][""], dict) and node.name in element:
            return element[node.name]
        raise ExpressionError(f"unknown name {node.name}")

    def _pointer(self, node: syntax.Pointer) -> Any:
        if not self.elements:
            raise ExpressionError("'#' outside of a predicate")
        return self.elements[-1].get(node.field)

    def _member(self, node: syntax.Member) -> Any:
        of = self.of(node.of)
        key = self.of(node.key)
        if of is None:
            if node.optional or _is_optional(node.of):
                return None
            raise ExpressionError(f"cannot fetch {to_text(key)} from nil")
        if isinstance(of, dict):
            return of.get(key)
        if isinstance(of, list | str) and isinstance(key, int) and not isinstance(key, bool):
            if not -len(of) <= key < len(of):
                raise ExpressionError(f"index out of range: {key} (length is {len(of)})")
            return of[key]
        raise ExpressionError(f"cannot fetch {to_text(key)} from {type(of).__name__}")

    def _slice(self, node: syntax.Slice) -> Any:
        of = self.of(node.of)
        if not isinstance(of, list | str):
            raise ExpressionError("only a list or a string can be sliced")
        start = self.of(node.start) if node.start else 0
        stop = self.of(node.stop) if node.stop else len(of)
        return of[start:stop]

    def _unary(self, node: syntax.Unary) -> Any:
        value = self.of(node.operand)
        if node.operator in ("!", "not"):
            return not _boolean(value, node.operator)
        if not is_number(value):
            raise ExpressionError(f"invalid operation: {node.operator} {to_text(value)}")
        return -value if node.operator == "-" else value

    def _binary(self, node: syntax.Binary) -> Any:
        operator = node.operator
        if operator in ("&&", "and"):
            return _boolean(self.of(node.left), operator) and _boolean(self.of(node.right), operator)
        if operator in ("||", "or"):
            return _boolean(self.of(node.left), operator) or _boolean(self.of(node.right), operator)
        if operator == "??":
            left = self._or_nil(node.left)
            return self.of(node.right) if left is None else left
        if operator.startswith("not "):
            return not _operate(operator.removeprefix("not "), self.of(node.left), self.of(node.right))
        return _operate(operator, self.of(node.left), self.of(node.right))

    def _or_nil(self, node: syntax.Node) -> Any:
        try:
            return self.of(node)
        except ExpressionError:
            if isinstance(node, syntax.Member | syntax.Name):
                return None
            raise

    def _condition(self, node: syntax.Condition) -> Any:
        return self.of(node.yes) if _boolean(self.of(node.test), "?:") else self.of(node.no)

    def _call(self, node: syntax.Call) -> Any:
        if isinstance(node.function, syntax.Name) and node.function.name not in self.variables:
            name = node.function.name
            if name in HIGHER:
                return self._higher(name, node.arguments)
            if name not in FUNCTIONS:
                raise ExpressionError(f"unknown name {name}")
            function = FUNCTIONS[name]
        else:
            function = self.of(node.function)
        if not callable(function):
            raise ExpressionError(f"{to_text(function)} is not a function")
        return _bounded(function(*(self.of(argument) for argument in node.arguments)))

    def _higher(self, name: str, arguments: tuple[syntax.Node, ...]) -> Any:
        values = _elements(name, self.of(arguments[0])) if arguments else []
        predicate = arguments[1] if len(arguments) > 1 else None
        rest = [self.of(argument) for argument in arguments[2:]]

        def test(element: object, **more: object) -> Any:
            body = predicate.body if isinstance(predicate, syntax.Predicate) else syntax.Pointer()
            return self.with_element(element, **more).of(body)

        return HIGHER[name](values, test, *rest)

    def _let(self, node: syntax.Let) -> Any:
        return Evaluation({**self.variables, node.name: self.of(node.value)}, self.elements).of(node.body)

    def _list(self, node: syntax.ListOf) -> Any:
        return [self.of(entry) for entry in node.entries]

    def _map(self, node: syntax.MapOf) -> Any:
        return {str(self.of(key)): self.of(value) for key, value in node.entries}

    def _literal(self, node: syntax.Literal) -> Any:
        return node.value

    handlers: ClassVar[Mapping[type[syntax.Node], Callable[["Evaluation", Any], Any]]] = {
        syntax.Literal: _literal,
        syntax.Name: _name,
        syntax.Pointer: _pointer,
        syntax.Member: _member,
        syntax.Slice: _slice,
        syntax.Unary: _unary,
        syntax.Binary: _binary,
        syntax.Condition: _condition,
        syntax.Call: _call,
        syntax.Let: _let,
        syntax.ListOf: _list,
        syntax.MapOf: _map,
    }


def _is_optional(node: syntax.Node) -> bool:
    return isinstance(node, syntax.Member) and (node.optional or _is_optional(node.of))


def _boolean(value: object, operator: str) -> bool:
    if not isinstance(value, bool):
        raise ExpressionError(f"invalid operation: {operator} wants a boolean, got {to_text(value)}")
    return value


def _elements(name: str, value: object) -> list[Any]:
    if isinstance(value, list):
        return value
    raise ExpressionError(f"{name} wants a list, got {to_text(value)}")


def _bounded(value: Any) -> Any:
    if isinstance(value, str | list) and len(value) > LONGEST:
        raise ExpressionError(f"a value of {len(value):,} entries; at most {LONGEST:,} are made")
    return value


def _operate(operator: str, left: Any, right: Any) -> Any:
    if operator in ("==", "!="):
        return equal(left, right) == (operator == "==")
    if operator == "in":
        return _is_in(left, right)
    if operator in _TEXT_TESTS:
        if not isinstance(left, str) or not isinstance(right, str):
            raise ExpressionError(f"invalid operation: {to_text(left)} {operator} {to_text(right)}")
        return _TEXT_TESTS[operator](left, right)
    if operator == "..":
        if not (isinstance(left, int) and isinstance(right, int)) or right - left > LONGEST:
            raise ExpressionError("a range goes from a whole number to a whole number not too far away")
        return list(range(left, right + 1))
    if operator == "+" and isinstance(left, str) and isinstance(right, str):
        return _bounded(left + right)
    comparable = (is_number(left) and is_number(right)) or (
        isinstance(left, str) and isinstance(right, str) and operator in _ORDER
    )
    if not comparable:
        raise ExpressionError(f"invalid operation: {to_text(left)} {operator} {to_text(right)}")
    return (_ORDER | _ARITHMETIC)[operator](left, right)


def _is_in(left: Any, right: Any) -> bool:
    if right is None:
        return False
    if isinstance(right, dict):
        return left in right
    if isinstance(right, list):
        return any(equal(left, entry) for entry in right)
    raise ExpressionError(f"invalid operation: in wants a list or a map, got {to_text(right)}")


def _divide(left: float, right: float) -> float:
    if right == 0:
        return float("nan") if left == 0 else float("inf") if left > 0 else float("-inf")
    return left / right


def _remainder(left: Any, right: Any) -> int:
    if not (isinstance(left, int) and isinstance(right, int)):
        raise ExpressionError("% wants whole numbers")
    if right == 0:
        raise ExpressionError("integer divide by zero")
    return left - right * int(left / right)  # the sign of the left side, as in Go


def _power(left: float, right: float) -> float:
    try:
        value = float(left) ** right
    except OverflowError:
        return float("inf")
    return value if isinstance(value, float) else float("nan")


_TEXT_TESTS: dict[str, Callable[[str, str], bool]] = {
    "matches": lambda left, right: re.search(right, left) is not None,
    "contains": lambda left, right: right in left,
    "startsWith": lambda left, right: left.startswith(right),
    "endsWith": lambda left, right: left.endswith(right),
}
_ORDER: dict[str, Callable[[Any, Any], Any]] = {
    "<": lambda left, right: left < right,
    ">": lambda left, right: left > right,
    "<=": lambda left, right: left <= right,
    ">=": lambda left, right: left >= right,
}
_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": _divide,
    "%": _remainder,
    "**": _power,
    "^": _power,
}
