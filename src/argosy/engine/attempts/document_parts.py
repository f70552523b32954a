"""The content of a YAML document, in parts, whatever way it is written: without comments, order of keys, quotes or blanks.

Two texts with equal parts mean the same to whoever reads these parts, so that one answer will do for both. The other way round is not
promised: a default that is written out counts as a change.
"""

import contextlib
import functools
from collections.abc import Sequence
from typing import Any

import yaml

MERGE = "<<"
_Loader: type[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def parts(text: str, names: tuple[str, ...]) -> object:
    """The content of *text* at each of *names*, ``key`` or ``key.key`` and so on, as JSON; the text itself where it is no such document."""
    root = _composed(text)
    if not isinstance(root, yaml.MappingNode) or _merges(root):
        return text
    return [[name, _at(root, name.split("."))] for name in names]


@functools.lru_cache(maxsize=16)
def _composed(text: str) -> yaml.Node | None:
    try:
        node: yaml.Node | None = yaml.compose(text, Loader=_Loader)
    except (yaml.YAMLError, RecursionError):
        return None
    return None if node is None or _has_anchors(node) else node


def _has_anchors(root: yaml.Node) -> bool:
    """True where a part stands at two places: then it may well unfold without end."""
    seen, pending = set[int](), [root]
    for node in pending:  # which grows
        if id(node) in seen:
            return True
        seen.add(id(node))
        if isinstance(node, yaml.MappingNode):
            pending += [part for pair in node.value for part in pair]
        elif isinstance(node, yaml.SequenceNode):
            pending += node.value
    return False


def _at(node: yaml.Node, path: Sequence[str]) -> object:
    """The content at *path* below *node*; None where nothing does. A mapping that takes others in counts as a whole."""
    if not path or not isinstance(node, yaml.MappingNode) or _merges(node):
        return _plain(node)
    found = [value for key, value in node.value if key.value == path[0]]
    return [_at(value, path[1:]) for value in found] or None


def _merges(node: yaml.MappingNode) -> bool:
    return any(key.value == MERGE for key, _ in node.value)


def _plain(node: yaml.Node) -> object:
    if isinstance(node, yaml.MappingNode):
        return {"mapping": sorted(([_plain(key), _plain(value)] for key, value in node.value), key=repr)}
    if isinstance(node, yaml.SequenceNode):
        return [_plain(entry) for entry in node.value]
    return [node.tag, _number(node.tag, node.value)]


def _number(tag: str, text: str) -> str:
    """A number however it is written; any other scalar as it is."""
    with contextlib.suppress(ValueError):
        if tag.endswith(":float"):
            return repr(float(text))
        if tag.endswith(":int") and not text.lstrip("+-").startswith("0"):  # which may be octal
            return str(int(text))
    return text
