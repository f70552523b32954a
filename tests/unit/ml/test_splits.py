"""Folds are the same in every process and order, and rows that belong together are never told apart."""

import dataclasses
import datetime
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from argosy import errors
from argosy.ml import frames, splits
from argosy.ml.frames import Examples
from kit.examples import Given

START = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)


def reordered(examples: Examples, order: list[int]) -> Examples:
    """The same rows in another order."""
    return dataclasses.replace(
        examples, table=examples.table.take(order), matrix=examples.matrix[order], labels=examples.labels[order]
    )


def with_column(examples: Examples, name: str, values: list[object]) -> Examples:
    """The same rows with other values in column *name*."""
    position = examples.table.column_names.index(name)
    return dataclasses.replace(examples, table=examples.table.set_column(position, name, pa.array(values)))


def test_order_does_not_matter(leavers: Given) -> None:
    """A row's fold follows from its key, wherever it stands."""
    examples = frames.read(leavers.features, "train")
    order = [int(index) for index in np.random.default_rng(1).permutation(len(examples))]
    straight = splits.folds(examples, leavers.settings)
    assert (splits.folds(reordered(examples, order), leavers.settings) == straight[order]).all()


def test_another_seed_deals_anew(leavers: Given) -> None:
    """The seed of the settings is the key of the hash."""
    examples = frames.read(leavers.features, "train")
    assert (splits.folds(examples, leavers.settings) != splits.folds(examples, leavers.changed(seed=6))).any()


def test_classes_are_dealt_evenly(leavers: Given) -> None:
    """Every fold has its share of each class, to one row."""
    examples = frames.read(leavers.features, "train")
    folds = splits.folds(examples, leavers.settings)
    for label in (0, 1):
        counts = np.bincount(folds[examples.labels == label], minlength=3)
        assert counts.max() - counts.min() <= 1


def test_an_entity_stays_together(leavers: Given) -> None:
    """All rows of one entity are in one fold, also where their labels differ."""
    examples = frames.read(leavers.features, "train")
    examples = with_column(examples, "id", [f"e{index // 4}" for index in range(len(examples))])
    folds = splits.folds(examples, leavers.settings)
    keys = examples.keys()
    assert all(len({fold for fold, key in zip(folds, keys, strict=True) if key == one}) == 1 for one in set(keys))


def test_a_day_stays_together(leavers: Given) -> None:
    """Where the holdout is split by time, the rows of one day are in one fold."""
    examples = frames.read(leavers.features, "train")
    moments: list[object] = [START + datetime.timedelta(hours=5 * index) for index in range(len(examples))]
    examples = with_column(examples, "event_timestamp", moments)
    by_time = leavers.changed(split={"by": "time", "holdout_from": "2021-01-01T00:00:00Z"})
    folds, days = splits.folds(examples, by_time), examples.days()
    assert len(set(days)) > 100
    assert all(len({fold for fold, day in zip(folds, days, strict=True) if day == one}) == 1 for one in set(days))


def test_a_fold_without_a_class(features_of: Callable[..., Path], leavers: Given) -> None:
    """Two positives cannot be in three folds; the error says which class and what helps."""
    labels = [1 if index in (1, 2) else 0 for index in range(40)]
    examples = frames.read(features_of({"x": [float(index) for index in range(40)]}, labels), "train")
    with pytest.raises(errors.Rejected, match=r"fold 2 of 3 has no row of class 'leaves' .* lower `search.folds`"):
        splits.folds(examples, leavers.settings)


def test_more_folds_than_rows(features_of: Callable[..., Path], houses: Given) -> None:
    """An empty fold is refused."""
    examples = frames.read(features_of({"x": [1.0, 2.0, 3.0]}, [1.0, 2.0, 3.0], task="regression"), "train")
    with pytest.raises(errors.Rejected, match="fold 2 of 3 is empty: 2 training rows are too few"):
        splits.folds(examples, houses.settings)


class TestDrawn:
    """The rows that trials are scored on, where the settings want few of them."""

    def drawn(self, given: Given, rows: int | None, examples: Examples) -> Examples:
        search = given.settings.search.model_copy(update={"rows": rows})
        return splits.drawn(examples, given.settings.model_copy(update={"search": search}))

    def test_all_where_few_or_none_are_asked_for(self, leavers: Given) -> None:
        """Nothing is taken away from a table that is small."""
        examples = frames.read(leavers.features, "train")
        for rows in (None, len(examples), 10 * len(examples)):
            assert self.drawn(leavers, rows, examples) is examples

    def test_about_as_many_and_a_larger_draw_adds(self, leavers: Given) -> None:
        """The same rows in any order, and those of a smaller draw among those of a larger one."""
        examples = frames.read(leavers.features, "train")
        half, more = (self.drawn(leavers, int(len(examples) * share), examples) for share in (0.5, 0.8))
        assert abs(len(half) - len(examples) / 2) < len(examples) / 5
        assert set(half.keys()) < set(more.keys()) < set(examples.keys())
        order = [int(index) for index in np.random.default_rng(1).permutation(len(examples))]
        assert sorted(self.drawn(leavers, len(examples) // 2, reordered(examples, order)).keys()) == sorted(half.keys())
        assert len(half.matrix) == len(half.labels) == half.table.num_rows

    def test_whole_entities(self, leavers: Given) -> None:
        """Or nothing of one: half of it would be of two sides."""
        examples = frames.read(leavers.features, "train")
        examples = with_column(examples, "id", [f"e{index // 4}" for index in range(len(examples))])
        kept = self.drawn(leavers, len(examples) // 2, examples).keys()
        assert all(kept.count(each) == examples.keys().count(each) for each in set(kept))
