"""Draws of a holdout with replacement, as a weight for each of its rows: what belongs to one entity is drawn as a whole.

Rows of one entity are alike, so that drawing them one by one would promise more than the data holds (Davison and Hinkley 1997, 3.8). What
is measured on a draw is in ``weighted_statistics``.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Array = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]

AT_ONCE = 250_000
"""Weights that are held at once: few enough for a processor's cache, many enough for one call each."""

SPARSE = 8
"""Numbers a row that are counted rather than sorted."""


@dataclass(frozen=True)
class Units:
    """Which rows are drawn together."""

    places: Places
    """For each row, the number of its unit."""
    count: int

    @property
    def repeated(self) -> bool:
        """Whether any unit has more than one row."""
        return self.count < len(self.places)

    def sums(self, rows: Array) -> Array:
        """What the rows of each unit add up to. *rows*: one line a row."""
        if not self.repeated:
            return rows
        columns = (np.bincount(self.places, weights=column, minlength=self.count) for column in rows.T)
        return np.column_stack(list(columns))

    def spread(self, drawn: Array) -> Array:
        """What was drawn of each unit, for its rows."""
        return drawn if not self.repeated else drawn[:, self.places]


@dataclass(frozen=True)
class Bootstrap:
    """Settings of the bootstrap interval: its confidence, the number of resamples, the seed."""

    confidence: float
    resamples: int
    seed: int


def of_rows(count: int) -> Units:
    """Each of *count* rows by itself."""
    return Units(np.arange(count), count)


def of_columns(columns: Sequence[pa.ChunkedArray]) -> Units:
    """The rows with the same values in *columns* together; a missing value is one like any other."""
    places = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        encoded = column.combine_chunks().dictionary_encode(null_encoding="encode")
        own = encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        places = _numbered(places * (int(own.max(initial=0)) + 1) + own)
    count = int(places.max(initial=-1)) + 1
    # Numbered by row where none repeats, so that a seed draws the same rows whatever their ids are.
    return of_rows(count) if count == len(places) else Units(places, count)


def _numbered(places: Places) -> Places:
    """*places* by their rank among those that are there; by counting, where they are not far apart, in place of sorting."""
    if int(places.max(initial=0)) < SPARSE * len(places):
        return np.asarray((np.cumsum(np.bincount(places) > 0) - 1)[places])
    return np.unique(places, return_inverse=True)[1]


def drawn(units: Units, times: int, random: np.random.Generator) -> Iterator[Array]:
    """How often each unit comes up in each of *times* draws: blocks of lines, a line a draw."""
    for lines in _blocks(units, times):
        chosen = random.integers(0, units.count, (lines, units.count))
        chosen += np.arange(lines)[:, None] * units.count
        yield np.bincount(chosen.ravel(), minlength=lines * units.count).reshape(lines, -1).astype(np.float64)


def swapped(units: Units, times: int, random: np.random.Generator) -> Iterator[Array]:
    """1 for each unit that is swapped in each of *times* draws, else 0, with equal chances; in blocks."""
    for lines in _blocks(units, times):
        yield (random.random((lines, units.count)) < 0.5).astype(np.float64)


def _blocks(units: Units, times: int) -> Iterator[int]:
    most = max(1, AT_ONCE // len(units.places))
    return (min(most, times - first) for first in range(0, times, most))
