"""Records of a small run, in the shapes that the steps write: what every view of a report is tried on."""

import math
from typing import Any

from argosy.domain.data import (
    ExpectationResult,
    FeatureColumn,
    FeatureSchema,
    Lineage,
    SourceLineage,
    ValidationResult,
)
from argosy.domain.evidence import ChampionRef, ComparisonResult, Curve, Evidence, GateResult, Table
from argosy.domain.provenance import Provenance
from argosy.domain.search import Choice, SearchHistory, Trial
from argosy.domain.training_record import LearningCurve, TrainingRecord
from argosy.report.record import Entry, Facts, RunReport

START = 1_780_000_000.0
DIGEST = "sha256:" + "3f9a" * 16


def gate(name: str, measured: float | None, limit: str, *, passed: bool = True, deviation: bool = False) -> GateResult:
    """A gate with a reason and, where it failed, what would pass."""
    return GateResult(
        gate=name,
        dimension=name.partition(".")[0],
        passed=passed,
        measured=measured,
        limit=limit,
        reason=f"measured {measured}, limit {limit}",
        would_pass=None if passed else f"{limit} would pass",
        deviation=deviation,
    )


def evidence(**changes: Any) -> Evidence:
    """Evidence of a model that passes every gate, with *changes*."""
    rate = [index / 50 for index in range(51)]
    fields: dict[str, Any] = {
        "model": "vessels",
        "task": "binary",
        "model_digest": DIGEST,
        "snapshot_digest": "sha256:" + "ab12" * 16,
        "policy_digest": "sha256:" + "cd34" * 16,
        "champion": ChampionRef(
            model="vessels", model_digest="sha256:" + "77aa" * 16, version=3, policy_digest="sha256:" + "cd34" * 16
        ),
        "provenance": Provenance(commit="0123456789abcdef0123456789abcdef01234567", tree="clean", code="sha256:c0de"),
        "rows_train": 5634,
        "rows_holdout": 1409,
        "metrics": {"performance.auc": 0.848, "performance.f1": 0.641, "latency.p95_ms": 1.9, "calibration.ece": None},
        "gates": [
            gate("performance.auc", 0.848, ">= 0.8"),
            gate("performance.f1", 0.641, ">= 0.55"),
            gate("fairness.flag.demographic_parity_ratio", 0.93, ">= 0.8"),
            gate("fairness.age.demographic_parity_ratio", 0.52, ">= 0.8", passed=False, deviation=True),
            gate("robustness.noise_auc_drop", 0.012, "<= 0.05"),
            gate("calibration.ece", 0.021, "<= 0.05"),
            gate("explainability.top_feature_share", 0.31, "<= 0.6"),
            gate("latency.p95_ms", 1.9, "<= 100"),
        ],
        "comparison": ComparisonResult(
            metric="auc",
            candidate=0.848,
            champion=0.845,
            difference=0.003,
            low=-0.004,
            high=0.011,
            margin=0.01,
            rows=1409,
            p_value=0.31,
            outcome="not-inferior",
            reason="The candidate is not worse than the champion by more than the margin.",
        ),
        "verdict": "promote",
        "explanation": "Every gate holds.",
        "tables": [
            Table(
                title="Confusion matrix",
                dimension="performance",
                header=["actual", "predicted no", "predicted yes"],
                rows=[["no", "850", "185"], ["yes", "98", "276"]],
            )
        ],
        "curves": [
            Curve(
                title="ROC curve",
                dimension="performance",
                x_label="false positive rate",
                y_label="true positive rate",
                series={"model": [(x, math.sqrt(x)) for x in rate], "chance": [(0.0, 0.0), (1.0, 1.0)]},
            )
        ],
        "attribution": {"tenure": 0.8, "contract": 0.71, "monthly_charges": 0.33, "internet_service": 0.2},
        "example_sentences": ["Leaves with 81 %: mostly because contract is Month-to-month."],
    }
    return Evidence(**(fields | changes))


def trials() -> list[Trial]:
    """Forty trials, every third of them pruned, the best at number 22."""
    return [
        Trial(
            number=number,
            parameters={"max_depth": 3 + number % 5, "learning_rate": 0.01 * (1 + number)},
            state="pruned" if number % 3 == 2 else "complete",
            fold_scores=[0.6 - abs(22 - number) / 100] * (2 if number % 3 == 2 else 5),
            boost_rounds=120,
            seconds=0.4,
        )
        for number in range(40)
    ]


