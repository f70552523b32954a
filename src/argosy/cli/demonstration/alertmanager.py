"""What Alertmanager would send of a drift that Prometheus saw: its webhook's own JSON, for a machine that runs neither."""

import datetime
import json
from collections.abc import Mapping

from argosy.domain import alerts
from argosy.domain.release import Version

ALERT = "ArgosyDrift"
NEVER = "0001-01-01T00:00:00Z"
"""How Go writes the end of what has none."""
FNV_OFFSET, FNV_PRIME = 14695981039346656037, 1099511628211


def message(version: Version, environment: str, starts_at: datetime.datetime) -> str:
    """The message of the alert that fires for *version* in *environment* since *starts_at*."""
    labels = {
        "alertname": ALERT,
        "digest": version.model_digest,
        "environment": environment,
        "model": version.model,
        alerts.RETRAIN: "true",
        "severity": "warning",
        "version": str(version.version),
    }
    annotations = {
        "command": f"argosy drift {version.model} --env {environment}",
        "runbook_url": f"docs/runbook.md#{ALERT.lower()}",
        "summary": f"What {version.model} version {version.version} is asked or answers in {environment} has drifted.",
    }
    alert = {
        "status": "firing",
        "labels": labels,
        "annotations": annotations,
        "startsAt": starts_at.astimezone(datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "endsAt": NEVER,
        "generatorURL": "http://localhost:9090/graph",
        "fingerprint": fingerprint(labels),
    }
    group = {"environment": environment, "model": version.model}
    return json.dumps(
        {
            "receiver": "retraining",
            "status": "firing",
            "alerts": [alert],
            "groupLabels": group,
            "commonLabels": labels,
            "commonAnnotations": annotations,
            "externalURL": "http://localhost:9093",
            "version": alerts.VERSION,
            "groupKey": f'{{}}/{{{alerts.RETRAIN}="true"}}:{{environment="{environment}", model="{version.model}"}}',
            "truncatedAlerts": 0,
        }
    )


def fingerprint(labels: Mapping[str, str]) -> str:
    """The name that Prometheus' libraries give a set of labels: FNV-1a of 64 bits over the sorted names and values."""
    found = FNV_OFFSET
    for name in sorted(labels):
        for byte in (*name.encode(), 0xFF, *labels[name].encode(), 0xFF):
            found = (found ^ byte) * FNV_PRIME % 2**64
    return f"{found:016x}"
