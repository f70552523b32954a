"""Semantic versions and constraints on them (``>=1.2, <2 || ~3.1``), as Masterminds/semver reads them."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from argosy.engine.expressions.errors import ExpressionError
from argosy.engine.expressions.values import Methods

_NUMBERS = r"(0|[1-9]\d*|[xX*])(?:\.(0|[1-9]\d*|[xX*]))?(?:\.(0|[1-9]\d*|[xX*]))?"
_TAIL = r"(?:-([0-9A-Za-z\-]+(?:\.[0-9A-Za-z\-]+)*))?(?:\+([0-9A-Za-z\-]+(?:\.[0-9A-Za-z\-]+)*))?"
_VERSION = re.compile(rf"v?{_NUMBERS}{_TAIL}")
_RANGE = re.compile(rf"\s*(=|==|!=|>|<|>=|=>|<=|=<|~|~>|\^)?\s*(v?{_NUMBERS}{_TAIL})\s*")
_HYPHEN = re.compile(rf"\s*(v?{_NUMBERS}{_TAIL})\s+-\s+(v?{_NUMBERS}{_TAIL})\s*")
_WILD = frozenset({"x", "X", "*"})
_LEADING_ZEROS = re.compile(r"(?<![\w.+-])0+(?=\d)|(?<=^v)0+(?=\d)|(?<=^\d\.)0+(?=\d)")
LONGEST = 256


@dataclass(frozen=True)
class SemanticVersion:
    """One version. *given*: how many of its numbers were written."""

    numbers: tuple[int, int, int]
    prerelease: str
    metadata: str
    given: int

    def key(self) -> tuple[Any, ...]:
        """Sorts as versions do: before a release come its prereleases, numbers before words."""
        parts = (
            [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in self.prerelease.split(".")]
            if self.prerelease
            else []
        )
        return (self.numbers, not self.prerelease, parts)


def parsed(text: str) -> SemanticVersion:
    """*text* as a version; missing numbers are 0. Raises ExpressionError."""
    match = _VERSION.fullmatch(text)
    if match is None or _WILD.intersection(match.groups()[:3]) or len(text) > LONGEST:
        raise ExpressionError(f"{text!r} is not a semantic version")
    return _version(match.groups())


def _version(groups: tuple[str | None, ...]) -> SemanticVersion:
    numbers = [part for part in groups[:3] if part is not None and part not in _WILD]
    padded = [*(int(part) for part in numbers), 0, 0, 0]
    return SemanticVersion((padded[0], padded[1], padded[2]), groups[3] or "", groups[4] or "", len(numbers))


def described(text: str) -> Methods:
    """The parts of a version, by the names that Go gives them. Numbers may begin with 0. Raises ExpressionError."""
    version = parsed(_LEADING_ZEROS.sub("", text))
    major, minor, patch = version.numbers
    parts = {
        "Major": lambda: major,
        "Minor": lambda: minor,
        "Patch": lambda: patch,
        "Prerelease": lambda: version.prerelease,
        "Metadata": lambda: version.metadata,
        "Original": lambda: text,
        "String": lambda: _plain(version),
    }
    return Methods(_plain(version), parts)


def _plain(version: SemanticVersion) -> str:
    text = ".".join(map(str, version.numbers))
    return (
        text
        + (f"-{version.prerelease}" if version.prerelease else "")
        + (f"+{version.metadata}" if version.metadata else "")
    )


def satisfies(constraint: str, text: str) -> bool:
    """True where the version *text* is one that *constraint* allows. Raises ExpressionError where either cannot be read."""
    alternatives = [_ranges(alternative) for alternative in constraint.split("||")]
    version = parsed(text)
    return any(all(_allows(operator, bound, version) for operator, bound in ranges) for ranges in alternatives)


def _ranges(text: str) -> list[tuple[str, SemanticVersion]]:
    text = _HYPHEN.sub(lambda match: f">={match[1]}, <={match[7]}", text)
    found: list[tuple[str, SemanticVersion]] = []
    place = 0
    if len(text) > LONGEST:
        raise ExpressionError("a constraint on versions is too long")
    while place < len(text) or not found:
        if text[place : place + 1] == "," and found:
            place += 1
        match = _RANGE.match(text, place)
        if match is None:
            raise ExpressionError(f"{text!r} is not a constraint on versions")
        found.append((match[1] or "", _version(match.groups()[2:])))
        place = match.end()
    return found


def _allows(operator: str, bound: SemanticVersion, version: SemanticVersion) -> bool:
    # A prerelease is asked for by name only.
    if version.prerelease and not bound.prerelease and operator not in ("!=",):
        return False
    check = _CHECKS[operator]
    return check(bound, version)


def _above(bound: SemanticVersion, version: SemanticVersion) -> bool:
    if bound.given < 3:
        return version.numbers[: bound.given] > bound.numbers[: bound.given]
    return version.key() > bound.key()


def _within(bound: SemanticVersion, version: SemanticVersion, count: int) -> bool:
    return version.numbers[:count] == bound.numbers[:count]


def _same(bound: SemanticVersion, version: SemanticVersion) -> bool:
    return version.key() == bound.key()


def _leading(bound: SemanticVersion) -> int:
    """The count of numbers that ``^`` keeps: up to the first that is not 0."""
    for place, number in enumerate(bound.numbers[: bound.given]):
        if number:
            return place + 1
    return bound.given


def _equal(bound: SemanticVersion, version: SemanticVersion) -> bool:
    return _within(bound, version, bound.given) if bound.given < 3 else _same(bound, version)


def _from(bound: SemanticVersion, version: SemanticVersion) -> bool:
    return version.key() >= bound.key()


_CHECKS: dict[str, Callable[[SemanticVersion, SemanticVersion], bool]] = {
    **dict.fromkeys(("", "=", "=="), _equal),
    "!=": lambda bound, version: not _equal(bound, version),
    ">": _above,
    "<": lambda bound, version: version.key() < bound.key(),
    **dict.fromkeys((">=", "=>"), _from),
    **dict.fromkeys(("<=", "=<"), lambda bound, version: not _above(bound, version)),
    **dict.fromkeys(
        ("~", "~>"), lambda bound, version: _from(bound, version) and _within(bound, version, min(bound.given, 2))
    ),
    "^": lambda bound, version: _from(bound, version) and _within(bound, version, _leading(bound)),
}
