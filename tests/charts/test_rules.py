"""The rules of charts/platform, as Prometheus' own `promtool` runs them: when each alert fires, and when it does not."""

import json
import shutil
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from argosy.domain import alerts as received
from argosy.exporter import series
from kit import prometheus_stack

ALERTS = prometheus_stack.alerts()
SERVER = 'job="models",instance="a:8080"'
OF_MODEL = {"model": "churn", "environment": "production"}
OF_VERSION = {**OF_MODEL, "version": "3", "digest": "sha256:ab"}
INFO = {
    "series": f'argosy_model_info{{{SERVER},model="churn",environment="production",version="3",digest="sha256:ab"}}',
    "values": "1x250",
}
Series = list[dict[str, str]]


@dataclass(frozen=True)
class Case:
    """Series, and what an alert makes of them at a minute."""

    alert: str
    series: Series
    fires: tuple[dict[str, str], ...] = ()
    """The labels of each alert that fires, without those of the rule itself."""
    minute: int = 60
    rules: list[dict[str, Any]] = field(default_factory=list)
    """More rules, such as the chart adds."""


def at_server(name: str, values: str, labels: str = "") -> dict[str, str]:
    """A series of the server."""
    return {"series": f"{name}{{{SERVER}{labels}}}", "values": values}


def shown(name: str, values: str, **labels: str) -> dict[str, str]:
    """A series of the exporter."""
    inner = ",".join(f'{key}="{value}"' for key, value in {**labels, "job": "exporter", "instance": "e:8000"}.items())
    return {"series": f"{name}{{{inner}}}", "values": values}


def requests(*, fast: int = 0, slow: int = 0, failed: int = 0, shed: int = 0) -> Series:
    """Requests each 15 seconds: within 50 ms, between 100 ms and 250 ms, answered by an error, and shed."""
    edges = {"0.05": fast, "0.1": fast, "0.25": fast + slow, "+Inf": fast + slow}
    found = [
        at_server("argosy_request_seconds_bucket", f"0+{count}x250", f',route="v1",le="{edge}"')
        for edge, count in edges.items()
    ]
    found.append(at_server("argosy_requests_total", f"0+{fast + slow}x250", ',route="v1",code="200"'))
    if failed or shed:
        found.append(at_server("argosy_requests_total", f"0+{failed + shed}x250", ',route="v1",code="503"'))
    found.append(at_server("argosy_requests_shed_total", f"0+{shed}x250", ',route="v1"'))
    return [INFO, *found]


def scores(*, rows: int, mean: float, reference: float | None = 0.25, deviation: float = 0.2) -> Series:
    """Scores each 15 seconds, with their mean, and those of the holdout."""
    found = [
        INFO,
        at_server("argosy_prediction_score_count", f"0+{rows}x250"),
        at_server("argosy_prediction_score_sum", f"0+{rows * mean}x250"),
    ]
    if reference is not None:
        found.append(at_server("argosy_prediction_reference_mean", f"{reference}x250"))
        found.append(at_server("argosy_prediction_reference_deviation", f"{deviation}x250"))
    return found


EXPECTED = [{"record": "argosy:predictions:expected", "expr": "vector(10)", "labels": OF_MODEL}]


def predictions(each: int) -> Series:
    """Rows answered each 15 seconds."""
    return [INFO, at_server("argosy_predictions_total", f"0+{each}x250")]


def by_id(*, found: int, **expired: int) -> Series:
    """Rows found by id each 15 seconds, and of each feature the values among them that have outlived their view."""
    lost = [
        at_server("argosy_expired_values_total", f"0+{count}x250", f',feature="{name}"')
        for name, count in expired.items()
    ]
    return [INFO, at_server("argosy_online_lookups_total", f"0+{found}x250", ',outcome="found"'), *lost]


OF_SHADOW = {**OF_MODEL, "role": "shadow"}


