"""The values at given places of a sorted column: what medians and quantiles are made of."""

import math
from collections.abc import Sequence
from typing import Any

from argosy.adapters.duckdb_tables.checks import questions
from argosy.adapters.duckdb_tables.checks.asked_columns import AskedColumn
from argosy.adapters.duckdb_tables.checks.questions import Query, TableAnswers, TableJudgement

TOLERANCE = 1e-4
"""Great Expectations' own, of a quantile and the ends of its range."""
CLOSE = 1e-9
HALF = 0.5


def query(column: AskedColumn, places: Sequence[int], count: int) -> Query:
    """The query for the values of *column* at *places*, from 0, of the *count* that are there."""
    # In the middle of a value's share, where no rounding leads to its neighbour.
    shares = ", ".join(repr((place + HALF) / count) for place in places)
    return Query(f"SELECT unnest(quantile_disc({column.sql}, [{shares}])) FROM {questions.TABLE}")  # noqa: S608


def values(answers: TableAnswers, asked: Query) -> list[Any]:
    """What *asked* found."""
    return [value for (value,) in answers.rows(asked)]


def nearest(count: int, share: float) -> int | None:
    """The place nearest to the quantile *share* of *count* values, of two the even one; None where rounding could lead to either."""
    exact = (count - 1) * share
    rest = exact - math.floor(exact)
    if rest != HALF and abs(rest - HALF) < CLOSE * max(1.0, exact):
        return None
    return round(exact)


def understood(ranges: Any) -> bool:
    """Whether *ranges*, Great Expectations' ``quantile_ranges``, are such that it would not object."""
    if not isinstance(ranges, dict) or set(ranges) != {"quantiles", "value_ranges"}:
        return False
    shares, limits = ranges["quantiles"], ranges["value_ranges"]
    if not isinstance(shares, list) or not isinstance(limits, list) or len(shares) != len(limits) or not shares:
        return False
    return all(_is_number(share) and 0 <= share <= 1 for share in shares) and all(map(_is_range, limits))


def _is_range(limits: Any) -> bool:
    if not isinstance(limits, list) or len(limits) != 2:
        return False
    known = [each for each in limits if each is not None]
    return all(map(_is_number, known)) and known == sorted(known)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def in_ranges(shares: Sequence[float], found: Sequence[Any], ranges: Sequence[Sequence[Any]]) -> TableJudgement:
    """Whether each quantile *found* is in its range, whose ends are a little wider than they say."""
    passed = all(_is_in(value, limits) for value, limits in zip(found, ranges, strict=True))
    return TableJudgement(passed, observed={"quantiles": list(shares), "values": list(found)})


def _is_in(value: Any, limits: Sequence[Any]) -> bool:
    least, most = limits
    close = any(end is not None and abs(value - end) <= 1e-8 + TOLERANCE * abs(end) for end in (least, most))
    return close or ((least is None or least <= value) and (most is None or value <= most))
