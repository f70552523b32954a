"""sprig's functions of lists and maps, and its defaults."""

import copy
from collections.abc import Mapping
from typing import Any

from argosy.engine.expressions import values
from argosy.engine.expressions.errors import ExpressionError
from argosy.engine.expressions.interpreter import Function
from argosy.engine.expressions.sprig.arithmetic import whole
from argosy.engine.expressions.sprig.signature import listed, typed
from argosy.engine.expressions.times import Duration, Time
from argosy.engine.expressions.values import same, written

Map = dict[str, Any]


def empty(value: object) -> bool:
    """True where *value* is nothing: nil, false, 0, or a text, list or map with nothing in it."""
    if isinstance(value, Time):
        return False
    if isinstance(value, Duration):
        return value.nanoseconds == 0
    return value is None or value is False or (not isinstance(value, bool) and not callable(value) and not value)


def _default(other: object, *given: object) -> object:
    return other if not given or empty(given[0]) else given[0]


def _dict(*given: object) -> Map:
    padded = [*given, ""] if len(given) % 2 else given
    return {written(key): value for key, value in zip(padded[::2], padded[1::2], strict=True)}


def _merged(into: Any, other: Any, *, overwrite: bool) -> object:
    """*into* completed by *other*: what it lacks or has empty (or, to *overwrite*, what *other* has), map by map."""
    for key, value in other.items():
        present = into.get(key)
        if isinstance(present, dict) and isinstance(value, Mapping):
            _merged(present, value, overwrite=overwrite)
        elif key not in into or (not empty(value) if overwrite else empty(present)):
            into[key] = copy.deepcopy(value)
    return into


def _merge(*maps: Map, overwrite: bool = False) -> Map:
    # Go changes the first map in place. Here an environment is never changed: what is merged is a copy.
    merged = copy.deepcopy(dict(maps[0]))
    for other in maps[1:]:
        _merged(merged, other, overwrite=overwrite)
    return merged


def _copied(value: object) -> object:
    if value is None:
        raise ExpressionError("nil cannot be copied")
    return copy.deepcopy(value)


def _dig(*given: object) -> object:
    if len(given) < 3:
        raise ExpressionError("dig needs at least three arguments")
    *path, other, place = given
    for key in path:
        if not isinstance(place, Mapping) or not isinstance(key, str):
            raise ExpressionError(f"cannot dig for {written(key)} in {values.type_name(place)}")
        if key not in place:
            return other
        place = place[key]
    return place


def _has(needle: object, items: object) -> bool:
    return items is not None and any(same(needle, item) for item in listed(items))


def _unique(items: object) -> list[Any]:
    found: list[Any] = []
    for item in listed(items):
        if not _has(item, found):
            found.append(item)
    return found


def _slice(items: object, *bounds: object) -> object:
    found = listed(items)
    if not found:
        return None
    start = whole(bounds[0]) if bounds else 0
    end = whole(bounds[1]) if len(bounds) > 1 else len(found)
    if not 0 <= start <= end <= len(found):
        raise ExpressionError(f"slice bounds out of range [{start}:{end}]")
    return found[start:end]


def _chunks(size: int, items: object) -> list[list[Any]]:
    if size == 0:
        raise ExpressionError("a chunk must have at least one element")
    found = listed(items)
    if size < 0:
        return []
    return [found[start : start + size] for start in range(0, len(found), size)]


def _kind(value: object) -> str:
    kinds = {
        "<nil>": "invalid",
        "[]any": "slice",
        "map[string]any": "map",
        "time.Time": "struct",
        "time.Duration": "int64",
    }
    name = values.type_name(value)
    return kinds.get(name, name)


def _type(value: object) -> str:
    names = {"[]any": "[]interface {}", "map[string]any": "map[string]interface {}", "[]byte": "[]uint8"}
    name = values.type_name(value)
    return names.get(name, name)


def _with(key: str, given: Map, value: object) -> Map:
    return {**given, key: value}


_LISTS: dict[str, Function] = {
    "Append": typed("aa", lambda items, item: [*listed(items), item]),
    "Push": typed("aa", lambda items, item: [*listed(items), item]),
    "Prepend": typed("aa", lambda items, item: [item, *listed(items)]),
    "First": typed("a", lambda items: next(iter(listed(items)), None)),
    "Last": typed("a", lambda items: next(iter(listed(items)[::-1]), None)),
    "Rest": typed("a", lambda items: listed(items)[1:] or (None if not items else [])),
    "Initial": typed("a", lambda items: listed(items)[:-1] or (None if not items else [])),
    "Reverse": typed("a", lambda items: listed(items)[::-1]),
    "Uniq": typed("a", _unique),
    "Without": typed(
        "aa*", lambda items, *left_out: [item for item in listed(items) if not _has(item, list(left_out))]
    ),
    "Has": typed("aa", _has),
    "Slice": typed("aa*", _slice),
    "Chunk": typed("ia", _chunks),
    "Compact": typed("a", lambda items: [item for item in listed(items) if not empty(item)]),
    "Merge": typed("mm*", _merge),
    "MergeOverwrite": typed("mm*", lambda *maps: _merge(*maps, overwrite=True)),
    "DeepCopy": typed("a", _copied),
}

FUNCTIONS: dict[str, Function] = {
    **{name[0].lower() + name[1:]: work for name, work in _LISTS.items()},
    **{f"must{name}": work for name, work in _LISTS.items()},
    "default": typed("aa*", _default),
    "empty": typed("a", empty),
    "coalesce": typed("a*", lambda *given: next((value for value in given if not empty(value)), None)),
    "all": typed("a*", lambda *given: not any(map(empty, given))),
    "any": typed("a*", lambda *given: not all(map(empty, given))),
    "ternary": typed("aab", lambda yes, no, test: yes if test else no),
    "list": typed("a*", lambda *given: list(given)),
    "tuple": typed("a*", lambda *given: list(given)),
    "concat": typed("a*", lambda *lists: [item for items in lists for item in listed(items)] or None),
    "dict": typed("a*", _dict),
    "get": typed("ms", lambda given, key: given.get(key, "")),
    "set": typed("msa", lambda given, key, value: _with(key, given, value)),
    "unset": typed("ms", lambda given, key: {name: value for name, value in given.items() if name != key}),
    "hasKey": typed("ms", lambda given, key: key in given),
    "pluck": typed("sm*", lambda key, *maps: [given[key] for given in maps if key in given]),
    "keys": typed("m*", lambda *maps: [key for given in maps for key in given]),
    "values": typed("m", lambda given: list(given.values())),
    "pick": typed("ms*", lambda given, *keys: {key: given[key] for key in keys if key in given}),
    "omit": typed("ms*", lambda given, *keys: {key: value for key, value in given.items() if key not in keys}),
    "dig": typed("a*", _dig),
    "deepEqual": typed("aa", same),
    "kindOf": typed("a", _kind),
    "kindIs": typed("sa", lambda kind, value: kind == _kind(value)),
    "typeOf": typed("a", _type),
    "typeIs": typed("sa", lambda name, value: name == _type(value)),
    "typeIsLike": typed("sa", lambda name, value: _type(value) in (name, f"*{name}")),
}
