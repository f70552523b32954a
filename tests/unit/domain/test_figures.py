"""How numbers read."""

import math

import pytest

from argosy.domain import figures


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(0.84812, "0.8481", id="four-digits"),
        pytest.param(1409, "1,409", id="thousands"),
        pytest.param(5000.0, "5,000", id="whole-float"),
        pytest.param(24071.3, "24,071", id="no-exponent"),
        pytest.param(999.97, "1,000", id="rounds-into-the-thousands"),
        pytest.param(336776, "336,776", id="a-count-keeps-its-digits"),
        pytest.param(425_078_751_232.0, "425.1 billion", id="billions"),
        pytest.param(4.2e13, "42 trillion", id="trillions"),
        pytest.param(4.2e17, "4.2 \N{MULTIPLICATION SIGN} 10\N{SUPERSCRIPT ONE}\N{SUPERSCRIPT SEVEN}", id="huge"),
        pytest.param(-0.01, "-0.01", id="minus-sign"),
        pytest.param(0.00000123, "1.2 \N{MULTIPLICATION SIGN} 10\N{SUPERSCRIPT MINUS}\N{SUPERSCRIPT SIX}", id="tiny"),
        pytest.param(None, figures.DASH, id="undefined"),
        pytest.param(math.nan, figures.DASH, id="nan"),
        pytest.param(math.inf, "inf", id="infinite"),
        pytest.param(0.0, "0", id="zero"),
    ],
)
def test_numbers(value: float | None, text: str) -> None:
    """Four significant digits, thousands separated, large ones in words, a dash for what is undefined; never `2.407e+04`."""
    assert figures.number(value) == text


def test_changes_have_their_sign() -> None:
    """Both ways."""
    assert (figures.signed(12.5), figures.signed(-1234.0)) == ("+12.5", "-1,234")
