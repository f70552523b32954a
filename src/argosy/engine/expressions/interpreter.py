"""Computes the value of an expr-lang tree. What the language's functions do is ``functions``' business."""

import math
import operator
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from argosy.engine.expressions import member_access, patterns, syntax, values
from argosy.engine.expressions.errors import ExpressionError, GivenUp
from argosy.engine.expressions.times import Duration, Time
from argosy.engine.expressions.values import is_int, is_number, type_name

MAX_STEPS = 1_000_000
MEMORY = 1_000_000
"""The most elements that an expression may make, as in the original."""

Function = Callable[..., Any]


class _NilInChain(Exception):
    """An optional member was looked for in nil."""


class Interpreter:
    """One evaluation. *functions*: the language's own; *predicates*: those that look at each element."""

    def __init__(
        self, environment: Mapping[str, object], functions: Mapping[str, Function], predicates: Mapping[str, Function]
    ) -> None:
        self._environment = environment
        self._functions = functions
        self._predicates = predicates
        self._locals: dict[str, Any] = {}
        self._pointers: list[dict[str, Any]] = []
        self._steps = 0
        self._memory = 0

    def value(self, node: syntax.Node) -> Any:
        """The value of *node*. Raises ExpressionError."""
        self._steps += 1
        if self._steps > MAX_STEPS:
            raise GivenUp(f"the expression takes more than {MAX_STEPS} steps")
        return self.RULES[type(node)](self, node)

    def grow(self, elements: int) -> None:
        """Note that *elements* more were made. Raises ExpressionError where that is too many."""
        self._memory += elements
        if self._memory >= MEMORY:
            raise ExpressionError(f"the expression makes more than {MEMORY} elements")

    def each(self, body: syntax.Node, element: object, index: int, gathered: object = None) -> object:
        """The value of a predicate's *body* for one element."""
        self._pointers.append({"": element, "index": index, "acc": gathered})
        try:
            return self.value(body.body if isinstance(body, syntax.PredicateNode) else body)
        finally:
            self._pointers.pop()

    # One method a node

    def _literal(self, node: syntax.LiteralNode) -> object:
        return node.value

    def _name(self, node: syntax.NameNode) -> object:
        if node.name in self._locals:
            return self._locals[node.name]
        if node.name == "$env":
            return self._environment
        if node.name in self._environment:
            return self._environment[node.name]
        if node.name in self._functions:
            return self._functions[node.name]
        raise ExpressionError(f"unknown name {node.name}")

    def _pointer(self, node: syntax.PointerNode) -> object:
        if not self._pointers or node.name not in self._pointers[-1]:
            raise ExpressionError(f"unknown pointer #{node.name}")
        return self._pointers[-1][node.name]

    def _unary(self, node: syntax.UnaryNode) -> object:
        value = self.value(node.operand)
        if node.operator in ("!", "not"):
            return not _truth(value)
        if not is_number(value):
            raise ExpressionError(f"{node.operator} is not defined on {type_name(value)}")
        return (
            values.wrapped(-value)
            if is_int(value) and node.operator == "-"
            else -value
            if node.operator == "-"
            else value
        )

    def _binary(self, node: syntax.BinaryNode) -> object:
        spine = node.spine()
        left = self.value(spine[-1].left)
        for part in reversed(spine):
            left = self._joined(part.operator, left, part.right)
        return left

    def _joined(self, sign: str, left: object, right: syntax.Node) -> Any:
        if sign in ("&&", "and", "||", "or"):
            return self._logical(left, right, decisive=sign in ("||", "or"))
        if sign == "??":
            return self.value(right) if left is None else left
        if sign == "..":
            return self._range(left, self.value(right))
        return OPERATORS[sign](left, self.value(right))

    def _logical(self, left: object, right: syntax.Node, *, decisive: bool) -> object:
        if isinstance(right, syntax.LiteralNode):
            # The original's compiler folds it: what stands before it is either the answer, whatever it is, or plays no part.
            return decisive if right.value is decisive else left
        return decisive if _truth(left) is decisive else _truth(self.value(right))

    def _range(self, first: object, last: object) -> list[int]:
        start, stop = values.to_int(first), values.to_int(last)
        # Go counts in 64 bits: what does not fit in them is a range of nothing.
        if values.wrapped(stop - start + 1) <= 0:
            return []
        self.grow(stop - start + 1)
        return list(range(start, stop + 1))

    def _conditional(self, node: syntax.ConditionalNode) -> object:
        return self.value(node.then if _truth(self.value(node.condition)) else node.otherwise)

    def _member(self, node: syntax.MemberNode) -> object:
        of = self.value(node.of)
        if node.optional and of is None:
            raise _NilInChain
        return member_access.fetch(of, self.value(node.key))

    def _chain(self, node: syntax.ChainNode) -> object:
        try:
            return self.value(node.inner)
        except _NilInChain:
            return None

    def _slice(self, node: syntax.SliceNode) -> object:
        of = self.value(node.of)
        start = 0 if node.start is None else values.to_int(self.value(node.start))
        stop = None if node.stop is None else values.to_int(self.value(node.stop))
        return member_access.cut(of, start, stop)

    def _call(self, node: syntax.CallNode) -> object:
        callee = self.value(node.callee)
        if not callable(callee):
            raise ExpressionError(f"{type_name(callee)} cannot be called")
        return _called(callee, [self.value(argument) for argument in node.arguments], _spelled(node.callee))

    def _builtin(self, node: syntax.BuiltinNode) -> object:
        if node.name in self._predicates:
            return self._predicates[node.name](self, *node.arguments)
        result = _called(self._functions[node.name], [self.value(argument) for argument in node.arguments], node.name)
        if isinstance(result, list | str):
            self.grow(len(result) if isinstance(result, list) else 0)
        return result

    def _items(self, node: syntax.ArrayNode) -> list[Any]:
        self.grow(len(node.items))
        return [self.value(item) for item in node.items]

    def _pairs(self, node: syntax.MapNode) -> dict[Any, Any]:
        self.grow(len(node.pairs))
        found: dict[Any, Any] = {}
        for key_node, value_node in node.pairs:
            key = self.value(key_node)
            if not isinstance(key, str):
                raise ExpressionError(f"a map's key must be a string, not {type_name(key)}")
            found[key] = self.value(value_node)
        return found

    def _let(self, node: syntax.LetNode) -> object:
        if node.name in self._environment or node.name in self._functions or node.name in self._locals:
            raise ExpressionError(f"cannot redeclare {node.name}")
        self._locals[node.name] = self.value(node.value)
        try:
            return self.value(node.body)
        finally:
            del self._locals[node.name]

    def _sequence(self, node: syntax.SequenceNode) -> object:
        return [self.value(step) for step in node.steps][-1]

    RULES: ClassVar[Mapping[type, Callable[["Interpreter", Any], Any]]] = {
        syntax.LiteralNode: _literal,
        syntax.NameNode: _name,
        syntax.PointerNode: _pointer,
        syntax.UnaryNode: _unary,
        syntax.BinaryNode: _binary,
        syntax.ConditionalNode: _conditional,
        syntax.MemberNode: _member,
        syntax.ChainNode: _chain,
        syntax.SliceNode: _slice,
        syntax.CallNode: _call,
        syntax.BuiltinNode: _builtin,
        syntax.ArrayNode: _items,
        syntax.MapNode: _pairs,
        syntax.LetNode: _let,
        syntax.SequenceNode: _sequence,
    }


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise ExpressionError(f"true or false is needed, not {type_name(value)}")
    return value


