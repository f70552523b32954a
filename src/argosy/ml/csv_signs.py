"""What a CSV file is written with where nobody says it: what stands between its values, its decimal sign, words for a missing value."""

import csv
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


def delimiter(stream: BinaryIO) -> str:
    """The sign that the header of *stream*, read from where it stands, has most of."""
    start = stream.readline(MOST_HEADER).decode("utf-8-sig", errors="replace")
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
