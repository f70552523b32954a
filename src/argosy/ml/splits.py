"""Deals the training side's rows to cross-validation folds, the same way in every process and whatever order the rows come in.

Rows that belong together stay together: the rows of one entity, or of one day where the holdout is split by time (what happens on one
day is alike; dealt to several folds, such rows would flatter every score). Which rows are the holdout was decided by
``build-features``.
"""

import hashlib
import heapq
import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from argosy import errors
from argosy.domain.data import FeatureSchema
from argosy.domain.model_settings import ModelSettings
from argosy.ml import frames, holdout
from argosy.ml.frames import LABEL, Examples

MIXED = "mixed"
FEWEST = 50
"""Groups of a draw, where there are so many: a few days say little of others, and none are no training side."""


def to_search(folder: Path, settings: ModelSettings) -> Examples:
    """The examples in *folder* that trials are scored on: about ``search.rows`` of the training side, whole groups, whatever their order.

    Of large groups at least :data:`FEWEST` are drawn, however many rows those are. A group that is drawn for few rows is drawn for more,
    too, so that a larger draw adds to a smaller one. The others are never in memory together.
    """
    schema, wanted = frames.schema(folder), settings.search.rows
    if wanted is None or wanted >= schema.rows_train:
        return frames.read(folder, holdout.TRAIN)
    most = _drawn_below(folder, schema, settings, math.ceil(wanted / schema.rows_train * 2**64))

    def drawn(part: pa.Table) -> pa.Array:
        groups = _groups(part, schema, settings)
        taken = [_place(settings.seed, group) < most for group in groups.dictionary.to_pylist()]
        return pa.array(taken, pa.bool_()).take(groups.indices)

    return frames.read(folder, holdout.TRAIN, drawn)


def _drawn_below(folder: Path, schema: FeatureSchema, settings: ModelSettings, share: int) -> int:
    """The place below which groups are drawn: *share*, or further where that would be too few of them to deal to folds."""
    names = [frames.TIME] if settings.split.by == "time" else schema.join_keys
    first: set[int] = set()
    for part in frames.parts(folder, holdout.TRAIN, names):
        groups = _groups(part, schema, settings).dictionary.to_pylist()
        first = set(heapq.nsmallest(FEWEST, first.union(_place(settings.seed, group) for group in groups)))
        if len(first) == FEWEST and max(first) < share:
            return share
    return max(share, max(first, default=0) + 1)


def _groups(table: pa.Table, schema: FeatureSchema, settings: ModelSettings) -> pa.DictionaryArray:
    """The group of each row of *table*: what is not dealt apart."""
    names = frames.days(table) if settings.split.by == "time" else frames.keys(table, schema.join_keys)
    coded = names.combine_chunks().dictionary_encode()
    return coded.combine_chunks() if isinstance(coded, pa.ChunkedArray) else coded


def _place(seed: int, group: str) -> int:
    """A number below 2**64, by which a group is drawn; other than the order in which groups are dealt."""
    return int.from_bytes(hashlib.sha256(f"{seed}\0search\0{group}".encode()).digest()[:8])


def folds(examples: Examples, settings: ModelSettings) -> npt.NDArray[np.int64]:
    """The fold (from 0) of each row: stratified by class where a group has one class only, otherwise dealt by a keyed hash.

    Raises Rejected where a fold would lack a class, because then no score of it means anything.
    """
    groups = _groups(examples.table, examples.schema, settings)
    of_row, names = np.asarray(groups.indices, np.int64), groups.dictionary.to_pylist()
    strata = _strata(of_row, len(names), examples.labels, stratified=settings.task != "regression")
    assignment = _deal(names, strata, settings.search.folds, settings.seed)[of_row]
    _complete(assignment, examples, settings)
    return assignment


def _strata(
    group_of_row: npt.NDArray[np.int64], groups: int, labels: npt.NDArray[np.float64], *, stratified: bool
) -> npt.NDArray[np.int64]:
    """The place of each group's stratum among all, which are sorted by name. It is its rows' class, where they agree."""
    if not stratified:
        return np.zeros(groups, np.int64)
    least, most = np.full(groups, np.inf), np.full(groups, -np.inf)
    np.minimum.at(least, group_of_row, labels)
    np.maximum.at(most, group_of_row, labels)
    own = np.where(least == most, least, np.nan)
    classes, place = np.unique(own, return_inverse=True)
    names = [MIXED if np.isnan(each) else str(float(each)) for each in classes]
    rank = {name: position for position, name in enumerate(sorted(names))}
    return np.array([rank[name] for name in names], np.int64)[place]


def _deal(names: list[str], strata: npt.NDArray[np.int64], count: int, seed: int) -> npt.NDArray[np.int64]:
    """The fold of each group. Dealing goes on where the last stratum ended, so that fold sizes differ by one group at most."""
    hashed = b"".join(hashlib.sha256(f"{seed}\0{name}".encode()).digest() for name in names)
    # As four numbers each: in that order they sort as the bytes do.
    places = np.frombuffer(hashed, ">u8").reshape(len(names), 4)
    dealt = np.empty(len(names), np.int64)
    dealt[np.lexsort((*places.T[::-1], strata))] = np.arange(len(names)) % count
    return dealt


def _complete(assignment: npt.NDArray[np.int64], examples: Examples, settings: ModelSettings) -> None:
    expected = len(settings.label.classes) if settings.task != "regression" else 0
    for fold in range(settings.search.folds):
        labels = examples.labels[assignment == fold]
        if len(labels) == 0:
            raise errors.Rejected(
                f"fold {fold} of {settings.search.folds} is empty: {len(examples)} training rows are too few; lower `search.folds`"
            )
        for index in range(expected):
            if not (labels == index).any():
                raise errors.Rejected(
                    f"fold {fold} of {settings.search.folds} has no row of class {settings.label.classes[index]!r} "
                    f"(column {LABEL!r}, {len(labels)} rows): lower `search.folds` or bring more such rows"
                )
