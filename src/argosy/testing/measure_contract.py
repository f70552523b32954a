"""The contract suite of a measurement that a package brings for gates."""

import math
import re

import numpy as np

from argosy.ports.measures import JudgedRows, OwnMeasure


class MeasureContract:
    """Inherit, and provide fixtures ``measure`` and ``judged``: rows as an evaluation hands them over."""

    def test_values_have_names_that_a_policy_can_write(self, measure: OwnMeasure, judged: JudgedRows) -> None:
        """Lower case, digits, underscores; there is one at least."""
        found = measure(judged)
        assert found
        assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in found)

    def test_values_are_numbers_or_undefined(self, measure: OwnMeasure, judged: JudgedRows) -> None:
        """None says undefined; infinity and NaN are no limits' business."""
        assert all(value is None or math.isfinite(value) for value in measure(judged).values())

    def test_the_same_rows_give_the_same_values(self, measure: OwnMeasure, judged: JudgedRows) -> None:
        """To the last bit, or the run cannot be repeated."""
        assert measure(judged) == measure(judged)

    def test_nothing_is_changed(self, measure: OwnMeasure, judged: JudgedRows) -> None:
        """What is judged is judged by others afterwards."""
        labels, predictions = judged.labels.copy(), judged.predictions.copy()
        measure(judged)
        assert np.array_equal(labels, judged.labels)
        assert np.array_equal(predictions, judged.predictions, equal_nan=True)
