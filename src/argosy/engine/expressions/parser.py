"""Parses expr-lang by precedence climbing. Which names are functions of the language is given; what they do is not known here."""

from collections.abc import Collection

from argosy.engine.expressions.errors import ExpressionError
from argosy.engine.expressions.syntax import (
    ArrayNode,
    BinaryNode,
    BuiltinNode,
    CallNode,
    ChainNode,
    ConditionalNode,
    LetNode,
    LiteralNode,
    MapNode,
    MemberNode,
    NameNode,
    Node,
    PointerNode,
    PredicateNode,
    SequenceNode,
    SliceNode,
    UnaryNode,
)
from argosy.engine.expressions.tokens import WORDS, Kind, Token, tokens

MAX_NODES = 10_000
SHOWN = 200
"""Characters of an expression that an error shows."""
MAX_DEPTH = 60
"""The depth to which brackets, calls and conditions nest. The original has no such limit but its stack."""

UNARY = {"not": 50, "!": 50, "-": 90, "+": 90}
BINARY = {
    "|": 0,
    **dict.fromkeys(("or", "||"), 10),
    **dict.fromkeys(("and", "&&"), 15),
    **dict.fromkeys(("==", "!=", "<", ">", ">=", "<=", "in", "matches", "contains", "startsWith", "endsWith"), 20),
    "..": 25,
    **dict.fromkeys("+-", 30),
    **dict.fromkeys("*/%", 60),
    **dict.fromkeys(("**", "^"), 100),
    "??": 500,
}
FROM_RIGHT = frozenset({"**", "^"})
COMPARISONS = frozenset({"<", ">", "<=", ">="})
NEGATABLE = frozenset({"contains", "matches", "startsWith", "endsWith", "in"})

E, P, OPTIONAL_E, OPTIONAL_P = "expression", "predicate", "expression?", "predicate?"
PREDICATES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(
        ("all", "none", "any", "one", "filter", "map", "find", "findIndex", "findLast", "findLastIndex", "groupBy"),
        (E, P),
    ),
    **dict.fromkeys(("count", "sum"), (E, OPTIONAL_P)),
    **dict.fromkeys(("sortBy", "reduce"), (E, P, OPTIONAL_E)),
}


def parse(text: str, functions: Collection[str]) -> Node:
    """The tree of *text*. *functions*: names of the language's own functions. Raises ExpressionError."""
    return _Parser(text, functions).whole()


