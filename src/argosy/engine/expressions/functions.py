"""The functions of expr-lang itself, but those that look at each element."""

import base64
import binascii
import math
import re
from collections.abc import Mapping
from datetime import tzinfo
from typing import Any

from argosy.engine.expressions import member_access, predicates, times, values
from argosy.engine.expressions.errors import ExpressionError
from argosy.engine.expressions.interpreter import MEMORY, Function
from argosy.engine.expressions.times import Duration, Time
from argosy.engine.expressions.values import AnyMap, NilList, is_int, is_number, type_name

_LOOSE_UNDERSCORE = re.compile(r"(?<![0-9a-fA-FxX])_|_(?![0-9a-fA-F])|__")
_SPACE = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"
"""The characters that Go calls space."""


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ExpressionError(f"a string is needed, not {type_name(value)}")
    return value


def _list(value: object) -> list[Any]:
    if not isinstance(value, list | tuple):
        raise ExpressionError(f"a list is needed, not {type_name(value)}")
    return list(value)


def _map(value: object) -> Mapping[Any, Any]:
    if not isinstance(value, Mapping):
        raise ExpressionError(f"a map is needed, not {type_name(value)}")
    return value


# Numbers


def to_int(value: object) -> int:
    """``int``: a number cut, or the whole number that a string says."""
    if isinstance(value, str):
        return whole_number(value)
    if isinstance(value, Duration):
        return value.nanoseconds
    return values.to_int(value)


def whole_number(text: str) -> int:
    """The number that Go's Atoi makes of *text*: decimal digits with a sign. Raises ExpressionError."""
    digits = text[1:] if text[:1] in ("+", "-") else text
    if not (digits.isascii() and digits.isdigit()) or not -(1 << 63) <= int(text) < 1 << 63:
        raise ExpressionError(f"{text!r} is not a whole number")
    return int(text)


def to_float(value: object) -> float:
    """``float``: a number, or the one that a string says."""
    return decimal_number(value) if isinstance(value, str) else values.to_float(value)


def decimal_number(text: str) -> float:
    """The number that Go's ParseFloat makes of *text*. Raises ExpressionError."""
    plain = text.lower().lstrip("+-")
    try:
        if _LOOSE_UNDERSCORE.search(text) or text != text.strip() or not text.isascii():
            raise ValueError
        number = float.fromhex(text) if plain.startswith("0x") else float(text)
    except (ValueError, OverflowError):
        raise ExpressionError(f"{text!r} is not a number") from None
    if (plain.startswith("0x") and "p" not in plain) or (math.isinf(number) and not plain.startswith("inf")):
        raise ExpressionError(f"{text!r} is not a number")
    return number


def _abs(value: object) -> object:
    if not is_number(value):
        raise ExpressionError(f"a number is needed, not {type_name(value)}")
    return values.wrapped(abs(value)) if is_int(value) else abs(value)


def _rounded(direction: Function) -> Function:
    def work(value: object) -> float:
        number = values.to_float(value)
        return float(direction(number)) if math.isfinite(number) else number

    return work


def _half_away(number: float) -> float:
    whole = math.floor(abs(number))
    return math.copysign(whole + (abs(number) - whole >= 0.5), number)


def _numbers(given: tuple[Any, ...], depth: int = 0) -> list[Any]:
    found: list[Any] = []
    for value in given:
        if isinstance(value, list | tuple) and depth < 100:
            found += _numbers(tuple(value), depth + 1)
        elif is_number(value):
            found.append(value)
        else:
            raise ExpressionError(f"a number is needed, not {type_name(value)}")
    return found


def _extreme(is_better: Function) -> Function:
    def work(*given: object) -> object:
        if not given:
            raise ExpressionError("needs an argument")
        if len(given) == 1 and not isinstance(given[0], list | tuple):
            return given[0]
        best: Any = None
        for number in _numbers(given):
            if best is None or is_better(number, best):
                best = number
        return best

    return work


def _mean(*given: object) -> float:
    numbers = _numbers(given)
    return math.fsum(numbers) / len(numbers) if numbers else 0.0


