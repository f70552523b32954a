"""Counts in fixed bins are complete, additive, and fine enough to see a shift."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from argosy import errors
from argosy.domain import bundle
from argosy.domain.bundle import Histogram
from argosy.domain.search import Choice
from argosy.ml import bins, bundling, counting, frames, refit
from argosy.ml.predictor import Predictor
from kit.examples import Given

VALUES = st.lists(st.floats(-1e6, 1e6, width=32) | st.just(float("nan")), max_size=60)
EDGES = [-10.0, 0.0, 0.5, 1e5]


def counted(values: list[float], edges: list[float] = EDGES) -> Histogram:
    """*values* in bins of *edges*."""
    empty = Histogram(column="x", edges=edges, counts=[0] * (len(edges) + 1), missing=0)
    return bins.count_column(pa.array(values, pa.float64()), empty)


def choice(rounds: int = 10) -> Choice:
    """A point without a search."""
    return Choice(trial=0, score=0.0, metric="m", parameters={"max_depth": 3}, boost_rounds=rounds)


@given(VALUES, VALUES)
def test_counts_add_up(first: list[float], second: list[float]) -> None:
    """Counts of two hours are the counts of both together; nothing is lost, missing values are apart."""
    one, two, both = (counted(values) for values in (first, second, first + second))
    assert [a + b for a, b in zip(one.counts, two.counts, strict=True)] == both.counts
    assert (one.missing + two.missing, sum(both.counts) + both.missing) == (both.missing, len(first) + len(second))


@pytest.mark.parametrize(
    ("value", "position"),
    [
        pytest.param(-11.0, 0, id="below-the-first-edge"),
        pytest.param(-10.0, 1, id="on-an-edge-counts-above-it"),
        pytest.param(0.25, 2, id="between"),
        pytest.param(1e5, 4, id="from-the-last-edge-on"),
    ],
)
def test_where_a_value_falls(value: float, position: int) -> None:
    """An edge belongs to the bin above it."""
    assert counted([value]).counts.index(1) == position


def packed(given: Given, folder: Path) -> Predictor:
    """The model of *given*'s training side, from its bundle in *folder*."""
    train, holdout = frames.read(given.features, "train"), frames.read(given.features, "holdout")
    fitted = refit.fit(train, choice(), given.settings)
    digest = bundling.pack(
        folder, settings=given.settings, model=fitted.model, threshold=None, train=train, holdout=holdout
    )
    return Predictor.load(folder, digest)


def test_every_column_is_counted(each_task: Given, tmp_path: Path) -> None:
    """Each feature and the prediction are counted whole, with as many counts as the document promises: of the holdout."""
    predictor = packed(each_task, tmp_path / "bundle")
    holdout = bundling.servable(predictor.signature, frames.read(each_task.features, "holdout"))
    found = bundle.read_bins(tmp_path / "bundle" / bundle.BINS)
    assert [column.column for column in found.columns] == [feature.name for feature in holdout.schema.features]
    for histogram in [*found.columns, found.prediction]:
        assert sum(histogram.counts) + histogram.missing == found.rows == len(holdout)
        size = len(histogram.levels if histogram.levels is not None else histogram.edges or [])
        assert len(histogram.counts) == size + 1
        assert sorted(set(histogram.edges or [])) == (histogram.edges or [])
    answers = predictor.predict_matrix(holdout.matrix)
    said = answers if answers.ndim == 1 else answers.max(axis=1)
    assert found.scores.mean == pytest.approx(float(said.mean()), abs=1e-5)


def test_the_reference_is_what_the_served_model_says(each_task: Given, tmp_path: Path) -> None:
    """The holdout, answered by the packed model and logged, is in each bin as the bundle has it: no count differs."""
    predictor = packed(each_task, tmp_path / "bundle")
    holdout = bundling.servable(predictor.signature, frames.read(each_task.features, "holdout"))
    answers = predictor.predict_matrix(holdout.matrix)
    names = [feature.name for feature in holdout.schema.features]
    logged = pa.table(
        {
            "features": pa.StructArray.from_arrays(
                [holdout.table.column(name).combine_chunks() for name in names], names
            ),
            "score": pa.array([list(np.atleast_1d(answer)) for answer in answers], pa.list_(pa.float64())),
            "decision": pa.array(
                [None] * len(answers) if each_task.settings.task == "regression" else predictor.decide(answers),
                pa.string(),
            ),
        }
    )
    found = bundle.read_bins(tmp_path / "bundle" / bundle.BINS)
    window = counting.count(logged, found)
    assert (window.columns, window.prediction, window.scores) == (found.columns, found.prediction, found.scores)


def test_counts_of_other_models_are_refused(tmp_path: Path) -> None:
    """A bundle of an earlier release counts out-of-fold answers, from which a server's differ without any drift."""
    old = {"rows": 9, "columns": [], "prediction": {"column": "p", "counts": [9], "missing": 0}, "mean_prediction": 0.5}
    (tmp_path / "bins.json").write_text(json.dumps(old), encoding="utf-8")
    with pytest.raises(errors.Misconfigured, match=r"Train the model again, `argosy run MODEL`"):
        bundle.read_bins(tmp_path / "bins.json")


def test_bins_hold_about_equally_many() -> None:
    """No bin of a continuous column holds much more than its share."""
    values = np.random.default_rng(1).lognormal(size=5000).astype(np.float32)
    found = counted(values.tolist(), bins.edges(values))
    assert len(found.counts) == bins.BINS
    assert max(found.counts) < 1.2 * len(values) / bins.BINS


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        pytest.param([3.0, 1.0, 2.0, 2.0], [1.125, 1.875, 2.125, 2.875], id="a-bin-a-value"),
        pytest.param([1.0, float("nan")], [], id="one-value"),
        pytest.param([float("nan")], [], id="none"),
        pytest.param([1.0, 2.0, float("inf")], [1.125, 1.875], id="infinite"),
        pytest.param([0.0] * 900 + [float(n) for n in range(1, 101)], [0.5, 21, 61], id="mostly-one-value"),
    ],
)
def test_edges(values: list[float], expected: list[float]) -> None:
    """Few values get a bin each, with an edge between two; a value that fills a bin has one to itself."""
    found = bins.edges(np.array(values, dtype=np.float32))
    assert found == pytest.approx(expected, abs=2 if len(values) > 10 else 0)


@given(st.lists(st.integers(0, 90), min_size=1, max_size=400).map(lambda each: np.array(each, dtype=np.float32) / 7))
def test_no_edge_lies_on_a_value(values: np.ndarray) -> None:
    """A server whose answer differs in its last bit, as on another processor, puts it in the same bin."""
    edges = bins.edges(values)
    near = np.nextafter(values, np.float32(-np.inf)), np.nextafter(values, np.float32(np.inf))
    assert [counted(each.tolist(), edges).counts for each in near] == [counted(values.tolist(), edges).counts] * 2
