"""Turns answers into log records without personal data: personal features left out, join keys as a keyed hash, free text as "other"."""

import time
from collections.abc import Mapping, Sequence

from argosy.domain.bundle import Signature
from argosy.domain.data import FeatureColumn
from argosy.domain.pseudonyms import hashed
from argosy.ports.prediction_log import OTHER, AnsweredRows, PredictionLog
from argosy.serving.rows import Row, Value


class Recorder:
    """Writes to one log."""

    def __init__(self, log: PredictionLog, signature: Signature, hash_key: bytes) -> None:
        """*hash_key*: the secret under which join keys are hashed."""
        self._log = log
        self._key = hash_key
        self._levels = {
            column.name: frozenset(column.levels or ()) if column.type == "category" else None
            for column in logged(signature)
        }

    def record(
        self,
        request_id: str,
        rows: Sequence[Row],
        features: Sequence[Mapping[str, Value]],
        scores: Sequence[Sequence[float]],
        decisions: Sequence[str | None],
    ) -> None:
        """Log the answers to the *rows* of one request, whose *features* were used."""
        self._log.append(
            AnsweredRows(
                time.time(),
                request_id,
                entities=[None if row.entity is None else hashed(row.entity, self._key) for row in rows],
                features={name: _clean(name, levels, features) for name, levels in self._levels.items()},
                scores=scores,
                decisions=decisions,
            )
        )


def _clean(name: str, levels: frozenset[str] | None, features: Sequence[Mapping[str, Value]]) -> list[Value]:
    values = [row[name] for row in features]
    if levels is None:
        return values
    return [value if value is None or value in levels else OTHER for value in values]


def logged(signature: Signature) -> list[FeatureColumn]:
    """The features that are logged."""
    return [column for column in signature.features if not column.personal]


def columns(signature: Signature) -> list[tuple[str, str]]:
    """Name and type of each feature that is logged."""
    return [(column.name, column.type) for column in logged(signature)]
