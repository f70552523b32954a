"""Functions with the types of their arguments, as Go checks them when one is called through reflection."""

from collections.abc import Callable, Mapping
from typing import Any

from argosy.engine.expressions.errors import ExpressionError
from argosy.engine.expressions.interpreter import Function
from argosy.engine.expressions.times import Time
from argosy.engine.expressions.values import is_int, type_name

_ZERO: dict[str, Any] = {"s": "", "i": 0, "b": False, "m": {}, "a": None, "f": 0.0}
_CHECKS: dict[str, Callable[[object], bool]] = {
    "s": lambda value: isinstance(value, str),
    "i": is_int,
    "f": lambda value: isinstance(value, float),
    "b": lambda value: isinstance(value, bool),
    "m": lambda value: isinstance(value, Mapping) and all(isinstance(key, str) for key in value),
    "t": lambda value: isinstance(value, Time),
    "a": lambda _: True,
}
_NAMES = {"s": "string", "i": "int", "f": "float64", "b": "bool", "m": "map[string]any", "t": "time.Time"}


def typed(kinds: str, function: Function) -> Function:
    """*function*, whose arguments are of *kinds*: s(tring) i(nt) f(loat) b(ool) m(ap) t(ime) a(ny); ``*`` repeats the last."""
    repeats = kinds.endswith("*")
    wanted = kinds.removesuffix("*")
    least = len(wanted) - repeats

    def called(*given: object) -> Any:
        if len(given) < least or (not repeats and len(given) > least):
            raise ExpressionError(f"takes {'at least ' * repeats}{least} arguments, not {len(given)}")
        return function(*(_checked(value, wanted[min(place, len(wanted) - 1)]) for place, value in enumerate(given)))

    return called


def _checked(value: object, kind: str) -> object:
    if value is None:
        return Time.zero() if kind == "t" else _ZERO[kind]
    if not _CHECKS[kind](value):
        raise ExpressionError(f"an argument must be a {_NAMES[kind]}, not {type_name(value)}")
    return value


def listed(value: object) -> list[Any]:
    """*value* as a list. Raises ExpressionError where it is none."""
    if not isinstance(value, list | tuple):
        raise ExpressionError(f"a list is needed, not {type_name(value)}")
    return list(value)
