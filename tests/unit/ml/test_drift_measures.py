"""What is measured between two counts: the same numbers as scipy's on binned data, whatever the order and the batches of the rows."""

import itertools

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.spatial import distance

from argosy.domain.bundle import SCALE, Bins, Histogram, Moments
from argosy.domain.drift import sum_of
from argosy.ml import bins as binning
from argosy.ml import counting, drift

counts = st.lists(st.integers(0, 400), min_size=4, max_size=12).map(np.array)
pairs = (
    st.integers(3, 12)
    .flatmap(lambda size: st.tuples(*[st.lists(st.integers(0, 400), min_size=size, max_size=size).map(np.array)] * 2))
    .filter(lambda pair: pair[0].sum() > 1 and pair[1].sum() > 1)
)


def drawn(cells: np.ndarray) -> np.ndarray:
    """Values that have these counts: the cells' own numbers."""
    return np.repeat(np.arange(len(cells)), cells)


@given(pairs)
def test_ks_is_scipys_on_binned_values(pair: tuple[np.ndarray, np.ndarray]) -> None:
    """Statistic and p-value equal the two-sample test on the numbers of the cells."""
    expected = stats.ks_2samp(drawn(pair[0]), drawn(pair[1]), method="asymp")
    statistic, p_value = drift.kolmogorov_smirnov(*pair)
    assert statistic == pytest.approx(expected.statistic, abs=1e-12)
    assert p_value == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("size", [2_501, 10_000, 100_000, 1_000_000])
def test_ks_of_many_rows_is_scipys_as_far_as_it_matters(size: int) -> None:
    """Within a fiftieth down to a p-value of 1e-8, where it is on the safe side; SciPy needs a second a column for a million rows."""
    for scaled in (0.4, 0.8, 1.2, 1.7, 2.2, 3.0):
        exact = float(stats.kstwo.sf(scaled / size**0.5, size))
        ours = drift._kolmogorov(scaled / size**0.5, size)
        assert ours == pytest.approx(exact, rel=0.02)
        assert ours > exact or exact > 0.05


@given(pairs)
def test_jensen_shannon_is_scipys(pair: tuple[np.ndarray, np.ndarray]) -> None:
    """The distance, base 2."""
    assert drift.jensen_shannon(*pair) == pytest.approx(distance.jensenshannon(*pair, base=2), abs=1e-6)


@given(pairs)
def test_psi_is_the_symmetric_relative_entropy(pair: tuple[np.ndarray, np.ndarray]) -> None:
    """Of the smoothed counts, by scipy's entropies."""
    left, right = pair[0] + 0.5, pair[1] + 0.5
    expected = stats.entropy(left, right) + stats.entropy(right, left)
    assert drift.population_stability(*pair) == pytest.approx(expected, abs=1e-9)


@given(pairs)
def test_chi_squared_is_scipys_on_the_cells_that_are_large_enough(pair: tuple[np.ndarray, np.ndarray]) -> None:
    """Small cells are counted together first, then it is the usual test."""
    statistic, p_value = drift.chi_squared(*pair)
    pooled = drift._pooled(np.vstack(pair))
    if pooled.shape[1] < 2:
        assert (statistic, p_value) == (0.0, 1.0)
        return
    expected = stats.chi2_contingency(pooled, correction=False)
    assert statistic == pytest.approx(expected.statistic, rel=1e-9, abs=1e-9)
    assert p_value == pytest.approx(expected.pvalue, rel=1e-6, abs=1e-12)


@given(
    st.lists(st.floats(-50, 50), min_size=2, max_size=8, unique=True)
    .map(sorted)
    .flatmap(
        lambda edges: st.tuples(
            st.just(edges), *[st.lists(st.integers(0, 50), min_size=len(edges) + 1, max_size=len(edges) + 1)] * 2
        )
    )
    .filter(lambda drawn: sum(drawn[1]) > 0 and sum(drawn[2]) > 0)
)
def test_wasserstein_is_scipys(case: tuple[list[float], list[int], list[int]]) -> None:
    """With the rows of a bin at its middle, and those outside at the outermost edges."""
    edges, now, before = case
    middles = [(low + high) / 2 for low, high in itertools.pairwise(edges)]
    places = [edges[0], *middles, edges[-1]]
    found = drift.wasserstein(
        Histogram(column="x", edges=edges, counts=now, missing=3),
        Histogram(column="x", edges=edges, counts=before, missing=0),
    )
    assert found == pytest.approx(stats.wasserstein_distance(places, places, now, before), abs=1e-9)


BINS = Bins(
    reference="holdout",
    rows=100,
    columns=[
        Histogram(column="tenure", edges=[1.0, 10.0, 0.1 + 20], counts=[5, 30, 30, 30], missing=5),
        Histogram(column="contract", levels=["month", "year"], counts=[60, 38, 0], missing=2),
        Histogram(column="birth_year", edges=[1980.0], counts=[50, 50], missing=0),
    ],
    prediction=Histogram(column="prediction", edges=[0.25, 0.5], counts=[50, 30, 20], missing=0),
    scores=Moments(),
)
rows = st.fixed_dictionaries(
    {
        "tenure": st.none() | st.floats(-5, 60, width=32),
        "contract": st.none() | st.sampled_from(["month", "year", "decade"]),
        "score": st.floats(0, 1, width=32),
    }
)


