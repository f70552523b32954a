"""YAML as Kubernetes reads it, with what YAML allows and Kubernetes does not refused in plain words.

Kubernetes reads YAML 1.1: ``on``, ``yes`` and ``no``, and with kubectl and argo also ``y`` and ``n``, are booleans. Dates stay text.
Duplicate keys, anchors that contain themselves or unfold into millions of entries are refused.
"""

import base64
import binascii
import json
import re
from collections.abc import Iterator
from typing import Any

import yaml

from argosy.engine.manifest import numbers
from argosy.engine.nodes import Json

LARGEST_DOCUMENT = 500_000
"""Entries, anchors unfolded."""

DEEPEST = 200
"""The depth to which collections may nest."""


class NotYaml(ValueError):
    """A text is no YAML that Kubernetes reads."""


def read(text: str) -> list[Any]:
    """The content of the YAML documents of *text*. Raises NotYaml."""
    try:
        if text.lstrip().startswith("{") and (body := _from_json(text)) is not None:
            return [body]
        _demand_flat(text)
        return list(yaml.load_all(text, Loader=Loader))
    except yaml.YAMLError as error:
        raise NotYaml(_in_words(error)) from None
    except RecursionError:
        raise NotYaml("nested too deeply to be a manifest") from None


def _from_json(text: str) -> Json | None:
    """The one object of *text*, where that is JSON: YAML's readers do not know two of its escapes for one character."""
    try:
        body: Json = json.loads(
            text,
            object_pairs_hook=_without_doubles,
            parse_int=numbers.of_integer,
            parse_float=numbers.of_float,
            parse_constant=numbers.of_float,
        )
    except (ValueError, OverflowError, RecursionError):
        return None  # said by YAML's reader, with the line
    return body if _is_flat(body) else None


def _without_doubles(pairs: list[tuple[str, Any]]) -> Json:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key is there twice")
    return found


def _is_flat(body: Any) -> bool:
    """True where *body* nests no deeper than a manifest can."""
    level = [body]
    for _ in range(DEEPEST):
        level = [entry for value in level for entry in (value.values() if isinstance(value, dict) else value)]
        level = [entry for entry in level if isinstance(entry, dict | list)]
        if not level:
            return True
    return False


