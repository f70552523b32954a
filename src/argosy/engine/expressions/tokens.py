"""Splits the text of an expr-lang expression into tokens."""

import re
from dataclasses import dataclass
from typing import Literal

from argosy.engine.expressions.errors import ExpressionError

Kind = Literal["identifier", "number", "string", "bytes", "operator", "bracket", "end"]

WORDS = frozenset({"in", "or", "and", "matches", "contains", "startsWith", "endsWith", "let", "if", "else", "not"})
"""Names that are operators."""

_LETTER = r"[^\W\d]|\$"
_TOKEN = re.compile(
    rf"""
      (?P<space>\s+ | //[^\n]*(?:\n|$) | /\*.*?\*/)
    | (?P<number>0[xX][0-9a-fA-F_]+ | 0[oO][0-7_]+ | 0[bB][01_]+
        | (?:[0-9][0-9_]*(?:\.(?!\.)[0-9_]*)? | \.[0-9][0-9_]*)(?:[eE][+-]?[0-9_]*)?)
    | (?P<string>[bB]?"(?:[^"\\\n]|\\.)*" | [bB]?'(?:[^'\\\n]|\\.)*')
    | (?P<raw>`(?:[^`]|``)*`)
    | (?P<name>(?:{_LETTER})(?:{_LETTER}|\d)*)
    | (?P<operator>\?[.?]? | \|\|? | ::? | \.\.? | [&!=*<>][&=*]? | [,;%+\-^/\#])
    | (?P<bracket>[(\[{{)\]}}])
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(
    r"\\(?:u\{([0-9a-fA-F]{1,6})\}|[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2})|(.)|$)",
    re.DOTALL,
)
_PLAIN = {
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "\\": "\\",
    "'": "'",
    '"': '"',
    "`": "`",
    "?": "?",
}


@dataclass(frozen=True, slots=True)
class Token:
    """One token. *value* of a string is what it stands for; *place* counts characters."""

    kind: Kind
    value: str
    place: int


def tokens(text: str) -> list[Token]:
    """The tokens of *text*, an end token last. Raises ExpressionError."""
    found: list[Token] = []
    place = 0
    while place < len(text):
        match = _TOKEN.match(text, place)
        if match is None:
            raise ExpressionError(f"unexpected {text[place]!r} at character {place + 1} of {text!r}")
        if token := _token(match, text):
            found.append(token)
        place = match.end()
    return [*found, Token("end", "", len(text))]


def _token(match: re.Match[str], text: str) -> Token | None:
    place = match.start()
    value = match[0]
    match match.lastgroup:
        case "space":
            return None
        case "string":
            kind: Kind = "bytes" if value[0] in "bB" else "string"
            return Token(kind, _unescaped(value.lstrip("bB")[1:-1], text), place)
        case "raw":
            return Token("string", value[1:-1].replace("``", "`"), place)
        case "name":
            return Token("operator" if value in WORDS else "identifier", value, place)
        case "number":
            _demand_end_of_number(match, text)
            return Token("number", value, place)
        case "bracket":
            return Token("bracket", value, place)
    return Token("operator", value, place)


def _demand_end_of_number(match: re.Match[str], text: str) -> None:
    following = text[match.end() : match.end() + 1]
    if following.isalnum() or following in ("_", "$"):
        raise ExpressionError(f"bad number {match[0] + following!r} in {text!r}")


def _unescaped(body: str, text: str) -> str:
    def character(match: re.Match[str]) -> str:
        digits = next((group for group in match.groups()[:4] if group), None)
        if digits or match[5]:
            number = int(digits, 16) if digits else int(match[5], 8)
            if number > 0x10FFFF:
                raise ExpressionError(f"no character has the number {match[0]} in {text!r}")
            return chr(number)
        if match[6] not in _PLAIN:
            raise ExpressionError(f"unknown escape {match[0]!r} in {text!r}")
        return _PLAIN[match[6]]

    return _ESCAPE.sub(character, body.replace("\r\n", "\n").replace("\r", "\n"))