def training() -> TrainingRecord:
    """A fit on two folds."""
    return TrainingRecord(
        model="vessels",
        model_digest=DIGEST,
        task="binary",
        features_digest=DIGEST,
        seed=7,
        nthread=1,
        rows=5634,
        parameters={"max_depth": 5, "objective": "binary:logistic"},
        boost_rounds=120,
        threshold=0.41,
        trial=22,
        search_metric="f1",
        search_score=0.6,
        fold_rows=[2817, 2817],
        fold_rounds=[110, 130],
        fold_metrics={"f1": [0.59, 0.61]},
        cross_validated={"f1": 0.6, "auc": 0.85},
        classes=["stays", "leaves"],
        confusion=[[3400, 740], [392, 1102]],
        classification_report=[],
        importance={"tenure": 12.5, "contract": 44.0},
        learning_curve=LearningCurve(
            loss="logloss", rounds=[5, 10, 15, 20], train=[0.6, 0.5, 0.42, 0.39], validation=[0.61, 0.52, 0.46, 0.45]
        ),
        libraries={"xgboost": "3.2.0"},
    )


def entries() -> tuple[Entry, ...]:
    """The ledger of a run of 24 seconds with a fan-out of three and one cached step."""

    def entry(name: str, template: str, start: float, end: float, **changes: Any) -> Entry:
        return Entry(name, template, "Succeeded", START + start, START + end, START + start, **changes)

    return (
        entry("$.champion", "champion", 0.2, 0.4),
        entry("$.ingest", "ingest", 0.2, 2.2, cached=True),
        entry("$.validate", "validate", 2.3, 5.0, peak_bytes=410_000_000),
        entry("$.tune.trial-0(0:[{1}])", "trial", 5.0, 9.0),
        entry("$.tune.trial-0(1:[{2}])", "trial", 5.0, 10.0),
        entry("$.tune.trial-0(2:[{3}])", "trial", 9.0, 12.0),
        entry("$.evaluate", "evaluate", 12.1, 20.0),
        entry("$.propose", "propose", 20.2, 23.0),
    )


def full() -> RunReport:
    """The record of a run that went through and opened a request."""
    return RunReport(
        facts=Facts("vessels-7k2p", "vessels", "Succeeded", START, START + 24.0, peak_bytes=640_000_000),
        entries=entries(),
        champion=evidence().champion,
        lineage=Lineage(
            snapshot_digest="sha256:" + "ab12" * 16,
            ingested_at="2026-06-01T10:00:00Z",
            code_version="0123456",
            sources=[
                SourceLineage(
                    source="vessels",
                    location="data/vessels/vessels.csv",
                    location_digest=DIGEST,
                    rows_read=7043,
                    rows_kept=7032,
                    rows_rejected=11,
                    rejected_by_reason={"no total charges": 11},
                    bytes_read=977_501,
                    seconds=0.21,
                )
            ],
        ),
        validation=ValidationResult(
            snapshot_digest="sha256:" + "ab12" * 16,
            results=[
                ExpectationResult(
                    layer="schema",
                    source="vessels",
                    expectation="expect_column_to_exist",
                    column="tenure",
                    critical=True,
                    passed=True,
                    observed="there",
                    explanation="tenure is there",
                ),
                ExpectationResult(
                    layer="statistical",
                    source="vessels",
                    expectation="expect_column_mean_to_be_between",
                    column="tenure",
                    critical=False,
                    passed=False,
                    observed="41.2",
                    unexpected_count=3,
                    examples=["999"],
                    explanation="mean of tenure lies between 25 and 40",
                ),
            ],
        ),
        features=FeatureSchema(
            features=[
                FeatureColumn(name="tenure", type="number", view="vessel"),
                FeatureColumn(name="contract", type="category", levels=["One year", "Two year"], view="vessel"),
            ],
            context=["age"],
            join_keys=["vessel_id"],
            rows_train=5634,
            rows_holdout=1409,
            online_digest=DIGEST,
        ),
        history=SearchHistory(metric="f1", direction="maximize", trials=trials()),
        choice=Choice(trial=22, score=0.6, metric="f1", parameters={"max_depth": 5}, boost_rounds=120, threshold=0.41),
        training=training(),
        evidence=evidence(),
        results={"version": "4", "request": "7 /home/me/forge/environment.git#7"},
    )
