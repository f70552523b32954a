"""The tree of an expr-lang expression, and how a text becomes one (precedence climbing)."""

import functools
from dataclasses import dataclass

from argosy.engine.expressions.errors import ExpressionError
from argosy.engine.expressions.lexer import Token, tokens

DEEPEST = 200


class Node:
    """A part of an expression."""


@dataclass(frozen=True)
class Literal(Node):
    """A number, string, boolean or nil."""

    value: object


@dataclass(frozen=True)
class Name(Node):
    """A variable, or a function where it is called."""

    name: str


@dataclass(frozen=True)
class Pointer(Node):
    """``#``, the element at hand of a predicate; *field*: ``#index``, ``#acc`` or a member of the element."""

    field: str = ""


@dataclass(frozen=True)
class Member(Node):
    """``a.b`` or ``a[b]``; *optional*: ``a?.b``."""

    of: Node
    key: Node
    optional: bool = False


@dataclass(frozen=True)
class Slice(Node):
    """``a[from:to]``."""

    of: Node
    start: Node | None
    stop: Node | None


@dataclass(frozen=True)
class Unary(Node):
    """``!a``, ``-a``, ``+a``."""

    operator: str
    operand: Node


@dataclass(frozen=True)
class Binary(Node):
    """``a operator b``; the operator may be several words, such as ``not in``."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True)
class Condition(Node):
    """``a ? b : c``."""

    test: Node
    yes: Node
    no: Node


@dataclass(frozen=True)
class Call(Node):
    """``f(a, …)``; an argument may be a Predicate."""

    function: Node
    arguments: tuple[Node, ...]


@dataclass(frozen=True)
class Predicate(Node):
    """``{ # > 1 }``: evaluated for each element."""

    body: Node


@dataclass(frozen=True)
class Let(Node):
    """``let name = value; body``."""

    name: str
    value: Node
    body: Node


@dataclass(frozen=True)
class ListOf(Node):
    """``[a, b]``."""

    entries: tuple[Node, ...]


@dataclass(frozen=True)
class MapOf(Node):
    """``{a: b}``."""

    entries: tuple[tuple[Node, Node], ...]


BINDING = {
    "|": 0, "or": 10, "||": 10, "and": 15, "&&": 15,
    "==": 20, "!=": 20, "<": 20, ">": 20, "<=": 20, ">=": 20,
    "in": 20, "not in": 20, "matches": 20, "not matches": 20, "contains": 20, "not contains": 20,
    "startsWith": 20, "not startsWith": 20, "endsWith": 20, "not endsWith": 20,
    "..": 25, "+": 30, "-": 30, "*": 60, "/": 60, "%": 60, "**": 100, "^": 100, "??": 500,
}  # fmt: skip
UNARY = {"not": 50, "!": 50, "-": 90, "+": 90}
NEGATABLE = {"in", "matches", "contains", "startsWith", "endsWith"}
PREDICATES = {
    "all", "none", "any", "one", "filter", "map", "count", "sum", "find", "findIndex", "findLast", "findLastIndex", "groupBy", "sortBy",
    "reduce",
}  # fmt: skip
CONSTANTS = {"true": True, "false": False, "nil": None, "null": None}


@functools.lru_cache(maxsize=1024)
def parse(text: str) -> Node:
    """The tree of *text*. Raises ExpressionError with the place where it cannot be read."""
    parser = _Parser(text)
    try:
        tree = parser.sequence()
    except RecursionError:
        raise ExpressionError("the expression is nested too deeply") from None
    parser.expect_end()
    return tree


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = tokens(text)
        self._at = 0
        self._depth = 0

    def sequence(self) -> Node:
        """An expression, with ``let`` in front or not."""
        if self._is("name", "let") and self._tokens[self._at + 1].kind == "name":
            self._at += 1
            name = str(self._take("name").value)
            self._take("operator", "=")
            value = self.expression(0)
            self._take("operator", ";")
            return Let(name, value, self.sequence())
        return self.expression(0)

    def expect_end(self) -> None:
        """Raise ExpressionError where something is left."""
        if self._now.kind != "end":
            raise self._unexpected()

    def expression(self, least: int) -> Node:
        """An expression whose operators bind at least as strongly as *least*."""
        self._depth += 1
        if self._depth > DEEPEST:
            raise ExpressionError(f"the expression is nested deeper than {DEEPEST}")
        left = self._if() if self._is("name", "if") else self._prefix()
        while (operator := self._operator()) is not None and BINDING[operator] >= least:
            self._at += len(operator.split())
            left = self._combined(operator, left)
        if least == 0 and self._is("operator", "?"):
            left = self._conditional(left)
        self._depth -= 1
        return left

    def _combined(self, operator: str, left: Node) -> Node:
        if operator == "|":
            return self._postfix(Name(str(self._take("name").value)), piped=left)
        right_associative = operator in ("**", "^", "??")
        right = self.expression(BINDING[operator] + (0 if right_associative else 1))
        return Binary(operator, left, right)

    def _operator(self) -> str | None:
        token = self._now
        if token.kind not in ("operator", "name"):
            return None
        if token.value == "not" and self._tokens[self._at + 1].value in NEGATABLE:
            return f"not {self._tokens[self._at + 1].value}"
        return str(token.value) if token.value in BINDING else None

    def _conditional(self, test: Node) -> Node:
        self._take("operator", "?")
        if self._is("operator", ":"):
            self._at += 1
            return Condition(test, test, self.expression(0))
        yes = self.expression(0)
        self._take("operator", ":")
        return Condition(test, yes, self.expression(0))

    def _if(self) -> Node:
        self._take("name", "if")
        test = self.expression(0)
        yes = self._block()
        self._take("name", "else")
        return Condition(test, yes, self._if() if self._is("name", "if") else self._block())

    def _block(self) -> Node:
        self._take("operator", "{")
        inside = self.sequence()
        self._take("operator", "}")
        return inside

    def _prefix(self) -> Node:
        token = self._now
        if token.kind in ("operator", "name") and token.value in UNARY:
            self._at += 1
            return Unary(str(token.value), self.expression(UNARY[str(token.value)]))
        return self._postfix(self._primary())

    def _primary(self) -> Node:
        token = self._now
        self._at += 1
        if token.kind in ("number", "string"):
            return Literal(token.value)
        if token.kind == "name":
            return Literal(CONSTANTS[str(token.value)]) if token.value in CONSTANTS else Name(str(token.value))
        if token.value == "(":
            inside = self.sequence()
            self._take("operator", ")")
            return inside
        if token.value == "[":
            return ListOf(self._listed("]"))
        if token.value == "{":
            return self._map()
        if token.value == "#":
            field = (
                str(self._take("name").value)
                if self._now.kind == "name" and self._now.value in ("index", "acc")
                else ""
            )
            return Pointer(field)
        if token.value == "." and self._now.kind == "name":
            return Member(Pointer(), Literal(str(self._take("name").value)))
        self._at -= 1
        raise self._unexpected()

    def _postfix(self, node: Node, piped: Node | None = None) -> Node:
        while self._now.kind == "operator" and self._now.value in (".", "?.", "[", "("):
            operator = self._now.value
            self._at += 1
            if operator == "(":
                arguments = self._arguments(node)
                node = Call(node, arguments if piped is None else (piped, *arguments))
                piped = None
            elif operator == "[" or (operator == "?." and self._is("operator", "[")):
                if operator == "?.":
                    self._at += 1
                node = self._index(node, optional=operator == "?.")
            else:
                node = Member(node, Literal(str(self._take("name").value)), optional=operator == "?.")
        return node if piped is None else Call(node, (piped,))

    def _index(self, node: Node, *, optional: bool) -> Node:
        start = None if self._is("operator", ":") else self.expression(1)
        if self._is("operator", ":"):
            self._at += 1
            stop = None if self._is("operator", "]") else self.expression(1)
            self._take("operator", "]")
            return Slice(node, start, stop)
        self._take("operator", "]")
        if start is None:
            raise self._unexpected()
        return Member(node, start, optional)

    def _arguments(self, function: Node) -> tuple[Node, ...]:
        takes_predicate = isinstance(function, Name) and function.name in PREDICATES
        arguments: list[Node] = []
        while not self._is("operator", ")"):
            if takes_predicate and arguments and len(arguments) == 1:
                arguments.append(self._predicate())
            else:
                arguments.append(self.expression(0))
            if not self._is("operator", ")"):
                self._take("operator", ",")
        self._at += 1
        return tuple(arguments)

    def _predicate(self) -> Predicate:
        return Predicate(self._block() if self._is("operator", "{") else self.expression(0))

    def _listed(self, end: str) -> tuple[Node, ...]:
        entries: list[Node] = []
        while not self._is("operator", end):
            entries.append(self.expression(0))
            if not self._is("operator", end):
                self._take("operator", ",")
        self._at += 1
        return tuple(entries)

    def _map(self) -> Node:
        entries: list[tuple[Node, Node]] = []
        while not self._is("operator", "}"):
            key = self._map_key()
            self._take("operator", ":")
            entries.append((key, self.expression(0)))
            if not self._is("operator", "}"):
                self._take("operator", ",")
        self._at += 1
        return MapOf(tuple(entries))

    def _map_key(self) -> Node:
        token = self._now
        self._at += 1
        if token.kind in ("name", "string", "number"):
            return Literal(str(token.value))
        if token.value == "(":
            key = self.expression(0)
            self._take("operator", ")")
            return key
        raise ExpressionError(f"a map's key is expected at {token.position}")

    @property
    def _now(self) -> Token:
        return self._tokens[self._at]

    def _is(self, kind: str, value: str) -> bool:
        return self._now.kind == kind and self._now.value == value

    def _take(self, kind: str, value: str | None = None) -> Token:
        token = self._now
        if token.kind != kind or (value is not None and token.value != value):
            raise self._unexpected(value)
        self._at += 1
        return token

    def _unexpected(self, expected: str | None = None) -> ExpressionError:
        what = "the end" if self._now.kind == "end" else repr(self._now.value)
        wanted = f"; expected {expected!r}" if expected else ""
        return ExpressionError(f"unexpected {what} at {self._now.position}{wanted}")