def second(*, answered: int = 0, dropped: int = 0) -> Series:
    """Rows of a shadow each 15 seconds, half of what it misses for either reason."""
    missed = f"0+{dropped / 2}x250"
    return [
        INFO,
        absent(0),
        at_server("argosy_second_predictions_total", f"0+{answered}x250", ',role="shadow"'),
        at_server("argosy_second_dropped_total", missed, ',role="shadow",reason="backlog-full"'),
        at_server("argosy_second_errors_total", missed, ',role="shadow",reason="failed"'),
    ]


def absent(value: int) -> dict[str, str]:
    """Whether the shadow that should be there is not."""
    return at_server("argosy_second_absent", f"{value}x250", ',role="shadow"')


def split(each: int) -> Series:
    """Rows that a candidate answers each 15 seconds."""
    return [
        at_server("argosy_second_predictions_total", f"0+{each}x250", ',role="candidate"'),
        at_server("argosy_second_model_info", "1x250", ',role="candidate",version="4",digest="sha256:cd"'),
    ]


HOUR, DAY = 3600, 86400
OF_NOTICE = {"model": "churn", "channel": "on-call", "outcome": "refused"}
OF_PIPELINE = {"model": "churn", "pipeline": "churn"}


def pipeline(name: str, values: str) -> dict[str, str]:
    """A series of the model's pipeline."""
    return shown(f"argosy_pipeline_{name}", values, **OF_PIPELINE)


def stopped(*, failures: int, after: int) -> Series:
    """Retrainings in a row that led to no request, and after how many it stops."""
    return [
        shown("argosy_retraining_failures", f"{failures}x250", model="churn"),
        shown("argosy_retraining_stop_after", f"{after}x250", model="churn"),
    ]


