"""The group of each row of a holdout, by one column: of people, for fairness; of anything, for slices.

Groups are numbers into sorted names, because a comparison of a million texts with each name costs seconds, and of numbers nothing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Places = npt.NDArray[np.int64]
Chosen = npt.NDArray[np.bool_]

MISSING = "missing"
"""The group of the rows that have no value."""


@dataclass(frozen=True)
class RowGroups:
    """Which group each row is of."""

    names: list[str]
    """Sorted; each has a row."""
    codes: Places
    """For each row, the place of its group in *names*."""

    @classmethod
    def of(cls, groups: "Sequence[str] | RowGroups") -> "RowGroups":
        """From the name of each row's group."""
        if isinstance(groups, RowGroups):
            return groups
        names = sorted(set(groups))
        places = {name: place for place, name in enumerate(names)}
        return cls(names, np.fromiter((places[name] for name in groups), np.int64, len(groups)))

    @classmethod
    def of_column(cls, column: pa.ChunkedArray) -> Self:
        """From the values of a column, as texts: a number as people write it, so that numbers that read the same are one group."""
        if pa.types.is_dictionary(column.type):  # which may hold values that no row has
            column = column.cast(column.type.value_type)
        encoded = column.combine_chunks().dictionary_encode(null_encoding="encode")
        texts = [MISSING if value is None else _text(value) for value in encoded.dictionary.to_pylist()]
        names = sorted(set(texts))
        places = {name: place for place, name in enumerate(names)}
        codes = np.array([places[text] for text in texts], dtype=np.int64)
        return cls(names, codes[encoded.indices.to_numpy(zero_copy_only=False)])

    def __len__(self) -> int:
        return len(self.codes)

    @cached_property
    def counts(self) -> Places:
        """The number of rows of each group."""
        return np.bincount(self.codes, minlength=len(self.names)).astype(np.int64)

    def rows(self) -> Iterator[tuple[str, Places]]:
        """Each group's name and the places of its rows, in their order."""
        places = np.split(np.argsort(self.codes, kind="stable"), np.cumsum(self.counts)[:-1])
        return zip(self.names, places, strict=False)  # of no rows split makes one part, of no group

    def only(self, rows: Chosen | Places) -> "RowGroups":
        """The groups of those *rows*; one that has none of them is gone."""
        kept = self.codes[rows]
        there = np.bincount(kept, minlength=len(self.names)) > 0
        names = [name for name, seen in zip(self.names, there, strict=True) if seen]
        return RowGroups(names, (np.cumsum(there) - 1)[kept])

    def at_least(self, smallest: int) -> Chosen:
        """Which rows are of a group of *smallest* rows or more."""
        return np.asarray((self.counts >= smallest)[self.codes])


def _text(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
