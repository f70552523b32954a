"""How a model treats groups of people: rates, ratios and differences by sensitive attribute (fairlearn), and a mitigated model beside it.

Which of the measurements gates, and where, is the policy's word. Groups too small to say anything are named and left out of the figures.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from fairlearn import metrics as fairlearn
from sklearn.base import BaseEstimator, ClassifierMixin

from argosy.domain.evidence import Table
from argosy.domain.model_settings import Task
from argosy.ml import performance

Array = npt.NDArray[np.float64]
SMALLEST_GROUP = 30


def measure(
    task: Task, labels: Array, predictions: Array, threshold: float, attributes: Mapping[str, list[str]]
) -> tuple[dict[str, float | None], list[Table]]:
    """``fairness.<attribute>.<measurement>`` for each of *attributes* (name to a group a row), and a table each."""
    found: dict[str, float | None] = {}
    tables: list[Table] = []
    for attribute, groups in attributes.items():
        kept = _large_enough(groups)
        chosen = np.array([group in kept for group in groups])
        if len(kept) < 2:
            tables.append(
                Table(
                    title=f"Groups of {attribute}",
                    dimension="fairness",
                    header=["Group"],
                    rows=[["fewer than two large enough groups"]],
                )
            )
            continue
        members = np.asarray(groups, dtype=object)[chosen]
        measured = _of_task(task, labels[chosen], predictions[chosen], threshold, members)
        found |= {f"fairness.{attribute}.{name}": performance.defined(value) for name, value in measured.items()}
        tables.append(_table(task, attribute, labels[chosen], predictions[chosen], threshold, members))
    return found, tables


def mitigated(
    labels: Array, probabilities: Array, threshold: float, groups: list[str], attribute: str, seed: int
) -> Table:
    """A binary model beside itself with a threshold a group, chosen for equal rates (fairlearn's ThresholdOptimizer).

    Fitted on every other row and shown on the rest. For the reader only: nothing of it is served.
    """
    from fairlearn.postprocessing import ThresholdOptimizer

    members = np.asarray(groups, dtype=object)
    fitted, shown = np.arange(0, len(labels), 2), np.arange(1, len(labels), 2)
    optimizer = ThresholdOptimizer(
        estimator=_Given(),
        constraints="demographic_parity",
        objective="accuracy_score",
        prefit=True,
        predict_method="predict_proba",
    )
    optimizer.fit(probabilities[fitted].reshape(-1, 1), labels[fitted], sensitive_features=members[fitted])
    decided = optimizer.predict(
        probabilities[shown].reshape(-1, 1), sensitive_features=members[shown], random_state=seed
    )
    rows = []
    for name, decisions in (("as it is", probabilities[shown] >= threshold), ("mitigated", np.asarray(decided) == 1)):
        ratio = fairlearn.demographic_parity_ratio(labels[shown], decisions, sensitive_features=members[shown])
        hits = float(((decisions == 1) & (labels[shown] == 1)).sum())
        f1 = 2 * hits / (decisions.sum() + labels[shown].sum())
        rows.append([name, f"{np.mean(decisions == labels[shown]):.4f}", f"{f1:.4f}", f"{ratio:.3f}"])
    return Table(
        title=f"If every group of {attribute} had its own threshold",
        dimension="fairness",
        header=["Model", "Accuracy", "F1", "Demographic parity ratio"],
        rows=rows,
    )


class _Given(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn publishes no types
    """An estimator that was fitted already: the one column it is given is its probability."""

    classes_ = np.array([0, 1])

    def fit(self, *_: Any) -> "_Given":
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def predict_proba(self, column: Array) -> Array:
        return np.column_stack([1 - column[:, 0], column[:, 0]])


def _large_enough(groups: list[str]) -> set[str]:
    names, counts = np.unique(np.asarray(groups, dtype=str), return_counts=True)
    return {str(name) for name, count in zip(names, counts, strict=True) if count >= SMALLEST_GROUP}


def _of_task(
    task: Task, labels: Array, predictions: Array, threshold: float, groups: npt.NDArray[Any]
) -> dict[str, float]:
    if task == "binary":
        return _binary(labels, predictions, threshold, groups)
    # No class is the favourable one: what can be compared is how good the model is for each group.
    scores = [
        performance.primary(task, labels[groups == group], predictions[groups == group])
        for group in sorted(set(groups))
    ]
    return {
        "score_ratio": min(scores) / max(scores) if max(scores) > 0 else float("nan"),
        "score_difference": max(scores) - min(scores),
    }


def _binary(labels: Array, probabilities: Array, threshold: float, groups: npt.NDArray[Any]) -> dict[str, float]:
    decided = (probabilities >= threshold).astype(int)
    arguments: dict[str, Any] = {"y_true": labels.astype(int), "y_pred": decided, "sensitive_features": groups}
    return {
        "demographic_parity_ratio": float(fairlearn.demographic_parity_ratio(**arguments)),
        "demographic_parity_difference": float(fairlearn.demographic_parity_difference(**arguments)),
        "equalized_odds_ratio": float(fairlearn.equalized_odds_ratio(**arguments)),
        "equalized_odds_difference": float(fairlearn.equalized_odds_difference(**arguments)),
        "equal_opportunity_difference": float(fairlearn.equal_opportunity_difference(**arguments)),
        "calibration_gap": max(
            abs(float(probabilities[groups == group].mean() - labels[groups == group].mean())) for group in set(groups)
        ),
    }


def _table(
    task: Task, attribute: str, labels: Array, predictions: Array, threshold: float, groups: npt.NDArray[Any]
) -> Table:
    score = performance.PRIMARY[task]
    header = ["Group", "Rows", "Mean label", score]
    rows = []
    for group in sorted(set(groups)):
        own = groups == group
        line = [
            str(group),
            f"{own.sum():,}",
            f"{labels[own].mean():.3f}",
            f"{performance.primary(task, labels[own], predictions[own]):.4f}",
        ]
        if task == "binary":
            decided, positive = predictions[own] >= threshold, labels[own] == 1
            caught = float(decided[positive].mean()) if positive.any() else float("nan")
            line += [f"{predictions[own].mean():.3f}", f"{decided.mean():.3f}", f"{caught:.3f}"]
        rows.append(line)
    more = ["Mean prediction", "Selected", "True positive rate"] if task == "binary" else []
    return Table(title=f"Groups of {attribute}", dimension="fairness", header=[*header, *more], rows=rows)
