"""Go's values as Python's: what is equal, what is less, how each is written.

An int is Go's 64-bit int, a float its float64, a dict a map with any keys, a list a slice. ``bool`` is never a number.
"""

import json
import math
from collections.abc import Callable, Mapping
from typing import Any, TypeGuard

from argosy.engine.expressions import json_text
from argosy.engine.expressions.errors import ExpressionError
from argosy.engine.expressions.times import Duration, Time

_BITS = 1 << 64
_TOP = 1 << 63


class NilList(list[Any]):
    """A list that Go never made where it has no element: JSON writes ``null`` for it."""


class Methods(dict[str, Callable[[], Any]]):
    """An object of Go: what can be called on it by name. *text*: how it is written."""

    def __init__(self, text: str, methods: Mapping[str, Callable[[], Any]]) -> None:
        super().__init__(methods)
        self.text = text


class AnyMap(dict[Any, Any]):
    """A map whose keys may be anything, which JSON cannot write."""


def wrapped(number: int) -> int:
    """*number* in 64 bits, as Go's arithmetic leaves it."""
    return (number + _TOP) % _BITS - _TOP


def is_number(value: object) -> TypeGuard[int | float]:
    """True where *value* is a number."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def is_int(value: object) -> TypeGuard[int]:
    """True where *value* is a whole number's type."""
    return isinstance(value, int) and not isinstance(value, bool)


def type_name(value: object) -> str:
    """Go's name of the type of *value*, for messages."""
    if value is None:
        return "<nil>"
    if isinstance(value, Time | Duration):
        return f"time.{type(value).__name__}"
    names: dict[type, str] = {
        bool: "bool",
        int: "int",
        float: "float64",
        str: "string",
        list: "[]any",
        NilList: "[]any",
        dict: "map[string]any",
        AnyMap: "map[any]any",
        bytes: "[]byte",
    }
    return names.get(type(value), "func" if callable(value) else type(value).__name__)


def to_int(value: object) -> int:
    """A number cut to a whole one. Raises ExpressionError."""
    if not is_number(value):
        raise ExpressionError(f"a whole number is needed, not {type_name(value)}")
    if isinstance(value, float):
        if not math.isfinite(value) or not -_TOP <= value < _TOP:
            return -_TOP  # what the hardware makes of it
        return int(value)
    return value


def to_float(value: object) -> float:
    """A number as a float. Raises ExpressionError."""
    if not is_number(value):
        raise ExpressionError(f"a number is needed, not {type_name(value)}")
    return float(value)


def equal(left: object, right: object) -> bool:
    """True where two values are the same: numbers by value, everything else by type and content."""
    if is_number(left) and is_number(right):
        return left == right
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(equal, left, right))
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    return same(left, right)


def same(left: object, right: object) -> bool:
    """True where two values have the same type and content, as inside maps."""
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return type(left) is type(right) and left == right


def less(left: object, right: object) -> bool:
    """True where *left* comes before *right*. Raises ExpressionError where they have no order."""
    if is_number(left) and is_number(right):
        return left < right
    for kind in (str, Time, Duration):
        if isinstance(left, kind) and isinstance(right, kind):
            return bool(left < right)  # type: ignore[operator]
    raise ExpressionError(f"{type_name(left)} and {type_name(right)} cannot be compared")


def written(value: object) -> str:
    """A value as Go's ``%v`` prints it."""
    if isinstance(value, str):
        return value
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return float_written(value, 6)
    if isinstance(value, bytes):
        return "[" + " ".join(str(byte) for byte in value) + "]"
    if isinstance(value, list | tuple):
        return "[" + " ".join(written(entry) for entry in value) + "]"
    if isinstance(value, Mapping):
        return "map[" + " ".join(f"{written(key)}:{written(value[key])}" for key in sorted(value, key=_order)) + "]"
    return str(value)


def _order(key: object) -> tuple[int, Any]:
    return (0, key) if is_number(key) else (1, str(key))


