"""Checks the types of an expr-lang tree before it is evaluated, as the original's compiler does: ``1 == "1"`` is an error and not false.

It knows what the environment's names hold, but not what lies in their maps: a path of members may be anything. What a
value turns out to be is ``interpreter``'s business.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any, ClassVar

from argosy.engine.expressions import patterns, syntax, types
from argosy.engine.expressions.errors import ExpressionError
from argosy.engine.expressions.signatures import METHODS, ResultOf
from argosy.engine.expressions.types import BOOL, DURATION, FLOAT, INT, LIST, STRING, TIME, UNKNOWN, GoType


def check(
    tree: syntax.Node, environment: Mapping[str, object], functions: Collection[str], results: Mapping[str, ResultOf]
) -> GoType:
    """The type of *tree*'s value. *functions*: names of the language's own functions; *results*: what each of those with a rule gives
    for the types of its arguments. Raises ExpressionError where an operator or function is not defined on what stands there."""
    return _Checker(environment, functions, results).of(tree)


class _Checker:
    def __init__(
        self, environment: Mapping[str, object], functions: Collection[str], results: Mapping[str, ResultOf]
    ) -> None:
        self._environment = environment
        self._functions = functions
        self._results = results
        self._locals: dict[str, GoType] = {}
        self._pointers: list[dict[str, GoType]] = []

    def of(self, node: syntax.Node) -> GoType:
        """The type of *node*."""
        return self.RULES[type(node)](self, node)

    # One method a node

    def _literal(self, node: syntax.LiteralNode) -> GoType:
        return types.of_value(node.value)

    def _name(self, node: syntax.NameNode) -> GoType:
        if node.name in self._locals:
            return self._locals[node.name]
        if node.name == "$env":
            return UNKNOWN
        if node.name in self._environment:
            return types.of_value(self._environment[node.name])
        if node.name in self._functions:
            return types.FUNCTION
        raise ExpressionError(f"unknown name {node.name}")

    def _pointer(self, node: syntax.PointerNode) -> GoType:
        if not self._pointers:
            raise ExpressionError("# stands for an element, and has no meaning outside a function that looks at each")
        if node.name not in self._pointers[-1]:
            raise ExpressionError(f"unknown pointer #{node.name}")
        return self._pointers[-1][node.name]

    def _unary(self, node: syntax.UnaryNode) -> GoType:
        operand = self.of(node.operand)
        if node.operator in ("!", "not"):
            if operand == BOOL or operand.is_unknown:
                return BOOL
        elif operand.is_number or operand.is_unknown:
            return operand
        raise ExpressionError(f"{node.operator} is not defined on {operand.name}")

    def _binary(self, node: syntax.BinaryNode) -> GoType:
        spine = node.spine()
        left = self.of(spine[-1].left)
        for part in reversed(spine):
            left = _joined(part, left, self.of(part.right))
        return left

    def _conditional(self, node: syntax.ConditionalNode) -> GoType:
        condition = self.of(node.condition)
        if condition != BOOL and not condition.is_unknown:
            raise ExpressionError(f"a condition must be true or false, not {condition.name}")
        then, otherwise = self.of(node.then), self.of(node.otherwise)
        if then.is_nil or otherwise.is_nil:
            return otherwise if then.is_nil else then
        if not then.fits(otherwise):
            return UNKNOWN
        if then.is_list and not (
            then.of_elements.fits(otherwise.of_elements) and otherwise.of_elements.fits(then.of_elements)
        ):
            return LIST
        return then

    def _member(self, node: syntax.MemberNode) -> GoType:
        if isinstance(node.of, syntax.NameNode) and node.of.name == "$env" and isinstance(node.key, syntax.LiteralNode):
            return self._of_environment(node.key.value, optional=node.optional)
        base, key = self.of(node.of), self.of(node.key)
        if base.is_unknown:
            return UNKNOWN
        name = node.key.value if isinstance(node.key, syntax.LiteralNode) and isinstance(node.key.value, str) else None
        if base.is_map:
            if not key.fits(base.key) and not key.is_unknown:
                raise ExpressionError(f"{key.name} cannot be a key of {base.name}")
            return base.of_elements
        if base.is_list:
            if key != INT and not key.is_unknown:
                raise ExpressionError(f"an element is selected by a whole number, not by {key.name}")
            return base.of_elements
        if name in METHODS.get(base.name, ()):
            return types.FUNCTION
        raise ExpressionError(f"{base.name} has no {name!r}" if name else f"{base.name}[{key.name}] is not defined")

    def _of_environment(self, name: object, *, optional: bool) -> GoType:
        if name in self._environment:
            return types.of_value(self._environment[str(name)])
        if optional or not isinstance(name, str):
            return UNKNOWN
        raise ExpressionError(f"unknown name {name}")

    def _chain(self, node: syntax.ChainNode) -> GoType:
        return self.of(node.inner)

    def _slice(self, node: syntax.SliceNode) -> GoType:
        sliced = self.of(node.of)
        if sliced.is_unknown:
            return UNKNOWN
        if sliced != STRING and not sliced.is_list:
            raise ExpressionError(f"cannot slice {sliced.name}")
        for edge in (node.start, node.stop):
            found = INT if edge is None else self.of(edge)
            if found != INT and not found.is_unknown:
                raise ExpressionError(f"a slice begins and ends at whole numbers, not at {found.name}")
        return sliced

    def _call(self, node: syntax.CallNode) -> GoType:
        callee = self.of(node.callee)
        if callee.is_unknown:
            return UNKNOWN
        if callee != types.FUNCTION:
            raise ExpressionError(f"{callee.name} cannot be called")
        given = [self.of(argument) for argument in node.arguments]
        if isinstance(node.callee, syntax.NameNode):
            rule = self._results.get(node.callee.name)
            return rule(given) if rule else UNKNOWN
        if isinstance(node.callee, syntax.MemberNode) and isinstance(node.callee.key, syntax.LiteralNode):
            return METHODS[self.of(node.callee.of).name][str(node.callee.key.value)]
        return UNKNOWN

    def _builtin(self, node: syntax.BuiltinNode) -> GoType:
        if node.name in _PREDICATES:
            return self._looking_at_each(node)
        if node.name == "get":
            return self._get(node)
        return self._results[node.name]([self.of(argument) for argument in node.arguments])

    def _get(self, node: syntax.BuiltinNode) -> GoType:
        if len(node.arguments) != 2:
            raise ExpressionError(f"get takes 2 arguments, not {len(node.arguments)}")
        base, key = (self.of(argument) for argument in node.arguments)
        if base.is_unknown:
            return UNKNOWN
        wanted = INT if base.is_list else base.key if base.is_map else None
        if wanted is None:
            raise ExpressionError(f"get is not defined on {base.name}")
        if not key.fits(wanted) and not key.is_unknown:
            raise ExpressionError(f"{key.name} cannot select from {base.name}")
        return base.of_elements

    def _looking_at_each(self, node: syntax.BuiltinNode) -> GoType:
        items = self.of(node.arguments[0])
        if not items.is_list and not items.is_unknown:
            raise ExpressionError(f"{node.name} takes a list, not {items.name}")
        element = items.of_elements if items.is_list else UNKNOWN
        if len(node.arguments) == 1:
            return INT if node.name == "count" else element
        self._pointers.append({"": element} | _PREDICATES[node.name])
        body = node.arguments[1]
        answer = self.of(body.body if isinstance(body, syntax.PredicateNode) else body)
        self._pointers.pop()
        for more in node.arguments[2:]:
            order = self.of(more)
            if node.name == "sortBy" and order != STRING and not order.is_unknown:
                raise ExpressionError(f"the order of sortBy is a string, not {order.name}")
        if answer.is_nil:
            raise ExpressionError(f"what {node.name} looks for is nil")
        if node.name in _ASKING and answer != BOOL and not answer.is_unknown:
            raise ExpressionError(f"the answer for each element of {node.name} is true or false, not {answer.name}")
        return _GIVEN[node.name](items, element, answer)

    def _predicate(self, node: syntax.PredicateNode) -> GoType:
        return self.of(node.body)

    def _items(self, node: syntax.ArrayNode) -> GoType:
        found = [self.of(item) for item in node.items]
        if not found:
            return types.list_of(UNKNOWN)
        return types.list_of(found[-1]) if len({_kind(each) for each in found}) == 1 else LIST

    def _pairs(self, node: syntax.MapNode) -> GoType:
        for key, value in node.pairs:
            self.of(key)
            self.of(value)
        return types.MAP

    def _let(self, node: syntax.LetNode) -> GoType:
        if node.name in self._environment or node.name in self._functions or node.name in self._locals:
            raise ExpressionError(f"cannot redeclare {node.name}")
        self._locals[node.name] = self.of(node.value)
        body = self.of(node.body)
        del self._locals[node.name]
        return body

    def _sequence(self, node: syntax.SequenceNode) -> GoType:
        return [self.of(step) for step in node.steps][-1]

    RULES: ClassVar[Mapping[type, Callable[["_Checker", Any], GoType]]] = {
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
        syntax.PredicateNode: _predicate,
        syntax.ArrayNode: _items,
        syntax.MapNode: _pairs,
        syntax.LetNode: _let,
        syntax.SequenceNode: _sequence,
    }


def _kind(given: GoType) -> str:
    """Go's name of the kind: a map is one whatever it holds, nil is as little of a kind as what is unknown."""
    if given.is_list or given.is_map:
        return "list" if given.is_list else "map"
    return "unknown" if given.is_nil else given.name