def _median(*given: object) -> float:
    numbers = sorted(float(number) for number in _numbers(given))
    middle = len(numbers) // 2
    if not numbers:
        return 0.0
    return numbers[middle] if len(numbers) % 2 else (numbers[middle - 1] + numbers[middle]) / 2


def _bits(work: Function) -> Function:
    def calculate(left: object, right: object) -> int:
        if not is_int(left) or not is_int(right):
            raise ExpressionError(f"whole numbers are needed, not {type_name(left)} and {type_name(right)}")
        return values.wrapped(work(left, right))

    return calculate


def _shifted(left: int, right: int) -> int:
    if right < 0:
        raise ExpressionError(f"negative shift count {right}")
    return left << right if right < 64 else 0


def _shifted_right(left: int, right: int) -> int:
    if right < 0:
        raise ExpressionError(f"negative shift count {right}")
    return left >> min(right, 64)


# Texts


def _one_for_one(char: str, other: str) -> str:
    """*other*, where it is one character: Go maps each to one, Python ``ß`` to ``SS``."""
    return other if len(other) == 1 else "i" if char == "İ" else char


def _trim(text: object, cut: object = _SPACE) -> str:
    return _text(text).strip(_text(cut)) if cut else _text(text)


def _split(text: object, separator: object, limit: object = -1, *, keeps: bool = False) -> list[str]:
    whole, mark, most = _text(text), _text(separator), values.to_int(limit)
    if most == 0:
        return NilList()
    if not mark:
        parts = list(whole)
        return parts if most < 0 or len(parts) <= most else [*parts[: most - 1], "".join(parts[most - 1 :])]
    parts = whole.split(mark, most - 1 if most > 0 else -1)
    return [part + mark for part in parts[:-1]] + parts[-1:] if keeps else parts


def _replace(text: object, old: object, new: object, count: object = -1) -> str:
    return _text(text).replace(_text(old), _text(new), values.to_int(count))


def _repeat(text: object, count: object) -> str:
    times_ = values.to_int(count)
    if times_ < 0 or times_ > 1_000_000 or len(_text(text)) * times_ > MEMORY:
        raise ExpressionError(f"cannot repeat {times_} times")
    return _text(text) * times_


def _join(items: object, glue: object = "") -> str:
    return _text(glue).join(_text(item) for item in _list(items))


def _place(text: str, at: int) -> int:
    return at if at < 0 else len(text[:at].encode())


def _from_base64(text: object) -> str:
    try:
        return base64.b64decode(_text(text).replace("\n", "").replace("\r", ""), validate=True).decode(errors="replace")
    except (binascii.Error, ValueError) as error:
        raise ExpressionError(f"{text!r} is not base64: {error}") from None


# Lists and maps


def length(value: object) -> int:
    """``len``: characters, elements or keys."""
    if not isinstance(value, str | list | tuple | Mapping | bytes):
        raise ExpressionError(f"{type_name(value)} has no length")
    return len(value)


def _end(index: int) -> Function:
    def work(items: object) -> object:
        try:
            return member_access.fetch(items, index)
        except ExpressionError:
            return None

    return work


def _take(items: object, count: object) -> list[Any]:
    if not is_int(count) or count < 0:
        raise ExpressionError(f"cannot take {values.written(count)} elements")
    return _list(items)[:count]


def _from_pairs(pairs: object) -> AnyMap:
    found = AnyMap()
    for pair in _list(pairs):
        key, value = _list(pair)
        found[key] = value
    return found


def _flatten(items: object, depth: int = 0) -> list[Any]:
    if depth > 100:
        raise ExpressionError("lists nest too deep")
    flat: list[Any] = []
    for item in _list(items):
        flat += _flatten(item, depth + 1) if isinstance(item, list | tuple) else [item]
    return flat


def _unique(items: object) -> list[Any]:
    found: list[Any] = []
    for item in _list(items):
        if not any(values.equal(item, other) for other in found):
            found.append(item)
    return found


def _concat(first: object, *rest: object) -> list[Any]:
    return NilList(item for items in (first, *rest) for item in _list(items))


def _get(of: object, key: object) -> object:
    return None if of is None else member_access.found(of, key)


# Times


def _now(zone: object = None) -> Time:
    if zone is not None and not isinstance(zone, tzinfo):
        raise ExpressionError(f"a time zone is needed, not {type_name(zone)}")
    return Time.now(zone)


