"""Where looks and counts are kept."""

import datetime
from zoneinfo import ZoneInfo

import pytest

from argosy.domain import looks

BERLIN = ZoneInfo("Europe/Berlin")


def test_keys_sort_in_time() -> None:
    """Whoever lists the keys of a model sees its looks from the first to the last, the newest by its own name at the end."""
    moments = [datetime.datetime(2026, month, 1, 9, tzinfo=datetime.UTC) for month in (2, 10, 11)]
    keys = [looks.look_key("churn", "production", moment) for moment in moments]
    assert [*keys, looks.latest_key("churn", "production")] == sorted([*keys, looks.latest_key("churn", "production")])


@pytest.mark.parametrize(
    ("begin", "end", "count"),
    [
        pytest.param((2026, 3, 29, 0), (2026, 3, 30, 0), 23, id="spring"),
        pytest.param((2026, 10, 25, 0), (2026, 10, 26, 0), 25, id="autumn"),
    ],
)
def test_a_day_of_a_changing_clock_has_each_hour_once(
    begin: tuple[int, int, int, int], end: tuple[int, int, int, int], count: int
) -> None:
    """The hour that comes twice by a clock is two hours of counts, the one that is left out none."""
    hours = list(looks.hours(datetime.datetime(*begin, tzinfo=BERLIN), datetime.datetime(*end, tzinfo=BERLIN)))
    keys = {looks.counts_key("churn", "production", "sha256:ab", hour) for hour in hours}
    assert len(hours) == len(keys) == count


def test_a_window_that_begins_within_an_hour_holds_that_hour() -> None:
    """Counts are of whole hours."""
    since = datetime.datetime(2026, 1, 1, 10, 59, 59, tzinfo=datetime.UTC)
    until = datetime.datetime(2026, 1, 1, 12, 0, tzinfo=datetime.UTC)
    assert [hour.hour for hour in looks.hours(since, until)] == [10, 11]
