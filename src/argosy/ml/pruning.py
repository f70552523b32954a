"""Decides whether a trial is worth finishing, from the trials of finished rounds only.

Comparing with trials that happen to have finished would be quicker still, and would make a search's result depend on how many workers it
had. All trials use the same folds, so they are compared on equal terms.
"""

import statistics
from collections.abc import Sequence

from argosy.domain.model_settings import Search
from argosy.domain.search import SearchHistory

# Of the finished trials with as many folds, the share that a trial must be among to go on.
KEPT = 0.25
# With fewer finished trials than this, being outside the best quarter says little.
ENOUGH = 8


class PercentilePruner:
    """Stops a trial whose running mean is not among the best quarter after as many folds, as Optuna's percentile pruner does."""

    def __init__(self, history: SearchHistory, search: Search) -> None:
        self._sign = 1.0 if history.direction == "maximize" else -1.0
        self._from = search.prune_after_folds
        self._heights = [_height(history, folds, self._sign) for folds in range(1, search.folds + 1)]

    def stops(self, fold_scores: Sequence[float]) -> bool:
        """True where a trial with these fold scores is given up."""
        folds = len(fold_scores)
        if not self._from <= folds < len(self._heights):
            return False
        height = self._heights[folds - 1]
        return height is not None and self._sign * statistics.fmean(fold_scores) < height


def _height(history: SearchHistory, folds: int, sign: float) -> float | None:
    """The running mean, turned so that more is better, that the best quarter reaches after *folds* folds."""
    means = [
        sign * statistics.fmean(trial.fold_scores[:folds])
        for trial in history.trials
        if len(trial.fold_scores) >= folds
    ]
    if len(means) < ENOUGH:
        return None
    return sorted(means, reverse=True)[max(1, round(KEPT * len(means))) - 1]
