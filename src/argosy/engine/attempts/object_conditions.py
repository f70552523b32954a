"""Conditions on an object of a cluster, written as label selectors whose keys are paths in its JSON: ``status.succeeded > 3``."""

import json
import re
from dataclasses import dataclass

_KEY = r"[A-Za-z0-9](?:[-A-Za-z0-9_./]*[A-Za-z0-9])?"
_VALUE = r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?)?"
_PATTERNS = {
    "in": re.compile(rf"({_KEY})\s+in\s+\(([^()]*)\)"),
    "notin": re.compile(rf"({_KEY})\s+notin\s+\(([^()]*)\)"),
    "compare": re.compile(rf"({_KEY})\s*(==|=|!=|>|<)\s*({_VALUE})"),
    "exists": re.compile(rf"({_KEY})()"),
    "absent": re.compile(rf"!\s*({_KEY})()"),
}
_OUTSIDE = re.compile(r",(?![^()]*\))")


class SelectorError(ValueError):
    """A condition is no label selector."""


@dataclass(frozen=True)
class Requirement:
    """One part of a condition."""

    key: str
    operator: str
    values: tuple[str, ...]

    def holds(self, found: object) -> bool:
        """True where the object *found* is so. Numbers are compared as whole ones; what is none is neither more nor less."""
        value = text_at(found, self.key)
        match self.operator:
            case "exists":
                return value is not None
            case "absent":
                return value is None
            case "in" | "=" | "==":
                return value in self.values
            case "notin" | "!=":
                return value not in self.values
            case _:
                return value is not None and _compared(value, self.operator, self.values[0])

    def __str__(self) -> str:
        """As the controller's messages have it."""
        operator = {">": "gt", "<": "lt", "absent": "!"}.get(self.operator, self.operator)
        return f"{{{self.key} {operator} [{' '.join(sorted(self.values))}]}}"


def parsed(condition: str) -> list[Requirement]:
    """The requirements of *condition*, all of which must hold. Raises SelectorError."""
    return [_requirement(part.strip()) for part in _OUTSIDE.split(condition)]


def _requirement(text: str) -> Requirement:
    for name, pattern in _PATTERNS.items():
        if not (match := pattern.fullmatch(text)):
            continue
        if name == "compare":
            return _comparison(match[1], match[2], match[3])
        values = tuple(value.strip() for value in match[2].split(",")) if match[2] else ()
        return Requirement(match[1], name, values)
    raise SelectorError(f"{text!r} is no condition; write for example status.phase == Succeeded, status.succeeded > 0")


def _comparison(key: str, operator: str, value: str) -> Requirement:
    if operator in "<>" and not re.fullmatch(r"-?\d+", value):
        raise SelectorError(f"{key} {operator} {value}: only whole numbers are more or less than another")
    return Requirement(key, operator, (value,))


def _compared(value: str, operator: str, limit: str) -> bool:
    if not re.fullmatch(r"[-+]?\d+", value):
        return False
    return int(value) > int(limit) if operator == ">" else int(value) < int(limit)


def text_at(found: object, path: str) -> str | None:
    """The value at the dotted *path* of *found*, as text; None where there is nothing."""
    for part in path.split("."):
        if isinstance(found, dict) and part in found:
            found = found[part]
        elif isinstance(found, list) and part == "#":
            found = len(found)
        elif isinstance(found, list) and part.isdigit() and int(part) < len(found):
            found = found[int(part)]
        else:
            return None
    if found is None:
        return ""
    return found if isinstance(found, str) else json.dumps(found, separators=(",", ":"))
