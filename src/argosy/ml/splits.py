"""Deals the training side's rows to cross-validation folds, the same way in every process and whatever order the rows come in.

Rows that belong together stay together: the rows of one entity, or of one day where the holdout is split by time (what happens on one
day is alike; dealt to several folds, such rows would flatter every score). Which rows are the holdout was decided by
``build-features``.
"""

import hashlib
from collections import defaultdict

import numpy as np
import numpy.typing as npt

from argosy import errors
from argosy.domain.model_settings import ModelSettings
from argosy.ml.frames import LABEL, Examples

MIXED = "mixed"


def drawn(examples: Examples, settings: ModelSettings) -> Examples:
    """The *examples* that trials are scored on: about ``search.rows`` of them, whole groups, the same whatever order they come in.

    A group that is drawn for few rows is drawn for more, too, so that a larger draw adds to a smaller one.
    """
    wanted = settings.search.rows
    if wanted is None or wanted >= len(examples):
        return examples
    share = wanted / len(examples) * 2**64
    groups = _groups(examples, settings)
    taken = {group for group in set(groups) if _place(settings.seed, group) < share}
    rows = np.flatnonzero([group in taken for group in groups])
    return Examples(examples.schema, examples.table.take(rows), examples.matrix[rows], examples.labels[rows])


def _groups(examples: Examples, settings: ModelSettings) -> list[str]:
    """The group of each row: what is not dealt apart."""
    return examples.days() if settings.split.by == "time" else examples.keys()


def _place(seed: int, group: str) -> int:
    """A number below 2**64, by which a group is drawn; other than the order in which groups are dealt."""
    return int.from_bytes(hashlib.sha256(f"{seed}\0search\0{group}".encode()).digest()[:8])


def folds(examples: Examples, settings: ModelSettings) -> npt.NDArray[np.int64]:
    """The fold (from 0) of each row: stratified by class where a group has one class only, otherwise dealt by a keyed hash.

    Raises Rejected where a fold would lack a class, because then no score of it means anything.
    """
    groups = _groups(examples, settings)
    strata = _strata(groups, examples.labels, stratified=settings.task != "regression")
    dealt = _deal(strata, settings.search.folds, settings.seed)
    assignment = np.array([dealt[group] for group in groups], dtype=np.int64)
    _complete(assignment, examples, settings)
    return assignment


def _strata(groups: list[str], labels: npt.NDArray[np.float64], *, stratified: bool) -> dict[str, list[str]]:
    """Stratum to its groups. A group's stratum is its rows' class, where they agree."""
    if not stratified:
        return {MIXED: sorted(set(groups))}
    classes: defaultdict[str, set[float]] = defaultdict(set)
    for group, label in zip(groups, labels, strict=True):
        classes[group].add(float(label))
    strata: defaultdict[str, list[str]] = defaultdict(list)
    for group in sorted(classes):
        found = classes[group]
        strata[MIXED if len(found) > 1 else str(min(found))].append(group)
    return strata


def _deal(strata: dict[str, list[str]], count: int, seed: int) -> dict[str, int]:
    """Group to fold. Dealing goes on where the last stratum ended, so that fold sizes differ by one group at most."""
    order = [
        group
        for _, groups in sorted(strata.items())
        for group in sorted(groups, key=lambda name: hashlib.sha256(f"{seed}\0{name}".encode()).digest())
    ]
    return {group: position % count for position, group in enumerate(order)}


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
