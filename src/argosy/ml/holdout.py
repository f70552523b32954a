"""Which side of the split an example is on: the same in every run, whatever else the data holds.

By entity: a keyed hash of its id. By time: everything from a moment on. Folds of the training side are ``ml.splits``' business.
"""

import datetime
import hashlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from argosy.domain.model_settings import EntitySplit, TimeSplit

if TYPE_CHECKING:
    import pyarrow as pa

TRAIN, HOLDOUT = "train", "holdout"
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


def _by_time(moment: datetime.datetime, split: TimeSplit) -> str:
    return HOLDOUT if moment >= split.holdout_from else TRAIN
