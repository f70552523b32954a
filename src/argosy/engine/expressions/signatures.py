"""The types of expr-lang's own functions, and of the methods of its times: what each takes and gives."""

from collections.abc import Callable, Sequence

from argosy.engine.expressions import types
from argosy.engine.expressions.errors import ExpressionError
from argosy.engine.expressions.types import (
    ANY,
    BOOL,
    DURATION,
    FLOAT,
    INT,
    LIST,
    STRING,
    TEXTS,
    TIME,
    UNKNOWN,
    GoType,
)

ResultOf = Callable[[Sequence[GoType]], GoType]
"""From the types of the arguments to the result's. Raises ExpressionError where the function does not take them."""

_LETTERS = {"s": STRING, "i": INT, "a": ANY, "l": LIST, "t": TEXTS, "I": GoType("[]int"), "F": GoType("[]float64")}


def _takes(name: str, result: GoType, *overloads: str) -> ResultOf:
    """A function with types: each overload has a letter a parameter."""

    def result_of(given: Sequence[GoType]) -> GoType:
        for overload in overloads:
            if len(overload) == len(given) and all(map(_accepts, overload, given)):
                return result
        raise ExpressionError(f"{name} cannot be called with {', '.join(each.name for each in given) or 'nothing'}")

    return result_of


def _accepts(letter: str, given: GoType) -> bool:
    wanted = _LETTERS[letter]
    if given.is_nil:
        return wanted == ANY
    return given.is_unknown or given.fits(wanted)


def _one_of(name: str, kinds: str, result: GoType | None) -> ResultOf:
    """A function of one argument, whose *kinds* are n(umber) s(tring) l(ist) m(ap). No *result*: the argument's."""

    def result_of(given: Sequence[GoType]) -> GoType:
        if len(given) != 1:
            raise ExpressionError(f"{name} takes 1 argument, not {len(given)}")
        if not given[0].is_unknown and not any(_IS[kind](given[0]) for kind in kinds):
            raise ExpressionError(f"{name} is not defined on {given[0].name}")
        return GoType(given[0].name) if result is None else result

    return result_of


_IS: dict[str, Callable[[GoType], bool]] = {
    # A duration is a number to those that ask for its kind only.
    "n": lambda given: given.is_number or given == DURATION,
    "s": lambda given: given == STRING,
    "l": lambda given: given.is_list,
    "m": lambda given: given.is_map,
}


def _aggregated(name: str) -> ResultOf:
    def result_of(given: Sequence[GoType]) -> GoType:
        for each in given:
            if each.is_unknown or each.is_list:
                return UNKNOWN
            if not _IS["n"](each):
                raise ExpressionError(f"{name} is not defined on {each.name}")
        if not given:
            raise ExpressionError(f"{name} needs an argument")
        return given[0]

    return result_of


def _end(name: str) -> ResultOf:
    def result_of(given: Sequence[GoType]) -> GoType:
        _one_of(name, "l", UNKNOWN)(given)
        # The type's own element: what is known of this list's is lost here.
        return UNKNOWN if given[0].is_unknown else GoType(given[0].name).of_elements

    return result_of


def _concat(given: Sequence[GoType]) -> GoType:
    if not given:
        raise ExpressionError("concat needs an argument")
    for each in given:
        _one_of("concat", "l", LIST)([each])
    return LIST


def _take(given: Sequence[GoType]) -> GoType:
    if len(given) != 2:
        raise ExpressionError(f"take takes 2 arguments, not {len(given)}")
    _one_of("take", "l", LIST)(given[:1])
    if not given[1].is_unknown and given[1] not in (INT, DURATION):
        raise ExpressionError(f"cannot take {given[1].name} elements")
    return GoType(given[0].name)


def _now(given: Sequence[GoType]) -> GoType:
    if given and list(given) != [types.ZONE]:
        raise ExpressionError("now takes nothing, or a time zone")
    return TIME


def _date(given: Sequence[GoType]) -> GoType:
    texts = given[1:] if given and given[0] == types.ZONE else given
    if not given or len(texts) > 3:
        raise ExpressionError(f"date takes 1 to 3 texts, not {len(texts)}")
    return TIME


