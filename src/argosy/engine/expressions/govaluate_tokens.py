"""Splits a ``when`` condition into tokens as govaluate does, with its peculiarities: any quote ends any string, a run of symbols is one
token, a text that reads as a time is one, and an order of tokens that the grammar below would not notice is refused here."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from argosy.engine.expressions import patterns, times
from argosy.engine.expressions.errors import ExpressionError


class TokenKind(Enum):
    """Kinds of tokens."""

    START = "the beginning"
    PREFIX = "a prefix"
    NUMERIC = "a number"
    BOOLEAN = "true or false"
    STRING = "a string"
    PATTERN = "a pattern"
    TIME = "a time"
    VARIABLE = "a word"
    ACCESSOR = "a dotted word"
    COMPARATOR = "a comparison"
    LOGICAL = "a logical operator"
    MODIFIER = "an operator"
    CLAUSE = "("
    CLAUSE_CLOSE = ")"
    TERNARY = "? or :"
    SEPARATOR = ","


@dataclass(frozen=True, slots=True)
class ConditionToken:
    """One token."""

    kind: TokenKind
    value: object


PREFIXES = frozenset({"-", "!", "~"})
MODIFIERS = frozenset({"+", "-", "*", "/", "%", "**", "&", "|", "^", ">>", "<<"})
LOGICALS = frozenset({"&&", "||"})
COMPARATORS = frozenset({"==", "!=", ">", ">=", "<", "<=", "=~", "!~", "in"})
TERNARIES = frozenset({"?", ":", "??"})

_OPERANDS = frozenset({TokenKind.NUMERIC, TokenKind.BOOLEAN, TokenKind.VARIABLE, TokenKind.ACCESSOR, TokenKind.CLAUSE})
_CONTINUED = frozenset(
    {TokenKind.MODIFIER, TokenKind.COMPARATOR, TokenKind.LOGICAL, TokenKind.CLAUSE_CLOSE, TokenKind.SEPARATOR}
)
_BEGINNING = _OPERANDS | {TokenKind.PREFIX, TokenKind.PATTERN, TokenKind.STRING, TokenKind.TIME}
_FOLLOWING: dict[TokenKind, frozenset[TokenKind]] = {
    TokenKind.START: _BEGINNING,
    TokenKind.CLAUSE: _BEGINNING | {TokenKind.CLAUSE_CLOSE},
    TokenKind.CLAUSE_CLOSE: _CONTINUED
    | {
        TokenKind.NUMERIC,
        TokenKind.BOOLEAN,
        TokenKind.VARIABLE,
        TokenKind.STRING,
        TokenKind.PATTERN,
        TokenKind.TIME,
        TokenKind.CLAUSE,
        TokenKind.TERNARY,
    },
    **dict.fromkeys(
        (TokenKind.NUMERIC, TokenKind.BOOLEAN, TokenKind.STRING, TokenKind.VARIABLE), _CONTINUED | {TokenKind.TERNARY}
    ),
    **dict.fromkeys((TokenKind.TIME, TokenKind.PATTERN), _CONTINUED),
    TokenKind.MODIFIER: _OPERANDS | {TokenKind.PREFIX, TokenKind.STRING, TokenKind.CLAUSE_CLOSE},
    TokenKind.COMPARATOR: _BEGINNING | {TokenKind.CLAUSE_CLOSE},
    TokenKind.LOGICAL: (_BEGINNING - {TokenKind.PATTERN}) | {TokenKind.CLAUSE_CLOSE},
    TokenKind.PREFIX: _OPERANDS | {TokenKind.CLAUSE_CLOSE},
    TokenKind.TERNARY: (_BEGINNING - {TokenKind.PATTERN}) | {TokenKind.SEPARATOR},
    TokenKind.ACCESSOR: _CONTINUED | {TokenKind.CLAUSE, TokenKind.TERNARY},
    TokenKind.SEPARATOR: _BEGINNING - {TokenKind.PATTERN},
}
_ENDING = frozenset(
    {
        TokenKind.CLAUSE_CLOSE,
        TokenKind.NUMERIC,
        TokenKind.BOOLEAN,
        TokenKind.STRING,
        TokenKind.TIME,
        TokenKind.PATTERN,
        TokenKind.VARIABLE,
        TokenKind.ACCESSOR,
    }
)
_TIMES = (
    "Mon Jan _2 15:04:05 2006",
    "Mon Jan _2 15:04:05 MST 2006",
    "Mon Jan 02 15:04:05 -0700 2006",
    "3:04PM",
    "2006-01-02T15:04:05Z07:00",
    "2006-01-02",
    "2006-01-02 15:04",
    "2006-01-02 15:04:05",
    "2006-01-02 15:04:05-07:00",
    "2006-01-02T15Z0700",
    "2006-01-02T15:04Z0700",
    "2006-01-02T15:04:05Z0700",
)
_LIKE_TIME = re.compile(r"\d{4}-\d\d-\d\d|\d:\d\d")


def tokens(condition: str) -> list[ConditionToken]:
    """The tokens of *condition*, words as strings, in an order that the grammar allows. Raises ExpressionError."""
    found = _Reader(condition).all()
    _demand_order(found, condition)
    # Argo turns words into strings, so that `foo != bar` needs no quotes; the order is then looked at again.
    strings = [
        ConditionToken(TokenKind.STRING, token.value) if token.kind is TokenKind.VARIABLE else token
        for token in _with_patterns(found)
    ]
    _demand_order(strings, condition)
    return _with_patterns(strings)


def _demand_order(found: list[ConditionToken], condition: str) -> None:
    if sum((token.kind is TokenKind.CLAUSE) - (token.kind is TokenKind.CLAUSE_CLOSE) for token in found):
        raise ExpressionError(f"unbalanced parentheses in {condition!r}")
    before = TokenKind.START
    for token in found:
        if token.kind not in _FOLLOWING[before]:
            raise ExpressionError(f"{token.kind.value} ({token.value}) cannot follow {before.value} in {condition!r}")
        before = token.kind
    if before not in _ENDING:
        raise ExpressionError("Unexpected end of expression")


def _with_patterns(found: list[ConditionToken]) -> list[ConditionToken]:
    """*found*, each string after ``=~`` or ``!~`` as a compiled pattern."""
    result = list(found)
    for place, token in enumerate(found[:-1]):
        following = found[place + 1]
        if token.kind is TokenKind.COMPARATOR and token.value in ("=~", "!~") and following.kind is TokenKind.STRING:
            result[place + 1] = ConditionToken(TokenKind.PATTERN, patterns.compiled(str(following.value)))
    return result


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._place = 0

    def all(self) -> list[ConditionToken]:
        found: list[ConditionToken] = []
        while True:
            while self._place < len(self._text) and self._text[self._place].isspace():
                self._place += 1
            if self._place >= len(self._text):
                return found
            found.append(self._one(found[-1].kind if found else TokenKind.START))

    def _one(self, before: TokenKind) -> ConditionToken:
        char = self._text[self._place]
        if _is_numeric(char):
            return self._number()
        if char in _SINGLE:
            self._place += 1
            return ConditionToken(_SINGLE[char], char)
        if char == "[":
            return ConditionToken(TokenKind.VARIABLE, self._enclosed(lambda inner: inner != "]", "the bracket ["))
        if char.isalpha():
            return self._word()
        if char in "'\"":
            return _string(self._enclosed(lambda inner: inner not in "'\"", "the quote"))
        return self._symbol(before)

    def _number(self) -> ConditionToken:
        if self._text.startswith("0x", self._place):
            self._place += 2
            digits = self._run(lambda char: char in "0123456789abcdefABCDEF")
            if not digits or int(digits, 16) >= 1 << 64:
                raise ExpressionError(f"bad number 0x{digits} in {self._text!r}")
            return ConditionToken(TokenKind.NUMERIC, float(int(digits, 16)))
        digits = self._run(_is_numeric)
        try:
            return ConditionToken(TokenKind.NUMERIC, float(digits) if digits.isascii() else float("error"))
        except ValueError:
            raise ExpressionError(f"bad number {digits!r} in {self._text!r}") from None

    def _word(self) -> ConditionToken:
        word = self._run(lambda char: char.isalpha() or char.isdigit() or char in "_.")
        if "." in word[1:]:
            return ConditionToken(TokenKind.ACCESSOR, _accessor(word))
        if word in ("in", "IN"):
            return ConditionToken(TokenKind.COMPARATOR, "in")
        return (
            ConditionToken(TokenKind.BOOLEAN, word == "true")
            if word in ("true", "false")
            else ConditionToken(TokenKind.VARIABLE, word)
        )

    def _symbol(self, before: TokenKind) -> ConditionToken:
        run = self._run(lambda char: not (char.isdigit() or char.isalpha() or char in "()[]'\""))
        if TokenKind.PREFIX in _FOLLOWING[before] and run in PREFIXES:
            return ConditionToken(TokenKind.PREFIX, run)
        for kind, known in _SYMBOLS:
            if run in known:
                return ConditionToken(kind, run)
        raise ExpressionError(
            f"invalid token {run!r} in {self._text!r} (hint: try wrapping the affected expression in quotes)"
        )

    def _run(self, belongs: Callable[[str], bool]) -> str:
        """Characters up to a blank or one that does not belong; a backslash takes the next one as it is."""
        taken = ""
        while self._place < len(self._text):
            char = self._text[self._place]
            if char == "\\":
                taken += self._escaped()
                continue
            if char.isspace():
                if taken:
                    break
            elif belongs(char):
                taken += char
            else:
                break
            self._place += 1
        return taken

    def _enclosed(self, belongs: Callable[[str], bool], what: str) -> str:
        taken = ""
        self._place += 1
        while self._place < len(self._text):
            char = self._text[self._place]
            if char == "\\":
                taken += self._escaped()
                continue
            self._place += 1
            if not belongs(char):
                return taken
            taken += char
        raise ExpressionError(f"{what} is not closed in {self._text!r}")

    def _escaped(self) -> str:
        if self._place + 1 >= len(self._text):
            raise ExpressionError(f"nothing follows the last backslash of {self._text!r}")
        self._place += 2
        return self._text[self._place - 1]


_SINGLE = {",": TokenKind.SEPARATOR, "(": TokenKind.CLAUSE, ")": TokenKind.CLAUSE_CLOSE}
_SYMBOLS = (
    (TokenKind.MODIFIER, MODIFIERS),
    (TokenKind.LOGICAL, LOGICALS),
    (TokenKind.COMPARATOR, COMPARATORS),
    (TokenKind.TERNARY, TERNARIES),
)


def _is_numeric(char: str) -> bool:
    return char.isdigit() or char == "."


def _accessor(word: str) -> str:
    if word.endswith("."):
        raise ExpressionError(f"{word!r} ends with a dot (hint: try wrapping it in quotes)")
    for part in word.split(".")[1:]:
        if part[:1].upper() != part[:1]:
            raise ExpressionError(f"{word!r} is not a word (hint: try wrapping it in quotes)")
    return word


def _string(text: str) -> ConditionToken:
    if _LIKE_TIME.search(text):
        for layout in _TIMES:
            try:
                return ConditionToken(TokenKind.TIME, float(int(times.parsed(text, layout).moment.timestamp() // 1)))
            except ExpressionError:
                continue
    return ConditionToken(TokenKind.STRING, text)
