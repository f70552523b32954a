"""Words of an expr-lang expression."""

import re
from dataclasses import dataclass
from typing import Literal

from argosy.engine.expressions.errors import ExpressionError

Kind = Literal["number", "string", "name", "operator", "end"]
LONGEST = 100_000

_OPERATORS = (
    "..", "?.", "??", "**", "==", "!=", "<=", ">=", "&&", "||", "|", "?", ":", ",", ".", ";",
    "(", ")", "[", "]", "{", "}", "<", ">", "+", "-", "*", "/", "%", "^", "!", "=", "#",
)  # fmt: skip
_WORD = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_NUMBER = re.compile(
    r"0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|(?:\d[\d_]*)?\.\d[\d_]*(?:[eE][+-]?\d+)?|\d[\d_]*(?:[eE][+-]?\d+)?"
)
_SPACE = re.compile(r"(?:\s+|//[^\n]*|/\*.*?\*/)+", re.DOTALL)
_ESCAPES = {
    "n": "\n",
    "t": "\t",
    "r": "\r",
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "v": "\v",
    "\\": "\\",
    "'": "'",
    '"': '"',
    "`": "`",
    "/": "/",
}


@dataclass(frozen=True)
class Token:
    """One word; *value* is its text, or of a literal its value."""

    kind: Kind
    value: str | int | float
    position: int


def tokens(text: str) -> list[Token]:
    """The words of *text*, an end word last. Raises ExpressionError at what is no word."""
    if len(text) > LONGEST:
        raise ExpressionError(f"an expression of {len(text):,} characters; at most {LONGEST:,} are read")
    found: list[Token] = []
    position = 0
    while position < len(text):
        if space := _SPACE.match(text, position):
            position = space.end()
            continue
        token, position = _next(text, position, found)
        found.append(token)
    return [*found, Token("end", "", len(text))]


def _next(text: str, position: int, before: list[Token]) -> tuple[Token, int]:
    character = text[position]
    if character in "'\"":
        return _quoted(text, position)
    if character == "`":
        end = text.find("`", position + 1)
        if end < 0:
            raise ExpressionError(f"a string that does not end, at {position}")
        return Token("string", text[position + 1 : end], position), end + 1
    if word := _WORD.match(text, position):
        return Token("name", word[0], position), word.end()
    range_follows = text.startswith("..", position)
    after_member = bool(before) and before[-1].value == "." and before[-1].kind == "operator"
    if not range_follows and not after_member and (number := _NUMBER.match(text, position)):
        return Token("number", _number(number[0]), position), number.end()
    for operator in _OPERATORS:
        if text.startswith(operator, position):
            return Token("operator", operator, position), position + len(operator)
    raise ExpressionError(f"unrecognized character {character!r} at {position}")


def _number(text: str) -> int | float:
    plain = text.replace("_", "")
    if plain[:2].lower() in ("0x", "0b", "0o"):
        return int(plain, 0)
    return float(plain) if set(plain) & set(".eE") else int(plain)


def _quoted(text: str, start: int) -> tuple[Token, int]:
    quote, position, parts = text[start], start + 1, list[str]()
    while position < len(text):
        character = text[position]
        if character == quote:
            return Token("string", "".join(parts), start), position + 1
        if character == "\n":
            break
        if character == "\\":
            part, position = _escape(text, position + 1)
            parts.append(part)
        else:
            parts.append(character)
            position += 1
    raise ExpressionError(f"a string that does not end, at {start}")


def _escape(text: str, position: int) -> tuple[str, int]:
    character = text[position : position + 1]
    if character in _ESCAPES:
        return _ESCAPES[character], position + 1
    digits = {"x": 2, "u": 4, "U": 8}.get(character)
    code = text[position + 1 : position + 1 + digits] if digits else text[position : position + 3]
    try:
        return chr(int(code, 16 if digits else 8)), position + (1 + digits if digits else 3)
    except (ValueError, OverflowError):
        raise ExpressionError(f"an unknown escape at {position}") from None
