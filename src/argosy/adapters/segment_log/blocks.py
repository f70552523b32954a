"""The payload of a frame: the records of some requests as columns, numbers and codes in binary behind a head of JSON.

Writing looks at no value by itself where NumPy can do it, reading at none at all: sealing a segment is putting the columns of its blocks
one after another. ``features`` are name and type of each, in the order of a segment's header.
"""

import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from argosy.ports.prediction_log import AnsweredRows, Prediction

Features = Sequence[tuple[str, str]]
Numbers = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int32]

_HEAD = struct.Struct("<I")
_NUMBER, _CODE = np.dtype("<f8"), np.dtype("<i4")


@dataclass(frozen=True, slots=True)
class RecordBlock:
    """A block, read back. Requests first, then what has a value a row, then what has one a score."""

    times: list[int]
    """Microseconds since 1970."""
    request_ids: list[str]
    first_rows: list[int]
    counts: list[int]
    """Rows of each request."""
    entities: list[str | None] | None
    """None where no row has one."""
    widths: list[int]
    """Scores of each row, or the one number that all rows have."""
    scores: Numbers
    numbers: Numbers
    """A row a feature that is a number."""
    words: list[list[str | None]]
    """The values that are meant by the codes of the decisions, and of each feature that is a category."""
    codes: Codes
    """A row for the decisions, and one a feature that is a category."""


def packed(batches: Iterable[Sequence[Prediction]], features: Features) -> bytes:
    """The block of *batches*."""
    requests = list(chain.from_iterable(map(_requests, batches)))
    count = sum(len(rows) for rows, _ in requests)
    widths, scores = _scores(requests)
    columns = [_features(requests, name) for name, kind in features if kind == "number"]
    coded: list[Sequence[str | None]] = [_joined([rows.decisions for rows, _ in requests])]
    coded += [_features(requests, name) for name, kind in features if kind != "number"]
    entities = _joined([rows.entities for rows, _ in requests])
    # In one order, so that the blocks of a segment nearly always mean the same by their codes.
    words = [sorted(set(values), key=_null_last) for values in coded]
    head = orjson.dumps(
        {
            "time": [round(rows.time * 1_000_000) for rows, _ in requests],
            "request_id": [rows.request_id for rows, _ in requests],
            "row": [first for _, first in requests],
            "rows": [len(rows) for rows, _ in requests],
            "entity": entities if any(entities) else None,
            "width": widths,
            "words": words,
        }
    )
    return b"".join(
        [
            _HEAD.pack(len(head)),
            head,
            scores.tobytes(),
            np.array(columns, _NUMBER).tobytes(),
            *(_codes(values, known, count) for values, known in zip(coded, words, strict=True)),
        ]
    )


def read(payload: bytes, features: Features) -> RecordBlock:
    """The block *payload*. Raises ValueError where it is none of these *features*."""
    try:
        (length,) = _HEAD.unpack_from(payload)
        head: dict[str, Any] = orjson.loads(payload[_HEAD.size : _HEAD.size + length])
        count, widths = sum(head["rows"]), head["width"]
        scored = count * widths[0] if len(widths) == 1 else sum(widths)
        kinds = [kind == "number" for _, kind in features]
        shape, place = (kinds.count(True), count), _HEAD.size + length
        scores = np.frombuffer(payload, _NUMBER, scored, place)
        place += scores.nbytes
        numbers = np.frombuffer(payload, _NUMBER, shape[0] * count, place)
        place += numbers.nbytes
        codes = np.frombuffer(payload, _CODE, (1 + kinds.count(False)) * count, place)
        if place + codes.nbytes != len(payload):
            raise ValueError("a block is longer than its records")
        return RecordBlock(
            times=head["time"],
            request_ids=head["request_id"],
            first_rows=head["row"],
            counts=head["rows"],
            entities=head["entity"],
            widths=widths,
            scores=scores,
            numbers=numbers.reshape(shape),
            words=head["words"],
            codes=codes.reshape(-1, count),
        )
    except (struct.error, KeyError, TypeError) as error:
        raise ValueError(f"not a block of records: {error}") from error


def _requests(predictions: Sequence[Prediction]) -> Iterator[tuple[AnsweredRows, int]]:
    """*predictions* by request, each with the place of its first row: the rows of a request at once, others each by itself."""
    if isinstance(predictions, AnsweredRows):
        yield predictions, 0
    else:
        yield from ((_alone(one), one.row) for one in predictions)


def _alone(one: Prediction) -> AnsweredRows:
    return AnsweredRows(
        one.time,
        one.request_id,
        entities=[one.entity],
        features={name: [value] for name, value in one.features.items()},
        scores=[one.score],
        decisions=[one.decision],
    )


def _features(requests: Sequence[tuple[AnsweredRows, int]], name: str) -> Sequence[Any]:
    return _joined([rows.features[name] for rows, _ in requests])


def _joined(columns: Sequence[Sequence[Any]]) -> Sequence[Any]:
    return columns[0] if len(columns) == 1 else list(chain.from_iterable(columns))


def _scores(requests: Sequence[tuple[AnsweredRows, int]]) -> tuple[list[int], Numbers]:
    """The number of scores that all rows have, or else that of each row; and all scores, one after another."""
    arrays = [rows.scores for rows, _ in requests if isinstance(rows.scores, np.ndarray)]
    if len(arrays) == len(requests) and len({array.shape[1] for array in arrays}) == 1:
        return [arrays[0].shape[1]], np.concatenate(arrays).astype(_NUMBER, copy=False)
    rows_of = [one for rows, _ in requests for one in rows.scores]
    widths = list(map(len, rows_of))
    same = len(set(widths)) == 1
    return widths[:1] if same else widths, np.array(list(chain.from_iterable(rows_of)), _NUMBER)


def _null_last(word: str | None) -> tuple[bool, str]:
    return word is None, word or ""


def _codes(values: Sequence[str | None], words: Sequence[str | None], count: int) -> bytes:
    places = {word: place for place, word in enumerate(words)}
    return np.fromiter(map(places.__getitem__, values), _CODE, count).tobytes()