def table(given_rows: list[dict[str, float | str | None]]) -> pa.Table:
    """Rows as a log gives them; birth_year is personal and was not logged."""
    features = pa.array(
        [{name: row[name] for name in ("tenure", "contract")} for row in given_rows],
        pa.struct([("tenure", pa.float64()), ("contract", pa.string())]),
    )
    scores = pa.array([[row["score"]] for row in given_rows], pa.list_(pa.float64()))
    decisions = pa.array(["no"] * len(given_rows), pa.string())
    return pa.table({"features": features, "score": scores, "decision": decisions})


@given(st.lists(rows, max_size=40), st.integers(0, 40), st.randoms(use_true_random=False))
def test_windows_add_up_in_any_order(given_rows: list[dict[str, float | str | None]], cut: int, random: object) -> None:
    """Counting batches and adding is counting everything at once, however the rows are ordered: to the last bit."""
    shuffled = list(given_rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    first, second = counting.count(table(shuffled[:cut]), BINS), counting.count(table(shuffled[cut:]), BINS)
    whole = counting.count(table(given_rows), BINS)
    assert first.plus(second) == second.plus(first) == whole


@given(st.lists(rows, min_size=1, max_size=40))
def test_no_row_is_lost_in_counting(given_rows: list[dict[str, float | str | None]]) -> None:
    """Each logged value is in one bin or missing; a column that is not logged stays empty."""
    window = counting.count(table(given_rows), BINS)
    totals = [int(drift.cells(column).sum()) for column in window.columns]
    assert totals == [len(given_rows), len(given_rows), 0]
    assert int(drift.cells(window.prediction).sum()) == window.scores.count == len(given_rows)
    assert window.scores.mean == pytest.approx(np.mean([row["score"] for row in given_rows]), abs=1 / SCALE)


def test_a_value_on_an_edge_is_where_training_put_it() -> None:
    """Training counted in 32 bits: 0.1 logged in 64 bits lies on the edge that 0.1 became, not below it."""
    edge = float(np.float32(0.1))
    bins = Histogram(column="x", edges=[edge], counts=[1, 1], missing=0)
    assert binning.count_column(pa.array([0.1]), bins).counts == [0, 1]


def test_levels_that_the_model_does_not_know_are_counted_together() -> None:
    """The last entry of a category's counts."""
    counted = binning.count_column(pa.array(["month", "x", None, "y"]), BINS.columns[1])
    assert (counted.counts, counted.missing) == ([1, 0, 2], 1)


def test_a_multiclass_prediction_is_its_decision() -> None:
    """Counted by class; the mean is that of the decided class' probability."""
    bins = BINS.model_copy(
        update={"prediction": Histogram(column="prediction", levels=["a", "b"], counts=[5, 5, 0], missing=0)}
    )
    logged = pa.table(
        {
            "features": table([]).column("features").combine_chunks().take(pa.array([None, None], pa.int64())),
            "score": pa.array([[0.25, 0.75], [0.5, 0.5]]),
            "decision": pa.array(["b", "a"]),
        }
    )
    window = counting.count(logged, bins)
    assert window.prediction.counts == [1, 1, 0]
    assert window.scores.mean == 0.625


@pytest.mark.parametrize("rows", [400, 4_000, 200_000])
@pytest.mark.parametrize("kind", ["edges", "levels"])
def test_chance_is_taken_off(rows: int, kind: str) -> None:
    """The distance between samples of one distribution is near nothing at every size, though without the correction it is not."""
    random = np.random.default_rng(rows)
    shape = {"edges": [float(n) for n in range(1, 30)]} if kind == "edges" else {"levels": [f"l{n}" for n in range(29)]}
    shares = random.dirichlet([3.0] * 30)
    found = []
    for _ in range(100):
        now, before = (
            Histogram.model_validate(
                {"column": "x", **shape, "counts": random.multinomial(size, shares).tolist(), "missing": 0}
            )
            for size in (rows, 800)
        )
        found.append((drift.difference(now, before), drift.jensen_shannon(drift.cells(now), drift.cells(before))))
    assert np.mean([difference.jensen_shannon**2 for difference, _ in found]) < 0.003
    assert np.mean([difference.psi for difference, _ in found]) < 0.02
    assert np.mean([raw**2 for _, raw in found]) > 0.005


def test_sums_do_not_overflow() -> None:
    """Values of a regression may be large; their squares are larger."""
    moments = binning.moments(np.array([1e12, -1e12, 3e12]))
    assert moments.mean == pytest.approx(1e12)
    assert moments.variance == pytest.approx(4e24, rel=1e-9)


def test_bins_that_differ_do_not_add_up() -> None:
    """Counts of two models are not mixed."""
    other = BINS.columns[2].model_copy(update={"edges": [1970.0]})
    with pytest.raises(ValueError, match="only counts in equal bins add up"):
        sum_of(BINS.columns[2], other)
