"""Fairness towards groups of people: rates, ratios and differences by sensitive attribute (fairlearn), and a mitigated model beside it.

Which of the measurements gates, and where, is the policy's word. Groups too small to say anything are named and left out of the figures.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from fairlearn import metrics as fairlearn
from fairlearn.postprocessing import ThresholdOptimizer
from sklearn.base import BaseEstimator, ClassifierMixin

from argosy.domain import figures
from argosy.domain.evidence import Table
from argosy.domain.measurements import FAIRNESS_OF_BINARY, FAIRNESS_OF_OTHERS
from argosy.domain.model_settings import Task
from argosy.ml import performance, sensitive_groups
from argosy.ml.row_groups import RowGroups

Array = npt.NDArray[np.float64]
Groups = npt.NDArray[np.object_]
Decisions = npt.NDArray[np.bool_]

LABELS: dict[Task, list[str]] = {"binary": ["Positive rate"], "multiclass": [], "regression": ["Mean label"]}
"""Columns about a group's labels: the numbers of classes have no mean."""
MOST_MITIGATED = 20_000
"""Rows that thresholds a group are chosen and shown on together: every one of their probabilities is a threshold to try."""
RATES: dict[Task, list[str]] = {
    "binary": ["Mean probability", "Selected", "True positive rate"],
    "multiclass": [],
    "regression": [],
}


def measure(
    task: Task, labels: Array, predictions: Array, threshold: float, attributes: Mapping[str, Sequence[str] | RowGroups]
) -> tuple[dict[str, float | None], list[Table]]:
    """``fairness.<attribute>.<measurement>`` for each of *attributes* (name to a group a row), and a table each.

    All of an attribute's are undefined (None) where fewer than two of its groups are large enough.
    """
    found: dict[str, float | None] = {}
    tables: list[Table] = []
    for attribute, groups in attributes.items():
        members = RowGroups.of(groups)
        large = sensitive_groups.large_enough(members)
        measured = _of_task(task, labels[large], predictions[large], threshold, members.only(large))
        found |= {f"fairness.{attribute}.{name}": performance.defined(value) for name, value in measured.items()}
        tables.append(_table(task, attribute, labels, predictions, threshold, members))
    return found, tables


def mitigated(
    labels: Array, probabilities: Array, threshold: float, groups: Sequence[str] | RowGroups, attribute: str, seed: int
) -> Table:
    """A binary model beside itself with a threshold a group, chosen for equal rates (fairlearn's ThresholdOptimizer).

    Fitted on half of the rows and shown on the rest, which the title says: what the gates measured is on all of them. For the reader
    only: nothing of it is served.
    """
    title, rows_all = f"If every group of {attribute} had its own threshold", len(labels)
    everybody = RowGroups.of(groups)
    large = sensitive_groups.large_enough(everybody)
    members, labels, probabilities = everybody.only(large), labels[large], probabilities[large]
    shuffled = np.random.default_rng(seed).permutation(len(labels))[:MOST_MITIGATED]
    fitted, shown = np.sort(shuffled[::2]), np.sort(shuffled[1::2])
    if reason := _unfit(labels[fitted], members.only(fitted)):
        return Table(title=title, dimension="fairness", header=["Not shown"], rows=[[reason]])
    decided = _equal_rates(probabilities[fitted], labels[fitted], _named(members, fitted))(
        probabilities[shown], _named(members, shown), seed
    )
    served = probabilities[shown] >= threshold
    rows = [
        [name, *_beside(labels[shown], decisions, members.only(shown))]
        for name, decisions in (("as served, on these rows", served), ("mitigated, on these rows", decided))
    ]
    chose = "the others" if len(labels) <= MOST_MITIGATED else "as many others"
    title += (
        f" (on {len(shown):,} of the {rows_all:,} rows that the gates are measured on: {chose} chose the thresholds)"
    )
    header = ["Model", "Accuracy", "F1", "Demographic parity ratio"]
    return Table(title=title, dimension="fairness", header=header, rows=rows)


def _named(groups: RowGroups, rows: npt.NDArray[np.int64]) -> Groups:
    """The names of the groups of *rows*, as fairlearn takes them."""
    return np.asarray(groups.names, dtype=object)[groups.codes[rows]]


def _unfit(labels: Array, groups: RowGroups) -> str | None:
    """Why no threshold a group can be chosen on these rows."""
    if len(groups.names) < 2:
        return "fewer than two groups are large enough"
    alike = [name for name, rows in groups.rows() if len(np.unique(labels[rows])) < 2]
    return f"all rows of group {alike[0]} that it would be fitted on have one label" if alike else None


