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

from argosy.ports.prediction_log import AnsweredRows, CodedFeatures, FeatureWords, Prediction

Features = Sequence[tuple[str, str]]
Numbers = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int32]

_HEAD = struct.Struct("<I")
_FEW_WORDS = 64
"""Words of all categories that a block may name whether they occur in it or not."""
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
    numbers, words, codes = _coded(requests, features) or _looked_up(requests, features)
    decided = _joined([rows.decisions for rows, _ in requests])
    decisions = sorted(set(decided), key=_null_last)
    known = any(rows.entities is not None for rows, _ in requests)
    entities = _joined([rows.entities or [None] * len(rows) for rows, _ in requests]) if known else []
    head = orjson.dumps(
        {
            "time": [round(rows.time * 1_000_000) for rows, _ in requests],
            "request_id": [rows.request_id for rows, _ in requests],
            "row": [first for _, first in requests],
            "rows": [len(rows) for rows, _ in requests],
            "entity": entities if any(entities) else None,
            "width": widths,
            "words": [decisions, *words],
        }
    )
    content = [scores.tobytes(), numbers.tobytes(), _codes(decided, decisions, count), codes.tobytes()]
    return b"".join([_HEAD.pack(len(head)), head, *content])


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


def _coded(
    requests: Sequence[tuple[AnsweredRows, int]], features: Features
) -> tuple[Numbers, list[list[str | None]], Codes] | None:
    """The features as a block has them: numbers, the words of each category, and their places; None where they did not come coded."""
    given = [rows.features for rows, _ in requests]
    coded = [each for each in given if isinstance(each, CodedFeatures)]
    if not coded or len(coded) != len(given):
        return None
    meaning = coded[0].meaning
    if any(each.meaning.words is not meaning.words for each in coded) or not _means(meaning, features):
        return None
    if all(each.meaning is meaning for each in coded):
        values = meaning.chosen(np.concatenate([each.array for each in coded], axis=1))
    else:
        values = np.concatenate([each.meaning.chosen(each.array) for each in coded], axis=1)
    numeric = np.array([words is None for words in meaning.words], np.bool_)
    words = [[*known, None] for known in meaning.words if known is not None]
    if not words:
        return values, [], np.empty((0, values.shape[1]), _CODE)
    ends = np.array([[len(known) - 1] for known in words], _NUMBER)
    places = values[~numeric]
    codes = np.where(np.isnan(places), ends, places).astype(_CODE)
    if sum(map(len, words)) > max(_FEW_WORDS, values.shape[1]):
        words = _only_used(words, codes)
    return values[numeric], words, codes


def _means(meaning: FeatureWords, features: Features) -> bool:
    """True where *meaning* is of these *features*."""
    kinds = ["number" if words is None else "category" for words in meaning.words]
    return list(zip(meaning.names, kinds, strict=True)) == list(map(tuple, features))


def _only_used(words: Sequence[list[str | None]], codes: Codes) -> list[list[str | None]]:
    """Those of *words* that *codes*, which are changed for it, mean: a category of thousands would be longer than the records."""
    kept = []
    for place, known in enumerate(words):
        used, codes[place] = np.unique(codes[place], return_inverse=True)
        kept.append([known[code] for code in used.tolist()])
    return kept


def _looked_up(
    requests: Sequence[tuple[AnsweredRows, int]], features: Features
) -> tuple[Numbers, list[list[str | None]], Codes]:
    """As :func:`_coded`, of features that came as their values."""
    count = sum(len(rows) for rows, _ in requests)
    columns = {name: _joined([rows.features[name] for rows, _ in requests]) for name, _ in features}
    numbers = [columns[name] for name, kind in features if kind == "number"]
    texts = [columns[name] for name, kind in features if kind != "number"]
    # In one order, so that the blocks of a segment nearly always mean the same by their codes.
    words = [sorted(set(values), key=_null_last) for values in texts]
    codes = [_codes(values, known, count) for values, known in zip(texts, words, strict=True)]
    return np.array(numbers, _NUMBER), words, np.frombuffer(b"".join(codes), _CODE)


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