# What a function that looks at each element offers besides the element, and what it gives

_PREDICATES: dict[str, dict[str, GoType]] = {
    **{name: {} for name in ("all", "none", "any", "one", "filter", "count", "sum", "find", "findIndex")},
    **{name: {} for name in ("findLast", "findLastIndex", "groupBy", "sortBy")},
    "map": {"index": INT},
    "reduce": {"index": INT, "acc": UNKNOWN},
}
_ASKING = frozenset({"all", "none", "any", "one", "filter", "count", "find", "findIndex", "findLast", "findLastIndex"})
_Given = Callable[[GoType, GoType, GoType], GoType]
_GIVEN: dict[str, _Given] = {
    **dict.fromkeys(("all", "none", "any", "one"), lambda _, __, ___: BOOL),
    **dict.fromkeys(("count", "findIndex", "findLastIndex"), lambda _, __, ___: INT),
    **dict.fromkeys(("find", "findLast"), lambda _, element, __: element),
    "filter": lambda _, element, __: types.list_of(element),
    "map": lambda _, __, answer: types.list_of(answer),
    "sum": lambda _, __, answer: answer,
    "reduce": lambda _, __, answer: answer,
    "sortBy": lambda items, _, __: items,
    "groupBy": lambda _, __, ___: types.GROUPS,
}

