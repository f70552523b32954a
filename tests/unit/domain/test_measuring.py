"""Sizes that reviewers may choose: as ever where they do not, and known where they do."""

import pytest
from pydantic import ValidationError

from argosy.domain import measurements, measuring
from argosy.domain.measuring import AS_EVER, Measuring
from kit.examples import make_settings


def test_every_size_is_of_a_measurement() -> None:
    """Else a replay would not know what hangs on it."""
    settings = make_settings(
        "binary", ["no", "yes"], "auc", evaluation={"slices": ["plan"]}, training={"monotone": {"plan": "increasing"}}
    )
    known = [*measurements.names(settings), "performance.newest_drop"]
    assert set(measuring._OF) == set(Measuring.model_fields)
    for name, begins in measuring._OF.items():
        assert all(any(metric.startswith(begin) for metric in [*known, "performance.slice."]) for begin in begins), name


def test_what_differs_is_named() -> None:
    """For a measurement that hangs on it, and for no other."""
    larger = Measuring(noise=0.2)
    assert list(measuring.differences(AS_EVER, larger, "robustness.noise_drop")) == [
        "measuring.noise was 0.1, and the policy asks for 0.2"
    ]
    assert list(measuring.differences(AS_EVER, larger, "robustness.flip_rate")) == []


@pytest.mark.parametrize("wrong", [{"noise": 0}, {"missing": 1}, {"attacked_columns": 0}, {"nois": 0.1}])
def test_sizes_that_measure_nothing_are_refused(wrong: dict[str, float]) -> None:
    """A noise of nothing would always pass."""
    with pytest.raises(ValidationError):
        Measuring.model_validate(wrong)
