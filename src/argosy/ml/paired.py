"""Two models on the same rows: the difference of a score, its bootstrap interval, and a p-value.

Rows are drawn with replacement, the same rows for both models (Efron and Tibshirani, 1993, percentile interval). One score is compared, the
one the policy names, so there is no multiplicity to control.
"""

import numpy as np
import numpy.typing as npt

from argosy.domain.comparison import Paired
from argosy.domain.model_settings import Task
from argosy.ml import metrics

Array = npt.NDArray[np.float64]


def compare(
    task: Task,
    metric: str,
    labels: Array,
    candidate: tuple[Array, float],
    champion: tuple[Array, float],
    *,
    confidence: float,
    resamples: int,
    seed: int,
) -> Paired:
    """*candidate*, *champion*: predictions, each with the threshold it decides by. Differences are turned so that more is better."""
    sign = 1.0 if metrics.direction(task, metric) == "maximize" else -1.0

    def difference(rows: npt.NDArray[np.int64]) -> float:
        mine, theirs = (
            metrics.score(task, metric, labels[rows], predictions[rows], threshold=threshold)
            for predictions, threshold in (candidate, champion)
        )
        return sign * (mine - theirs)

    everything = np.arange(len(labels))
    random = np.random.default_rng(seed)
    drawn = np.array([difference(random.integers(0, len(labels), len(labels))) for _ in range(resamples)])
    drawn = drawn[~np.isnan(drawn)]
    tail = (1 - confidence) / 2
    low, high = (float(value) for value in np.quantile(drawn, [tail, 1 - tail])) if len(drawn) else (-np.inf, np.inf)
    below = float(np.mean(drawn <= 0)) if len(drawn) else 1.0
    above = float(np.mean(drawn >= 0)) if len(drawn) else 1.0
    return Paired(
        candidate=metrics.score(task, metric, labels, candidate[0], threshold=candidate[1]),
        champion=metrics.score(task, metric, labels, champion[0], threshold=champion[1]),
        difference=difference(everything),
        low=max(low, -1e9),
        high=min(high, 1e9),
        p_value=min(1.0, 2 * min(below, above)),
        rows=len(labels),
    )
