"""JSON as text: what others wrote, with what is wrong with it in the words of Go, and what Go would write."""

import json
import re
from typing import Any, Never

_AT_END = "unexpected end of JSON input"
_BLANK = " \t\r\n"
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_HEXADECIMAL = re.compile("[0-9a-fA-F]*")
_ESCAPED = {"\n": "'\\n'", "\r": "'\\r'", "\t": "'\\t'"}
_AFTER = {
    "Expecting value": "looking for beginning of value",
    "Extra data": "after top-level value",
    "Expecting property name enclosed in double quotes": "looking for beginning of object key string",
    "Illegal trailing comma before end of object": "looking for beginning of object key string",
    "Illegal trailing comma before end of array": "looking for beginning of value",
    "Expecting ':' delimiter": "after object key",
    "Invalid control character at": "in string literal",
}
"""Python's words on a character, each with Go's words after it."""


def read(text: str, **options: Any) -> object:
    """The value of *text*; *options* are those of ``json.loads``. Raises ValueError with Go's reason where it is no JSON."""
    try:
        return json.loads(text, parse_constant=_refuse_constant, **options)
    except json.JSONDecodeError as error:
        raise ValueError(_reason(text, error)) from None
    except RecursionError:
        raise ValueError("exceeded max depth") from None


def kind(value: object) -> str:
    """Go's name of the kind of a value of JSON."""
    names = {dict: "object", list: "array", str: "string", bool: "bool", int: "number"}
    return names.get(type(value), "number")


def compact(text: str) -> str:
    """The JSON *text* without blanks, the characters escaped that HTML minds; everything else as it was written."""
    return _escaped(_BLANKS.sub(lambda match: match[1] or "", text))


def of_struct(value: object) -> str:
    """JSON as Go writes a struct, or a list of texts: fields in their own order, no blanks, the characters escaped that HTML minds."""
    return _escaped(json.dumps(value, separators=(",", ":"), ensure_ascii=False))


def entries(text: str) -> list[str]:
    """The entries of the compact JSON list *text*, each as it is written."""
    found, place = [], 1
    while text[place] != "]":
        end = _DECODER.raw_decode(text, place)[1]
        found.append(text[place:end])
        place = end + (text[end] == ",")
    return found


def members(text: str) -> dict[str, str]:
    """The values of the compact JSON object *text* by key, each as it is written."""
    found, place = {}, 1
    while text[place] != "}":
        key, colon = _DECODER.raw_decode(text, place)
        end = _DECODER.raw_decode(text, colon + 1)[1]
        found[str(key)] = text[colon + 1 : end]
        place = end + (text[end] == ",")
    return found


def _escaped(text: str) -> str:
    for char, escape in HTML.items():
        text = text.replace(char, escape)
    return text


_DECODER = json.JSONDecoder(parse_int=float)
_BLANKS = re.compile(r'("(?:[^"\\]|\\.)*")|\s+')
HTML = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
"""The characters that Go's JSON escapes beside what JSON asks for."""


def _refuse_constant(name: str) -> Never:
    """Python takes numbers that JSON has not."""
    raise ValueError(_cut_short(name, 0) or f"invalid character {_quoted(name[0])} {_AFTER['Expecting value']}")


def _reason(text: str, error: json.JSONDecodeError) -> str:
    place, what = error.pos, error.msg
    if what.startswith("Illegal trailing comma"):
        place = len(text) - len(text[place + 1 :].lstrip(_BLANK))
    if place >= len(text) or what.startswith("Unterminated"):
        return _AT_END
    if what == "Expecting ',' delimiter":
        after = "after object key:value pair" if _inside_object(text[:place]) else "after array element"
    elif what == "Invalid \\uXXXX escape":
        digits = _HEXADECIMAL.match(text, place + 1)
        place = digits.end() if digits else place
        after = "in \\u hexadecimal character escape"
    elif what.startswith("Invalid \\escape"):
        place, after = place + 1, "in string escape code"
    else:
        after = _AFTER[what]
    cut = _cut_short(text, place) if what == "Expecting value" else _cut_number(text, place)
    return cut or f"invalid character {_quoted(text[place])} {after}"


def _cut_short(text: str, place: int) -> str | None:
    """Go's complaint where *text* has the beginning of a word or a number of JSON at *place*, but not all of it."""
    rest = f"{text[place:]} "  # Go ends its reading with a blank, and names that
    if rest[0] == "-":
        return f"invalid character {_quoted(rest[1])} in numeric literal"
    word = next((word for word in ("null", "true", "false") if word[0] == rest[0]), "")
    wrong = next((at for at, char in enumerate(word) if rest[at] != char), None)
    if wrong is None:
        return None
    return f"invalid character {_quoted(rest[wrong])} in literal {word} (expecting {_quoted(word[wrong])})"


def _cut_number(text: str, place: int) -> str | None:
    """The same of a number that was whole at *place*, but goes on."""
    goes_on = re.match(r"(\.)|[eE][+-]?", text[place:])
    if not goes_on or not text[place - 1 : place].isdigit():
        return None
    where = "after decimal point in numeric literal" if goes_on[1] else "in exponent of numeric literal"
    return f"invalid character {_quoted(f'{text} '[place + goes_on.end()])} {where}"


def _inside_object(text: str) -> bool:
    """True where what *text* opened last, and did not close, is an object."""
    opened: list[str] = []
    for char in _STRING.sub("", text):
        if char in "{[":
            opened.append(char)
        elif char in "}]":
            opened.pop()
    return opened[-1:] == ["{"]


def _quoted(char: str) -> str:
    """*char* as Go quotes it: of one that is several bytes, the first."""
    first = chr(char.encode()[0])
    if first in "'\\":
        return f"'\\{first}'"
    return f"'{first}'" if first.isprintable() else _ESCAPED.get(first, f"'\\x{ord(first):02x}'")
