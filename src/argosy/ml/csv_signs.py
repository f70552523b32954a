"""What a CSV file is written with where nobody says it: what stands between its values, its decimal sign, words for a missing value.

A first line such as ``sep=;`` is no header: programs write it for Excel, which takes its sign and shows the rest.
"""

import csv
import re
import shlex
from pathlib import PurePath
from typing import BinaryIO

DELIMITERS = (",", ";", "\t", "|")
MISSING_WORDS = ("NA", "N/A", "NaN", "nan", "null", "NULL", "None", "?", "-", ".", "#N/A")
"""Words that stand for a missing value: among numbers or times always, among texts only those that are no word of a language."""
WITH_COMMA = r"^[+-]?[0-9]*,[0-9]+([eE][+-]?[0-9]+)?$"
WITH_POINT = r"^[+-]?[0-9]*\.[0-9]+([eE][+-]?[0-9]+)?$"
MAYBE_THOUSANDS = r"^[+-]?[1-9][0-9]{0,2}(,[0-9]{3})+$"
"""One thing with a decimal comma, and a thousand times that with a sign between thousands: other values of the file tell which."""
MOST_HEADER = 1 << 20
"""Bytes of a header."""
_HINT = re.compile(rb'(?:\xef\xbb\xbf)?("?)sep=([^\w"\r\n\x80-\xff])\1\r?\n', re.IGNORECASE)


def hint(first_line: bytes) -> str | None:
    """The sign that *first_line*, with its end, hints Excel at; None where it is a header."""
    found = _HINT.fullmatch(first_line)
    return None if found is None else found[2].decode()


def hint_lines(stream: BinaryIO) -> int:
    """The lines of *stream*, which is at its beginning, before the header: 1 where there is a hint, else 0."""
    return int(hint(stream.readline(MOST_HEADER)) is not None)


def delimiter(stream: BinaryIO) -> str:
    """The sign that the first line of *stream*, read from where it stands, hints at, or else that the header has most of."""
    line = stream.readline(MOST_HEADER)
    if (hinted := hint(line)) is not None:
        return hinted
    start = line.decode("utf-8-sig", errors="replace")
    parts = {sign: len(next(csv.reader([start], delimiter=sign), [])) for sign in DELIMITERS}
    return max(parts, key=lambda sign: parts[sign])


def foreign_line(name: str, stream: BinaryIO) -> str | None:
    """Where *stream*, the file *name*, is not UTF-8, and the command that makes it so; None where it is."""
    for number, line in enumerate(stream, start=1):
        try:
            line.decode()
        except UnicodeDecodeError:
            file = PurePath(name)
            # What is meant is nobody's guess: Windows-1252 and Latin-1 differ in the euro sign alone.
            return (
                f"line {number} of {name} is not UTF-8 (it may be Windows-1252 or Latin-1); save it as CSV UTF-8, or "
                f"`iconv -f WINDOWS-1252 -t UTF-8 {shlex.quote(file.name)} > {shlex.quote(f'{file.stem}-utf8.csv')}`"
            )
    return None
