"""What is read of Alertmanager's webhook, and what is refused."""

import datetime
import json
from pathlib import Path
from typing import Any

import pytest

from argosy.domain import alerts

ALERT: dict[str, Any] = {
    "status": "firing",
    "labels": {
        "alertname": "ArgosyDrift",
        "model": "churn",
        "environment": "production",
        "digest": "sha256:0a",
        "retrain": "true",
    },
    "annotations": {"summary": "it drifted", "command": "argosy drift churn"},
    "startsAt": "2026-11-28T14:17:59.361+01:00",
    "endsAt": "0001-01-01T00:00:00Z",
    "generatorURL": "http://prometheus:9090/graph?g0.expr=1",
    "fingerprint": "35fea2ef9f5d2a12",
}


def message(*among: dict[str, Any], **fields: Any) -> str:
    """A message as Alertmanager 0.28 writes it, with *among* as its alerts."""
    whole = {
        "receiver": "argosy",
        "status": "firing",
        "alerts": list(among) or [ALERT],
        "groupLabels": {"alertname": "ArgosyDrift"},
        "commonLabels": {},
        "commonAnnotations": {},
        "externalURL": "http://alertmanager:9093",
        "version": "4",
        "groupKey": '{}:{alertname="ArgosyDrift"}',
        "truncatedAlerts": 0,
    }
    return json.dumps({**whole, **fields})


def alert(**fields: Any) -> dict[str, Any]:
    """An alert with *fields* in place of its own."""
    return {**ALERT, **fields}


def test_what_an_alert_says() -> None:
    """Its name, model, environment, digest and since when, in UTC whatever Alertmanager's zone is."""
    (read,) = alerts.read(message()).alerts
    assert (read.name, read.model, read.environment, read.model_digest) == (
        "ArgosyDrift",
        "churn",
        "production",
        "sha256:0a",
    )
    assert read.since == datetime.datetime(2026, 11, 28, 13, 17, 59, 361000, datetime.UTC)
    assert read.fires
    assert read.asks_to_retrain


def test_bytes_are_read_as_text_is() -> None:
    """What a socket or a file gave."""
    assert alerts.read(message().encode()) == alerts.read(message())


def test_one_that_is_over() -> None:
    """Alertmanager says so too."""
    (read,) = alerts.read(message(alert(status="resolved"), status="resolved")).alerts
    assert not read.fires


def test_fields_of_a_newer_alertmanager() -> None:
    """It has added fields within one version: they are passed over."""
    assert alerts.read(message(alert(reason="new"), notificationReason="new")).alerts[0].model == "churn"


def test_an_alert_without_a_model() -> None:
    """A rule of somebody else's: empty names, not a failure."""
    (read,) = alerts.read(message(alert(labels={}))).alerts
    assert (read.model, read.environment, read.model_digest, read.asks_to_retrain) == ("", "", "", False)


WRONG = [
    pytest.param("", "it is no JSON", id="empty"),
    pytest.param("\x00\xff", "it is no JSON", id="garbage"),
    pytest.param("[" * 50_000, "it is no JSON", id="nested"),
    pytest.param("[]", "the whole", id="a-list"),
    pytest.param("null", "the whole", id="null"),
    pytest.param(message(version="3"), "version", id="version"),
    pytest.param(message(version=4), "version", id="version-as-a-number"),
    pytest.param(message(alerts=[]), "alerts", id="no-alerts"),
    pytest.param(message(alerts={}), "alerts", id="alerts-are-no-list"),
    pytest.param(message(*[ALERT] * 101), "alerts", id="too-many-alerts"),
    pytest.param(message(alert(startsAt="yesterday")), "alerts.0.startsAt", id="time"),
    pytest.param(message(alert(startsAt="2026-11-28T14:17:59")), "alerts.0.startsAt", id="time-without-zone"),
    pytest.param(message(alert(startsAt=1764336000)), "alerts.0.startsAt", id="time-as-a-number"),
    pytest.param(message(alert(fingerprint="../../etc")), "alerts.0.fingerprint", id="fingerprint"),
    pytest.param(message(alert(fingerprint="A" * 16)), "alerts.0.fingerprint", id="fingerprint-in-capitals"),
    pytest.param(message(alert(labels={"model": "x" * 513})), "alerts.0.labels.model", id="long-label"),
    pytest.param(message(alert(labels={"model": "a\nb"})), "alerts.0.labels.model", id="line-break"),
    pytest.param(message(alert(labels={"model": "\x1b[2J"})), "alerts.0.labels.model", id="terminal"),
    pytest.param(message(alert(labels={"model": 5})), "alerts.0.labels.model", id="label-of-a-number"),
    pytest.param(message(alert(status="on fire")), "alerts.0.status", id="status"),
    pytest.param(message(alert(status="resolved")), "none of its alerts does", id="contradiction"),
    pytest.param(message(alert(labels=None)), "alerts.0.labels", id="no-labels"),
]


@pytest.mark.parametrize(("text", "where"), WRONG)
def test_what_is_no_message(text: str, where: str) -> None:
    """Refused, with the field that is wrong, on one line."""
    with pytest.raises(alerts.Unreadable, match=where) as caught:
        alerts.read(text)
    assert str(caught.value).isprintable()


def test_what_it_says_is_not_repeated() -> None:
    """A stranger's text stays out of the log, names of labels too."""
    with pytest.raises(alerts.Unreadable) as caught:
        alerts.read(message(alert(labels={"<script>": "secret\n", "model": "secret\n"})))
    assert "secret" not in str(caught.value)
    assert "script" not in str(caught.value)


def test_a_huge_message_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    """50 MB are refused by their length, before anything looks inside."""
    monkeypatch.setattr(alerts.Message, "model_validate_json", lambda _text: pytest.fail("it was parsed"))
    huge = "x" * 50_000_000
    for body in (huge, huge.encode()):
        with pytest.raises(alerts.Unreadable, match="50,000,000 bytes; at most 65,536"):
            alerts.read(body)


def test_the_length_is_counted_in_bytes() -> None:
    """Letters of several bytes are no way round it."""
    with pytest.raises(alerts.Unreadable, match="at most"):
        alerts.read("é" * (alerts.LONGEST // 2 + 1))


def test_a_hundred_alerts_fit() -> None:
    """As many as Alertmanager may group, as long as they are of a usual size."""
    small = alert(annotations={})
    assert len(alerts.read(message(*[small] * alerts.MOST_ALERTS)).alerts) == alerts.MOST_ALERTS


@pytest.mark.parametrize(
    "label",
    [
        pytest.param({"service.name": "x"}, id="a-name-of-prometheus-3"),
        pytest.param({"équipe": "croissance"}, id="utf-8"),
        pytest.param({"note": "a\nb" * 500}, id="a-long-text"),
        pytest.param({f"l{n}": "" for n in range(200)}, id="many"),
    ],
)
def test_labels_of_others_say_nothing(label: dict[str, str]) -> None:
    """Whoever runs Prometheus adds some to every alert: an alert is read all the same, and they are not kept."""
    (read,) = alerts.read(message(alert(labels={"model": "churn", "retrain": "true", **label}))).alerts
    assert read.labels == {"model": "churn", "retrain": "true"}


def test_the_sample_is_one_that_asks(root: Path) -> None:
    """Whoever tries the loop by hand begins with it."""
    (read,) = alerts.read((root / "docs" / "alert.json").read_bytes()).alerts
    assert (read.name, read.model, read.environment) == ("ArgosyDrift", "churn", "production")
    assert read.fires
    assert read.asks_to_retrain