_SORTED = ("ls", "Is", "Fs", "ts", "l", "F", "t", "I")
FUNCTIONS: dict[str, ResultOf] = {
    "len": _one_of("len", "lms", INT),
    "type": _takes("type", STRING, "a"),
    "abs": _one_of("abs", "n", None),
    **{name: _one_of(name, "n", FLOAT) for name in ("ceil", "floor", "round")},
    "int": _one_of("int", "ns", INT),
    "float": _one_of("float", "ns", FLOAT),
    "string": _takes("string", STRING, "a"),
    "trim": _takes("trim", STRING, "s", "ss"),
    **{name: _takes(name, STRING, "ss", "s") for name in ("trimPrefix", "trimSuffix")},
    **{name: _takes(name, STRING, "s") for name in ("upper", "lower", "toBase64", "fromBase64")},
    **{name: _takes(name, TEXTS, "ss", "ssi") for name in ("split", "splitAfter")},
    "replace": _takes("replace", STRING, "sssi", "sss"),
    "repeat": _takes("repeat", STRING, "si"),
    "join": _takes("join", STRING, "ts", "ls", "l", "t"),
    **{name: _takes(name, INT, "ss") for name in ("indexOf", "lastIndexOf")},
    **{name: _takes(name, BOOL, "ss") for name in ("hasPrefix", "hasSuffix")},
    **{name: _aggregated(name) for name in ("max", "min", "mean", "median")},
    "toJSON": _takes("toJSON", STRING, "a"),
    "fromJSON": _takes("fromJSON", ANY, "s"),
    "now": _now,
    "duration": _takes("duration", DURATION, "s"),
    "date": _date,
    "timezone": _takes("timezone", types.ZONE, "s"),
    **{name: _end(name) for name in ("first", "last")},
    "take": _take,
    **{name: _one_of(name, "m", LIST) for name in ("keys", "values", "toPairs")},
    "fromPairs": _one_of("fromPairs", "l", types.ANY_MAP),
    **{name: _one_of(name, "l", LIST) for name in ("reverse", "uniq", "flatten")},
    "concat": _concat,
    "sort": _takes("sort", LIST, *_SORTED),
    **{
        name: _takes(name, INT, "ii")
        for name in ("bitand", "bitor", "bitxor", "bitnand", "bitshl", "bitshr", "bitushr")
    },
    "bitnot": _takes("bitnot", INT, "i"),
}
"""The language's own functions, but those that look at each element, and ``get``."""
ARGOS: dict[str, ResultOf] = {
    **{name: _takes(name, ANY, "a") for name in ("asInt", "asFloat")},
    "toJson": _takes("toJson", STRING, "a"),
    "jsonpath": _takes("jsonpath", ANY, "ss"),
}
"""The functions that Argo adds; sprig's functions have types only when they are called."""

_WEEKDAY, _MONTH = GoType("time.Weekday"), GoType("time.Month")
METHODS: dict[str, dict[str, GoType]] = {
    "time.Time": {
        **dict.fromkeys(("Year", "Day", "Hour", "Minute", "Second", "Nanosecond", "YearDay", "ISOWeek"), INT),
        # Not "int" but of its kind: nothing that wants an int takes one.
        **dict.fromkeys(("Unix", "UnixMilli", "UnixMicro", "UnixNano"), INT),
        "Month": _MONTH,
        "Weekday": _WEEKDAY,
        **dict.fromkeys(("UTC", "In", "Add", "AddDate", "Truncate", "Round", "Local"), TIME),
        **dict.fromkeys(("Before", "After", "Equal", "IsZero"), BOOL),
        **dict.fromkeys(("Format", "String"), STRING),
        "Sub": DURATION,
        "Location": types.ZONE,
    },
    "time.Duration": {
        **dict.fromkeys(("Hours", "Minutes", "Seconds"), FLOAT),
        **dict.fromkeys(("Milliseconds", "Microseconds", "Nanoseconds"), INT),
        "String": STRING,
        **dict.fromkeys(("Abs", "Round", "Truncate"), DURATION),
    },
    "time.Month": {"String": STRING},
    "time.Weekday": {"String": STRING},
    "*time.Location": {"String": STRING},
}
"""The types that methods of times give."""
