"""What of the loop after a merge nobody set, and what it costs."""

import datetime
from typing import Any

import pytest

from argosy.domain import loop_parts
from argosy.domain.diagnosis import CheckState
from argosy.domain.model_settings import ModelSettings
from argosy.domain.monitor_settings import Monitor
from argosy.domain.notify_settings import Channel
from argosy.domain.retraining_settings import Retraining
from kit import looked
from kit.examples import make_settings
from kit.looked import NOON

HOUR = datetime.timedelta(hours=1)
BARE = make_settings("binary", ["no", "yes"], "log_loss")


def having(**parts: Any) -> ModelSettings:
    """The bare settings with these *parts*."""
    return BARE.model_copy(update=parts)


def test_whoever_set_nothing_hears_what_it_costs() -> None:
    """Section by section, and none of it is wrong."""
    checks = list(loop_parts.settings_checks(BARE, []))
    assert {check.state for check in checks} == {CheckState.UNSET}
    assert [check.said.partition(" is not in")[0] for check in checks] == ["`monitor`", "`labels`", "`notify`"]
    assert "no drift is ever seen" in checks[0].said


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        pytest.param({}, True, id="drift"),
        pytest.param({"retraining": Retraining(on=["schedule"])}, False, id="never-for-drift"),
        pytest.param({"evaluation": BARE.evaluation.model_copy(update={"recent": "30d"})}, False, id="kept-aside"),
    ],
)
def test_a_retraining_that_can_show_nothing_is_told(parts: Any, told: bool) -> None:
    """It would cost a machine and end inconclusive, each time."""
    said = [section for section, _ in loop_parts.unset(having(monitor=Monitor(), **parts))]
    assert ("evaluation.recent" in said) is told


@pytest.mark.parametrize(
    ("addresses", "told"),
    [
        pytest.param([], True, id="none"),
        pytest.param(["ARGOSY_NOTIFY_ON_CALL"], False, id="one"),
        pytest.param(None, False, id="not-seen"),
    ],
)
def test_channels_that_lead_nowhere(addresses: Any, told: bool) -> None:
    """An address for one of them will do: elsewhere there may be others."""
    named = having(notify={"on-call": Channel(), "team": Channel()})
    checks = [check for check in loop_parts.settings_checks(named, addresses) if "address" in check.said]
    assert [check.fix for check in checks] == ["set ARGOSY_NOTIFY_ON_CALL, ARGOSY_NOTIFY_TEAM"] * told


@pytest.mark.parametrize(
    ("monitor", "looked_at", "logged", "state", "said"),
    [
        pytest.param(Monitor(), NOON, True, CheckState.OK, "looked at last at 2026-03-01 12:00 UTC: drift", id="watched"),
        pytest.param(Monitor(), NOON - 3 * HOUR, True, CheckState.OK, "looked at last", id="late"),
        pytest.param(Monitor(), NOON - 4 * HOUR, True, CheckState.UNSET, "ended at 2026-03-01 08:00 UTC", id="no-more"),
        pytest.param(Monitor(), NOON + HOUR, True, CheckState.OK, "at last at 2026-03-01 12:00 UTC", id="an-hour-that-goes-on"),
        pytest.param(Monitor(), None, True, CheckState.UNSET, "no look is kept", id="never"),
        pytest.param(Monitor(), NOON, False, CheckState.UNSET, "nothing was logged for a day", id="log-off"),
        pytest.param(None, None, True, CheckState.OK, "its predictions are logged", id="nobody-watches"),
    ],
)  # fmt: skip
def test_what_is_served_is_watched(monitor: Any, looked_at: Any, logged: bool, state: CheckState, said: str) -> None:
    """By its log of the last day, and its newest look."""
    look = looked.look("drift", until=looked_at) if looked_at else None
    check = loop_parts.served_check("churn", "production", monitor, look, [NOON] * logged, NOON)
    assert (check.state, said in check.said) == (state, True), check
