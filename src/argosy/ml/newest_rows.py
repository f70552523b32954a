"""Whether the model is as good on the newest rows as on the others: an out-of-time holdout, beside the one by lot.

Rows that are kept out of training for being new (``recent``) are the newest, where there are any; else the last part of the holdout, by its
times. Of those a model trained on rows of the same days is told something that it will not know of tomorrow's, which the table says.
"""

import math

import numpy as np
import numpy.typing as npt

from argosy.domain import figures
from argosy.domain.evidence import Table
from argosy.domain.model_settings import Task
from argosy.ml import frames, metrics, performance, score_intervals
from argosy.ml.frames import Examples
from argosy.ml.score_intervals import Labelled

Array = npt.NDArray[np.float64]

CONFIDENCE = 0.95


def measure(
    task: Task,
    holdout: Examples,
    predictions: Array,
    threshold: float,
    share: float,
    recent: tuple[Examples, Array] | None,
) -> tuple[dict[str, float | None], list[Table]]:
    """``performance.newest_drop``: how much lower the primary score is on the newest rows; nothing where all rows are of one time.

    *recent*: the rows kept apart, and the model's answers to them.
    """
    if recent is not None:
        rows, answers = recent
        newest, others = (rows.labels, answers), (holdout.labels, predictions)
        names = ("newest rows, which nothing was trained on", "rows held out")
    else:
        late = _late(holdout, share)
        if not late.any():
            return {}, []
        newest, others = ((holdout.labels[side], predictions[side]) for side in (late, ~late))
        names = ("newest of the rows held out", "the others held out")
    (new, new_error), (old, old_error) = (_score(task, *side, threshold) for side in (newest, others))
    drop = old - new
    half = score_intervals.half_width(math.hypot(new_error, old_error), CONFIDENCE)
    interval = f"{figures.signed(-drop)} [{figures.signed(-drop - half)}, {figures.signed(-drop + half)}]"
    table = Table(
        title="Out of time: the newest rows against the others",
        dimension="performance",
        header=["Rows", "Number", performance.PRIMARY[task], "Change"],
        rows=[
            [names[1], f"{len(others[0]):,}", figures.number(old, "undefined"), ""],
            [names[0], f"{len(newest[0]):,}", figures.number(new, "undefined"), "" if math.isnan(drop) else interval],
        ],
    )
    return {"performance.newest_drop": performance.defined(drop)}, [table]


def _late(holdout: Examples, share: float) -> npt.NDArray[np.bool_]:
    """The rows of the last *share*, by time; rows of one moment stay together, on the older side. None where there is one moment."""
    moments = holdout.table.column(frames.TIME).cast("timestamp[us]").to_numpy().astype(np.int64)
    cut = np.sort(moments)[max(0, math.ceil(len(moments) * (1 - share)) - 1)]
    if cut == moments.max():
        cut = moments[moments < cut].max(initial=moments.min())
    return np.asarray(moments > cut)


def _score(task: Task, labels: Array, predictions: Array, threshold: float) -> tuple[float, float]:
    """The primary score and its standard error."""
    decided = labels if task == "regression" else metrics.decisions(task, predictions, threshold)
    found = score_intervals.influence(
        task, performance.PRIMARY[task], Labelled(labels, predictions, decided.astype(np.int64))
    )
    if found is None or math.isnan(found.value):
        return math.nan, math.nan
    return found.value, float(np.sqrt(np.mean(found.rows**2) / len(labels)))
