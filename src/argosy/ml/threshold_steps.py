"""What hangs on the decision threshold: how scores and decisions move when it does; of several classes, how narrow the lead is."""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from argosy.domain.evidence import Table
from argosy.domain.model_settings import Task
from argosy.ml import metrics, performance

Array = npt.NDArray[np.float64]

STEPS = (-5, -2, -1, 0, 1, 2, 5)
SCORES = ("precision", "recall", "f1")


def measure(
    task: Task, labels: Array, predictions: Array, threshold: float, step: float, worth: Mapping[str, float]
) -> tuple[dict[str, float | None], list[Table]]:
    """``robustness.undecided_rate``: the share of decisions that a *step* either way turns; of a binary model also ``.threshold_f1_drop``.

    Of several classes a step is taken from the class decided for. A regression decides nothing, and has neither.
    """
    if task == "regression":
        return {}, []
    if task == "multiclass":
        ranked = np.sort(predictions, axis=1)
        lead = ranked[:, -1] - ranked[:, -2]
        narrow = [[f"less than {size * step:.3g}", f"{float((lead < size * step).mean()):.2%}"] for size in (1, 2, 5)]
        table = Table(
            title="How narrow decisions are",
            dimension="robustness",
            header=["Lead over the next class", "Rows"],
            rows=narrow,
        )
        return {"robustness.undecided_rate": float((lead < step).mean())}, [table]
    decided = predictions >= threshold
    places = [(size, threshold + size * step) for size in STEPS if 0 < threshold + size * step < 1]
    lines, f1 = [], {}
    for size, place in places:
        moved = predictions >= place
        scores = [metrics.score(task, name, labels, predictions, threshold=place) for name in SCORES]
        f1[size] = scores[-1]
        value = [f"{float(performance.worth_of_rows(labels, moved, worth).mean()):.4g}"] if worth else []
        lines.append(
            [
                f"{place:.4f}{' (its own)' if size == 0 else ''}",
                f"{float(moved.mean()):.2%}",
                *(f"{score:.4f}" for score in scores),
                f"{float((moved != decided).mean()):.2%}",
                *value,
            ]
        )
    own = metrics.score(task, "f1", labels, predictions, threshold=threshold)
    near = [f1[size] for size in (-1, 1) if size in f1]
    turned = [float(((predictions >= threshold + size * step) != decided).mean()) for size in (-1, 1)]
    table = Table(
        title="Around the decision threshold",
        dimension="robustness",
        header=[
            "Threshold",
            "Decided for",
            "Precision",
            "Recall",
            "F1",
            "Decisions turned",
            *(["Value per row"] if worth else []),
        ],
        rows=lines,
    )
    found = {
        "robustness.undecided_rate": sum(turned),
        "robustness.threshold_f1_drop": performance.defined(own - min(near, default=own)),
    }
    return found, [table]
