"""What changed between two keys of a step, in words: code, command, environment, parameters, inputs, settings, data, what it observes."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from argosy.engine.nodes import Json

LONGEST = 60
"""Characters of a value that are shown."""
PROVENANCE = "ARGOSY_PROVENANCE"
"""A variable whose value is a document: each of its entries is told by itself."""
_WHOLE = {
    "code": "the code or a library changed",
    "argv": "its command changed",
    "source": "its script changed",
    "folder": "its working folder changed",
    "outputs": "its outputs are declared otherwise",
    "result": "its standard output is asked for otherwise",
    "version": "the cache has another form",
}


def between(before: Json, after: Json) -> Iterator[str]:
    """What of *after* is otherwise than in *before*, both as the cache remembers keys."""
    for part, words in _WHOLE.items():
        if before.get(part) != after.get(part):
            yield words
    yield from _values("variable", before, after, "environment")
    yield from _values("parameter", before, after, "parameters")
    for name, one, other in _pairs(before.get("artifacts"), after.get("artifacts")):
        yield from _artifact(name, one, other)
    for name, one, other in _pairs(before.get("reads"), after.get("reads")):
        yield (
            f"the data in {name} changed"
            if one and other
            else f"it reads {name}, which it did not"
            if other
            else f"no longer reads {name}"
        )
    for name, one, other in _pairs(before.get("observed"), after.get("observed")):
        yield f"its day is over ({one} -> {other})" if name == "day" else f"{name} has moved since"


def _values(kind: str, before: Json, after: Json, part: str) -> Iterator[str]:
    for name, one, other in _pairs(before.get(part), after.get(part)):
        if name == PROVENANCE:
            for inner, was, now in _pairs(_document(one), _document(other)):
                yield f"provenance {inner}: {_shown(was)} -> {_shown(now)}"
        else:
            yield f"{kind} {name}: {_shown(one)} -> {_shown(other)}"


def _artifact(name: str, before: Any, after: Any) -> Iterator[str]:
    one, other = (each[1] if isinstance(each, list) and len(each) > 1 else None for each in (before, after))
    if one is None or other is None or not (_is_parts(one) and _is_parts(other)):
        yield f"input {name} changed"
        return
    for key, was, now in _pairs(dict(_leaves(one)), dict(_leaves(other))):
        yield f"{name} {key}: {_shown(was)} -> {_shown(now)}"


def _is_parts(content: Any) -> bool:
    return isinstance(content, list) and all(isinstance(each, list) and len(each) == 2 for each in content)


def _leaves(parts: Sequence[Any]) -> Iterator[tuple[str, str]]:
    """The settings in *parts* of a document, by their path."""
    for name, found in parts:
        content = found
        for _ in str(name).split("."):  # a list for each key on the way
            content = content[0] if content else None
        if content is not None:
            yield from _leaves_of(str(name), content)


def _leaves_of(path: str, content: Any) -> Iterator[tuple[str, str]]:
    if isinstance(content, Mapping) and "mapping" in content:
        for key, value in content["mapping"]:
            yield from _leaves_of(f"{path}.{_scalar(key)}", value)
    elif isinstance(content, list) and len(content) == 2 and str(content[0]).startswith("tag:"):
        yield path, _scalar(content)
    elif isinstance(content, list):
        names = [_name_of(each) for each in content]
        if content and all(names):
            for name, each in zip(names, content, strict=True):
                yield from _leaves_of(f"{path}.{name}", each)
        else:
            yield path, json.dumps(_plain(content))
    else:
        yield path, str(content)


def _name_of(entry: Any) -> str | None:
    pairs = entry.get("mapping", []) if isinstance(entry, Mapping) else []
    return next((_scalar(value) for key, value in pairs if _scalar(key) == "name"), None)


def _plain(content: Any) -> Any:
    if isinstance(content, Mapping):
        return {_scalar(key): _plain(value) for key, value in content.get("mapping", [])}
    if isinstance(content, list) and len(content) == 2 and str(content[0]).startswith("tag:"):
        return content[1]
    return [_plain(each) for each in content] if isinstance(content, list) else content


def _scalar(node: Any) -> str:
    return str(node[1]) if isinstance(node, list) and len(node) == 2 else str(node)


def _document(text: Any) -> Mapping[str, Any]:
    try:
        found = json.loads(text or "{}")
    except (TypeError, ValueError):
        return {"": text}
    return found if isinstance(found, Mapping) else {"": text}


def _pairs(before: Any, after: Any) -> Iterator[tuple[str, Any, Any]]:
    """The names whose values differ, with both."""
    one, other = before or {}, after or {}
    yield from (
        (name, one.get(name), other.get(name))
        for name in dict.fromkeys([*one, *other])
        if one.get(name) != other.get(name)
    )


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
