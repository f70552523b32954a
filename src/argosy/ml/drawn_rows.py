"""Rows for a page that a person opens: some of those that were logged, and rows that have the reference's counts."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from argosy.domain.bundle import Histogram
from argosy.domain.drift import Window
from argosy.ml import counting

SCORE = "prediction"
MOST = 5_000
"""Rows of a page, a side."""


def sample(tables: Iterable[pa.Table], columns: Window, rows: int, most: int = MOST) -> pa.Table:
    """At most about *most* of the *rows* that the logged *tables* have together, evenly; a column each of *columns*."""
    stride, seen, parts = max(1, -(-rows // most)), 0, []
    for table in tables:
        lines = np.arange(-seen % stride, table.num_rows, stride)
        seen += table.num_rows
        parts.append(_plain(table.take(lines), columns))
    return pa.concat_tables(parts) if parts else _plain_schema(columns).empty_table()


def of_counts(window: Window, other: str, most: int = MOST) -> pa.Table:
    """At most about *most* rows with the counts of *window*: a bin's rows are spread evenly over it, those outside the edges at the edge.

    *other* stands for levels that the model does not know. Each column by itself: rows of it are no rows that anybody asked about.
    """
    share = min(1.0, most / max(1, window.rows))
    columns = {name: _drawn(histogram, share, other) for name, histogram in _named(window)}
    length = max((len(values) for values in columns.values()), default=0)
    padded = {
        name: pa.concat_arrays([values, pa.nulls(length - len(values), values.type)])
        for name, values in columns.items()
    }
    return pa.table(padded, _plain_schema(window))


def shown(window: Window) -> list[tuple[str, bool, Histogram]]:
    """Columns that are shown, each under its name, and whether it is an answer; a feature that is called like one keeps its own."""
    features = [(each.column, False, each) for each in window.columns]
    taken = {name for name, _, _ in features}
    answers = [window.prediction, *(each for each in window.answers if each.column == counting.DECISION)]
    return features + [
        (each.column if each.column not in taken else f"{each.column} (answer)", True, each) for each in answers
    ]


def _named(window: Window) -> list[tuple[str, Histogram]]:
    return [(name, histogram) for name, _, histogram in shown(window)]


def _plain_schema(window: Window) -> pa.Schema:
    kinds = [(name, pa.float64() if each.levels is None else pa.string()) for name, each in _named(window)]
    return pa.schema(kinds)


def _plain(table: pa.Table, window: Window) -> pa.Table:
    struct = table["features"].combine_chunks()
    present = {field.name for field in struct.type}
    schema, features = _plain_schema(window), len(window.columns)
    values = []
    for place, (field, (_, histogram)) in enumerate(zip(schema, _named(window), strict=True)):
        if place >= features:
            found = (
                table["decision"].combine_chunks() if histogram.levels is not None else pa.array(counting.scores(table))
            )
        elif histogram.column in present:
            found = pc.struct_field(struct, histogram.column)
        else:
            found = pa.nulls(table.num_rows)
        values.append(found.cast(field.type))
    return pa.table(values, schema=schema)


def _drawn(histogram: Histogram, share: float, other: str) -> pa.Array:
    counts = [round(count * share) for count in histogram.counts]
    missing = round(histogram.missing * share)
    if histogram.levels is not None:
        words = [*histogram.levels, other]
        known = pa.array([word for word, count in zip(words, counts, strict=True) for _ in range(count)], pa.string())
        return pa.concat_arrays([known, pa.nulls(missing, pa.string())])
    edges = histogram.edges or []
    # Anywhere in its bin, an unmoved column of 0 and 1 would look like one of 0.13 and 0.88.
    few = histogram.few_values()
    values = np.concatenate([*_spread(edges, counts), np.empty(0)]) if few is None else np.repeat(few, counts[::2])
    return pa.concat_arrays([pa.array(values, pa.float64()), pa.nulls(missing, pa.float64())])


def _spread(edges: list[float], counts: list[int]) -> list[npt.NDArray[np.float64]]:
    if not edges:
        return [np.zeros(sum(counts))]
    bounds = [edges[0], *edges, edges[-1]]
    return [
        np.linspace(low, high, count, endpoint=False)
        for low, high, count in zip(bounds[:-1], bounds[1:], counts, strict=True)
    ]
