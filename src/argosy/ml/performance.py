"""Performance on a holdout: scores, scores by slice, confusion matrix, curves, and what decisions are worth.

Which scores a task has, and how each is calculated, is ``metrics``' word.
"""

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from argosy.domain import task_words
from argosy.domain.evidence import CHAMPION, CHANCE, MODEL, PERFECT, Curve, Table
from argosy.domain.measurements import OF_SEARCHES
from argosy.domain.model_settings import Task
from argosy.ml import metrics
from argosy.ml.row_groups import RowGroups

Array = npt.NDArray[np.float64]
Measurements = dict[str, float | None]

POINTS = 60
"""Points of a curve that a person looks at."""
MOST_CLASSES = 5
"""Classes that have a line of their own, the commonest."""
PARTS, ROWS_A_PART = 20, 20
"""Parts of equal size that a holdout is cut into by what was predicted, and the rows of which a tenth means something."""
PRIMARY = task_words.PRIMARY


def primary(task: Task, labels: Array, predictions: Array) -> float:
    """The primary score; NaN where it is undefined."""
    return metrics.score(task, PRIMARY[task], labels, predictions)


def measure(task: Task, labels: Array, predictions: Array, threshold: float) -> Measurements:
    """``performance.<score>`` for every score of *task*."""
    names = [name for name in metrics.METRICS[task] if name not in OF_SEARCHES]
    return {
        f"performance.{name}": defined(metrics.score(task, name, labels, predictions, threshold=threshold))
        for name in names
    }


def by_slice(
    task: Task, labels: Array, predictions: Array, columns: Mapping[str, Sequence[str] | RowGroups], smallest: int
) -> tuple[Measurements, Table]:
    """The primary score of every value of every column that has *smallest* rows or more, and the worst: ``performance.worst_slice``."""
    score = PRIMARY[task]
    rows: list[list[str]] = []
    found: Measurements = {}
    for column, value, chosen in slices(columns):
        if len(chosen) < smallest:
            rows.append([column, value, f"{len(chosen):,}", "too few rows"])
            continue
        measured = defined(primary(task, labels[chosen], predictions[chosen]))
        found[f"performance.slice.{column}.{value}.{score}"] = measured
        rows.append([column, value, f"{len(chosen):,}", "undefined" if measured is None else f"{measured:.4f}"])
    known = [value for value in found.values() if value is not None]
    found["performance.worst_slice"] = min(known) if known else None
    return found, Table(
        title=f"{score} by slice", dimension="performance", header=["Column", "Value", "Rows", score], rows=rows
    )


def slices(columns: Mapping[str, Sequence[str] | RowGroups]) -> Iterator[tuple[str, str, npt.NDArray[np.int64]]]:
    """(column, value, indices of its rows), sorted."""
    for column, values in columns.items():
        for value, rows in RowGroups.of(values).rows():
            yield column, value, rows


