"""Expressions as Argo evaluates them: expr-lang, Argo's few functions, and sprig."""

import functools
from collections.abc import Mapping
from typing import Any

from argosy.engine.expressions import parser, scope, signatures, syntax, time_limit, typecheck, values
from argosy.engine.expressions.errors import ExpressionError
from argosy.engine.expressions.functions import FUNCTIONS, to_float, to_int
from argosy.engine.expressions.interpreter import Interpreter
from argosy.engine.expressions.predicates import PREDICATES


def evaluate(text: str, environment: Mapping[str, object]) -> object:
    """The value of *text*. *environment*: names to values; a dotted name is a path. Raises ExpressionError."""
    tree = parsed(text)
    try:
        with time_limit.limited():
            names = with_argos(scope.nested(environment))
            typecheck.check(tree, names, FUNCTIONS.keys() | PREDICATES.keys(), signatures.FUNCTIONS | signatures.ARGOS)
            return Interpreter(names, FUNCTIONS, PREDICATES).value(tree)
    except ExpressionError as error:
        raise type(error)(f"{text!r}: {error}") from None
    except RecursionError:
        raise ExpressionError(f"{text[:80]!r}… nests too deep") from None


def identifiers(text: str) -> set[str]:
    """The variables that *text* needs: every name, and every path of members, but those after which ``??`` or ``?.`` gives another
    answer. Raises ExpressionError where it cannot be parsed."""
    found: set[str] = set()
    _collect(parsed(text), found, guarded=False)
    return found


@functools.lru_cache(1024)
def parsed(text: str) -> syntax.Node:
    """The tree of *text*. Raises ExpressionError."""
    try:
        return parser.parse(text, FUNCTIONS.keys())
    except RecursionError:
        raise ExpressionError(f"{text[:80]!r}… nests too deep") from None


def with_argos(environment: dict[str, Any]) -> dict[str, Any]:
    """*environment* and the functions that Argo adds."""
    environment.update(_ARGOS)
    return environment


def _json_path(text: Any, path: Any) -> object:
    from argosy.engine.expressions import jsonpath

    return jsonpath.query(path, values.from_json(text))


class _Sprig(Mapping[str, Any]):
    """The functions of sprig, loaded when one is first asked for."""

    def __getitem__(self, name: str) -> object:
        return _sprig()[name]

    def __iter__(self) -> Any:
        return iter(_sprig())

    def __len__(self) -> int:
        return len(_sprig())


def _sprig() -> Mapping[str, Any]:
    from argosy.engine.expressions.sprig import FUNCTIONS as SPRIG

    return SPRIG


_ARGOS: dict[str, Any] = {
    "asInt": to_int,
    "asFloat": to_float,
    "toJson": values.to_json,
    "jsonpath": _json_path,
    "sprig": _Sprig(),
}


def _collect(node: syntax.Node, found: set[str], *, guarded: bool) -> None:
    match node:
        case syntax.NameNode(name):
            found.add(name)
        case syntax.MemberNode(of, _, optional):
            path = _path(node)
            if path and not guarded:
                found.add(path)
            _collect(of, found, guarded=guarded or optional)
            _collect(node.key, found, guarded=False)
        case syntax.BinaryNode("??", left, right):
            _collect(left, found, guarded=True)
            _collect(right, found, guarded=guarded)
        case _:
            for child in _children(node):
                _collect(child, found, guarded=guarded)


def _path(node: syntax.Node) -> str | None:
    parts: list[str] = []
    while isinstance(node, syntax.MemberNode):
        if node.optional or not isinstance(node.key, syntax.LiteralNode) or not isinstance(node.key.value, str):
            return None
        parts.append(node.key.value)
        node = node.of
    return ".".join([node.name, *reversed(parts)]) if isinstance(node, syntax.NameNode) else None


def _children(node: syntax.Node) -> list[syntax.Node]:
    found: list[syntax.Node] = []
    for field in node.__slots__:
        value = getattr(node, field)
        for entry in value if isinstance(value, tuple) else (value,):
            pair = entry if isinstance(entry, tuple) else (entry,)
            found += [child for child in pair if isinstance(child, syntax.Node)]
    return found


def is_function(path: str) -> bool:
    """True where *path* is a function that Argo adds, or leads to one of sprig's."""
    name, _, member = path.partition(".")
    return name in _ARGOS and (not member or (name == "sprig" and member in _sprig()))
