"""Values as Go has them: whole numbers and floats apart, JSON as Go writes it, texts of numbers without a needless ``.0``."""

import json
import math
from typing import Any

from argosy.engine.expressions.errors import ExpressionError

Number = int | float


def is_number(value: object) -> bool:
    """Whether *value* is a number; a boolean is none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def to_text(value: object) -> str:
    """*value* as Go's ``%v`` prints it."""
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, list):
        return f"[{' '.join(to_text(entry) for entry in value)}]"
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{to_text(value[key])}' for key in sorted(value))}]"
    return str(value)


def number_text(value: Number) -> str:
    """A number as Go's shortest form: no fraction where there is none, an exponent from 1e+21 on."""
    if isinstance(value, int):
        return str(value)
    if math.isinf(value):
        return "+Inf" if value > 0 else "-Inf"
    if math.isnan(value):
        return "NaN"
    if value == int(value) and abs(value) < 1e21:
        return str(int(value))
    return repr(value)


def to_json(value: Any, indent: int | None = None) -> str:
    """*value* as Go's ``json.Marshal`` writes it: keys sorted, ``<``, ``>`` and ``&`` escaped."""
    try:
        text = json.dumps(
            _plain(value),
            indent=indent,
            sort_keys=True,
            separators=(",", ": ") if indent else (",", ":"),
            ensure_ascii=False,
            allow_nan=False,
        )
    except (TypeError, ValueError) as error:
        raise ExpressionError(f"cannot be written as JSON: {error}") from error
    for character, escaped in (
        ("<", "\\u003c"),
        (">", "\\u003e"),
        ("&", "\\u0026"),
        ("\u2028", "\\u2028"),
        ("\u2029", "\\u2029"),
    ):
        text = text.replace(character, escaped)
    return text


def from_json(text: object) -> Any:
    """The value that the JSON *text* holds; numbers are floats, as in Go."""
    if not isinstance(text, str):
        raise ExpressionError(f"expected a string of JSON, got {to_text(text)}")
    try:
        return json.loads(text, parse_int=float)
    except (ValueError, RecursionError) as error:
        raise ExpressionError(f"not JSON: {error}") from error


def whole(value: object) -> int:
    """*value* as a whole number, toward zero. Raises ExpressionError where it is none."""
    if isinstance(value, bool) or value is None:
        raise ExpressionError(f"not a number: {to_text(value)}")
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        return int(value)
    if isinstance(value, str):
        try:
            return int(value, 10)
        except ValueError:
            raise ExpressionError(f"not a whole number: {value!r}") from None
    raise ExpressionError(f"not a number: {to_text(value)}")


def floating(value: object) -> float:
    """*value* as a float. Raises ExpressionError where it is none."""
    if isinstance(value, bool) or value is None:
        raise ExpressionError(f"not a number: {to_text(value)}")
    if isinstance(value, int | float):
        return float(value)
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            raise ExpressionError(f"not a number: {value!r}") from None
    raise ExpressionError(f"not a number: {to_text(value)}")


def equal(left: object, right: object) -> bool:
    """Equality that does not take True for 1."""
    if isinstance(left, bool) != isinstance(right, bool):
        return False
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(equal(*pair) for pair in zip(left, right, strict=True))
    return left == right


def _plain(value: Any) -> Any:
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return int(value)
    if isinstance(value, dict):
        return {key: _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple | range):
        return [_plain(entry) for entry in value]
    return value
