"""Measures of a table's parts to those of the table, exactly; fractions to their last digits, which no order of adding up has for itself.

What does not follow from parts, such as distinct values, repeated ones and the places of a sorted column, is no measure but a query.
"""

import datetime
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from argosy.adapters.duckdb_tables.checks.questions import Measure, Merged

MOMENT = "moment"


def merged(measure: Measure, found: Sequence[Any]) -> Any:
    """The *measure* of a table, of whose parts it was *found*; of one part it is that part's."""
    if len(found) == 1:
        return found[0]
    there = [value for value in found if value is not None]
    return MERGING[measure.merged](there) if there else None


def _added(values: Sequence[Any]) -> Any:
    if not any(isinstance(value, float) for value in values):
        return sum(values)
    fractions = [float(value) for value in values]
    return math.fsum(fractions) if all(map(math.isfinite, fractions)) else sum(fractions)


def _spread(values: Sequence[Any]) -> list[Any]:
    """Count, mean and sum of the squares of distances from it, by Chan, Golub and LeVeque."""
    together: list[Any] = [0, None, None]
    for count, mean, squares in values:
        if not count:
            continue
        before, centre, distances = together
        if not before:
            together = [count, mean, squares]
            continue
        away = mean - centre
        total = before + count
        together = [
            total,
            centre + away * count / total,
            distances + squares + away * away * before * count / total,
        ]
    return together


MERGING: Mapping[Merged, Callable[[Sequence[Any]], Any]] = {
    "added": _added,
    "least": min,
    "greatest": max,
    "spread": _spread,
}


def as_json(value: Any) -> Any:
    """The measured *value* as JSON keeps it."""
    return {MOMENT: value.isoformat()} if isinstance(value, datetime.datetime) else value


def from_json(value: Any) -> Any:
    """What :func:`as_json` made, as it was."""
    return datetime.datetime.fromisoformat(value[MOMENT]) if isinstance(value, dict) else value
