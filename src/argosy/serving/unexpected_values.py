"""Finds values in rows that the model was not made for: a level of a category that training never saw, null where the contract allows none.

The model's signature says what becomes of such a row (``serving.unknown_level``, ``serving.unexpected_null``): refused, or scored as
missing with a warning in the answer. It is counted either way, wherever the values came from, a request or the online store.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from argosy.domain.bundle import Signature
from argosy.domain.model_settings import Surprise
from argosy.serving.prometheus import Metrics
from argosy.serving.request_problems import RequestProblem
from argosy.serving.rows import RequestRows, Value

Kind = Literal["unknown level", "unexpected null"]
SHOWN_LEVELS = 10
SHOWN_WARNINGS = 20
"""Warnings in one answer; how many more there are is said."""


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
        }
        self._count = {"unknown level": metrics.unknown_levels, "unexpected null": metrics.unexpected_nulls}
        self._levels = {column.name: column.levels or [] for column in signature.features}
        self._columns = [
            (column.name, frozenset(column.levels or ()) if column.type == "category" else None, column.nullable)
            for column in signature.features
            if column.type == "category" or not column.nullable
        ]

    def warnings(self, asked: RequestRows, features: Sequence[Mapping[str, Value]]) -> list[str]:
        """Warnings about the rows *asked* for, whose *features* are used. Raises RequestProblem (422) for a refused value."""
        found = list(self._found(features))
        if not found:
            return []
        for surprise in found:
            self._count[surprise.kind].labels(surprise.feature).inc()
        for surprise in found:
            if self._policy[surprise.kind] == "refuse":
                raise RequestProblem(
                    422,
                    self._reason(surprise, stored=asked.rows[surprise.row].features is None),
                    field=asked.where(surprise.row, surprise.feature),
                )
        return _told(found, asked)

    def _found(self, features: Sequence[Mapping[str, Value]]) -> Iterator[UnexpectedValue]:
        for place, row in enumerate(features):
            for name, levels, nullable in self._columns:
                value = row[name]
                if value is None:
                    if not nullable:
                        yield UnexpectedValue(place, name, "unexpected null")
                elif levels is not None and value not in levels:
                    yield UnexpectedValue(place, name, "unknown level")

    def _reason(self, surprise: UnexpectedValue, *, stored: bool) -> str:
        whose = "in the online store " if stored else ""
        if surprise.kind == "unexpected null":
            return f"the value {whose}is null, and the contract allows none"
        known = self._levels[surprise.feature]
        more = ", …" if len(known) > SHOWN_LEVELS else ""
        return f"the level {whose}is none that the model knows; it knows {', '.join(known[:SHOWN_LEVELS])}{more}"


def _told(found: Sequence[UnexpectedValue], asked: RequestRows) -> list[str]:
    told = [
        f"{asked.where(surprise.row, surprise.feature)}: {surprise.kind}, scored as missing"
        for surprise in found[:SHOWN_WARNINGS]
    ]
    left = len(found) - len(told)
    return [*told, f"and {left} more"] if left else told