def _equal_rates(probabilities: Array, labels: Array, groups: Groups) -> Callable[[Array, Groups, int], Decisions]:
    optimizer = ThresholdOptimizer(
        estimator=_Given(),
        constraints="demographic_parity",
        objective="accuracy_score",
        prefit=True,
        predict_method="predict_proba",
    )
    optimizer.fit(probabilities.reshape(-1, 1), labels, sensitive_features=groups)

    def decide(probabilities: Array, groups: Groups, seed: int) -> Decisions:
        answers = optimizer.predict(probabilities.reshape(-1, 1), sensitive_features=groups, random_state=seed)
        chosen: Decisions = answers == 1
        return chosen

    return decide


def _beside(labels: Array, decisions: Decisions, groups: RowGroups) -> list[str]:
    ratio = fairlearn.demographic_parity_ratio(**_counted(labels, decisions, groups))
    hits, marked = float((decisions & (labels == 1)).sum()), float(decisions.sum() + labels.sum())
    f1 = 2 * hits / marked if marked else math.nan
    return [f"{np.mean(decisions == (labels == 1)):.4f}", f"{f1:.4f}", f"{ratio:.3f}"]


class _Given(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn publishes no types
    """An estimator that was fitted already: the one column it is given is its probability."""

    classes_ = np.array([0, 1])

    def fit(self, *_: Any) -> "_Given":
        return self

    def __sklearn_is_fitted__(self) -> bool:
        return True

    def predict_proba(self, column: Array) -> Array:
        return np.column_stack([1 - column[:, 0], column[:, 0]])


def _of_task(task: Task, labels: Array, predictions: Array, threshold: float, groups: RowGroups) -> dict[str, float]:
    several = len(groups.names) > 1
    if task == "binary":
        return (
            _binary(labels, predictions, threshold, groups) if several else dict.fromkeys(FAIRNESS_OF_BINARY, math.nan)
        )
    if not several:
        return dict.fromkeys(FAIRNESS_OF_OTHERS, math.nan)
    # No class is the favourable one: what can be compared is how good the model is for each group.
    scores = [performance.primary(task, labels[rows], predictions[rows]) for _, rows in groups.rows()]
    ratio = min(scores) / max(scores) if max(scores) > 0 else math.nan
    return dict(zip(FAIRNESS_OF_OTHERS, (ratio, max(scores) - min(scores)), strict=True))


def _binary(labels: Array, probabilities: Array, threshold: float, groups: RowGroups) -> dict[str, float]:
    arguments = _counted(labels, probabilities >= threshold, groups)
    apart, rows = probabilities - labels, [own for _, own in groups.rows()]
    gap = max(abs(float(apart[own].mean())) for own in rows)
    # What is said of those who have the label is nothing where a group has none of them, and so for the others.
    told = all(np.unique(labels[own]).tolist() == [0.0, 1.0] for own in rows)
    figures = {name: float(getattr(fairlearn, name)(**arguments)) for name in FAIRNESS_OF_BINARY[:2]}
    figures |= {
        name: float(getattr(fairlearn, name)(**arguments)) if told else math.nan for name in FAIRNESS_OF_BINARY[2:5]
    }
    return figures | {"calibration_gap": gap}


def _counted(labels: Array, decided: Decisions, groups: RowGroups) -> dict[str, Any]:
    """The rows as fairlearn takes them: those with one label, decision and group as one, that weighs as much as they are many.

    It looks at rows one by one, which takes a minute for a million; the figures are the same.
    """
    kinds = 4 * groups.codes + 2 * (labels == 1) + decided
    counts = np.bincount(kinds)
    there = np.flatnonzero(counts)
    return {
        "y_true": there // 2 % 2,
        "y_pred": there % 2,
        "sensitive_features": np.asarray(groups.names, dtype=object)[there // 4],
        "sample_weight": counts[there],
    }


def _table(task: Task, attribute: str, labels: Array, predictions: Array, threshold: float, groups: RowGroups) -> Table:
    header = ["Group", "Rows", *LABELS[task], performance.PRIMARY[task], *RATES[task]]
    rows = []
    for group, own in groups.rows():
        if len(own) < sensitive_groups.SMALLEST_GROUP:
            rows.append([group, f"{len(own):,}", "too few rows", *[""] * (len(header) - 3)])
            continue
        score = performance.primary(task, labels[own], predictions[own])
        told = [figures.number(float(labels[own].mean()))] if LABELS[task] else []
        line = [group, f"{len(own):,}", *told, f"{score:.4f}"]
        rows.append(line + (_rates(labels[own], predictions[own], threshold) if task == "binary" else []))
    return Table(title=f"Groups of {attribute}", dimension="fairness", header=header, rows=rows)


def _rates(labels: Array, probabilities: Array, threshold: float) -> list[str]:
    decided, positive = probabilities >= threshold, labels == 1
    caught = float(decided[positive].mean()) if positive.any() else math.nan
    return [f"{probabilities.mean():.3f}", f"{decided.mean():.3f}", f"{caught:.3f}"]
