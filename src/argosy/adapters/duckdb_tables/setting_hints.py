"""Hints about a value that breaks the data contract: the setting that would read it, if there is one."""

import re

from argosy.adapters.duckdb_tables import sql
from argosy.domain.source_settings import EPOCHS, Column, Source

MISSING = {"na", "n/a", "nan", "null", "none", "nil", "?", "-", "--", ".", "missing", "unknown", "#n/a"}
"""Words that people and programs write for a missing value; never taken for one unless the contract says so."""

PAIRS = (("yes", "no"), ("y", "n"), ("t", "f"), ("1", "0"), ("on", "off"), ("1.0", "0.0"))


def of(source: Source, column: Column, value: str) -> str | None:
    """The setting that would read *value* in *column*; nothing of a personal column's value is told. None where no setting would."""
    word = value.strip()
    if source.has_no_file:
        return _in_query(column, word)
    if word.casefold() in MISSING:
        return f"if that stands for a missing value, set `missing: [{'...' if column.personal else repr(word)}]` at the source"
    match column.type:
        case "boolean":
            return _boolean(column, word)
        case "timestamp":
            return _timestamp(column, word)
        case "integer" | "number":
            return _number(source, column, word)
        case _:
            return None


def _in_query(column: Column, word: str) -> str | None:
    """As :func:`of`, where the source's settings have a query in place of a file's form."""
    if word.casefold() in MISSING:
        return "if that stands for a missing value, make it NULL in the query (`nullif`)"
    if column.type == "timestamp" and word.startswith("0000-00-00"):
        return "that is MySQL's date for none: make it NULL in the query (`nullif`)"
    if column.type in ("boolean", "timestamp"):
        return _boolean(column, word) if column.type == "boolean" else _timestamp(column, word)
    return "convert it in the query"


def _boolean(column: Column, word: str) -> str | None:
    if column.means_true:
        return "add the word to the column's `means_true` or `means_false`"
    yes, no = next((pair for pair in PAIRS if word.casefold() in pair), ("yes", "no"))
    if not column.personal and word.casefold() in (yes, no):
        yes, no = (_as_written(each, word) for each in (yes, no))
    return f'name the column\'s words: `means_true: ["{yes}"], means_false: ["{no}"]`'


def _as_written(word: str, like: str) -> str:
    return (
        word.upper() if like.isupper() and len(like) == len(word) else word.capitalize() if like[0].isupper() else word
    )


def _timestamp(column: Column, word: str) -> str | None:
    if re.fullmatch(sql.LOCAL, word) and not column.timezone and not column.format:
        return (
            "it names no zone, so nobody can say which moment is meant: set `timezone: UTC`, or another, at the column"
        )
    if column.format:
        return f"the column's `format` is {column.format!r}"
    if form := _form(word):
        return f"say how it is written with `format: {form}` at the column{_zone(form)}"
    if re.search(r"[0-9]", word):
        return 'say how it is written with `format: "%d.%m.%Y %H:%M"` or alike at the column, and its `timezone`'
    return None


def _form(word: str) -> str | None:
    """The format that *word* is written in, where it can be one alone."""
    if re.fullmatch(r"1[0-9]{9}", word):
        return "epoch"
    if re.fullmatch(r"1[0-9]{12}", word):
        return "epoch_ms"
    matched = re.fullmatch(r"(\d{1,2})([./-])(\d{1,2})\2(\d{4})( \d{2}:\d{2}(:\d{2})?)?", word)
    if matched is None:
        return None
    first, sign, second = int(matched[1]), matched[2], int(matched[3])
    # A day and a month that could each be the other are told by no single value, but where points stand between them.
    if sign != "." and first <= 12 and second <= 12:
        return None
    month_first = second > 12
    date = f"%m{sign}%d{sign}%Y" if month_first else f"%d{sign}%m{sign}%Y"
    clock = "" if not matched[5] else " %H:%M:%S" if matched[6] else " %H:%M"
    return f'"{date}{clock}"'


def _zone(form: str) -> str:
    return "" if form in EPOCHS else ", and its `timezone`"


def _number(source: Source, column: Column, word: str) -> str | None:
    if re.fullmatch(r"[+-]?[0-9]{1,3}([ ',.][0-9]{3})+([.,][0-9]+)?", word) and not re.fullmatch(sql.NUMBER, word):
        comma = source.decimal != "," and word.count(",") == 1
        return f"write numbers without signs between thousands{_decimal_comma(', or, ') if comma else ''}"
    if column.type == "integer" and source.decimal is None and re.fullmatch(sql.MAYBE_THOUSANDS, word):
        return "if its point is a decimal sign, set `decimal: '.'` at the source; if it stands between thousands, write numbers without it"
    if source.decimal != "," and re.fullmatch(r"[+-]?[0-9]+,[0-9]+([eE][+-]?[0-9]+)?", word):
        return _decimal_comma("")
    if column.type == "integer" and re.fullmatch(r"[+-]?[0-9]{19,}", word):
        return "it is larger than a whole number of 64 bits: an id that long is declared `type: string`, and keeps every digit"
    if column.type == "integer" and re.fullmatch(sql.NUMBER, word):
        whole = float(word).is_integer()
        return (
            "write whole numbers out"
            if whole
            else "it is no whole number: declare `type: number` if fractions are meant"
        )
    if re.fullmatch(r"[+-]?[0-9.,]+ ?[%$€£]|[$€£] ?[0-9.,]+", word):
        return "write the number alone, its unit in `unit`"
    return None


def _decimal_comma(before: str) -> str:
    return f"{before}if the comma is its decimal sign, set `decimal: ','` at the source"