def _demand_flat(text: str) -> None:
    """Raise where *text* nests deeper than a manifest can: the parser's C code would run out of stack and take the process with it."""
    depth = 0
    for event in yaml.parse(text, Loader=_Base):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEEPEST:
                raise yaml.MarkedYAMLError(problem="nested too deeply to be a manifest", problem_mark=event.start_mark)  # type: ignore[arg-type]
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _in_words(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark:
        mark = error.problem_mark
        return f"line {mark.line + 1}, column {mark.column + 1}: {error.problem}"
    return str(error)


_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Loader(_Base):  # type: ignore[misc]
    """YAML as Kubernetes reads it."""

    def construct_document(self, node: yaml.Node) -> Any:
        _measure(node, {}, set())
        return super().construct_document(node)

    def construct_mapping(self, node: yaml.Node, deep: bool = False) -> Any:  # noqa: ARG002 - the base class asks for it
        constructed: Json = {}
        for key_node, value_node in _pairs(node):
            key = _key(self.construct_object(key_node, deep=True), key_node)
            if key in constructed:
                raise _wrong(key_node, f"the key {key!r} is there twice")
            constructed[key] = self.construct_object(value_node, deep=True)
        return constructed


def _pairs(node: yaml.Node) -> Iterator[tuple[yaml.Node, yaml.Node]]:
    """The keys and values of the mapping *node*, with what ``<<`` merges into it. argo and kubectl let no key be there twice by it."""
    for key, value in node.value:
        if key.tag != "tag:yaml.org,2002:merge":
            yield key, value
            continue
        for merged in value.value if isinstance(value, yaml.SequenceNode) else [value]:
            if not isinstance(merged, yaml.MappingNode):
                raise _wrong(key, "<< merges an object, or a list of objects")
            yield from _pairs(merged)


def _key(key: object, node: yaml.Node) -> str:
    if isinstance(key, bool):
        raise _wrong(node, f"{node.value!r} is a boolean in YAML 1.1, which Kubernetes reads; quote it")
    if key is None:
        raise _wrong(node, "a key is text, not null; quote it")
    if isinstance(key, list | dict):
        raise _wrong(node, "a key is text, not a list or an object")
    return str(key)


def _wrong(node: yaml.Node, problem: str) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(None, None, problem, node.start_mark)


def _measure(node: yaml.Node, sizes: dict[int, int], open_nodes: set[int]) -> int:
    """The number of entries below *node* with anchors unfolded. Raises where an anchor contains itself or unfolds without measure."""
    key = id(node)
    if key in open_nodes:
        raise yaml.MarkedYAMLError(problem="an anchor contains itself", problem_mark=node.start_mark)
    if key not in sizes:
        open_nodes.add(key)
        sizes[key] = 1 + sum(_measure(child, sizes, open_nodes) for child in _children(node))
        open_nodes.discard(key)
    if sizes[key] > LARGEST_DOCUMENT:
        raise yaml.MarkedYAMLError(
            problem=f"the document unfolds into more than {LARGEST_DOCUMENT} entries", problem_mark=node.start_mark
        )
    return sizes[key]


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    return list(node.value) if isinstance(node, yaml.SequenceNode) else []


def _number(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> float | int | str:
    written: str = loader.construct_scalar(node)
    try:
        return numbers.of_float(written)
    except OverflowError:
        return written  # to Go's YAML it is no number then
    except ValueError as error:
        raise _wrong(node, str(error)) from None


def _integer(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> int | float | str:
    try:
        return numbers.of_integer(loader.construct_scalar(node))
    except ValueError:
        return _number(loader, node)  # 08 is no octal number, and a decimal one all the same


def _boolean(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> bool:
    written = loader.construct_scalar(node)
    if written.lower() not in _BOOLEANS:
        raise _wrong(node, f"{written!r} is no boolean")
    return _BOOLEANS[written.lower()]


def _binary(loader: yaml.SafeLoader, node: yaml.ScalarNode) -> str:
    try:
        return base64.b64decode("".join(loader.construct_scalar(node).split()), validate=True).decode(errors="replace")
    except binascii.Error:
        raise _wrong(node, "is not base64") from None


def _as_it_stands(loader: yaml.SafeLoader, node: yaml.ScalarNode | yaml.MappingNode | yaml.SequenceNode) -> object:
    """The value under a tag that means nothing to Go's YAML: text, a list or an object."""
    if isinstance(node, yaml.MappingNode):
        return loader.construct_mapping(node, deep=True)
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    return loader.construct_scalar(node)


_BOOLEANS = dict.fromkeys(("y", "yes", "true", "on"), True) | dict.fromkeys(("n", "no", "false", "off"), False)
Loader.yaml_implicit_resolvers = {}
for _tag, _pattern, _first in (
    ("bool", r"^(?:[yYnN]|yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$", "yYnNtTfFoO"),
    ("int", r"^[-+]?(?:0[bB][01_]+|0[oO]?[0-7_]+|0[xX][0-9a-fA-F_]+|0|[1-9][0-9_]*)$", "-+0123456789"),
    (
        "float",
        r"^(?:[-+]?(?:\.[0-9]+|[0-9][0-9_]*(?:\.[0-9_]*)?)(?:[eE][-+]?_*[0-9][0-9_]*)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$",
        "-+0123456789.",
    ),
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("merge", r"^(?:<<)$", "<"),
):
    Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(_pattern), list(_first))
for _tag, _constructor in {
    "bool": _boolean,
    "int": _integer,
    "float": _number,
    "binary": _binary,
    **dict.fromkeys(("str", "map", "seq", "set", "omap", "pairs", "timestamp", "merge", "value"), _as_it_stands),
}.items():
    Loader.add_constructor(f"tag:yaml.org,2002:{_tag}", _constructor)
Loader.add_constructor(None, _as_it_stands)