_LAYOUTS = (
    "2006-01-02",
    "15:04:05",
    "2006-01-02 15:04:05",
    "2006-01-02T15:04:05Z07:00",
    "02 Jan 06 15:04 MST",
    "Monday, 02-Jan-06 15:04:05 MST",
    "Mon, 02 Jan 2006 15:04:05 MST",
)


def _date(*given: object) -> Time:
    zone: tzinfo = times.utc()
    if given and isinstance(given[0], tzinfo):
        zone, given = given[0], given[1:]
    if len(given) == 3:
        zone = times.zone(_text(given[2]))
    if len(given) > 1:
        return times.parsed(_text(given[0]), _text(given[1]), zone)
    for layout in _LAYOUTS:
        try:
            return times.parsed(_text(given[0]), layout, zone)
        except ExpressionError:
            continue
    raise ExpressionError(f"{given[0]!r} is not a date")


def _type(value: object) -> str:
    if isinstance(value, Time | Duration):
        return type_name(value)
    names = {"<nil>": "nil", "float64": "float", "[]any": "array", "map[string]any": "map", "[]byte": "array"}
    return names.get(type_name(value), type_name(value))


def _json(value: object) -> str:
    return values.to_json(value, indent=True)


FUNCTIONS: dict[str, Function] = {
    "len": length,
    "type": _type,
    "abs": _abs,
    "ceil": _rounded(math.ceil),
    "floor": _rounded(math.floor),
    "round": _rounded(_half_away),
    "int": to_int,
    "float": to_float,
    "string": values.written,
    "trim": _trim,
    "trimPrefix": lambda text, prefix=" ": _text(text).removeprefix(_text(prefix)),
    "trimSuffix": lambda text, suffix=" ": _text(text).removesuffix(_text(suffix)),
    "upper": lambda text: "".join(_one_for_one(char, char.upper()) for char in _text(text)),
    "lower": lambda text: "".join(_one_for_one(char, char.lower()) for char in _text(text)),
    "split": _split,
    "splitAfter": lambda *given: _split(*given, keeps=True),
    "replace": _replace,
    "repeat": _repeat,
    "join": _join,
    "indexOf": lambda text, part: _place(_text(text), _text(text).find(_text(part))),
    "lastIndexOf": lambda text, part: _place(_text(text), _text(text).rfind(_text(part))),
    "hasPrefix": lambda text, prefix: _text(text).startswith(_text(prefix)),
    "hasSuffix": lambda text, suffix: _text(text).endswith(_text(suffix)),
    "max": _extreme(lambda new, best: new > best),
    "min": _extreme(lambda new, best: new < best),
    "mean": _mean,
    "median": _median,
    "toJSON": _json,
    "fromJSON": lambda text: values.from_json(_text(text)),
    "toBase64": lambda text: base64.b64encode(_text(text).encode()).decode(),
    "fromBase64": _from_base64,
    "now": _now,
    "duration": lambda text: Duration.parse(_text(text)),
    "date": _date,
    "timezone": lambda name: times.zone(_text(name)),
    "first": _end(0),
    "last": _end(-1),
    "get": _get,
    "take": _take,
    "keys": lambda of: list(_map(of)),
    "values": lambda of: list(_map(of).values()),
    "toPairs": lambda of: [[key, value] for key, value in _map(of).items()],
    "fromPairs": _from_pairs,
    "reverse": lambda items: _list(items)[::-1],
    "uniq": _unique,
    "concat": _concat,
    "flatten": _flatten,
    "sort": lambda items, order="asc": predicates.sorted_by(_list(items), lambda item: item, order),
    "bitand": _bits(lambda left, right: left & right),
    "bitor": _bits(lambda left, right: left | right),
    "bitxor": _bits(lambda left, right: left ^ right),
    "bitnand": _bits(lambda left, right: left & ~right),
    "bitshl": _bits(_shifted),
    "bitshr": _bits(_shifted_right),
    "bitushr": _bits(lambda left, right: _shifted_right(left % (1 << 64), right)),
    "bitnot": lambda value: _bits(lambda number, _: ~number)(value, 0),
}
