"""Which side of the split an example is on: the holdout is the same in every run, whatever else the data holds.

By entity: a keyed hash of its id. By time: everything from a moment on, or up to another. Of the rest the newest may be kept for judging
(``recent``), and those before the training window left out (``older``): both are counted back from the newest row, never from today, so
that equal data is split equally. Folds of the training side are ``ml.splits``' business.
"""

import datetime
import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from argosy.domain import time_spans
from argosy.domain.model_settings import EntitySplit, TimeSplit

if TYPE_CHECKING:
    import pyarrow as pa

TRAIN, HOLDOUT, RECENT, OLDER = "train", "holdout", "recent", "older"
SEPARATOR = "\x1f"


def sides(examples: "pa.Table", join_keys: Sequence[str], time: str, split: EntitySplit | TimeSplit) -> list[str]:
    """The side of each row. *time*: the column of the moment a row is about, UTC."""
    if isinstance(split, TimeSplit):
        return [_by_time(moment, split) for moment in examples.column(time).to_pylist()]
    columns = [examples.column(key).to_pylist() for key in join_keys]
    return [by_entity(SEPARATOR.join(map(str, key)), split) for key in zip(*columns, strict=True)]


def by_entity(key: str, split: EntitySplit) -> str:
    """The side of the entity called *key*."""
    digest = hashlib.blake2b(key.encode(), key=split.key.encode()[:64], digest_size=8).digest()
    return HOLDOUT if int.from_bytes(digest) < split.holdout * 2**64 else TRAIN


def dated(
    sides: Sequence[str], moments: Sequence[datetime.datetime], recent: str | None, window: str | None
) -> list[str]:
    """*sides* with the newest rows of the training side kept for judging, and those before its window left out.

    *recent*, *window*: durations, such as ``30d``. The holdout stays what it is.
    """
    after = recent_after(moments, recent)
    split = [
        RECENT if side == TRAIN and after is not None and moment > after else side
        for side, moment in zip(sides, moments, strict=True)
    ]
    trained = [moment for side, moment in zip(split, moments, strict=True) if side == TRAIN]
    if window is None or not trained:
        return split
    begin = max(trained) - time_spans.span(window)
    return [OLDER if side == TRAIN and moment <= begin else side for side, moment in zip(split, moments, strict=True)]


def recent_after(moments: Sequence[datetime.datetime], recent: str | None) -> datetime.datetime | None:
    """The moment after which rows are *recent*, counted back from the newest of all *moments*; None where none are kept."""
    return max(moments) - time_spans.span(recent) if recent is not None and moments else None


def _by_time(moment: datetime.datetime, split: TimeSplit) -> str:
    held = moment >= split.holdout_from and (split.holdout_until is None or moment < split.holdout_until)
    return HOLDOUT if held else TRAIN
