"""How values read."""

import pytest

from argosy.report import formats


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
        pytest.param("learning_rate", "learning rate", id="plain"),
        pytest.param("pr_auc", "PR AUC", id="initials"),
        pytest.param("causal_f1a", "causal f1a", id="inside-a-word"),
    ],
)
def test_names_as_words(name: str, text: str) -> None:
    """Scores known by their initials are spelled as people do; a name that only begins like one is left alone."""
    assert formats.words(name) == text


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param("pr_auc", "PR AUC", id="score"),
        pytest.param("age_band.demographic_parity_ratio", "age_band: demographic parity ratio", id="column"),
        pytest.param("slice.Overall.Qual.5_a.r2", "slice.Overall.Qual.5_a: r2", id="column-with-dots"),
    ],
)
def test_measurements_leave_columns_as_they_are(name: str, text: str) -> None:
    """What the owner of the data wrote is not rewritten: `Overall.Qual` is no "Overall: Qual"."""
    assert formats.measurement(name) == text


@pytest.mark.parametrize(("limit", "text"), [("<= 20000", "≤ 20,000"), (">= 0.62", "≥ 0.62"), ("<= 12.5", "≤ 12.5")])
def test_limits_are_written_as_what_was_measured(limit: str, text: str) -> None:
    """Thousands are separated, and what stands behind a point is left as it is."""
    assert formats.bound(limit) == text
