"""The functions of sprig that manifests use, under ``sprig.``, with sprig's order of arguments. Argo leaves out env and expandenv."""

import base64
import binascii
import datetime
import hashlib
import math
import re
import secrets
import string
import uuid
from collections.abc import Callable
from typing import Any

from argosy.engine.expressions.errors import ExpressionError
from argosy.engine.expressions.values import floating, from_json, to_json, to_text


def _empty(value: object) -> bool:
    return value is None or value is False or value in ("", 0, [], {})


def _int(value: object) -> int:
    """As sprig casts: what is no number is 0."""
    try:
        return int(floating(value)) if not isinstance(value, bool) else int(value)
    except ExpressionError:
        return 0


def _float(value: object) -> float:
    try:
        return floating(value)
    except ExpressionError:
        return 0.0


def _divide(left: object, right: object) -> int:
    divisor = _int(right)
    if divisor == 0:
        raise ExpressionError("integer divide by zero")
    return int(_int(left) / divisor)


def _modulo(left: object, right: object) -> int:
    return _int(left) - _int(right) * _divide(left, right)


def _round(value: object, places: int, on: float = 0.5) -> float:
    scale = 10.0**places
    scaled = _float(value) * scale
    whole = math.floor(scaled) + (1 if scaled - math.floor(scaled) >= on else 0)
    return whole / scale


def _dict(*pairs: object) -> dict[str, object]:
    return {
        to_text(pairs[position]): pairs[position + 1] if position + 1 < len(pairs) else ""
        for position in range(0, len(pairs), 2)
    }


def _truncated(length: int, text: str) -> str:
    return text[length:] if length < 0 else text[:length]


def _substring(start: int, end: int, text: str) -> str:
    return text[:end] if start < 0 else text[start:] if end < 0 or end > len(text) else text[start:end]


def _indented(spaces: int, text: str) -> str:
    pad = " " * spaces
    return pad + text.replace("\n", f"\n{pad}")


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError) as error:
        return str(error)


def _random(alphabet: str) -> Callable[[int], str]:
    return lambda length: "".join(secrets.choice(alphabet) for _ in range(min(length, 100_000)))


def _date(layout: str, moment: object) -> str:
    when = moment if isinstance(moment, datetime.datetime) else datetime.datetime.now(datetime.UTC)
    return when.strftime(_strftime(layout))


def _strftime(layout: str) -> str:
    """Go's layout, which is a date spelled out, as strftime's."""
    for theirs, ours in (
        ("2006", "%Y"), ("January", "%B"), ("Jan", "%b"), ("01", "%m"), ("02", "%d"), ("15", "%H"), ("03", "%I"), ("04", "%M"),
        ("05", "%S"), ("Monday", "%A"), ("Mon", "%a"), ("PM", "%p"), ("MST", "%Z"), ("Z07:00", "Z"), ("-0700", "%z"), ("06", "%y"),
    ):  # fmt: skip
        layout = layout.replace(theirs, ours)
    return layout


