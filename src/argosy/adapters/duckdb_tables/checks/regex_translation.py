"""Patterns of Python as patterns of DuckDB's library RE2, where the two are known to find the same.

A pattern is taken apart by Python's own parser and put together again from the parts that mean the same in both. RE2 has no look-ahead and
no back-reference, and its classes know ASCII alone: such a pattern is not translated, or holds for texts in ASCII only.
"""

import re
from dataclasses import dataclass
from re import _constants as parts  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

MOST_REPEATS = 1000
"""More than this RE2 refuses."""
LARGEST_ASCII = 127
CLASSES = {
    "CATEGORY_DIGIT": "0-9",
    "CATEGORY_WORD": "0-9A-Z_a-z",
    "CATEGORY_SPACE": r"\x09-\x0d\x1c-\x20",
}
NOT_CLASSES = {
    "CATEGORY_NOT_DIGIT": r"\x00-/:-\x{10ffff}",
    "CATEGORY_NOT_WORD": r"\x00-/:-@\[-\^`\{-\x{10ffff}",
    "CATEGORY_NOT_SPACE": r"\x00-\x08\x0e-\x1b!-\x{10ffff}",
}


@dataclass(frozen=True)
class Pattern:
    """A pattern for RE2. *ascii_only*: it says for texts in ASCII what Python says; of others nothing is known."""

    text: str
    ascii_only: bool


class _UnknownPartError(Exception):
    """A part that the two libraries may not read alike."""


def translated(pattern: Any) -> Pattern | None:
    """*pattern*, as ``re.search`` takes it, for RE2; None where it cannot be said with certainty."""
    if not isinstance(pattern, str) or "\0" in pattern:
        return None
    try:
        tree = parser.parse(pattern)
    except (re.error, OverflowError, RecursionError):
        return None
    if tree.state.flags & ~re.UNICODE.value:
        return None
    writer = _Writer()
    try:
        text = writer.sequence(tree)
    except _UnknownPartError:
        return None
    return Pattern(text, ascii_only=writer.ascii_only)


class _Writer:
    def __init__(self) -> None:
        self.ascii_only = False
        self.repeats = 1
        """How often the part in hand is repeated by those round it."""
        self.ended = False
        """Whether an end came before: here it takes the last line break with it, which Python leaves to what follows."""

    def sequence(self, tree: Any) -> str:
        return "".join(self.part(str(name), argument) for name, argument in tree)

    def part(self, name: str, argument: Any) -> str:
        if self.ended and name in ("LITERAL", "NOT_LITERAL", "ANY", "IN"):
            raise _UnknownPartError
        match name:
            case "LITERAL":
                return _character(argument)
            case "NOT_LITERAL":
                return f"[^{_character(argument)}]"
            case "ANY":
                return r"[^\n]"
            case "IN":
                return self.one_of(argument)
            case "AT":
                return self.place(str(argument))
            case "BRANCH":
                return f"(?:{'|'.join(self.branches(argument[1]))})"
            case "SUBPATTERN":
                return self.group(argument)
            case "MAX_REPEAT" | "MIN_REPEAT":
                return self.repeated(*argument)
        raise _UnknownPartError

    def place(self, name: str) -> str:
        if name in ("AT_BEGINNING", "AT_BEGINNING_STRING"):
            return r"\A"
        if name == "AT_END_STRING":
            return r"\z"
        if name == "AT_END":
            # Python's end is before a last line break too.
            self.ended = True
            return r"(?:\n?\z)"
        raise _UnknownPartError

    def branches(self, trees: Any) -> list[str]:
        before, ends, found = self.ended, False, []
        for tree in trees:
            self.ended = before
            found.append(self.sequence(tree))
            ends |= self.ended
        self.ended = ends
        return found

    def group(self, argument: Any) -> str:
        _, added, removed, inner = argument
        if added or removed:
            raise _UnknownPartError
        return f"(?:{self.sequence(inner)})"

    def repeated(self, least: int, most: Any, inner: Any) -> str:
        if least > MOST_REPEATS or (most is not parts.MAXREPEAT and most > MOST_REPEATS):
            raise _UnknownPartError
        last = "" if most is parts.MAXREPEAT else str(most)
        before, around = self.ended, self.repeats
        # RE2 counts those within each other together.
        self.repeats *= max(least, 1 if most is parts.MAXREPEAT else most, 1)
        if self.repeats > MOST_REPEATS:
            raise _UnknownPartError
        within = self.sequence(inner)
        self.repeats = around
        if self.ended and not before:
            raise _UnknownPartError
        return f"(?:{within}){{{least},{last}}}"

    def one_of(self, members: Any) -> str:
        negated = bool(members) and str(members[0][0]) == "NEGATE"
        inner = "".join(self.member(str(name), argument) for name, argument in members[negated:])
        return f"[{'^' if negated else ''}{inner}]"

    def member(self, name: str, argument: Any) -> str:
        if name == "LITERAL":
            return _character(argument)
        if name == "RANGE":
            return f"{_character(argument[0])}-{_character(argument[1])}"
        known = CLASSES | NOT_CLASSES
        if name == "CATEGORY" and str(argument) in known:
            self.ascii_only = True
            return known[str(argument)]
        raise _UnknownPartError


def _character(code: int) -> str:
    if code <= LARGEST_ASCII and chr(code).isalnum():
        return chr(code)
    return f"\\x{{{code:x}}}"
