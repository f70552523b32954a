"""Turns answers into log records without personal data: personal features left out, join keys as a keyed hash, free text as "other"."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from argosy.domain.bundle import Signature
from argosy.domain.pseudonyms import hashed
from argosy.ports.prediction_log import OTHER, AnsweredRows, PredictionLog
from argosy.serving.request_columns import RequestColumns
from argosy.serving.rows import Value

if TYPE_CHECKING:
    from argosy.ports.prediction_log import Scores


class Recorder:
    """Writes to one log."""

    def __init__(self, log: PredictionLog, signature: Signature, hash_key: bytes) -> None:
        """*hash_key*: the secret under which join keys are hashed."""
        self._log = log
        self._key = hash_key
        self._levels = {
            column.name: frozenset(column.levels or ()) if column.type == "category" else None
            for column in signature.logged
        }

    def record(
        self,
        request_id: str,
        asked: RequestColumns,
        scores: "Scores",
        decisions: Sequence[str | None],
        places: Sequence[int] | None = None,
    ) -> None:
        """Log the answers to the rows *asked* for, whose features are there.

        *places*: of these rows in their request, where they are not all of it.
        """
        clean = _as_it_is if asked.matrix is not None else _clean
        rows = AnsweredRows(
            time.time(),
            request_id,
            entities=self._hashed(asked),
            features={name: clean(levels, asked.features[name]) for name, levels in self._levels.items()},
            scores=scores,
            decisions=decisions,
        )
        if places is None:
            self._log.append(rows)
        else:
            self._log.append([replace(row, row=place) for row, place in zip(rows, places, strict=True)])

    def _hashed(self, asked: RequestColumns) -> list[str | None]:
        if asked.entities is None:
            return [None] * asked.count
        return [None if entity is None else hashed(entity, self._key) for entity in asked.entities]


def _as_it_is(_: frozenset[str] | None, values: Sequence[Value]) -> Sequence[Value]:
    """A column that was encoded: each of its values is a level, or null."""
    return values


def _clean(levels: frozenset[str] | None, values: Sequence[Value]) -> Sequence[Value]:
    if levels is None:
        return values
    return [value if value is None or value in levels else OTHER for value in values]


def columns(signature: Signature) -> list[tuple[str, str]]:
    """Name and type of each feature that is logged."""
    return [(column.name, column.type) for column in signature.logged]
