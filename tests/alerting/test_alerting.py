"""From requests and looks to an alert, through the real Prometheus and Alertmanager, and to whoever retrains."""

import json
import urllib.error
import urllib.request
from typing import Any

import pytest

from alerting.conftest import RunningStack
from argosy.domain import alerts, looks
from kit import faulty_server, looked, prometheus_stack, serving_kit

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def ask(address: str, **changes: Any) -> int:
    """The status of the answer to the usual row with *changes*."""
    body = json.dumps({"instances": [{**serving_kit.ROW, **changes}] * 5}).encode()
    try:
        with urllib.request.urlopen(f"{address}/v1/models/leaving:predict", data=body, timeout=30) as answer:  # noqa: S310 - our own server
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def asked_until(world: RunningStack, alert: str, environment: str, **changes: Any) -> dict[str, Any]:
    """Ask like that until *alert* fires; returns it."""

    def look() -> dict[str, Any] | None:
        for _ in range(10):
            ask(world.faulty, **changes)
        found = prometheus_stack.firing(world.prometheus).get(alert, [])
        return next((each for each in found if each["labels"].get("environment") == environment), None)

    return prometheus_stack.awaited(alert, look, seconds=120)


def test_shifted_requests(world: RunningStack) -> None:
    """Answers whose mean is another than the holdout's."""
    found = asked_until(world, "ArgosyMeanPredictionShifted", "production", tenure=1)
    assert found["labels"]["model"] == "leaving"
    assert found["labels"]["severity"] == "warning"
    assert "exporter" not in json.dumps(found["labels"])


def test_slow_answers(world: RunningStack) -> None:
    """A model that takes its time."""
    found = asked_until(world, "ArgosyLatencyHigh", "production", tenure=faulty_server.SLOW)
    assert "production" in found["annotations"]["summary"]
    assert "{{" not in json.dumps(found["annotations"])


def test_answers_that_are_errors(world: RunningStack) -> None:
    """A model that has no number."""
    assert ask(world.faulty, tenure=faulty_server.UNDEFINED) == 500
    found = asked_until(world, "ArgosyErrorRateHigh", "production", tenure=faulty_server.UNDEFINED)
    assert found["labels"]["severity"] == "critical"


@pytest.mark.parametrize(
    "alert",
    ["ArgosyTrafficLow", "ArgosyPipelineFailed", "ArgosyScheduleMissed", "ArgosyCanaryAborted"],
)
def test_what_is_wrong_from_the_start(world: RunningStack, alert: str) -> None:
    """A pipeline that failed and is overdue, a canary that was given up, a model that is hardly asked."""
    found = prometheus_stack.awaited(alert, lambda: prometheus_stack.firing(world.prometheus).get(alert), seconds=90)
    assert found[0]["labels"]["model"] == "leaving"


def test_drift_reaches_whoever_retrains(world: RunningStack) -> None:
    """A look that says drift becomes Alertmanager's own message, which admission reads; what needs no retraining does not get there."""
    assert not world.bodies
    look = looked.look("drift", model="leaving")
    world.objects.put(looks.latest_key("leaving", "production"), look.canonical_json().encode())
    body = prometheus_stack.awaited("the message", lambda: world.bodies[0] if world.bodies else None, seconds=120)
    message = alerts.read(body)
    (alert,) = message.alerts
    assert alert.fires
    assert alert.asks_to_retrain
    assert (alert.name, alert.model, alert.environment) == ("ArgosyDrift", "leaving", "production")
    assert alert.model_digest == looked.DIGEST
    assert {each.name for sent in world.bodies for each in alerts.read(sent).alerts} <= {
        "ArgosyDrift",
        "ArgosyPerformanceBelowGate",
    }


def test_series_outlive_what_argo_removes(world: RunningStack) -> None:
    """The last success is what it was, read from the store after the workflow is gone."""
    (found,) = prometheus_stack.queried(world.prometheus, "argosy_pipeline_last_success_timestamp_seconds")
    assert float(found["value"][1]) == pytest.approx(1767226200)
    assert json.loads(world.objects.get("exporter/pipelines.json"))["pipelines"][0]["succeeded"] == 1767226200.0
