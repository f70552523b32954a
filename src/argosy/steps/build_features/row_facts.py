"""What the schema says of rows, gathered while they are written: counts and times of each side, levels, missing values."""

import datetime
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
from pyarrow import compute

from argosy.ml import frames, holdout
from argosy.ports.features import Definition
from argosy.ports.tables import EVENT_TIME


@dataclass
class RowFacts:
    """What is known of the rows so far."""

    definitions: Sequence[Definition]
    count: Counter[str] = field(default_factory=Counter)
    """Rows by side."""
    first: dict[str, datetime.datetime] = field(default_factory=dict)
    """The oldest row's time, by side."""
    last: dict[str, datetime.datetime] = field(default_factory=dict)
    """The newest row's time, by side."""
    levels: dict[str, set[str]] = field(default_factory=dict)
    """Of each category, those of the training side."""
    missing: set[str] = field(default_factory=set)
    """Features of which a row has no value."""

    def seen(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """*batches*, each of which is added when it is taken."""
        for batch in batches:
            self._add(batch)
            yield batch

    @property
    def rows(self) -> int:
        """How many there are."""
        return self.count.total()

    @property
    def oldest(self) -> datetime.datetime:
        """The oldest row's time."""
        return min(self.first.values())

    @property
    def newest(self) -> datetime.datetime:
        """The newest row's time."""
        return max(self.last.values())

    def _add(self, batch: pa.RecordBatch) -> None:
        sides = batch.column(frames.SIDE)
        for side in compute.unique(sides).to_pylist():
            moments = batch.column(EVENT_TIME).filter(compute.equal(sides, side))
            bounds = compute.min_max(moments).as_py()
            self.count[side] += len(moments)
            self.first[side] = min(bounds["min"], self.first.get(side, bounds["min"]))
            self.last[side] = max(bounds["max"], self.last.get(side, bounds["max"]))
        trained = compute.equal(sides, holdout.TRAIN)
        for definition in self.definitions:
            values = batch.column(definition.name)
            if values.null_count:
                self.missing.add(definition.name)
            if definition.type == "category":
                found = compute.unique(values.filter(trained)).drop_null().to_pylist()
                self.levels.setdefault(definition.name, set()).update(found)
