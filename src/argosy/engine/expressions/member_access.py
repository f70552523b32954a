"""Members, elements and slices of Go's values, and the methods of its times."""

from collections.abc import Callable, Mapping
from datetime import tzinfo
from typing import Any

from argosy.engine.expressions import times, values
from argosy.engine.expressions.errors import ExpressionError
from argosy.engine.expressions.times import Duration, Time
from argosy.engine.expressions.values import AnyMap, type_name

_TIME: dict[str, Callable[[Time], Any]] = {
    "Year": lambda time: time.moment.year,
    "Month": lambda time: times.Month(time.moment.month),
    "Day": lambda time: time.moment.day,
    "Hour": lambda time: time.moment.hour,
    "Minute": lambda time: time.moment.minute,
    "Second": lambda time: time.moment.second,
    "Nanosecond": lambda time: time.moment.microsecond * 1000,
    "Weekday": lambda time: times.Weekday(time.moment.isoweekday() % 7),
    "YearDay": lambda time: time.moment.timetuple().tm_yday,
    "Unix": lambda time: int(time.moment.timestamp() // 1),
    "UnixMilli": lambda time: int(time.moment.timestamp() * 1000 // 1),
    "UnixNano": lambda time: time.minus(Time.unix(0)).nanoseconds,
    "UTC": lambda time: time.in_zone(times.utc()),
    "ISOWeek": lambda time: time.moment.isocalendar().year,
    "IsZero": lambda time: time == Time.zero(),
    "Location": lambda time: time.moment.tzinfo,
    "String": str,
}
_TIME_WITH: dict[str, Callable[..., Any]] = {
    "Format": times.formatted,
    "Add": Time.plus,
    "Sub": Time.minus,
    "Before": lambda time, other: time < other,
    "After": lambda time, other: other < time,
    "Equal": lambda time, other: time == other,
    "In": Time.in_zone,
    "Truncate": Time.truncated,
    "Round": Time.rounded,
}
_DURATION: dict[str, Callable[[Duration], Any]] = {
    "Hours": Duration.hours,
    "Minutes": Duration.minutes,
    "Seconds": Duration.seconds,
    "Milliseconds": Duration.milliseconds,
    "Microseconds": Duration.microseconds,
    "Nanoseconds": lambda duration: duration.nanoseconds,
    "String": str,
}


def fetch(of: object, key: object) -> object:
    """``of[key]``. Raises ExpressionError where there can be none; a key that a map lacks is nil."""
    if isinstance(of, Mapping):
        return _of_map(of, key)
    if isinstance(of, list | tuple | str | bytes):
        return _element(of, key)
    if isinstance(key, str) and (method := _method(of, key)):
        return method
    raise ExpressionError(f"cannot fetch {values.written(key)} from {type_name(of)}")


def found(of: object, key: object) -> Any:
    """As :func:`fetch`, with nil for what is not there."""
    if isinstance(of, list | tuple | str | bytes):
        index = values.to_int(key)
        return _element(of, index) if -_length(of) <= index < _length(of) else None
    if isinstance(of, Mapping):
        return _of_map(of, key)
    return _method(of, key) if isinstance(key, str) else None


def cut(of: object, start: int, stop: int | None) -> object:
    """``of[start:stop]``; what lies outside is left out."""
    if not isinstance(of, list | tuple | str | bytes):
        raise ExpressionError(f"cannot slice {type_name(of)}")
    length = _length(of)
    first = max(0, start + length if start < 0 else start)
    last = length if stop is None else max(0, stop + length if stop < 0 else stop)
    last = min(last, length)
    first = min(first, last)
    if isinstance(of, str):
        return of.encode()[first:last].decode(errors="replace")
    return list(of[first:last]) if isinstance(of, tuple) else of[first:last]


def _of_map(of: Mapping[Any, Any], key: object) -> object:
    if isinstance(key, list | dict):
        raise ExpressionError(f"{type_name(key)} cannot be a key")
    if (
        of
        and not isinstance(of, AnyMap)
        and not isinstance(key, str)
        and key is not None
        and all(isinstance(name, str) for name in of)
    ):
        raise ExpressionError(f"{type_name(key)} is not assignable to the map's type of key, string")
    if isinstance(of, AnyMap):
        return of.get(key)
    return of.get("" if key is None else key)


def _length(of: list[Any] | tuple[Any, ...] | str | bytes) -> int:
    # Go counts a string's bytes.
    return len(of.encode()) if isinstance(of, str) else len(of)


def _element(of: list[Any] | tuple[Any, ...] | str | bytes, key: object) -> object:
    index, length = values.to_int(key), _length(of)
    place = index + length if index < 0 else index
    if not 0 <= place < length:
        raise ExpressionError(f"index out of range: {index} (the length is {length})")
    return of.encode()[place] if isinstance(of, str) else of[place]


def _method(of: object, name: str) -> Callable[..., Any] | None:
    if isinstance(of, Time) and name in _TIME:
        return lambda: _TIME[name](of)
    if isinstance(of, Time) and name in _TIME_WITH:
        return lambda argument: _TIME_WITH[name](of, argument)
    if isinstance(of, Time) and name == "AddDate":
        return of.after
    if isinstance(of, times.Month | times.Weekday | tzinfo) and name == "String":
        return of.__str__
    if isinstance(of, Duration) and name in _DURATION:
        return lambda: _DURATION[name](of)
    return None