def business(labels: Array, predictions: Array, threshold: float, worth: Mapping[str, float]) -> Measurements:
    """The value of a binary model's decisions per row, and its lift among the tenth it is surest of."""
    top = np.argsort(-predictions, kind="stable")[: max(1, len(labels) // 10)]
    rate = float(labels.mean())
    found: Measurements = {"performance.lift_top_tenth": float(labels[top].mean()) / rate if rate else None}
    if worth:
        cells = _cells(labels, predictions >= threshold)
        found["performance.value_per_row"] = sum(
            worth.get(name, 0.0) * float(rows.mean()) for name, rows in cells.items()
        )
    return found


def worth_of_rows(labels: Array, decided: npt.NDArray[np.bool_], worth: Mapping[str, float]) -> Array:
    """What the decision on each row of a binary model is worth. *decided*: for the positive class."""
    each = [worth.get(name, 0.0) * rows for name, rows in _cells(labels, decided).items()]
    return np.asarray(np.sum(each, axis=0), dtype=np.float64)


def _cells(labels: Array, decided: npt.NDArray[np.bool_]) -> dict[str, npt.NDArray[np.bool_]]:
    return {
        "true_positive": decided & (labels == 1),
        "false_positive": decided & (labels == 0),
        "false_negative": ~decided & (labels == 1),
        "true_negative": ~decided & (labels == 0),
    }


def confusion(task: Task, labels: Array, predictions: Array, threshold: float, classes: list[str]) -> Table:
    """The confusion matrix: a line a true class, a column a decision."""
    counts = metrics.confusion(labels, metrics.decisions(task, predictions, threshold), len(classes))
    rows = [[name, *(f"{count:,}" for count in line)] for name, line in zip(classes, counts, strict=True)]
    return Table(
        title="Confusion matrix",
        dimension="performance",
        header=["True class", *(f"decided {name}" for name in classes)],
        rows=rows,
    )


def report(task: Task, labels: Array, predictions: Array, threshold: float, classes: list[str]) -> Table:
    """Precision, recall and F1 of each class."""
    counts = np.asarray(
        metrics.confusion(labels, metrics.decisions(task, predictions, threshold), len(classes)), dtype=float
    )
    rows = []
    for index, name in enumerate(classes):
        hits, decided, present = counts[index, index], counts[:, index].sum(), counts[index].sum()
        precision, recall = hits / decided if decided else math.nan, hits / present if present else math.nan
        f1 = 2 * hits / (decided + present) if decided + present else math.nan
        rows.append([name, f"{precision:.3f}", f"{recall:.3f}", f"{f1:.3f}", f"{int(present):,}"])
    return Table(
        title="Classification report",
        dimension="performance",
        header=["Class", "Precision", "Recall", "F1", "Rows"],
        rows=rows,
    )


def curves(task: Task, labels: Array, predictions: Array, classes: list[str]) -> list[Curve]:
    """The curves of a model: of classes ROC and precision-recall, of several one line each; of values what lies round each prediction."""
    if task == "regression":
        return _of_values(labels, predictions)
    if task == "binary":
        return _of_classes({MODEL: (labels, predictions)}, "")
    counts = np.bincount(labels.astype(np.int64), minlength=len(classes))
    drawn = sorted(np.argsort(-counts, kind="stable")[:MOST_CLASSES].tolist())
    sides = {_called(classes[at]): ((labels == at).astype(np.float64), predictions[:, at]) for at in drawn}
    return _of_classes(sides, ", each class against the others")


def _of_classes(sides: Mapping[str, tuple[Array, Array]], more: str) -> list[Curve]:
    """ROC and precision-recall, a line for each of *sides* (whether it is the class, and how likely it was called) that has both."""
    lines = {name: line for name, (hits, chances) in sides.items() if (line := _rates(hits, chances)) is not None}
    if not lines:
        return []
    return [
        Curve(
            title=f"ROC curve{more}",
            dimension="performance",
            x_label="false positive rate",
            y_label="true positive rate",
            series={
                **{name: [(0.0, 0.0), *roc] for name, (roc, _) in lines.items()},
                CHANCE: [(0.0, 0.0), (1.0, 1.0)],
            },
        ),
        Curve(
            title=f"Precision and recall{more}",
            dimension="performance",
            x_label="recall",
            y_label="precision",
            series={name: recall for name, (_, recall) in lines.items()},
        ),
    ]


def _called(name: str) -> str:
    """The name of a class as that of a line, which is none that a line of something else has."""
    return f"class {name}" if name in {MODEL, CHAMPION, CHANCE} else name


def _rates(labels: Array, probabilities: Array) -> tuple[list[tuple[float, float]], list[tuple[float, float]]] | None:
    """Points of the ROC and of the precision-recall curve; None where all rows are of one side."""
    order = np.argsort(-probabilities, kind="stable")
    hits, misses = np.cumsum(labels[order]), np.cumsum(1 - labels[order])
    if hits[-1] == 0 or misses[-1] == 0:
        return None
    shown = np.unique(np.linspace(0, len(order) - 1, POINTS).astype(int))
    roc = [(float(misses[at] / misses[-1]), float(hits[at] / hits[-1])) for at in shown]
    return roc, [(float(hits[at] / hits[-1]), float(hits[at] / (at + 1))) for at in shown]


def _of_values(labels: Array, predictions: Array) -> list[Curve]:
    """Predicted against actual, and what is left between them: of rows that were told about the same, the middle and the outer tenths."""
    parts = [part for part in np.array_split(np.argsort(predictions, kind="stable"), PARTS) if len(part) >= ROWS_A_PART]
    if len(parts) < 2:
        return []
    said = [float(predictions[part].mean()) for part in parts]

    def band(values: Array) -> dict[str, list[tuple[float, float]]]:
        shares = ((MODEL, 0.5), ("a tenth lies above", 0.9), ("a tenth lies below", 0.1))
        return {
            name: [(x, float(np.quantile(values[part], share))) for x, part in zip(said, parts, strict=True)]
            for name, share in shares
        }

    ends = (said[0], said[-1])
    return [
        Curve(
            title="Predicted and actual",
            dimension="performance",
            x_label="predicted",
            y_label="actual, the middle of rows that were told about the same",
            series={**band(labels), PERFECT: [(end, end) for end in ends]},
        ),
        Curve(
            title="Residuals",
            dimension="performance",
            x_label="predicted",
            y_label="actual less predicted",
            series={**band(labels - predictions), PERFECT: [(end, 0.0) for end in ends]},
        ),
    ]


def defined(value: float) -> float | None:
    """*value*, or None where it is undefined."""
    return None if math.isnan(value) else value