def float_written(value: float, largest: int) -> str:
    """The shortest digits that are *value* again; with an exponent below 1e-4 and from 10**largest."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if value == 0:
        return "-0" if math.copysign(1, value) < 0 else "0"
    digits, exponent = _scientific(value)
    if -4 <= exponent < largest:
        return _positional(digits, exponent)
    return f"{digits}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"


def without_exponent(value: float) -> str:
    """The shortest digits that are the finite *value* again, however many zeros that takes."""
    return _positional(*_scientific(value)) if value else "0"


def _scientific(value: float) -> tuple[str, int]:
    """The shortest digits of *value* as ``d.ddd``, and its exponent."""
    text = repr(value)
    sign = "-" if text.startswith("-") else ""
    mantissa, _, exponent = text.lstrip("-").partition("e")
    whole, _, fraction = mantissa.partition(".")
    fraction = "" if fraction == "0" else fraction
    digits = (whole + fraction).lstrip("0")
    shift = len(whole) - 1 if whole != "0" else -(len(fraction) - len(digits)) - 1
    digits = digits.rstrip("0") or "0"
    body = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
    return sign + body, int(exponent or 0) + shift


def _positional(digits: str, exponent: int) -> str:
    sign = "-" if digits.startswith("-") else ""
    plain = digits.lstrip("-").replace(".", "")
    if exponent < 0:
        return f"{sign}0.{'0' * (-exponent - 1)}{plain}"
    if len(plain) <= exponent + 1:
        return sign + plain + "0" * (exponent + 1 - len(plain))
    return f"{sign}{plain[: exponent + 1]}.{plain[exponent + 1 :]}"


def to_json(value: object, *, indent: bool = False, html: bool = True) -> str:
    """JSON as Go writes it: keys sorted, no blanks, what HTML minds escaped. Raises ExpressionError where there is none."""
    text = _json(value, "\n" if indent else "")
    if html:
        for char, escape in json_text.HTML.items():
            text = text.replace(char, escape)
    return text


def _json(value: object, line: str) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if value is None or isinstance(value, bool | int):
        return json.dumps(int(value) if is_int(value) else value)
    if isinstance(value, float):
        return _json_float(value)
    if isinstance(value, list | tuple):
        return _json_list(value, line)
    return _json_map(value, line) if isinstance(value, Mapping) else _json_time(value)


def _json_list(value: list[Any] | tuple[Any, ...], line: str) -> str:
    if isinstance(value, NilList) and not value:
        return "null"
    return _bracketed("[]", [_json(entry, line and line + "  ") for entry in value], line)


def _json_map(value: Mapping[Any, Any], line: str) -> str:
    if isinstance(value, Methods):
        return _json(value.text, line)
    if isinstance(value, AnyMap):
        raise ExpressionError("a map whose keys are not all text cannot be written as JSON")
    return _bracketed("{}", [_pair(key, value[key], line and line + "  ") for key in sorted(value, key=written)], line)


def _json_time(value: object) -> str:
    if isinstance(value, Time):
        return f'"{value.rfc3339()}"'
    if isinstance(value, Duration):
        return str(value.nanoseconds)
    raise ExpressionError(f"{type_name(value)} cannot be written as JSON")


def _pair(key: object, value: object, line: str) -> str:
    return f"{json.dumps(written(key), ensure_ascii=False)}:{' ' if line else ''}{_json(value, line)}"


def _bracketed(brackets: str, parts: list[str], line: str) -> str:
    if not parts or not line:
        return brackets[0] + ",".join(parts) + brackets[1]
    return brackets[0] + ",".join(f"{line}  {part}" for part in parts) + line + brackets[1]


def _json_float(value: float) -> str:
    if not math.isfinite(value):
        raise ExpressionError(f"{written(value)} cannot be written as JSON")
    if value == 0 or 1e-6 <= abs(value) < 1e21:
        return float_written(value, 21) if value == 0 else _positional(*_scientific(value))
    return float_written(value, -400).replace("e-0", "e-")


def from_json(text: str) -> object:
    """The value of *text* as JSON, every number a float. Raises ExpressionError."""
    try:
        found = json.loads(text, parse_int=float, parse_constant=_refused)
        return _whole_characters(found) if "\\ud" in text.lower() else found
    except (ValueError, RecursionError) as error:
        raise ExpressionError(f"not JSON: {text[:80]!r}: {error}") from None


def _whole_characters(value: object) -> object:
    """*value*, each half of a character in it replaced, as Go does."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_whole_characters(entry) for entry in value]
    if isinstance(value, dict):
        return {_whole_characters(key): _whole_characters(entry) for key, entry in value.items()}
    return value


def _refused(constant: str) -> float:
    raise ValueError(f"{constant} is not JSON")