CASES = {
    # Series of the server.
    "latency-high": Case("ArgosyLatencyHigh", requests(fast=50, slow=50), (OF_MODEL,)),
    "latency-high-not-yet": Case("ArgosyLatencyHigh", requests(fast=50, slow=50), minute=4),
    "latency-low": Case("ArgosyLatencyHigh", requests(fast=97, slow=3)),
    "latency-without-requests": Case("ArgosyLatencyHigh", requests()),
    "latency-without-series": Case("ArgosyLatencyHigh", [INFO]),
    "errors-high": Case("ArgosyErrorRateHigh", requests(fast=97, failed=3), (OF_MODEL,)),
    "errors-high-not-yet": Case("ArgosyErrorRateHigh", requests(fast=97, failed=3), minute=4),
    "errors-low": Case("ArgosyErrorRateHigh", requests(fast=997, failed=3)),
    "errors-never-counted": Case("ArgosyErrorRateHigh", requests(fast=100)),
    "errors-of-a-server-that-counts-nothing-shed": Case(
        "ArgosyErrorRateHigh", requests(fast=97, failed=3)[:-1], (OF_MODEL,)
    ),
    "errors-but-for-what-was-shed": Case("ArgosyErrorRateHigh", requests(fast=50, shed=50)),
    "errors-beside-what-was-shed": Case("ArgosyErrorRateHigh", requests(fast=47, failed=3, shed=50), (OF_MODEL,)),
    "shed": Case("ArgosyRequestsShed", requests(fast=97, shed=3), (OF_MODEL,)),
    "shed-not-yet": Case("ArgosyRequestsShed", requests(fast=97, shed=3), minute=4),
    "shed-by-errors-alone": Case("ArgosyRequestsShed", requests(fast=97, failed=3)),
    "shed-little": Case("ArgosyRequestsShed", requests(fast=997, shed=3)),
    "shed-without-requests": Case("ArgosyRequestsShed", requests()),
    "second-fails": Case("ArgosySecondVersionFails", second(answered=90, dropped=10), (OF_SHADOW,)),
    "second-fails-not-yet": Case("ArgosySecondVersionFails", second(answered=90, dropped=10), minute=8),
    "second-misses-few": Case("ArgosySecondVersionFails", second(answered=97, dropped=3)),
    "second-idle": Case("ArgosySecondVersionFails", second()),
    "second-absent": Case("ArgosySecondVersionFails", [INFO, absent(1)], (OF_SHADOW,)),
    "second-there": Case("ArgosySecondVersionFails", [INFO, absent(0)]),
    "no-second": Case("ArgosySecondVersionFails", [INFO]),
    "traffic-of-a-split": Case("ArgosyTrafficLow", [*predictions(20), *split(140)], rules=EXPECTED),
    "errors-without-requests": Case("ArgosyErrorRateHigh", requests()),
    "access-rules-stale": Case(
        "ArgosyAccessRulesStale", [INFO, at_server("argosy_access_rules_stale", "1x250")], (OF_MODEL,)
    ),
    "access-rules-stale-not-yet": Case(
        "ArgosyAccessRulesStale", [INFO, at_server("argosy_access_rules_stale", "1x250")], minute=9
    ),
    "access-rules-read": Case("ArgosyAccessRulesStale", [INFO, at_server("argosy_access_rules_stale", "0x250")]),
    "mean-shifted": Case("ArgosyMeanPredictionShifted", scores(rows=10, mean=0.3), (OF_VERSION,)),
    "mean-shifted-down": Case("ArgosyMeanPredictionShifted", scores(rows=10, mean=0.2), (OF_VERSION,)),
    "mean-shifted-not-yet": Case("ArgosyMeanPredictionShifted", scores(rows=10, mean=0.3), minute=25),
    "mean-kept": Case("ArgosyMeanPredictionShifted", scores(rows=10, mean=0.27)),
    "mean-of-too-few": Case("ArgosyMeanPredictionShifted", scores(rows=1, mean=0.3)),
    "mean-near-zero": Case("ArgosyMeanPredictionShifted", scores(rows=10, mean=0.002, reference=0.001, deviation=0.1)),
    "mean-of-nothing": Case("ArgosyMeanPredictionShifted", scores(rows=0, mean=0.3)),
    "mean-without-reference": Case("ArgosyMeanPredictionShifted", scores(rows=10, mean=0.3, reference=None)),
    "traffic-low": Case("ArgosyTrafficLow", predictions(75), (OF_MODEL,), rules=EXPECTED),
    "traffic-low-not-yet": Case("ArgosyTrafficLow", predictions(75), minute=9, rules=EXPECTED),
    "traffic-none": Case("ArgosyTrafficLow", [], (OF_MODEL,), rules=EXPECTED),
    "traffic-enough": Case("ArgosyTrafficLow", predictions(300), rules=EXPECTED),
    "traffic-not-expected": Case("ArgosyTrafficLow", predictions(1)),
    "dropped": Case(
        "ArgosyPredictionsDropped",
        [INFO, at_server("argosy_prediction_log_dropped_total", "0+1x250", ',reason="disk-full"')],
        ({**OF_MODEL, "reason": "disk-full"},),
    ),
    "dropped-for-the-first-time": Case(
        "ArgosyPredictionsDropped",
        [INFO, at_server("argosy_prediction_log_dropped_total", "_x236 7x10", ',reason="disk-full"')],
        ({**OF_MODEL, "reason": "disk-full"},),
    ),
    "dropped-long-ago": Case(
        "ArgosyPredictionsDropped",
        [INFO, at_server("argosy_prediction_log_dropped_total", "7x250", ',reason="disk-full"')],
    ),
    "dropped-never": Case("ArgosyPredictionsDropped", [INFO]),
    "log-lags": Case(
        "ArgosyPredictionLogLagging",
        [INFO, at_server("argosy_prediction_log_oldest_seconds", "0+15x250")],
        (OF_MODEL,),
    ),
    "log-ships": Case(
        "ArgosyPredictionLogLagging", [INFO, at_server("argosy_prediction_log_oldest_seconds", "120x250")]
    ),
    "log-of-an-earlier-server": Case("ArgosyPredictionLogLagging", [INFO]),
    "log-lost-records-to-damage": Case(
        "ArgosyPredictionLogDamaged",
        [INFO, at_server("argosy_prediction_log_damaged_total", "0x236 1x20")],
        (OF_MODEL,),
    ),
    "log-lost-records-long-ago": Case(
        "ArgosyPredictionLogDamaged", [INFO, at_server("argosy_prediction_log_damaged_total", "1x250")]
    ),
    "log-has-a-file-that-nobody-can-read": Case(
        "ArgosyPredictionLogDamaged",
        [
            INFO,
            at_server("argosy_prediction_log_damaged_total", "0+1x250"),
            at_server("argosy_prediction_log_strange_files", "1x250"),
        ],
        (OF_MODEL,),
    ),
    "log-fails-in-a-way-of-its-own": Case(
        "ArgosyPredictionLogDamaged",
        [
            INFO,
            at_server("argosy_prediction_log_strange_files", "0x250"),
            at_server("argosy_prediction_log_failures_total", "0+1x250", ',error="KeyError"'),
            at_server("argosy_prediction_log_failures_total", "0x250", ',error="TryAgain"'),
        ],
        (OF_MODEL,),
    ),
    "log-whose-store-is-down-is-not-damaged": Case(
        "ArgosyPredictionLogDamaged",
        [
            INFO,
            at_server("argosy_prediction_log_failures_total", "0+1x250", ',error="TryAgain"'),
            at_server("argosy_prediction_log_strange_files", "0x250"),
        ],
    ),
    "log-of-an-earlier-server-is-not-damaged": Case("ArgosyPredictionLogDamaged", [INFO]),
    # Series of the exporter.
    "drift": Case(
        "ArgosyDrift", [shown("argosy_drift_verdict", "1x250", **OF_VERSION, verdict="drift")], (OF_VERSION,)
    ),
    "drift-while-the-exporter-starts-anew": Case(
        "ArgosyDrift",
        [shown("argosy_drift_verdict", "1x220 stale _x20", **OF_VERSION, verdict="drift")],
        (OF_VERSION,),
    ),
    "drift-none": Case(
        "ArgosyDrift",
        [
            shown("argosy_drift_verdict", "0x250", **OF_VERSION, verdict="drift"),
            shown("argosy_drift_verdict", "1x250", **OF_VERSION, verdict="no drift"),
        ],
    ),
    "drift-too-few": Case(
        "ArgosyDrift",
        [
            shown("argosy_drift_verdict", "0x250", **OF_VERSION, verdict="drift"),
            shown("argosy_drift_verdict", "1x250", **OF_VERSION, verdict="too few"),
        ],
    ),
    "drift-never-looked": Case("ArgosyDrift", []),
    "performance-below": Case(
        "ArgosyPerformanceBelowGate",
        [shown("argosy_performance_below_gate", "1x250", **OF_VERSION, metric="auc")],
        ({**OF_VERSION, "metric": "auc"},),
    ),
    "performance-holds": Case(
        "ArgosyPerformanceBelowGate", [shown("argosy_performance_below_gate", "0x250", **OF_VERSION, metric="auc")]
    ),
    "performance-without-labels": Case("ArgosyPerformanceBelowGate", []),
    "performance-undefined": Case(
        "ArgosyPerformanceBelowGate",
        [shown("argosy_performance_below_gate", " ".join(["NaN"] * 250), **OF_VERSION, metric="auc")],
    ),
    "features-skewed": Case(
        "ArgosyFeatureSkew",
        [
            shown("argosy_feature_skew_verdict", "1x250", **OF_VERSION, verdict="skewed"),
            shown("argosy_feature_skew_verdict", "0x250", **OF_VERSION, verdict="equal"),
        ],
        (OF_VERSION,),
    ),
    "features-equal": Case(
        "ArgosyFeatureSkew",
        [
            shown("argosy_feature_skew_verdict", "0x250", **OF_VERSION, verdict="skewed"),
            shown("argosy_feature_skew_verdict", "1x250", **OF_VERSION, verdict="equal"),
        ],
    ),
    "features-not-compared": Case("ArgosyFeatureSkew", []),
    "features-stale": Case(
        "ArgosyFeaturesStale", [shown("argosy_features_age_seconds", f"{3 * DAY}x250", **OF_VERSION)], (OF_VERSION,)
    ),
    "features-of-last-week": Case(
        "ArgosyFeaturesStale",
        [shown("argosy_features_age_seconds", f"{8 * DAY}x250", **OF_VERSION)],
        (OF_VERSION,),
        rules=[{"record": "argosy:features_age:allowed", "expr": f"vector({7 * DAY})", "labels": OF_MODEL}],
    ),
    "features-of-this-week": Case(
        "ArgosyFeaturesStale",
        [shown("argosy_features_age_seconds", f"{6 * DAY}x250", **OF_VERSION)],
        rules=[{"record": "argosy:features_age:allowed", "expr": f"vector({7 * DAY})", "labels": OF_MODEL}],
    ),
    "features-that-others-allow-to-be-old": Case(
        "ArgosyFeaturesStale",
        [shown("argosy_features_age_seconds", f"{6 * DAY}x250", **OF_VERSION)],
        (OF_VERSION,),
        rules=[
            {
                "record": "argosy:features_age:allowed",
                "expr": f"vector({7 * DAY})",
                "labels": {**OF_MODEL, "model": "another"},
            }
        ],
    ),
    "features-fresh": Case("ArgosyFeaturesStale", [shown("argosy_features_age_seconds", f"{HOUR}x250", **OF_VERSION)]),
    "features-none": Case("ArgosyFeaturesStale", []),
    "features-expired": Case("ArgosyFeaturesExpired", by_id(found=100, tenure=6, charges=1), (OF_MODEL,)),
    "features-expired-of-few": Case("ArgosyFeaturesExpired", by_id(found=100, tenure=4, charges=4)),
    "features-not-asked-for": Case("ArgosyFeaturesExpired", by_id(found=0, tenure=0)),
    "features-by-id-never": Case("ArgosyFeaturesExpired", [INFO]),
    "release-expiring": Case(
        "ArgosyReleaseExpiring",
        [shown("argosy_release_expires_seconds", f"{3 * DAY}x250", **OF_VERSION)],
        (OF_VERSION,),
    ),
    "release-expired": Case(
        "ArgosyReleaseExpiring", [shown("argosy_release_expires_seconds", f"{-HOUR}x250", **OF_VERSION)], (OF_VERSION,)
    ),
    "release-fresh": Case(
        "ArgosyReleaseExpiring", [shown("argosy_release_expires_seconds", f"{90 * DAY}x250", **OF_VERSION)]
    ),
    "release-none": Case("ArgosyReleaseExpiring", []),
    "pipeline-failed": Case("ArgosyPipelineFailed", [pipeline("failed", "1x250")], (OF_PIPELINE,)),
    "pipeline-succeeded": Case("ArgosyPipelineFailed", [pipeline("failed", "1x100 0x150")]),
    "pipeline-never-ran": Case("ArgosyPipelineFailed", []),
    "schedule-missed": Case(
        "ArgosyScheduleMissed",
        [
            pipeline("due_timestamp_seconds", "600x250"),
            pipeline("last_start_timestamp_seconds", "100x250"),
            pipeline("running", "0x250"),
        ],
        (OF_PIPELINE,),
    ),
    "schedule-missed-from-the-first-time-on": Case(
        "ArgosyScheduleMissed", [pipeline("due_timestamp_seconds", "600x250")], (OF_PIPELINE,)
    ),
    "schedule-missed-not-yet": Case(
        "ArgosyScheduleMissed",
        [
            pipeline("due_timestamp_seconds", "600x250"),
            pipeline("last_start_timestamp_seconds", "100x250"),
        ],
        minute=29,
    ),
    "schedule-kept": Case(
        "ArgosyScheduleMissed",
        [
            pipeline("due_timestamp_seconds", "600x250"),
            pipeline("last_start_timestamp_seconds", "603x250"),
        ],
    ),
    "schedule-waits-for-the-last-run": Case(
        "ArgosyScheduleMissed",
        [
            pipeline("due_timestamp_seconds", "600x250"),
            pipeline("last_start_timestamp_seconds", "100x250"),
            pipeline("running", "1x250"),
        ],
    ),
    "schedule-none": Case("ArgosyScheduleMissed", [pipeline("last_start_timestamp_seconds", "100x250")]),
    "request-waits": Case(
        "ArgosyRequestWaiting",
        [shown("argosy_request_open_seconds", f"{4 * DAY}x250", **OF_MODEL, number="7", kind="promotion")],
        ({**OF_MODEL, "number": "7", "kind": "promotion"},),
    ),
    "request-to-go-back-waits": Case(
        "ArgosyRequestWaiting",
        [shown("argosy_request_open_seconds", f"{2 * HOUR}x250", **OF_MODEL, number="8", kind="revert")],
        ({**OF_MODEL, "number": "8", "kind": "revert"},),
    ),
    "request-waits-a-little": Case(
        "ArgosyRequestWaiting",
        [shown("argosy_request_open_seconds", f"{2 * HOUR}x250", **OF_MODEL, number="7", kind="promotion")],
    ),
    "request-none": Case("ArgosyRequestWaiting", []),
    "canary-aborted": Case(
        "ArgosyCanaryAborted",
        [shown("argosy_canary_aborted", "1x250", **OF_MODEL, digest="sha256:ab")],
        ({**OF_MODEL, "digest": "sha256:ab"},),
    ),
    "canary-goes-on": Case(
        "ArgosyCanaryAborted", [shown("argosy_canary_aborted", "0x250", **OF_MODEL, digest="sha256:ab")]
    ),
    "canary-none": Case("ArgosyCanaryAborted", []),
    "canary-waits": Case(
        "ArgosyCanaryWaits",
        [shown("argosy_canary_under_way", "1x320", **OF_MODEL, digest="sha256:ab")],
        ({**OF_MODEL, "digest": "sha256:ab"},),
        minute=70,
    ),
    "canary-has-begun": Case(
        "ArgosyCanaryWaits",
        [shown("argosy_canary_under_way", "1x320", **OF_MODEL, digest="sha256:ab")],
        minute=50,
    ),
    "canary-none-under-way": Case("ArgosyCanaryWaits", []),
    "retraining-stopped": Case("ArgosyRetrainingStopped", stopped(failures=3, after=3), ({"model": "churn"},)),
    "retraining-stopped-early": Case("ArgosyRetrainingStopped", stopped(failures=1, after=1), ({"model": "churn"},)),
    "retraining-failed-once": Case("ArgosyRetrainingStopped", stopped(failures=1, after=3)),
    "retraining-goes-on-for-longer": Case("ArgosyRetrainingStopped", stopped(failures=3, after=5)),
    "retraining-of-an-earlier-exporter": Case(
        "ArgosyRetrainingStopped", [shown("argosy_retraining_failures", "3x250", model="churn")]
    ),
    "retraining-never": Case("ArgosyRetrainingStopped", []),
    "notices-not-taken": Case(
        "ArgosyNoticesNotTaken", [shown("argosy_notices_not_taken", "2x250", **OF_NOTICE)], (OF_NOTICE,)
    ),
    "notices-refused-for-a-moment": Case(
        "ArgosyNoticesNotTaken", [shown("argosy_notices_not_taken", "_x225 2x10", **OF_NOTICE)], minute=60
    ),
    "notices-taken": Case("ArgosyNoticesNotTaken", []),
    "source-fails": Case(
        "ArgosySourceFailing", [shown("argosy_source_up", "0x250", source="looks")], ({"source": "looks"},)
    ),
    "source-failed-for-a-moment": Case(
        "ArgosySourceFailing", [shown("argosy_source_up", "1x200 0x8 1x50", source="looks")]
    ),
    "source-not-read-here": Case("ArgosySourceFailing", []),
    "source-unreadable": Case(
        "ArgosySourceUnreadable", [shown("argosy_source_problems", "2x250", source="looks")], ({"source": "looks"},)
    ),
    "source-readable": Case("ArgosySourceUnreadable", [shown("argosy_source_problems", "0x250", source="looks")]),
    "source-without-series": Case("ArgosySourceUnreadable", []),
    "exporter-absent": Case("ArgosyExporterAbsent", [], ({},)),
    "exporter-gone": Case(
        "ArgosyExporterAbsent", [shown("argosy_source_up", "1x100 stale _x150", source="looks")], ({},)
    ),
    "exporter-gone-for-a-moment": Case(
        "ArgosyExporterAbsent", [shown("argosy_source_up", "1x220 stale _x20", source="looks")]
    ),
    "exporter-there": Case("ArgosyExporterAbsent", [shown("argosy_source_up", "0x250", source="looks")]),
}


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in CASES.items()])
def test_when_an_alert_fires(tmp_path: Path, case: Case) -> None:
    """For the labels that are meant, and not for want of a series, of numbers or of time."""
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed")
    rule = ALERTS[case.alert]
    expected = [{"exp_labels": {**rule["labels"], **labels}} for labels in case.fires]
    test = {
        "interval": "15s",
        "input_series": case.series,
        "alert_rule_test": [{"eval_time": f"{case.minute}m", "alertname": case.alert, "exp_alerts": expected}],
    }
    rules = {"groups": [*_silent(), {"name": "more", "rules": case.rules}]}
    (tmp_path / "rules.json").write_text(json.dumps(rules), encoding="utf-8")
    whole = {"rule_files": ["rules.json"], "evaluation_interval": "15s", "tests": [test]}
    (tmp_path / "test.json").write_text(json.dumps(whole), encoding="utf-8")
    command = [promtool, "test", "rules", str(tmp_path / "test.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def _silent() -> list[dict[str, Any]]:
    """The groups, without the texts: what they say has tests of its own."""
    groups: list[dict[str, Any]] = prometheus_stack.rules()["groups"]
    for group in groups:
        for rule in group["rules"]:
            rule.pop("annotations", None)
    return groups


@pytest.mark.parametrize("alert", ALERTS)
def test_every_alert_has_been_seen_to_fire_and_not_to(alert: str) -> None:
    """And with nothing, or too little, to go by."""
    of_it = [case for case in CASES.values() if case.alert == alert]
    assert [case for case in of_it if case.fires]
    assert [case for case in of_it if not case.fires]


@pytest.mark.parametrize("alert", ALERTS)
def test_an_alert_says_what_and_what_helps(alert: str) -> None:
    """Severity, one sentence, one command, and where to read on."""
    rule = ALERTS[alert]
    assert alert.startswith("Argosy")
    assert rule["labels"]["severity"] in {"warning", "critical"}
    assert set(rule["annotations"]) == {"summary", "command", "runbook_url"}
    assert rule["annotations"]["summary"].endswith(".")
    assert rule["annotations"]["runbook_url"] == f"docs/runbook.md#{alert.lower()}"


def test_what_asks_for_a_retraining() -> None:
    """Two alerts, and no other: an error of a server is not mended by training."""
    asking = {name for name, rule in ALERTS.items() if rule["labels"].get(received.RETRAIN) == "true"}
    assert asking == {"ArgosyDrift", "ArgosyPerformanceBelowGate"}


def test_a_real_message_of_alertmanager_is_read(root: Path) -> None:
    """What Alertmanager 0.25 sent of these rules' alerts has what admission goes by."""
    message = received.read((root / "tests/data/alertmanager_webhook.json").read_bytes())
    assert {alert.name for alert in message.alerts} == {"ArgosyDrift", "ArgosyPerformanceBelowGate"}
    for alert in message.alerts:
        assert alert.asks_to_retrain
        assert set(alert.labels) == set(received.NAMES)
        assert set(received.NAMES) - {"alertname"} <= {*series.OF_VERSION, *ALERTS[alert.name]["labels"]}
