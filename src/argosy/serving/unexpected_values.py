"""Finds values in rows that the model was not made for: a level of a category that training never saw, null where the contract allows none.

The model's signature says what becomes of such a row (``serving.unknown_level``, ``serving.unexpected_null``): refused, or scored as
missing with a warning in the answer. It is counted either way, wherever the values came from, a request or the online store. A value there
that has outlived its view is null like any other, but never without a word.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from argosy.domain.bundle import Signature
from argosy.domain.model_settings import Surprise
from argosy.serving.prometheus import Metrics
from argosy.serving.request_columns import RequestColumns
from argosy.serving.request_problems import RequestProblem
from argosy.serving.rows import Value

Kind = Literal["unknown level", "unexpected null", "expired value"]
SHOWN_LEVELS = 10
SHOWN_WARNINGS = 20
"""Warnings in one answer; how many more there are is said."""
MOST_SERIES = 500
"""Features of either counter that stand at 0 from the start; those of a wider model come with their first value."""


@dataclass(frozen=True, slots=True)
class UnexpectedValue:
    """One unexpected value, by row and feature. The value itself is not kept: a caller may have typed personal data."""

    row: int
    feature: str
    kind: Kind


class UnexpectedValues:
    """Finds, counts, refuses or reports unexpected values, by the policy of one signature."""

    def __init__(self, signature: Signature, metrics: Metrics) -> None:
        policy = signature.serving
        self._policy: dict[Kind, Surprise] = {
            "unknown level": policy.unknown_level,
            "unexpected null": policy.unexpected_null,
            "expired value": policy.unexpected_null,
        }
        self._count = {
            "unknown level": metrics.unknown_levels,
            "unexpected null": metrics.unexpected_nulls,
            "expired value": metrics.expired_values,
        }
        self._levels = {column.name: column.levels or [] for column in signature.features}
        self._places = {column.name: place for place, column in enumerate(signature.features)}
        self._columns = [
            (column.name, frozenset(column.levels or ()) if column.type == "category" else None, column.nullable)
            for column in signature.features
            if column.type == "category" or not column.nullable
        ]
        self._demanded = [place for place, column in enumerate(signature.features) if not column.nullable]
        self._nullable = frozenset(column.name for column in signature.features if column.nullable)
        # To Prometheus what first appears with a number has not grown by it.
        categories = [name for name, levels, _ in self._columns if levels is not None]
        for counter, features in (
            (metrics.unknown_levels, categories),
            (metrics.unexpected_nulls, [name for name, _, nullable in self._columns if not nullable]),
        ):
            for feature in features[:MOST_SERIES]:
                counter.labels(feature)

    def warnings(self, asked: RequestColumns) -> list[str]:
        """Warnings about the rows *asked* for, whose features are there. Raises RequestProblem (422) for a refused value."""
        if self.expected(asked):
            return []
        found = self._found(asked)
        for surprise in found:
            self._count[surprise.kind].labels(surprise.feature).inc()
        for surprise in found:
            if self._refused(surprise):
                raise RequestProblem(
                    422,
                    self._reason(surprise, stored=surprise.row in asked.by_id),
                    field=asked.where(surprise.row, surprise.feature),
                )
        return _told(found, asked)

    def expected(self, asked: RequestColumns) -> bool:
        """True where nothing is unexpected: what was encoded as columns holds levels that the model knows, so only nulls are left."""
        if asked.matrix is None or asked.expired:
            return False
        return not (self._demanded and np.isnan(asked.matrix[:, self._demanded]).any())

    def _refused(self, surprise: UnexpectedValue) -> bool:
        if surprise.kind == "expired value" and surprise.feature in self._nullable:
            return False
        return self._policy[surprise.kind] == "refuse"

    def _found(self, asked: RequestColumns) -> list[UnexpectedValue]:
        """By row, and in a row in the model's order."""
        expired = {(row, name) for row, names in asked.expired.items() for name in names}
        found = [
            surprise
            for name, levels, nullable in self._columns
            for surprise in _in_column(name, asked.features[name], levels, nullable=nullable)
            if (surprise.row, name) not in expired
        ]
        found += [UnexpectedValue(row, name, "expired value") for row, name in expired]
        return sorted(found, key=lambda surprise: (surprise.row, self._places[surprise.feature]))

    def _reason(self, surprise: UnexpectedValue, *, stored: bool) -> str:
        whose = "in the online store " if stored else ""
        if surprise.kind == "expired value":
            return (
                f"the value {whose}has outlived the `ttl` of its view, so it is missing, and the contract allows no null; "
                "send every feature"
            )
        if surprise.kind == "unexpected null":
            return f"the value {whose}is null, and the contract allows none"
        known = self._levels[surprise.feature]
        more = ", …" if len(known) > SHOWN_LEVELS else ""
        return f"the level {whose}is none that the model knows; it knows {', '.join(known[:SHOWN_LEVELS])}{more}"


def _in_column(
    name: str, values: Sequence[Value], levels: frozenset[str] | None, *, nullable: bool
) -> Iterator[UnexpectedValue]:
    for place, value in enumerate(values):
        if value is None:
            if not nullable:
                yield UnexpectedValue(place, name, "unexpected null")
        elif levels is not None and value not in levels:
            yield UnexpectedValue(place, name, "unknown level")


def _told(found: Sequence[UnexpectedValue], asked: RequestColumns) -> list[str]:
    told = [
        f"{asked.where(surprise.row, surprise.feature)}: {surprise.kind}, scored as missing"
        for surprise in found[:SHOWN_WARNINGS]
    ]
    left = len(found) - len(told)
    return [*told, f"and {left} more"] if left else told
