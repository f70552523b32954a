"""How a CSV file is written where the settings do not say it: found by the contract, never by what looks likely, and said.

A delimiter counts where it makes all of the contract's columns out of the header, so that a hint for Excel above it (``sep=;``) is only
passed over; a decimal comma where numbers of the contract have one that can be nothing else. What is in doubt is left alone, and refused
with the setting that decides it.
"""

import csv
import itertools
import re
from collections.abc import Iterator
from pathlib import Path

from argosy.domain.source_settings import Source
from argosy.ml import csv_signs

DELIMITERS = (";", "\t", "|", ",")
ROWS = 1000
"""Rows that are looked at for the decimal sign."""
LONGEST = 1 << 20
WITH_COMMA, MAYBE_THOUSANDS = re.compile(csv_signs.WITH_COMMA), re.compile(csv_signs.MAYBE_THOUSANDS)


def found(source: Source, file: Path, *, whole: bool = True) -> Source:
    """*source* with the delimiter and the decimal sign that *file* has, where its settings name none.

    *whole*: whether it has to have all columns of the contract; else most of them decide.
    """
    if source.delimiter is None and (delimiter := _delimiter(source, file, whole=whole)):
        source = source.model_copy(update={"delimiter": delimiter})
    if source.decimal is None and source.delimiter not in (None, ",") and _has_decimal_comma(source, file):
        source = source.model_copy(update={"decimal": ","})
    return source


def said(source: Source, read: Source) -> str | None:
    """What of *read* is not of the settings' *source*, in words; None where nothing is."""
    parts = []
    if read.delimiter != source.delimiter:
        parts.append(f"{word(read.delimiter or ',')!r} between values (`delimiter`)")
    if read.decimal != source.decimal:
        parts.append("a decimal comma (`decimal`)")
    return " and ".join(parts) or None


def word(delimiter: str) -> str:
    """*delimiter* as it stands in settings."""
    return "tab" if delimiter == "\t" else delimiter


def hint_lines(file: Path) -> int:
    """The lines of *file* above its header; see :func:`csv_signs.hint_lines`."""
    with file.open("rb") as stream:
        return csv_signs.hint_lines(stream)


def _delimiter(source: Source, file: Path, *, whole: bool) -> str | None:
    wanted = {column.name for column in source.columns}
    named = {delimiter: len(wanted.intersection(next(_records(file, delimiter), []))) for delimiter in DELIMITERS}
    most = len(wanted) if whole else max(*named.values(), 1)
    if named[","] == most:
        return None
    fitting = [delimiter for delimiter in DELIMITERS if named[delimiter] == most]
    return fitting[0] if len(fitting) == 1 else None


def _has_decimal_comma(source: Source, file: Path) -> bool:
    records = _records(file, source.delimiter or ",")
    header = next(records, [])
    numbers = {column.name for column in source.columns if column.type in ("integer", "number")}
    places = [place for place, name in enumerate(header) if name in numbers]
    values = [
        record[place].strip() for record in itertools.islice(records, ROWS) for place in places if place < len(record)
    ]
    commas = [value for value in values if WITH_COMMA.fullmatch(value)]
    sure = any(not MAYBE_THOUSANDS.fullmatch(value) for value in commas)
    return sure and not any("." in value for value in values)


def _records(file: Path, delimiter: str) -> Iterator[list[str]]:
    """The records of *file* up to the first that is none; whoever reads it whole says what is wrong there."""
    csv.field_size_limit(LONGEST)
    before = hint_lines(file)
    with file.open(encoding="utf-8-sig", newline="") as stream:
        for _ in range(before):
            stream.readline(LONGEST)
        lines = iter(lambda: stream.readline(LONGEST), "")
        try:
            yield from csv.reader(lines, delimiter=delimiter, strict=True)
        except (csv.Error, UnicodeDecodeError):
            return