def _called(function: Function, arguments: list[Any], name: str) -> Any:
    try:
        return function(*arguments)
    except ExpressionError as error:
        raise type(error)(f"{name}: {error}") from None
    except (TypeError, ValueError, KeyError, IndexError, AttributeError, OverflowError, RecursionError) as error:
        # A function's arguments have types in Go; here the first use of a wrong one tells.
        raise ExpressionError(
            f"{name} cannot be called with {', '.join(map(type_name, arguments)) or 'nothing'}: {error}"
        ) from None


def _spelled(node: syntax.Node) -> str:
    if isinstance(node, syntax.NameNode):
        return node.name
    if isinstance(node, syntax.MemberNode):
        return f"{_spelled(node.of)}.{_spelled(node.key)}"
    return str(node.value) if isinstance(node, syntax.LiteralNode) else "the function"


# Operators on values


def _add(left: object, right: object) -> object:
    if isinstance(left, str) and isinstance(right, str):
        return left + right
    if isinstance(left, Time) and isinstance(right, Duration):
        return left.plus(right)
    if isinstance(left, Duration) and isinstance(right, Time):
        return right.plus(left)
    return _arithmetic("+", operator.add, left, right)


def _subtract(left: object, right: object) -> object:
    if isinstance(left, Time) and isinstance(right, Time):
        return left.minus(right)
    if isinstance(left, Time) and isinstance(right, Duration):
        return left.plus(Duration(-right.nanoseconds))
    return _arithmetic("-", operator.sub, left, right)