class _Parser:
    def __init__(self, text: str, functions: Collection[str]) -> None:
        self._text = text
        self._shown = text if len(text) <= SHOWN else f"{text[:SHOWN]}…"
        self._functions = functions
        self._tokens = tokens(text)
        self._place = 0
        self._predicates = 0
        self._depth = 0
        if len(self._tokens) > MAX_NODES:
            raise ExpressionError(f"an expression of {len(self._tokens)} words is too long; {MAX_NODES} is the limit")

    def whole(self) -> Node:
        node = self._sequence()
        if self._current.kind != "end":
            raise self._unexpected()
        return node

    # Tokens

    @property
    def _current(self) -> Token:
        return self._tokens[self._place]

    def _next(self) -> Token:
        token = self._current
        if token.kind != "end":
            self._place += 1
        return token

    def _is(self, kind: Kind, *values: str) -> bool:
        return self._current.kind == kind and (not values or self._current.value in values)

    def _expect(self, kind: Kind, *values: str) -> Token:
        if not self._is(kind, *values):
            raise self._unexpected()
        return self._next()

    def _took(self, kind: Kind, *values: str) -> bool:
        if self._is(kind, *values):
            self._next()
            return True
        return False

    def _unexpected(self) -> ExpressionError:
        token = self._current
        what = "the end" if token.kind == "end" else repr(token.value)
        return ExpressionError(f"unexpected {what} at character {token.place + 1} of {self._shown!r}")

    # Expressions

    def _sequence(self) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ExpressionError(f"an expression nests more than {MAX_DEPTH} levels deep: {self._shown!r}")
        steps = [self._expression(0)]
        while self._took("operator", ";") and not self._is("end"):
            steps.append(self._expression(0))
        self._depth -= 1
        return steps[0] if len(steps) == 1 else SequenceNode(tuple(steps))

    def _expression(self, least: int) -> Node:
        self._depth += 1
        if self._depth > MAX_DEPTH * 4:
            raise ExpressionError(f"an expression nests too deep: {self._shown!r}")
        try:
            if least == 0 and self._is("operator", "let"):
                return self._let()
            if least == 0 and self._took("operator", "if"):
                return self._if()
            left = self._operators(self._primary(), least)
            return self._ternaries(left) if least == 0 else left
        finally:
            self._depth -= 1

    def _operators(self, left: Node, least: int) -> Node:
        before = ""
        while self._current.kind == "operator":
            negated = self._is("operator", "not")
            token = self._tokens[self._place + 1] if negated else self._current
            if negated and not (token.kind == "operator" and token.value in NEGATABLE):
                self._next()
                raise self._unexpected()
            operator = token.value
            if operator not in BINARY or BINARY[operator] < least:
                break
            self._place += 2 if negated else 1
            if before == "??" and operator not in ("??", "|"):
                raise ExpressionError(f"{operator} and ?? cannot be mixed without parentheses in {self._shown!r}")
            left = self._joined(left, operator)
            if negated:
                left = UnaryNode("not", left)
            before = operator
        return left

    def _joined(self, left: Node, operator: str) -> Node:
        if operator == "|":
            return self._call(self._expect("identifier").value, (left,))
        if operator in COMPARISONS:
            return self._comparison(left, operator)
        strength = BINARY[operator]
        right = self._expression(strength if operator in FROM_RIGHT else strength + 1)
        return BinaryNode(operator, left, right)

    def _comparison(self, left: Node, operator: str) -> Node:
        """``a < b <= c`` is ``a < b && b <= c``."""
        result: Node | None = None
        while True:
            right = self._expression(BINARY[operator] + 1)
            compared = BinaryNode(operator, left, right)
            result = BinaryNode("&&", result, compared) if result else compared
            if not self._is("operator", *COMPARISONS):
                return result
            left, operator = right, self._next().value

    def _let(self) -> Node:
        self._next()
        name = self._expect("identifier").value
        self._expect("operator", "=")
        value = self._expression(0)
        self._expect("operator", ";")
        return LetNode(name, value, self._sequence())

    def _if(self) -> Node:
        condition = self._expression(0)
        then = self._block()
        self._expect("operator", "else")
        return ConditionalNode(condition, then, self._if() if self._took("operator", "if") else self._block())

    def _block(self) -> Node:
        self._expect("bracket", "{")
        body = self._sequence()
        self._expect("bracket", "}")
        return body

    def _ternaries(self, node: Node) -> Node:
        while self._took("operator", "?"):
            then = node
            if not self._took("operator", ":"):
                then = self._expression(0)
                self._expect("operator", ":")
            node = ConditionalNode(node, then, self._expression(0))
        return node

    # Operands

    def _primary(self) -> Node:
        if self._current.kind == "operator" and self._current.value in UNARY:
            operator = self._next().value
            return self._postfix(UnaryNode(operator, self._expression(UNARY[operator])))
        if self._took("bracket", "("):
            inner = self._sequence()
            self._expect("bracket", ")")
            return self._postfix(inner)
        if self._predicates and self._is("operator", "#", "."):
            return self._postfix(self._pointer())
        if self._took("operator", "::"):
            return self._postfix(self._call(self._expect("identifier").value, ()))
        return self._secondary()

    def _pointer(self) -> Node:
        if self._is("operator", "."):
            return PointerNode("")  # the dot is the member's
        hash_ = self._next()
        adjacent = self._current.kind == "identifier" and self._current.place == hash_.place + 1
        return PointerNode(self._next().value if adjacent else "")

    def _secondary(self) -> Node:
        token = self._current
        match token.kind:
            case "identifier":
                return self._named()
            case "number":
                self._next()
                return LiteralNode(_number(token.value, self._text))
            case "string":
                self._next()
                return self._postfix(LiteralNode(token.value))
            case "bytes":
                self._next()
                return self._postfix(LiteralNode(token.value.encode("utf-8", "surrogateescape")))
        if self._took("bracket", "["):
            return self._postfix(ArrayNode(tuple(self._listed("]"))))
        if self._took("bracket", "{"):
            return self._postfix(self._map())
        raise self._unexpected()

    def _named(self) -> Node:
        name = self._next().value
        if name in _CONSTANTS:
            return LiteralNode(_CONSTANTS[name])
        return self._postfix(self._call(name, ()) if self._is("bracket", "(") else NameNode(name))

    def _listed(self, closing: str) -> list[Node]:
        nodes: list[Node] = []
        while not self._is("bracket", closing):
            if nodes:
                self._expect("operator", ",")
                if self._is("bracket", closing):
                    break
            nodes.append(self._expression(0))
        self._next()
        return nodes

    def _map(self) -> Node:
        pairs: list[tuple[Node, Node]] = []
        while not self._is("bracket", "}"):
            if pairs:
                self._expect("operator", ",")
                if self._is("bracket", "}"):
                    break
            key: Node
            if self._current.kind in ("number", "string", "identifier"):
                key = LiteralNode(self._next().value)
            elif self._is("bracket", "("):
                key = self._expression(0)
            else:
                raise self._unexpected()
            self._expect("operator", ":")
            pairs.append((key, self._expression(0)))
        self._next()
        return MapNode(tuple(pairs))

    def _call(self, name: str, given: tuple[Node, ...]) -> Node:
        self._expect("bracket", "(")
        if name in PREDICATES:
            return BuiltinNode(name, (*given, *self._predicate_arguments(PREDICATES[name][len(given) :])))
        arguments = (*given, *self._listed(")"))
        return BuiltinNode(name, arguments) if name in self._functions else CallNode(NameNode(name), arguments)

    def _predicate_arguments(self, wanted: tuple[str, ...]) -> list[Node]:
        nodes: list[Node] = []
        for position, kind in enumerate(wanted):
            if self._is("bracket", ")") and kind in (OPTIONAL_E, OPTIONAL_P):
                break
            if position:
                self._expect("operator", ",")
            nodes.append(self._expression(0) if kind in (E, OPTIONAL_E) else self._predicate())
        self._took("operator", ",")
        self._expect("bracket", ")")
        return nodes

    def _predicate(self) -> Node:
        self._predicates += 1
        body = self._block() if self._is("bracket", "{") else self._expression(0)
        self._predicates -= 1
        return PredicateNode(body)

    # What follows an operand

    def _postfix(self, node: Node) -> Node:
        while True:
            if self._is("operator", ".", "?."):
                optional = self._next().value == "?."
                node = (
                    self._subscript(node, optional=True)
                    if optional and self._took("bracket", "[")
                    else self._member(node, optional)
                )
            elif self._took("bracket", "["):
                node = self._subscript(node, optional=False)
            else:
                return node

    def _member(self, node: Node, optional: bool) -> Node:
        token = self._next()
        if token.kind != "identifier" and not (token.kind == "operator" and token.value in WORDS):
            raise ExpressionError(f"a name must follow the dot at character {token.place} of {self._shown!r}")
        chained = isinstance(node, ChainNode)
        found: Node = MemberNode(
            node.inner if isinstance(node, ChainNode) else node, LiteralNode(token.value), optional
        )
        if self._took("bracket", "("):
            found = CallNode(found, tuple(self._listed(")")))
        return ChainNode(found) if chained or optional else found

    def _subscript(self, node: Node, *, optional: bool) -> Node:
        start = None if self._is("operator", ":") else self._expression(0)
        if self._took("operator", ":"):
            stop = None if self._is("bracket", "]") else self._expression(0)
            self._expect("bracket", "]")
            return SliceNode(node, start, stop)
        self._expect("bracket", "]")
        if start is None:
            raise self._unexpected()
        found = MemberNode(node, start, optional)
        return ChainNode(found) if optional else found


_CONSTANTS: dict[str, object] = {"true": True, "false": False, "nil": None}


def _number(text: str, where: str) -> int | float:
    plain = text.replace("_", "").lower()
    try:
        if plain.startswith(("0x", "0o", "0b")):
            number: int | float = int(plain, 0)
        elif "." in plain or "e" in plain:
            number = float(plain)
        else:
            number = int(plain, 10)
    except ValueError:
        raise ExpressionError(f"bad number {text!r} in {where!r}") from None
    if (isinstance(number, int) and number >= 1 << 63) or number == float("inf"):
        raise ExpressionError(f"the number {text!r} is too large in {where!r}")
    return number
