"""Holds two tables of features against each other, row by row: equal within a tolerance, by type, with the worst of what is not."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import compute

from argosy.domain.feature_skew import SkewedFeature, Value

WORST = 3
"""Rows of each feature that are named."""

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class ComparedFeature:
    """The figures of one feature, and the rows that are the worst of it, the worst first."""

    figures: SkewedFeature
    worst: Sequence[int]


def numbers(name: str, online: pa.Array, offline: pa.Array, tolerance: float) -> ComparedFeature:
    """A feature that is a number: *a* and *b* are equal where ``|a - b| <= tolerance * max(|a|, |b|)``. NaN is a missing value."""
    one, other = (_floats(each) for each in (online, offline))
    both = ~np.isnan(one) & ~np.isnan(other)
    with np.errstate(invalid="ignore", over="ignore"):
        apart = np.where(one == other, 0.0, np.abs(one - other))  # infinities of one sign are equal
        differs = both & (apart > tolerance * np.maximum(np.abs(one), np.abs(other)))
        differs |= both & (one != other) & (np.isinf(one) | np.isinf(other))  # no share of the infinite is an excuse
    return _found(name, "number", np.isnan(one), np.isnan(other), differs, apart)


def categories(name: str, online: pa.Array, offline: pa.Array) -> ComparedFeature:
    """A feature that is a category: text that is the same."""
    one, other = (each.cast(pa.string()) for each in (online, offline))
    equal = np.asarray(compute.fill_null(compute.equal(one, other), False).to_numpy(zero_copy_only=False), bool)
    absent, unknown = (np.asarray(each.is_null().to_numpy(zero_copy_only=False), bool) for each in (one, other))
    return _found(name, "category", absent, unknown, ~absent & ~unknown & ~equal, None)


def shown(column: pa.Array, row: int) -> Value:
    """The value of *column* in that *row*."""
    return cast("Value", column[row].as_py())


def _found(
    name: str, kind: str, online: Bools, offline: Bools, differs: Bools, apart: npt.NDArray[np.float64] | None
) -> ComparedFeature:
    """*online*, *offline*: where each has no value."""
    skewed = differs | (online != offline)
    size = np.zeros(len(online)) if apart is None else np.where(differs, apart, -1.0)
    order = np.argsort(-size, kind="stable")
    figures = SkewedFeature(
        name=name,
        type="number" if kind == "number" else "category",
        compared=len(online),
        differing=int(differs.sum()),
        online_only=int((offline & ~online).sum()),
        offline_only=int((online & ~offline).sum()),
        largest=_largest(apart, differs),
        missing_online=int(online.sum()),
        missing_offline=int(offline.sum()),
    )
    return ComparedFeature(figures, [int(row) for row in order if skewed[row]][:WORST])


def _largest(apart: npt.NDArray[np.float64] | None, differs: Bools) -> float | None:
    if apart is None or not differs.any():
        return None
    largest = float(apart[differs].max())
    return largest if np.isfinite(largest) else float(np.finfo(np.float64).max)  # JSON knows no infinity


def _floats(column: pa.Array) -> npt.NDArray[np.float64]:
    return np.asarray(column.cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)