# Operators


def _joined(node: syntax.BinaryNode, left: GoType, right: GoType) -> GoType:
    sign = node.operator
    if sign == "??":
        return _coalesced(left, right)
    if sign == "in":
        return _in(left, right)
    if sign in ("==", "!="):
        if left.compares_to(right):
            return BOOL
    else:
        if sign == "matches" and isinstance(node.right, syntax.LiteralNode) and isinstance(node.right.value, str):
            patterns.compiled(node.right.value)
        for wanted, result in _DEFINED[sign]:
            if _matches(left, wanted[0]) and _matches(right, wanted[1]):
                return result
        if _may_do(sign, left, right):
            return _RESULTS[sign]
    raise ExpressionError(f"{left.name} {sign} {right.name} is not defined")


def _coalesced(left: GoType, right: GoType) -> GoType:
    if left.is_nil:
        return right
    return left if right.is_nil or right.fits(left) else UNKNOWN


def _in(left: GoType, right: GoType) -> GoType:
    if right.is_map:
        if not left.is_unknown and not left.fits(right.key):
            raise ExpressionError(f"{left.name} cannot be a key of {right.name}")
        return BOOL
    if right.is_list:
        if not left.compares_to(right.of_elements):
            raise ExpressionError(f"{left.name} cannot be in a list of {right.of_elements.name}")
        return BOOL
    if right.is_unknown or (left.is_unknown and right == STRING):
        return BOOL
    raise ExpressionError(f"{left.name} in {right.name} is not defined")


def _matches(given: GoType, wanted: str) -> bool:
    return given.is_number if wanted == "number" else given.name == wanted


def _may_do(sign: str, left: GoType, right: GoType) -> bool:
    """True where the operator may turn out to be defined on the two, of which one at least is unknown."""
    known = [side for side in (left, right) if not side.is_unknown]
    return len(known) < 2 and all(any(_matches(side, wanted) for wanted in _OPERANDS[sign]) for side in known)


_ORDERED = ("number", "string", "time.Time", "time.Duration")
_ADDED = ("number", "string", "time.Time", "time.Duration")
_OPERANDS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("or", "||", "and", "&&"), ("bool",)),
    **dict.fromkeys(("<", ">", "<=", ">="), _ORDERED),
    "+": _ADDED,
    "-": ("number", "time.Time", "time.Duration"),
    "*": ("number", "time.Duration"),
    **dict.fromkeys(("/", "**", "^"), ("number",)),
    **dict.fromkeys(("%", ".."), ("int",)),
    **dict.fromkeys(("matches", "contains", "startsWith", "endsWith"), ("string",)),
}
"""The types that each operator can be defined on; the other side may be unknown."""
_RESULTS: dict[str, GoType] = {
    **dict.fromkeys(("or", "||", "and", "&&", "<", ">", "<=", ">="), BOOL),
    **dict.fromkeys(("matches", "contains", "startsWith", "endsWith"), BOOL),
    **dict.fromkeys("+-*", UNKNOWN),
    **dict.fromkeys(("/", "**", "^"), FLOAT),
    "%": INT,
    "..": types.list_of(INT),
}
"""The type of the result where one side is unknown."""
_Rules = tuple[tuple[tuple[str, str], GoType], ...]
_NUMBERS: _Rules = (
    (("int", "int"), INT),
    (("number", "number"), FLOAT),
)
_SPANS: _Rules = ((("time.Duration", "time.Duration"), DURATION),)
_DEFINED: dict[str, _Rules] = {
    **{
        sign: tuple(((operand, operand), _RESULTS[sign]) for operand in operands)
        for sign, operands in _OPERANDS.items()
        if sign not in "+-*"
    },
    "+": (
        *_NUMBERS,
        (("string", "string"), STRING),
        (("time.Time", "time.Duration"), TIME),
        (("time.Duration", "time.Time"), TIME),
        *_SPANS,
    ),
    "-": (*_NUMBERS, (("time.Time", "time.Time"), DURATION), (("time.Time", "time.Duration"), TIME), *_SPANS),
    "*": (
        *_NUMBERS,
        (("number", "time.Duration"), DURATION),
        (("time.Duration", "number"), DURATION),
        *_SPANS,
    ),
}