def _list_of(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise ExpressionError(f"a list is wanted, got {to_text(value)}")
    return value


def _title(text: str) -> str:
    return re.sub(r"\b\w", lambda match: match[0].upper(), text)


SPRIG: dict[str, Callable[..., Any]] = {
    "add": lambda *values: sum(_int(value) for value in values),
    "add1": lambda value: _int(value) + 1,
    "append": lambda values, value: [*_list_of(values), value],
    "atoi": _int,
    "b64dec": _decoded,
    "b64enc": lambda text: base64.b64encode(text.encode()).decode(),
    "cat": lambda *values: " ".join(to_text(value) for value in values if value is not None),
    "ceil": lambda value: float(math.ceil(_float(value))),
    "coalesce": lambda *values: next((value for value in values if not _empty(value)), None),
    "compact": lambda values: [value for value in _list_of(values) if not _empty(value)],
    "concat": lambda *lists: [value for values in lists for value in _list_of(values)],
    "contains": lambda part, text: part in text,
    "date": _date,
    "default": lambda other, value=None: other if _empty(value) else value,
    "dict": _dict,
    "div": _divide,
    "empty": _empty,
    "first": lambda values: values[0] if values else None,
    "float64": _float,
    "floor": lambda value: float(math.floor(_float(value))),
    "fromJson": from_json,
    "get": lambda of, key: of.get(key, ""),
    "has": lambda value, values: value in _list_of(values),
    "hasKey": lambda of, key: key in of,
    "hasPrefix": lambda part, text: text.startswith(part),
    "hasSuffix": lambda part, text: text.endswith(part),
    "indent": _indented,
    "initial": lambda values: _list_of(values)[:-1],
    "int": _int,
    "int64": _int,
    "join": lambda by, values: (
        by.join(to_text(value) for value in values) if isinstance(values, list) else to_text(values)
    ),
    "keys": lambda *maps: [key for of in maps for key in of],
    "last": lambda values: values[-1] if values else None,
    "list": lambda *values: list(values),
    "lower": lambda text: text.lower(),
    "max": lambda *values: max(_int(value) for value in values),
    "merge": lambda into, *others: {**{key: value for of in reversed(others) for key, value in of.items()}, **into},
    "min": lambda *values: min(_int(value) for value in values),
    "mod": _modulo,
    "mul": lambda *values: math.prod(_int(value) for value in values),
    "nindent": lambda spaces, text: f"\n{_indented(spaces, text)}",
    "nospace": lambda text: "".join(text.split()),
    "now": lambda: datetime.datetime.now(datetime.UTC),
    "omit": lambda of, *keys: {key: value for key, value in of.items() if key not in keys},
    "pick": lambda of, *keys: {key: of[key] for key in keys if key in of},
    "prepend": lambda values, value: [value, *_list_of(values)],
    "quote": lambda *values: " ".join(to_json(to_text(value)) for value in values if value is not None),
    "randAlpha": _random(string.ascii_letters),
    "randAlphaNum": _random(string.ascii_letters + string.digits),
    "randNumeric": _random(string.digits),
    "regexFind": lambda pattern, text: match[0] if (match := re.search(pattern, text)) else "",
    "regexMatch": lambda pattern, text: re.search(pattern, text) is not None,
    "regexReplaceAll": lambda pattern, text, new: re.sub(pattern, re.sub(r"\$\{?(\w+)\}?", r"\\g<\1>", new), text),
    "repeat": lambda times, text: text * min(_int(times), 100_000),
    "replace": lambda old, new, text: text.replace(old, new),
    "rest": lambda values: _list_of(values)[1:],
    "reverse": lambda values: _list_of(values)[::-1],
    "round": _round,
    "set": lambda of, key, value: {**of, key: value},
    "sha1sum": lambda text: hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest(),
    "sha256sum": lambda text: hashlib.sha256(text.encode()).hexdigest(),
    "sortAlpha": lambda values: sorted(to_text(value) for value in values),
    "splitList": lambda by, text: text.split(by) if by else list(text),
    "split": lambda by, text: {f"_{position}": part for position, part in enumerate(text.split(by))},
    "squote": lambda *values: " ".join(f"'{to_text(value)}'" for value in values if value is not None),
    "sub": lambda left, right: _int(left) - _int(right),
    "substr": _substring,
    "ternary": lambda yes, no, test: yes if test else no,
    "title": _title,
    "toJson": to_json,
    "toPrettyJson": lambda value: to_json(value, indent=2),
    "toString": to_text,
    "toStrings": lambda values: [to_text(value) for value in values],
    "trim": lambda text: text.strip(),
    "trimAll": lambda characters, text: text.strip(characters),
    "trimPrefix": lambda part, text: text.removeprefix(part),
    "trimSuffix": lambda part, text: text.removesuffix(part),
    "trunc": _truncated,
    "uniq": lambda values: list(dict.fromkeys(values)),
    "until": lambda count: list(range(min(_int(count), 100_000))),
    "untitle": lambda text: re.sub(r"\b\w", lambda match: match[0].lower(), text),
    "upper": lambda text: text.upper(),
    "uuidv4": lambda: str(uuid.uuid4()),
    "values": lambda *maps: [value for of in maps for value in of.values()],
}
