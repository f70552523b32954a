"""Formats of numbers wherever people read it: report, terminal, Markdown. One place, so that no two of them differ."""

import math

DASH = "\N{EN DASH}"
LARGE = ((1e12, "trillion"), (1e9, "billion"))
SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float | int | None, absent: str = DASH) -> str:
    """Four significant digits, thousands separated, billions and trillions named; *absent* for None and NaN.

    Whole numbers below a billion keep all their digits: they are counts.
    """
    if value is None or math.isnan(value):
        return absent
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return f"{'-' if value < 0 else ''}{_size(abs(value))}"


def value(found: float) -> str:
    """A value of a column, as :func:`number`, but for whole ones of four digits: they may be years, which nobody separates."""
    return f"{found:.0f}" if float(found).is_integer() and abs(found) < 10_000 else number(found)


def signed(value: float) -> str:
    """A change, with its sign: of a score four decimals, of what is larger as :func:`number`."""
    if abs(value) < 10:
        return f"{value:+.4f}"
    return number(value) if value < 0 else f"+{number(value)}"


def _size(size: float | int) -> str:
    if size >= 1e15 or 0 < size < 1e-4:
        digits, _, power = f"{size:.1e}".partition("e")
        return f"{digits} \N{MULTIPLICATION SIGN} 10{str(int(power)).translate(SUPERSCRIPT)}"
    for unit, name in LARGE:
        if size >= unit:
            return f"{size / unit:.4g} {name}"
    if float(size).is_integer() or size >= 999.95:
        return f"{size:,.0f}"
    return f"{size:.4g}"
