"""Turns answers into log records without personal data: personal features left out, join keys as a keyed hash, free text as "other"."""

import time
from collections.abc import Mapping, Sequence

from argosy.domain.bundle import Signature
from argosy.domain.data import FeatureColumn
from argosy.domain.pseudonyms import hashed
from argosy.ports.prediction_log import OTHER, Prediction, PredictionLog
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
        now = time.time()
        self._log.append(
            [
                Prediction(now, request_id, place, self._hashed(row.entity), self._clean(used), score, decision)
                for place, (row, used, score, decision) in enumerate(
                    zip(rows, features, scores, decisions, strict=True)
                )
            ]
        )

    def _hashed(self, entity: Mapping[str, str | int] | None) -> str | None:
        return None if entity is None else hashed(entity, self._key)

    def _clean(self, features: Mapping[str, Value]) -> dict[str, Value]:
        clean: dict[str, Value] = {}
        for name, levels in self._levels.items():
            value = features[name]
            clean[name] = value if levels is None or value is None or value in levels else OTHER
        return clean


def logged(signature: Signature) -> list[FeatureColumn]:
    """The features that are logged."""
    return [column for column in signature.features if not column.personal]


def columns(signature: Signature) -> list[tuple[str, str]]:
    """Name and type of each feature that is logged."""
    return [(column.name, column.type) for column in logged(signature)]
