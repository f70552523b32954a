"""Counts logged rows in a model's bins: one tally of all, and one for each value of the columns that they are sliced by."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from argosy.domain.bundle import Bins, Histogram
from argosy.domain.drift import Window
from argosy.domain.tallies import WHOLE, Layout, Tally
from argosy.ml import bins as binning
from argosy.ml import confidence

CONFIDENCE = "confidence"
DECISION = "decision"
UNSEEN = "(unseen)"
"""The value of a slice for levels that the model does not know."""

Cells = npt.NDArray[np.int64]
Small = npt.NDArray[np.int16 | np.int32]
"""Cells as they are kept of all columns at once: a quarter of the memory, as far as a column has few of them."""
Scores = npt.NDArray[np.float64]


def tallies(table: pa.Table, layout: Layout, slices: Sequence[str] = ()) -> dict[str, Tally]:
    """The logged rows of *table* (see ``argosy.ports.prediction_log.Logged``): the whole, and each slice with a row.

    *slices*: names of columns of *layout* with levels.
    """
    whole, *_ = grouped(table, layout, np.zeros(table.num_rows, np.int64), 1, slices)
    return whole


def grouped(
    table: pa.Table, layout: Layout, group_of_row: Cells, groups: int, slices: Sequence[str] = ()
) -> list[dict[str, Tally]]:
    """The tallies of each of so many *groups* of rows, one pass over a column for all of them together."""
    values = _Values(table, layout)
    numbers = [_small(values.cells(each)) for each in layout.columns]
    answers = [_small(values.of_answer(each)) for each in (layout.prediction, *layout.answers)]
    cells = [answers[0], *numbers, *answers[1:]]
    whole = _tallies(layout, cells, values.scores, group_of_row, groups)
    found = [{WHOLE: tally} for tally in whole]
    for histogram, of_row in zip(layout.columns, numbers, strict=True):
        if histogram.column in slices and of_row is not None:
            names = ["", *(histogram.levels or []), UNSEEN]
            sliced = _tallies(
                layout, cells, values.scores, of_row.astype(np.int64) * groups + group_of_row, len(names) * groups
            )
            for place, tally in enumerate(sliced[groups:]):  # of a missing value nothing can be said
                if tally.rows:
                    found[place % groups][f"{histogram.column}={names[place // groups + 1]}"] = tally
    return found


def count(table: pa.Table, bins: Bins) -> Window:
    """All rows of *table* in *bins*."""
    layout = Layout.of(bins)
    return layout.window(tallies(table, layout)[WHOLE])


class _Values:
    """The columns of a log."""

    def __init__(self, table: pa.Table, layout: Layout) -> None:
        self._table, self._features = table, table["features"]
        self._present = {field.name for field in self._features.type}
        self._multiclass = layout.prediction.levels is not None
        self.scores = scores(table)

    def cells(self, histogram: Histogram) -> Cells | None:
        """The cell of each row's value; None of a feature that is not logged."""
        if histogram.column not in self._present:
            return None
        values = pc.struct_field(self._features, histogram.column).combine_chunks()  # one column, not a copy of all
        return binning.cells(_numbers(values) if histogram.levels is None else values, histogram)

    def of_answer(self, histogram: Histogram) -> Cells:
        """The cell of the decision, where *histogram* has classes; else of the confidence or the score."""
        if histogram.levels is not None:
            return binning.cells(self._table["decision"].combine_chunks(), histogram)
        sure = histogram.column == CONFIDENCE and not self._multiclass
        return binning.cells(pa.array(confidence.of_binary(self.scores) if sure else self.scores), histogram)


def scores(table: pa.Table) -> Scores:
    """One number a row: the score, and of a multiclass model the probability of the class decided for."""
    found = table["score"].combine_chunks()
    longest = pc.max(pc.list_value_length(found)).as_py()
    if longest in {0, 1, None}:
        single = pc.list_element(found, 0) if longest else pa.nulls(len(found), pa.float64())
        return np.asarray(single.to_numpy(zero_copy_only=False), np.float64)
    return np.asarray(found.flatten().to_numpy().reshape(-1, len(found[0])).max(axis=1), np.float64)


def _numbers(values: pa.Array) -> pa.Array:
    """*values* as numbers. A text that is none is missing: somebody else's log, or a column that is something else now, ends no look."""
    if not pa.types.is_string(values.type):
        return values
    coded = values.dictionary_encode()
    return pc.take(pa.array(map(_number, coded.dictionary.to_pylist()), pa.float64()), coded.indices)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _tallies(
    layout: Layout, cells: Sequence[Small | None], of_row: Scores, group_of_row: Cells, groups: int
) -> list[Tally]:
    """A tally for each group."""
    wide = [
        _counts(each, end - first, group_of_row, groups)
        for each, (first, end) in zip(cells, layout.bounds, strict=True)
    ]
    joined = np.concatenate(wide, axis=1)
    rows = np.bincount(group_of_row, minlength=groups)
    order = np.argsort(group_of_row, kind="stable") if groups > 1 else None
    scores = np.split(of_row if order is None else of_row[order], np.cumsum(rows)[:-1])
    return [
        Tally(rows=int(count), cells=line.tolist(), scores=binning.moments(part))
        for count, line, part in zip(rows, joined, scores, strict=True)
    ]


def _small(cells: Cells | None) -> Small | None:
    if cells is None:
        return None
    return cells.astype(np.int16 if cells.max(initial=0) <= np.iinfo(np.int16).max else np.int32)


def _counts(cells: Small | None, width: int, group_of_row: Cells, groups: int) -> Cells:
    """A line a group, a number a cell."""
    if cells is None:
        return np.zeros((groups, width), np.int64)
    places = cells if groups == 1 else group_of_row * width + cells
    return np.bincount(places, minlength=groups * width).reshape(groups, width)
