"""expr-lang's functions, and those that Argo adds to them (asInt, asFloat, jsonpath, toJson)."""

import base64
import binascii
import datetime
import math
from collections.abc import Callable
from typing import Any

from argosy.engine.expressions import jsonpath
from argosy.engine.expressions.errors import ExpressionError
from argosy.engine.expressions.values import equal, floating, from_json, is_number, to_json, to_text, whole


def _text(value: object, function: str) -> str:
    if not isinstance(value, str):
        raise ExpressionError(f"{function} wants a string, got {to_text(value)}")
    return value


def _list(value: object, function: str) -> list[Any]:
    if not isinstance(value, list):
        raise ExpressionError(f"{function} wants a list, got {to_text(value)}")
    return value


def _map(value: object, function: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ExpressionError(f"{function} wants a map, got {to_text(value)}")
    return value


def _length(value: object) -> int:
    if isinstance(value, str | list | dict):
        return len(value)
    raise ExpressionError(f"invalid argument for len: {to_text(value)}")


def _type(value: object) -> str:
    if value is None:
        return "nil"
    names = {bool: "bool", int: "int", float: "float", str: "string", list: "array", dict: "map"}
    return names.get(type(value), "object")


def _flat(arguments: tuple[object, ...], function: str) -> list[Any]:
    flat: list[Any] = []
    for argument in arguments:
        flat += _flat(tuple(argument), function) if isinstance(argument, list) else [argument]
    if wrong := [value for value in flat if not is_number(value)]:
        raise ExpressionError(f"{function} wants numbers, got {to_text(wrong[0])}")
    return flat


def _mean(*arguments: object) -> float:
    values = _flat(arguments, "mean")
    return sum(values) / len(values) if values else 0.0


def _median(*arguments: object) -> float:
    values = sorted(_flat(arguments, "median"))
    if not values:
        return 0.0
    middle = len(values) // 2
    return float(values[middle]) if len(values) % 2 else (values[middle - 1] + values[middle]) / 2


def _extreme(choose: Callable[[list[Any]], Any], function: str) -> Callable[..., Any]:
    def extreme(*arguments: object) -> Any:
        values = _flat(arguments, function)
        return choose(values) if values else None

    return extreme


def _split(value: object, separator: object, limit: int = -1) -> list[str]:
    text, by = _text(value, "split"), _text(separator, "split")
    if limit == 0:
        return []
    if not by:
        return list(text)
    return text.split(by, limit - 1 if limit > 0 else -1)


def _split_after(value: object, separator: object, limit: int = -1) -> list[str]:
    by = _text(separator, "splitAfter")
    parts = _split(value, by, limit)
    return [*(f"{part}{by}" for part in parts[:-1]), *parts[-1:]]


def _join(values: object, separator: object = "") -> str:
    return _text(separator, "join").join(_text(value, "join") for value in _list(values, "join"))


def _trim(side: str) -> Callable[..., str]:
    def trim(value: object, characters: str | None = None) -> str:
        stripped: str = getattr(_text(value, "trim"), side)(characters)
        return stripped

    return trim


def _repeat(value: object, times: object) -> str:
    text, count = _text(value, "repeat"), whole(times)
    if count < 0 or len(text) * count > 1_000_000:
        raise ExpressionError(f"repeat: {count} times is too often")
    return text * count


def _flatten(values: object) -> list[Any]:
    flat: list[Any] = []
    for value in _list(values, "flatten"):
        flat += _flatten(value) if isinstance(value, list) else [value]
    return flat


def _uniq(values: object) -> list[Any]:
    kept: list[Any] = []
    for value in _list(values, "uniq"):
        if not any(equal(value, other) for other in kept):
            kept.append(value)
    return kept


def _sort(values: object, order: str = "asc") -> list[Any]:
    return sorted(_list(values, "sort"), reverse=order == "desc")


def _take(values: object, count: object) -> list[Any]:
    if whole(count) < 0:
        raise ExpressionError("take wants a number that is not negative")
    return _list(values, "take")[: whole(count)]


def _get(of: Any, key: Any) -> Any:
    if isinstance(of, dict):
        return of.get(key)
    if isinstance(of, list) and isinstance(key, int) and -len(of) <= key < len(of):
        return of[key]
    return None


def _decoded(value: object) -> str:
    try:
        return base64.b64decode(_text(value, "fromBase64"), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ExpressionError(f"fromBase64: {error}") from error


def _round(value: object) -> float:
    number = floating(value)
    return math.copysign(math.floor(abs(number) + 0.5), number)  # halves away from zero, as in Go


def _index(find: Callable[[str, str], int]) -> Callable[[object, object], int]:
    return lambda value, part: find(_text(value, "indexOf"), _text(part, "indexOf"))


def _last(values: object) -> Any:
    return _list(values, "last")[-1] if values else None


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat().replace("+00:00", "Z")


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "abs": lambda value: abs(value) if is_number(value) else whole(value),
    "asFloat": floating,
    "asInt": whole,
    "ceil": lambda value: float(math.ceil(floating(value))),
    "concat": lambda *lists: [entry for values in lists for entry in _list(values, "concat")],
    "first": lambda values: _list(values, "first")[0] if values else None,
    "flatten": _flatten,
    "float": floating,
    "floor": lambda value: float(math.floor(floating(value))),
    "fromBase64": _decoded,
    "fromJSON": from_json,
    "fromPairs": lambda pairs: {str(key): value for key, value in _list(pairs, "fromPairs")},
    "get": _get,
    "hasPrefix": lambda value, part: _text(value, "hasPrefix").startswith(_text(part, "hasPrefix")),
    "hasSuffix": lambda value, part: _text(value, "hasSuffix").endswith(_text(part, "hasSuffix")),
    "indexOf": _index(str.find),
    "int": whole,
    "join": _join,
    "jsonpath": lambda text, path: jsonpath.query(from_json(text), _text(path, "jsonpath")),
    "keys": lambda of: sorted(_map(of, "keys")),
    "last": _last,
    "lastIndexOf": _index(str.rfind),
    "len": _length,
    "lower": lambda value: _text(value, "lower").lower(),
    "max": _extreme(max, "max"),
    "mean": _mean,
    "median": _median,
    "min": _extreme(min, "min"),
    "now": _now,
    "repeat": _repeat,
    "replace": lambda value, old, new: _text(value, "replace").replace(_text(old, "replace"), _text(new, "replace")),
    "reverse": lambda values: _list(values, "reverse")[::-1],
    "round": _round,
    "sort": _sort,
    "split": _split,
    "splitAfter": _split_after,
    "string": to_text,
    "take": _take,
    "toBase64": lambda value: base64.b64encode(_text(value, "toBase64").encode()).decode(),
    "toJSON": lambda value: to_json(value, indent=2),
    "toJson": to_json,
    "toPairs": lambda of: [[key, value] for key, value in sorted(_map(of, "toPairs").items())],
    "trim": _trim("strip"),
    "trimPrefix": lambda value, part: _text(value, "trimPrefix").removeprefix(part),
    "trimSuffix": lambda value, part: _text(value, "trimSuffix").removesuffix(part),
    "type": _type,
    "uniq": _uniq,
    "upper": lambda value: _text(value, "upper").upper(),
    "values": lambda of: [value for _, value in sorted(_map(of, "values").items())],
}
