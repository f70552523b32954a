"""A broken column is told from a drifted one: a world that changes moves values, it does not empty a column."""

import pytest

from argosy.domain import column_health
from argosy.domain.bundle import Histogram

NUMBER = Histogram(column="n", edges=[1, 2, 3], counts=[250, 250, 250, 250], missing=10)
LEVELS = Histogram(column="c", levels=["a", "b", "d"], counts=[400, 300, 300, 0], missing=0)


def now(of: Histogram, counts: list[int], missing: int = 0) -> Histogram:
    """The same bins, filled otherwise."""
    return of.model_copy(update={"counts": counts, "missing": missing})


@pytest.mark.parametrize(
    ("before", "counts", "missing", "says"),
    [
        pytest.param(NUMBER, [250, 250, 250, 250], 10, None, id="as-it-was"),
        pytest.param(NUMBER, [0, 0, 0, 0], 500, "missing in 100% of the rows, before in 1%", id="emptied"),
        pytest.param(NUMBER, [120, 120, 120, 120], 520, "missing in 52%", id="half-emptied"),
        pytest.param(NUMBER, [150, 150, 150, 150], 400, None, id="more-missing-than-before"),
        pytest.param(NUMBER, [0, 1000, 0, 0], 0, "all its values in one place in 100%", id="constant"),
        pytest.param(NUMBER, [0, 5, 5, 990], 0, "all its values in one place in 99%", id="beyond-the-last-edge"),
        pytest.param(NUMBER, [500, 2, 2, 500], 0, "at the ends of its range, or beyond, in 100%", id="stretched"),
        pytest.param(NUMBER, [0, 0, 100, 900], 0, None, id="far-drifted"),
        pytest.param(LEVELS, [0, 0, 0, 900], 0, "values never seen before in 100%", id="renamed-levels"),
        pytest.param(LEVELS, [0, 1000, 0, 0], 0, "has one value in 100%", id="one-level"),
        pytest.param(LEVELS, [100, 800, 100, 0], 0, None, id="drifted-levels"),
        pytest.param(now(NUMBER, [950, 20, 20, 10]), [1000, 0, 0, 0], 0, None, id="was-nearly-constant"),
        pytest.param(now(NUMBER, [0, 0, 0, 0], 9), [1, 1, 1, 1], 0, None, id="was-empty"),
        pytest.param(NUMBER, [0, 0, 0, 0], 0, None, id="no-rows"),
        pytest.param(Histogram(column="n", edges=[], counts=[9], missing=0), [9], 0, None, id="one-bin"),
    ],
)
def test_broken_or_drifted(before: Histogram, counts: list[int], missing: int, says: str | None) -> None:
    """Emptied, of one value, or where nothing ever was; a shift, however far, is none of them."""
    found = column_health.broken(now(before, counts, missing), before)
    assert (found is None) if says is None else (found is not None and says in found)


def test_the_gate_names_each() -> None:
    """One sentence says which columns, what is wrong with them, and in which rows."""
    gate = column_health.gate([("rows held out", "n", "is missing"), ("newest rows", "c", "has one value")])
    assert not gate.passed
    assert gate.reason.endswith("not drifted: n is missing (rows held out); c has one value (newest rows)")
    assert column_health.gate([("r", "n", "is missing")] * 9).reason.endswith("; and 6 more")
    assert column_health.gate([]).passed
