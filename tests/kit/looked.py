"""Looks at a model as they lie in the monitoring store, and the store in memory."""

import datetime
from dataclasses import dataclass, field
from typing import Any

from argosy.domain import looks
from argosy.domain.drift import About, Difference, DriftReport, Finding, MeanShift, Thresholds, Word
from argosy.domain.looks import Look, SliceLook
from argosy.domain.performance_report import (
    BusinessValue,
    EstimatedScore,
    LabelCounts,
    MeasuredScore,
    Performance,
    PerformanceEstimate,
)

NOON = datetime.datetime(2026, 3, 1, 12, tzinfo=datetime.UTC)
DIGEST = "sha256:" + "a" * 64


@dataclass
class MemoryStore:
    """Content by key."""

    content: dict[str, bytes] = field(default_factory=dict)

    def get(self, key: str) -> bytes | None:
        """See the port of objects."""
        return self.content.get(key)

    def put(self, key: str, content: bytes) -> None:
        """See the port of objects."""
        self.content[key] = content

    def folders(self, prefix: str = "") -> list[str]:
        """See the port of objects."""
        deeper = (key.removeprefix(prefix) for key in self.content if key.startswith(prefix))
        return sorted({rest.partition("/")[0] for rest in deeper if "/" in rest})

    def keep(self, look: Look) -> "MemoryStore":
        """Keep *look* as the newest."""
        self.put(looks.latest_key(look.model, look.environment), look.canonical_json().encode())
        return self


def finding(column: str, distance: float, *, drifted: bool) -> Finding:
    """A column that is *distance* away."""
    difference = Difference(
        column=column,
        kind="number",
        psi=distance,
        jensen_shannon=distance,
        test="ks",
        statistic=0.4,
        p_value=0.0,
        missing=0.0,
        missing_before=0.0,
    )
    return Finding(difference=difference, adjusted_p=1e-9, drifted=drifted)


def look(verdict: Word = "drift", **changes: Any) -> Look:
    """A look at an hour of the model churn, with *changes*."""
    drifted = verdict == "drift"
    mean = MeanShift(mean=0.3, before=0.2, relative=0.5, p_value=0, adjusted_p=0, drifted=drifted)
    report = DriftReport(
        about=About(model="churn", environment="production", model_digest=DIGEST),
        rows=900,
        rows_before=900,
        verdict=verdict,
        explanation="why",
        mean=mean,
        features=[finding("tenure", 0.4 if drifted else 0.01, drifted=drifted)],
    )
    sliced = report.model_copy(update={"mean": None, "features": [finding("tenure", 0.02, drifted=False)]})
    values: dict[str, Any] = {
        "model": "churn",
        "environment": "production",
        "version": 3,
        "model_digest": DIGEST,
        "since": NOON - datetime.timedelta(hours=1),
        "until": NOON,
        "looked": NOON,
        "rows": 900,
        "verdict": verdict,
        "explanation": "tenure differs",
        "reference": "holdout",
        "thresholds": Thresholds(),
        "report": report,
        "slices": [SliceLook(column="contract", value="month", report=sliced)],
    }
    return Look(**{**values, **changes})


def performance(**changes: Any) -> Performance:
    """What labels say of the same hour, with *changes*."""
    values: dict[str, Any] = {
        "model": "churn",
        "environment": "production",
        "model_digest": DIGEST,
        "task": "binary",
        "since": NOON - datetime.timedelta(hours=1),
        "until": NOON,
        "as_of": NOON,
        "labels": LabelCounts(predictions=900, due=800, labelled=700, due_labelled=600),
        "scores": [
            MeasuredScore(metric="auc", value=0.7, low=0.65, high=0.75, at_least=0.8, standing="below"),
            MeasuredScore(metric="log_loss", value=0.4, low=0.3, high=0.5, at_most=0.6, standing="holds"),
            MeasuredScore(metric="f1", value=None, at_least=0.5),
        ],
        "estimate": PerformanceEstimate(
            since=NOON,
            until=NOON,
            rows=200,
            assumes="scores are calibrated",
            scores=[EstimatedScore(metric="auc", value=0.72, low=0.7, high=0.74)],
        ),
        "business": [BusinessValue(name="revenue", rows=700, total=1400.0, per_prediction=2.0, low=1.5, high=2.5)],
        "verdict": "below",
        "explanation": "auc is below its gate",
    }
    return Performance(**{**values, **changes})
