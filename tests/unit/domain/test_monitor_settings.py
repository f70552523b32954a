"""The section ``monitor`` of a model's settings."""

import datetime

import pytest
from pydantic import ValidationError

from argosy.domain.monitor_settings import Monitor


@pytest.mark.parametrize(
    ("every", "cron"),
    [
        pytest.param("5m", "0-59/5 * * * *", id="five-minutes"),
        pytest.param("15m", "5-59/15 * * * *", id="a-quarter"),
        pytest.param("60m", "5 * * * *", id="sixty-minutes"),
        pytest.param("1h", "5 * * * *", id="an-hour"),
        pytest.param("6h", "5 */6 * * *", id="six-hours"),
        pytest.param("1d", "5 0 * * *", id="a-day"),
    ],
)
def test_is_looked_at_as_often_as_it_says(every: str, cron: str) -> None:
    """Looks stand a few minutes after the hour, when servers have shipped what they answered in it."""
    assert Monitor(every=every).cron == cron


def season(**changes: str) -> dict[str, object]:
    """The seasonal baseline."""
    return {"baseline": "season", "seasonality": {"by": "hour of week", **changes}}


@pytest.mark.parametrize("history", ["14d", "400d"])
def test_the_log_may_be_a_source_of_seasons(history: str) -> None:
    """Two weeks of it say how far one is from another. Whoever counts by the same clock counts the same seasons, whatever the source."""
    logged, trained = (Monitor.model_validate(season(**more)).seasonality for more in ({"history": history}, {}))
    assert logged is not None
    assert logged.is_counted_as(trained)
    other = Monitor.model_validate(season(timezone="Europe/Berlin")).seasonality
    assert not logged.is_counted_as(other)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        pytest.param({"every": "7m"}, "no part of an hour", id="cron-cannot-say-it"),
        pytest.param({"every": "90m"}, "no part of an hour", id="more-than-an-hour"),
        pytest.param({"every": "2d"}, "no part of a day", id="more-than-a-day"),
        pytest.param({"window": "90m"}, "no whole number of hours", id="half-an-hour"),
        pytest.param({"window": "soon"}, "a number and its unit, m, h or d", id="no-duration"),
        pytest.param({"window": 24}, "a number and its unit, m, h or d", id="no-unit"),
        pytest.param({"window": "1h", "every": "1d"}, "most of what is answered", id="gaps"),
        pytest.param({"thresholds": {"distance": 10}}, "less than or equal to 1", id="a-distance-in-percent"),
        pytest.param({"thresholds": {"mean_shift": 15}}, "less than or equal to 10", id="a-shift-in-percent"),
        pytest.param({"baseline": "season"}, "needs `seasonality`", id="season-of-what"),
        pytest.param({"slices": ["plan", "plan"]}, "'plan' is there twice", id="slice-twice"),
        *(
            pytest.param(season(timezone=name), f"{name!r} is no time zone", id=f"time-zone-{name}")
            for name in ("Europe/Berln", "Mars", "Europe")
        ),
        pytest.param(
            season(history="13d"), "windows of 24h by hour of week need 14d at least", id="one-week-to-compare"
        ),
        pytest.param({**season(history="27d"), "window": "8d"}, "need 28d at least", id="windows-of-two-weeks"),
        pytest.param(season(by="month", history="300d"), "by month need 365d at least", id="no-such-month-yet"),
    ],
)
def test_refuses_what_cannot_be_watched(wrong: dict[str, object], said: str) -> None:
    """What a schedule or a count by the hour cannot do is refused where it is written."""
    with pytest.raises(ValidationError, match=said):
        Monitor.model_validate(wrong)


def test_a_window_has_a_length() -> None:
    """Days are of 24 hours: windows are cut in UTC."""
    assert Monitor(window="7d").length == datetime.timedelta(hours=168)
