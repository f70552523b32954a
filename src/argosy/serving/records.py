"""Turns answers into log records without personal data: personal features left out, join keys as a keyed hash, free text as "other"."""

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from argosy.domain.bundle import Signature
from argosy.domain.data import FeatureColumn
from argosy.domain.pseudonyms import hashed
from argosy.ports.prediction_log import OTHER, AnsweredRows, CodedFeatures, FeatureWords, PredictionLog
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
        logged = signature.logged
        names, words = [column.name for column in logged], [_words(column) for column in logged]
        places = [place for place, column in enumerate(signature.features) if not column.personal]
        everything = len(places) == len(signature.features)
        self._alone = FeatureWords(names, words)
        """Of arrays that have what is logged, and of arrays that have every feature:"""
        self._among_all = FeatureWords(names, words, None if everything else np.array(places, np.intp))

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
        rows = AnsweredRows(
            time.time(),
            request_id,
            entities=self._hashed(asked),
            features=self._features(asked),
            scores=scores,
            decisions=decisions,
        )
        if places is None:
            self._log.append(rows)
        else:
            self._log.append([replace(row, row=place) for row, place in zip(rows, places, strict=True)])

    def _features(self, asked: RequestColumns) -> CodedFeatures:
        if asked.encoded is not None:  # each of its values is a level, or null
            return CodedFeatures(self._among_all, asked.encoded.exact)
        names, words = self._alone.names, self._alone.words
        columns = [_cleaned(known, asked.features[name]) for name, known in zip(names, words, strict=True)]
        return CodedFeatures(self._alone, np.array(columns, np.float64).reshape(len(names), asked.count))

    def _hashed(self, asked: RequestColumns) -> list[str | None] | None:
        if asked.entities is None:
            return None
        return [None if entity is None else hashed(entity, self._key) for entity in asked.entities]


def _words(column: FeatureColumn) -> tuple[str, ...] | None:
    """What may be logged of a category; None for a number."""
    return None if column.type == "number" else (*(column.levels or ()), OTHER)


def _cleaned(words: Sequence[str] | None, values: Sequence[Value]) -> Sequence[Any]:
    """*values* as numbers: a category as the place of its word, and what is no level as the last."""
    if words is None:
        return values
    other, places = len(words) - 1, {word: place for place, word in enumerate(words[:-1])}
    return [None if value is None else places.get(cast("str", value), other) for value in values]


def columns(signature: Signature) -> list[tuple[str, str]]:
    """Name and type of each feature that is logged."""
    return [(column.name, column.type) for column in signature.logged]
