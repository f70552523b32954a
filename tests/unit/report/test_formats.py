"""How values read."""

import math

import pytest

from argosy.report import formats


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(0.84812, "0.8481", id="four-digits"),
        pytest.param(1409, "1,409", id="thousands"),
        pytest.param(5000.0, "5,000", id="whole-float"),
        pytest.param(-0.01, f"{formats.MINUS}0.01", id="minus-sign"),
        pytest.param(0.00000123, f"1.2e{formats.MINUS}06", id="tiny"),
        pytest.param(None, formats.DASH, id="undefined"),
        pytest.param(math.nan, formats.DASH, id="nan"),
        pytest.param(math.inf, "inf", id="infinite"),
        pytest.param(0.0, "0", id="zero"),
    ],
)
def test_numbers(value: float | None, text: str) -> None:
    """Four significant digits, thousands separated, a dash for what is undefined."""
    assert formats.number(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(0.0421, "42 ms", id="milliseconds"),
        pytest.param(0.9999, "1.0 s", id="almost-a-second"),
        pytest.param(61.04, "61.0 s", id="seconds"),
        pytest.param(119.7, "2 min 00 s", id="rounds-into-the-minute"),
        pytest.param(7322, "2 h 02 min", id="hours"),
    ],
)
def test_durations(value: float, text: str) -> None:
    """In the unit that a person would use."""
    assert formats.seconds(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [pytest.param(999, "999 B", id="bytes"), pytest.param(1_234_567, "1.23 MB", id="megabytes")],
)
def test_sizes(value: int, text: str) -> None:
    """Decimal units."""
    assert formats.size(value) == text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param("age.demographic_parity_ratio", "age: demographic parity ratio", id="dotted"),
        pytest.param("performance.pr_auc", "performance: PR AUC", id="initials"),
        pytest.param("pr_channel", "pr channel", id="no-score"),
        pytest.param("causal_f1a", "causal f1a", id="inside-a-word"),
    ],
)
def test_names_as_words(name: str, text: str) -> None:
    """Scores known by their initials are spelled as people do; a feature that only begins like one is left alone."""
    assert formats.words(name) == text
