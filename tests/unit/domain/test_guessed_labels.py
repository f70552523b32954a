"""Which column `argosy init` takes for the one that is predicted, and what it says of those that it did not take."""

import pytest

from argosy.domain import new_model
from argosy.domain.column_profiles import ColumnProfile, TableProfile
from argosy.domain.new_model import Wishes


def _column(name: str, *levels: str, distinct: int = 0) -> ColumnProfile:
    """Of 120 rows: classes, or numbers of *distinct* values."""
    if not levels:
        return ColumnProfile(name, "number", 120, 0, distinct, smallest=0.0, largest=9.0)
    return ColumnProfile(name, "string", 120, 0, len(levels), tuple((level, 120 // len(levels)) for level in levels))


AGE, CARD, KIND = _column("age", distinct=40), _column("card", "yes", "no"), _column("kind", "a", "b", "c")
MONTHS, PRICE, TARGET = _column("months", distinct=90), _column("price", distinct=80), _column("target", "x", "y")


@pytest.mark.parametrize(
    ("columns", "label", "reason"),
    [
        pytest.param(
            [AGE, CARD, KIND, MONTHS],
            "months",
            "the last of 4 columns that can be predicted; --target names another, such as card, kind, age",
            id="none has a usual name: classes are named first",
        ),
        pytest.param(
            [AGE, PRICE, TARGET, CARD],
            "target",
            "a column of this name is usually what is predicted; --target names another, such as price",
            id="two have usual names",
        ),
        pytest.param(
            [AGE, PRICE],
            "price",
            "a column of this name is usually what is predicted; --target names another",
            id="one has a usual name",
        ),
    ],
)
def test_a_guess_says_what_else_may_be_meant(columns: list[ColumnProfile], label: str, reason: str) -> None:
    """Whoever meant another column sees its name beside the option that takes it."""
    found = new_model.of(TableProfile(tuple(columns), 120), Wishes())
    [guess] = [each for each in found.guesses if each.what == "label"]
    assert (guess.value, guess.reason) == (label, reason)
