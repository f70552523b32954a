"""Values of ``expectations.json`` as literals of SQL, where they mean to DuckDB what they mean to pandas beside a column of that kind."""

import datetime
import math
from collections.abc import Iterable
from typing import Any

from argosy.adapters.duckdb_tables import sql
from argosy.adapters.duckdb_tables.checks.asked_columns import Kind

EXACT = 2**52
"""Below this a whole number beside a fraction is compared alike by everybody."""


def number(value: Any, kind: Kind) -> str | None:
    """*value* as a bound of a column of numbers; None where somebody may compare it in another way.

    A bound that is a large whole number Great Expectations makes a fraction of, and sometimes the values with it.
    """
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    if kind == "number":
        return f"'{float(value)!r}'::DOUBLE" if isinstance(value, float) or abs(value) <= EXACT else None
    if isinstance(value, int):
        return f"({value})" if abs(value) < EXACT else None
    return f"'{value!r}'::DOUBLE" if abs(value) < EXACT else None


def moment(value: Any) -> str | None:
    """*value* as a moment; None where it is none or does not say in which zone it is."""
    if not isinstance(value, str):
        return None
    try:
        parsed = datetime.datetime.fromisoformat(value)
    except ValueError:
        return None
    if parsed.tzinfo is None or value[4:5] != "-":
        return None
    return f"{sql.text(parsed.astimezone(datetime.UTC).isoformat())}::TIMESTAMPTZ"


def bound(value: Any, kind: Kind) -> str | None:
    """*value* as a bound of a column of *kind*."""
    if kind in ("integer", "number"):
        return number(value, kind)
    return moment(value) if kind == "moment" else None


def members(values: Any, kind: Kind) -> list[str] | None:
    """*values* as a set of values of *kind*; None where it is no list, or one of them is of another kind."""
    if not isinstance(values, list) or not values:
        return None
    found = [member(value, kind) for value in values]
    return None if None in found else [each for each in found if each is not None]


def member(value: Any, kind: Kind) -> str | None:
    """*value* as one that a column of *kind* can have."""
    if kind == "text":
        # A null character ends a text for some and not for others.
        return sql.text(value) if isinstance(value, str) and "\0" not in value else None
    if kind == "integer":
        fits = isinstance(value, int) and not isinstance(value, bool) and -(2**63) <= value < 2**63
        return f"({value})" if fits else None
    if kind == "number":
        return number(value, kind)
    return str(value).lower() if kind == "boolean" and isinstance(value, bool) else None


def listed(literals: Iterable[str]) -> str:
    """*literals* as a list in parentheses."""
    return f"({', '.join(literals)})"


def parsed(bound: Any, value: Any) -> Any:
    """*bound* as what it is compared with: a moment where *value* is one."""
    return (
        datetime.datetime.fromisoformat(bound)
        if isinstance(value, datetime.datetime) and isinstance(bound, str)
        else bound
    )
