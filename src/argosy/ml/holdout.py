"""Which side of the split an example is on: the holdout is the same in every run, whatever else the data holds.

By entity: a keyed hash of its id. By time: everything from a moment on, or up to another. Of the rest the newest may be kept for judging
(``recent``), and those before the training window left out (``older``): both are counted back from the newest row, never from today, so
that equal data is split equally. Folds of the training side are ``ml.splits``' business.
"""

import datetime
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
from pyarrow import compute

from argosy.domain import time_spans
from argosy.domain.model_settings import EntitySplit, TimeSplit

TRAIN, HOLDOUT, RECENT, OLDER = "train", "holdout", "recent", "older"
SEPARATOR = "\x1f"


def sides(
    examples: "pa.RecordBatch | pa.Table", join_keys: Sequence[str], time: str, split: EntitySplit | TimeSplit
) -> list[str]:
    """The side of each row. *time*: the column of the moment a row is about, UTC."""
    if isinstance(split, TimeSplit):
        return [_by_time(moment, split) for moment in examples.column(time).to_pylist()]
    columns = [examples.column(key).to_pylist() for key in join_keys]
    return [by_entity(SEPARATOR.join(map(str, key)), split) for key in zip(*columns, strict=True)]


def by_entity(key: str, split: EntitySplit) -> str:
    """The side of the entity called *key*."""
    digest = hashlib.blake2b(key.encode(), key=split.key.encode()[:64], digest_size=8).digest()
    return HOLDOUT if int.from_bytes(digest) < split.holdout * 2**64 else TRAIN


@dataclass(frozen=True)
class Dates:
    """The moments by which the training side is divided further; the holdout stays what it is."""

    recent_after: datetime.datetime | None = None
    """Rows after it are kept for judging."""
    older_until: datetime.datetime | None = None
    """Rows up to it are left out."""

    def of(self, sides: "pa.Array", moments: "pa.Array") -> "pa.Array":
        """*sides* of rows of these *moments*, with the rows of the training side where they belong by time."""
        for side, found in ((RECENT, self._after(moments)), (OLDER, self._until(moments))):
            if found is not None:
                sides = compute.if_else(compute.and_(compute.equal(sides, TRAIN), found), side, sides)
        return sides

    def _after(self, moments: "pa.Array") -> "pa.Array | None":
        return None if self.recent_after is None else compute.greater(moments, self._scalar(self.recent_after, moments))

    def _until(self, moments: "pa.Array") -> "pa.Array | None":
        return (
            None if self.older_until is None else compute.less_equal(moments, self._scalar(self.older_until, moments))
        )

    def _scalar(self, moment: datetime.datetime, moments: "pa.Array") -> "pa.Scalar":
        return pa.scalar(moment, moments.type)


def older_until(newest_trained: datetime.datetime | None, window: str | None) -> datetime.datetime | None:
    """The moment up to which rows are older than the training *window*, counted back from the newest row of the training side."""
    return newest_trained - time_spans.span(window) if window is not None and newest_trained is not None else None


def recent_after(newest: datetime.datetime | None, recent: str | None) -> datetime.datetime | None:
    """The moment after which rows are *recent*, counted back from the newest of all; None where none are kept."""
    return newest - time_spans.span(recent) if recent is not None and newest is not None else None


def _by_time(moment: datetime.datetime, split: TimeSplit) -> str:
    held = moment >= split.holdout_from and (split.holdout_until is None or moment < split.holdout_until)
    return HOLDOUT if held else TRAIN
