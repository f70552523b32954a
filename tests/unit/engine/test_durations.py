"""Durations are Go's."""

import pytest

from argosy.engine import durations


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        pytest.param("90", 90.0, id="bare-number"),
        pytest.param("1h30m", 5400.0, id="hours-and-minutes"),
        pytest.param("500ms", 0.5, id="milliseconds"),
        pytest.param("1.5s", 1.5, id="fraction"),
        pytest.param("-2m", -120.0, id="negative"),
    ],
)
def test_seconds(text: str, seconds: float) -> None:
    """Digits alone are seconds; units add up."""
    assert durations.seconds(text) == seconds


@pytest.mark.parametrize(
    "text", ["", "1d", "five", "1h 5m", "5 s"], ids=["empty", "days", "word", "blank-between", "blank-before-unit"]
)
def test_not_a_duration(text: str) -> None:
    """Anything else is refused with an example."""
    with pytest.raises(ValueError, match="not a duration; write for example"):
        durations.seconds(text)
