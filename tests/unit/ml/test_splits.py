"""Folds are the same in every process and order, and rows that belong together are never told apart."""

import dataclasses
import datetime
import hashlib
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
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
    of_rows = examples.keys()
    assert all(len({fold for fold, key in zip(folds, of_rows, strict=True) if key == one}) == 1 for one in set(of_rows))


def test_a_day_stays_together(leavers: Given) -> None:
    """Where the holdout is split by time, the rows of one day are in one fold."""
    examples = frames.read(leavers.features, "train")
    moments: list[object] = [START + datetime.timedelta(hours=5 * index) for index in range(len(examples))]
    examples = with_column(examples, "event_timestamp", moments)
    by_time = leavers.changed(split={"by": "time", "holdout_from": "2021-01-01T00:00:00Z"})
    folds, days = splits.folds(examples, by_time), examples.days()
    assert days == [moment.date().isoformat() for moment in moments if isinstance(moment, datetime.datetime)]
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


@pytest.mark.parametrize("rows_an_entity", [1, 3])
def test_dealt_as_it_is_written_down(leavers: Given, rows_an_entity: int) -> None:
    """Group by group: strata by the name of their class, groups of one stratum by their keyed hash. Models hang on it to the last bit."""
    examples = frames.read(leavers.features, "train")
    names = [f"e{index // rows_an_entity}" for index in range(len(examples))]
    classes: dict[str, set[float]] = {}
    for name, label in zip(names, examples.labels, strict=True):
        classes.setdefault(name, set()).add(float(label))

    def place(name: str) -> tuple[str, bytes]:
        found = classes[name]
        seed = leavers.settings.seed
        return "mixed" if len(found) > 1 else str(min(found)), hashlib.sha256(f"{seed}\0{name}".encode()).digest()

    dealt = {name: position % 3 for position, name in enumerate(sorted(classes, key=place))}
    found = splits.folds(with_column(examples, "id", [*names]), leavers.settings)
    assert found.tolist() == [dealt[name] for name in names]


class TestDrawn:
    """The rows that trials are scored on, where the settings want few of them."""

    def drawn(self, given: Given, rows: int | None, folder: Path | None = None) -> Examples:
        search = given.settings.search.model_copy(update={"rows": rows})
        return splits.to_search(folder or given.features, given.settings.model_copy(update={"search": search}))

    def test_all_where_few_or_none_are_asked_for(self, leavers: Given) -> None:
        """Nothing is taken away from a table that is small."""
        examples = frames.read(leavers.features, "train")
        for rows in (None, len(examples), 10 * len(examples)):
            assert self.drawn(leavers, rows).table.equals(examples.table)

    def test_about_as_many_and_a_larger_draw_adds(self, leavers: Given, tmp_path: Path) -> None:
        """The same rows in any order and groups, and those of a smaller draw among those of a larger one."""
        examples = frames.read(leavers.features, "train")
        half, more = (self.drawn(leavers, int(len(examples) * share)) for share in (0.5, 0.8))
        assert abs(len(half) - len(examples) / 2) < len(examples) / 5
        assert keys(half) < keys(more) < keys(examples)
        whole = pq.read_table(leavers.features / frames.ROWS)
        order = np.random.default_rng(1).permutation(whole.num_rows)
        shutil.copy(leavers.features / frames.SCHEMA, tmp_path)
        pq.write_table(whole.take(order), tmp_path / frames.ROWS, row_group_size=17)
        assert keys(self.drawn(leavers, len(examples) // 2, tmp_path)) == keys(half)
        assert len(half.matrix) == len(half.labels) == half.table.num_rows

    def test_whole_entities(self, leavers: Given, tmp_path: Path) -> None:
        """Or nothing of one: half of it would be of two sides."""
        whole = pq.read_table(leavers.features / frames.ROWS)
        names = pa.array([f"e{index // 4}" for index in range(whole.num_rows)])
        shutil.copy(leavers.features / frames.SCHEMA, tmp_path)
        pq.write_table(whole.set_column(whole.schema.get_field_index("id"), "id", names), tmp_path / frames.ROWS)
        all_of_them = frames.read(tmp_path, "train")
        kept = self.drawn(leavers, len(all_of_them) // 2, tmp_path)
        counts = Counter(all_of_them.keys())
        assert 0 < len(kept) < len(all_of_them)
        assert all(counts[each] == count for each, count in Counter(kept.keys()).items())

    def test_few_large_groups(self, leavers: Given, tmp_path: Path) -> None:
        """Fifty are drawn however few rows are wanted, all where there are fewer: of none nothing is learned."""
        whole = pq.read_table(leavers.features / frames.ROWS)
        shutil.copy(leavers.features / frames.SCHEMA, tmp_path)
        for groups, drawn in ((8, 8), (80, 50)):
            names = pa.array([f"e{index % groups}" for index in range(whole.num_rows)])
            table = whole.set_column(whole.schema.get_field_index("id"), "id", names)
            pq.write_table(table, tmp_path / frames.ROWS, row_group_size=29)
            assert len(keys(self.drawn(leavers, 1, tmp_path))) == drawn


def keys(examples: Examples) -> set[str]:
    """Whose rows they are."""
    return set(examples.keys())
