"""The tree of an expr-lang expression. What its nodes mean is ``interpreter``'s business."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LiteralNode:
    """A number, text, truth value or nil."""

    value: object


@dataclass(frozen=True, slots=True)
class NameNode:
    """A variable."""

    name: str


@dataclass(frozen=True, slots=True)
class PointerNode:
    """``#`` (the element that a predicate looks at), ``#index`` or ``#acc``."""

    name: str


@dataclass(frozen=True, slots=True)
class UnaryNode:
    """``!`` ``not`` ``-`` ``+``."""

    operator: str
    operand: "Node"


@dataclass(frozen=True, slots=True)
class BinaryNode:
    """Two operands and what stands between them."""

    operator: str
    left: "Node"
    right: "Node"

    def spine(self) -> "list[BinaryNode]":
        """This node and those to its left, the outermost first. A long chain of operators leans to the left: walk it, do not recurse."""
        found = [self]
        while isinstance(left := found[-1].left, BinaryNode):
            found.append(left)
        return found


@dataclass(frozen=True, slots=True)
class ConditionalNode:
    """``a ? b : c``, or ``if a { b } else { c }``."""

    condition: "Node"
    then: "Node"
    otherwise: "Node"


@dataclass(frozen=True, slots=True)
class MemberNode:
    """``a.b``, ``a[b]``; *optional*: ``a?.b``."""

    of: "Node"
    key: "Node"
    optional: bool


@dataclass(frozen=True, slots=True)
class ChainNode:
    """A chain of members that an optional member's nil ends."""

    inner: "Node"


@dataclass(frozen=True, slots=True)
class SliceNode:
    """``a[b:c]``."""

    of: "Node"
    start: "Node | None"
    stop: "Node | None"


@dataclass(frozen=True, slots=True)
class CallNode:
    """A call of a variable's or member's value."""

    callee: "Node"
    arguments: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class BuiltinNode:
    """A call of one of the language's own functions."""

    name: str
    arguments: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class PredicateNode:
    """An argument that is evaluated once for each element."""

    body: "Node"


@dataclass(frozen=True, slots=True)
class ArrayNode:
    """``[a, b]``."""

    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class MapNode:
    """``{a: b}``."""

    pairs: tuple[tuple["Node", "Node"], ...]


@dataclass(frozen=True, slots=True)
class LetNode:
    """``let name = value; body``."""

    name: str
    value: "Node"
    body: "Node"


@dataclass(frozen=True, slots=True)
class SequenceNode:
    """``a; b``: the last one's value."""

    steps: tuple["Node", ...]


Node = (
    LiteralNode
    | NameNode
    | PointerNode
    | UnaryNode
    | BinaryNode
    | ConditionalNode
    | MemberNode
    | ChainNode
    | SliceNode
    | CallNode
    | BuiltinNode
    | PredicateNode
    | ArrayNode
    | MapNode
    | LetNode
    | SequenceNode
)
