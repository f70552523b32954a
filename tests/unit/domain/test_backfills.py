"""The moments of a backfill, by UTC's calendar."""

import datetime

import pytest

from argosy import errors
from argosy.domain import backfills


def day(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC)


@pytest.mark.parametrize(
    ("first", "last", "every", "found"),
    [
        pytest.param("2023-11-15", "2024-02-15", "month", ["2023-11-15", "2023-12-15", "2024-01-15", "2024-02-15"], id="both-ends"),
        pytest.param("2024-01-31", "2024-04-30", "month", ["2024-01-31", "2024-02-29", "2024-03-31", "2024-04-30"], id="short-months"),
        pytest.param("2024-02-29", "2026-01-01", "year", ["2024-02-29", "2025-02-28"], id="leap-years"),
        # Berlin's clocks go forward between the second and the third: a day of UTC has 24 hours all the same.
        pytest.param("2013-03-24", "2013-04-07", "week", ["2013-03-24", "2013-03-31", "2013-04-07"], id="daylight-saving"),
        pytest.param("2013-03-24", "2013-04-07", "10d", ["2013-03-24", "2013-04-03"], id="days"),
        pytest.param("2013-03-24", "2013-03-24", "quarter", ["2013-03-24"], id="one"),
        pytest.param("9999-11-30", "9999-12-31", "month", ["9999-11-30", "9999-12-30"], id="the-end-of-the-calendar"),
    ],
)  # fmt: skip
def test_moments(first: str, last: str, every: str, found: list[str]) -> None:
    """Counted from the first each time, so that a short month shortens no other."""
    assert backfills.moments(day(first), day(last), every) == [day(each) for each in found]


@pytest.mark.parametrize(
    ("last", "every", "said"),
    [
        pytest.param("2012-12-31", "month", "is before --from", id="backwards"),
        pytest.param("2013-12-31", "fortnight", "--every fortnight: it is day, week", id="no-span"),
        pytest.param("2013-12-31", "0d", "--every 0d: it is", id="no-step"),
        pytest.param("2099-12-31", "day", "is more than 1,000 runs", id="too-many"),
    ],
)
def test_what_no_backfill_can_be(last: str, every: str, said: str) -> None:
    """One line says what to write instead."""
    with pytest.raises(errors.UsageError, match=said):
        backfills.moments(day("2013-01-01"), day(last), every)