def _multiply(left: object, right: object) -> object:
    if isinstance(left, Duration) and is_number(right):
        return Duration(values.to_int(left.nanoseconds * right))
    if isinstance(right, Duration) and is_number(left):
        return Duration(values.to_int(left * right.nanoseconds))
    return _arithmetic("*", operator.mul, left, right)


def _arithmetic(sign: str, work: Callable[[Any, Any], Any], left: object, right: object) -> object:
    if isinstance(left, Duration) and isinstance(right, Duration):
        return Duration(values.wrapped(work(left.nanoseconds, right.nanoseconds)))
    if not is_number(left) or not is_number(right):
        raise ExpressionError(f"{type_name(left)} {sign} {type_name(right)} is not defined")
    if is_int(left) and is_int(right):
        return values.wrapped(work(left, right))
    return work(float(left), float(right))


def _divide(left: object, right: object) -> float:
    above, below = values.to_float(left), values.to_float(right)
    if below:
        return above / below
    # As IEEE 754 has it.
    return (
        float("nan")
        if above == 0 or math.isnan(above)
        else above * float("inf") * (1.0 if str(below)[0] != "-" else -1.0)
    )


def _modulo(left: object, right: object) -> int:
    if not is_int(left) or not is_int(right):
        raise ExpressionError(f"{type_name(left)} % {type_name(right)} is not defined")
    if right == 0:
        raise ExpressionError("integer divide by zero")
    rest = abs(left) % abs(right)
    return -rest if left < 0 else rest


def _power(left: object, right: object) -> float:
    try:
        result = values.to_float(left) ** values.to_float(right)
    except OverflowError:
        return float("inf")
    except ZeroDivisionError:
        return float("inf")
    return result if isinstance(result, float) else float("nan")


def _equally_placed(left: object, right: object) -> bool:
    return bool(left == right)


def _in(left: object, right: object) -> bool:
    if right is None:
        return False
    if isinstance(right, list | tuple):
        return any(values.equal(entry, left) for entry in right)
    if isinstance(right, Mapping):
        if not isinstance(left, str) and left is not None:
            raise ExpressionError(f"{type_name(left)} cannot be a key of {type_name(right)}")
        return ("" if left is None else left) in right
    raise ExpressionError(f'operator "in" is not defined on {type_name(right)}')


def _textual(sign: str, work: Callable[[str, str], bool]) -> Function:
    def compare(left: object, right: object) -> bool:
        if left is None or right is None:
            return False
        if not isinstance(left, str) or not isinstance(right, str):
            raise ExpressionError(f"{type_name(left)} {sign} {type_name(right)} is not defined")
        return work(left, right)

    return compare


OPERATORS: dict[str, Function] = {
    "==": values.equal,
    "!=": lambda left, right: not values.equal(left, right),
    "<": values.less,
    ">": lambda left, right: values.less(right, left),
    "<=": lambda left, right: values.less(left, right) or _equally_placed(left, right),
    ">=": lambda left, right: values.less(right, left) or _equally_placed(left, right),
    "+": _add,
    "-": _subtract,
    "*": _multiply,
    "/": _divide,
    "%": _modulo,
    "**": _power,
    "^": _power,
    "in": _in,
    "matches": _textual("matches", lambda text, pattern: bool(patterns.compiled(pattern).search(text))),
    "contains": _textual("contains", lambda text, part: part in text),
    "startsWith": _textual("startsWith", str.startswith),
    "endsWith": _textual("endsWith", str.endswith),
}
