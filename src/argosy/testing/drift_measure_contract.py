"""The contract suite of a measure of drift that a package brings."""

import math

import pytest

from argosy.domain.bundle import Histogram
from argosy.ml.drift_measure import DriftMeasure

NUMBER = Histogram(column="age", edges=[0.0, 1.0, 2.5], counts=[5, 40, 30, 25], missing=0)
CATEGORY = Histogram(column="plan", levels=["month", "year"], counts=[60, 40, 0], missing=10)
ELSEWHERE = {
    "age": NUMBER.model_copy(update={"counts": [0, 0, 1, 99]}),
    "plan": CATEGORY.model_copy(update={"counts": [1, 4, 90]}),
}
"""The same columns, far from where they were."""


def times(histogram: Histogram, factor: int) -> Histogram:
    """*histogram* of so many times the rows."""
    counts = [count * factor for count in histogram.counts]
    return histogram.model_copy(update={"counts": counts, "missing": histogram.missing * factor})


class DriftMeasureContract:
    """Inherit, and provide a fixture ``measure``. It says something of numbers, or of categories, or of both."""

    def test_it_says_something(self, measure: DriftMeasure) -> None:
        """Of one kind of column at least, and by more than nothing where hardly a row is where it was."""
        said = [measure(ELSEWHERE[each.column], each) for each in (NUMBER, CATEGORY)]
        assert any(each is not None and each > 0 for each in said)

    @pytest.mark.parametrize("column", [NUMBER, CATEGORY], ids=lambda each: each.column)
    def test_equal_shares_are_at_no_distance(self, measure: DriftMeasure, column: Histogram) -> None:
        """However many rows there are on either side."""
        assert measure(column, column) in (None, pytest.approx(0.0, abs=1e-12))
        assert measure(times(column, 7), column) in (None, pytest.approx(0.0, abs=1e-9))

    @pytest.mark.parametrize("column", [NUMBER, CATEGORY], ids=lambda each: each.column)
    def test_a_distance_is_a_number_from_0_on(self, measure: DriftMeasure, column: Histogram) -> None:
        """Also where a side is all in one bin, or all missing: nothing else can be held against a limit."""
        alone = column.model_copy(update={"counts": [9, *(0 for _ in column.counts[1:])], "missing": 0})
        missing = column.model_copy(update={"counts": [0 for _ in column.counts], "missing": 9})
        for now, before in [(alone, column), (column, alone), (missing, column), (column, missing), (missing, alone)]:
            said = measure(now, before)
            assert said is None or 0 <= said < math.inf

    @pytest.mark.parametrize("column", [NUMBER, CATEGORY], ids=lambda each: each.column)
    def test_the_same_counts_give_the_same_distance(self, measure: DriftMeasure, column: Histogram) -> None:
        """To the last bit, and the counts are what they were."""
        now, kept = ELSEWHERE[column.column], column.model_copy(deep=True)
        assert measure(now, column) == measure(now, column)
        assert column == kept
