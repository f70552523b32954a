"""The tree of an expr-lang expression. What its nodes mean is ``interpreter``'s business."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Literal:
    """A number, text, truth value or nil."""

    value: object


@dataclass(frozen=True, slots=True)
class Name:
    """A variable."""

    name: str


@dataclass(frozen=True, slots=True)
class Pointer:
    """``#`` (the element that a predicate looks at), ``#index`` or ``#acc``."""

    name: str


@dataclass(frozen=True, slots=True)
class Unary:
    """``!`` ``not`` ``-`` ``+``."""

    operator: str
    operand: "Node"


@dataclass(frozen=True, slots=True)
class Binary:
    """Two operands and what stands between them."""

    operator: str
    left: "Node"
    right: "Node"


@dataclass(frozen=True, slots=True)
class Conditional:
    """``a ? b : c``, or ``if a { b } else { c }``."""

    condition: "Node"
    then: "Node"
    otherwise: "Node"


@dataclass(frozen=True, slots=True)
class Member:
    """``a.b``, ``a[b]``; *optional*: ``a?.b``."""

    of: "Node"
    key: "Node"
    optional: bool


@dataclass(frozen=True, slots=True)
class Chain:
    """Where an optional member's nil ends a chain of members."""

    inner: "Node"


@dataclass(frozen=True, slots=True)
class Slice:
    """``a[b:c]``."""

    of: "Node"
    start: "Node | None"
    stop: "Node | None"


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a variable's or member's value."""

    callee: "Node"
    arguments: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Builtin:
    """A call of one of the language's own functions."""

    name: str
    arguments: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Predicate:
    """An argument that is evaluated once for each element."""

    body: "Node"


@dataclass(frozen=True, slots=True)
class Items:
    """``[a, b]``."""

    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class Pairs:
    """``{a: b}``."""

    pairs: tuple[tuple["Node", "Node"], ...]


@dataclass(frozen=True, slots=True)
class Let:
    """``let name = value; body``."""

    name: str
    value: "Node"
    body: "Node"


@dataclass(frozen=True, slots=True)
class Sequence:
    """``a; b``: the last one's value."""

    steps: tuple["Node", ...]


Node = (
    Literal
    | Name
    | Pointer
    | Unary
    | Binary
    | Conditional
    | Member
    | Chain
    | Slice
    | Call
    | Builtin
    | Predicate
    | Items
    | Pairs
    | Let
    | Sequence
)
