"""The logic of ``trial``: score a batch of points, and record each as soon as it is scored.

A task that is tried again finds its finished trials in the storage; at most the trial that was under way is scored anew.
"""

from collections.abc import Iterator
from pathlib import Path

from argosy.domain.model_settings import ModelSettings
from argosy.domain.search import Asked, SearchHistory, Trial
from argosy.ml import checks, rounds, splits, study
from argosy.ml.crossvalidation import CrossValidation
from argosy.ml.pruning import PercentilePruner
from argosy.ports.search_storage import SearchStorage


def run(*, settings: ModelSettings, features: Path, history: Path, batch: str, storage: SearchStorage) -> str:
    """Return the scored trials of *batch* as JSON text.

    Raises Rejected where the training side cannot be learned from, TryAgain where the storage fails.
    """
    asked = rounds.batch(batch)
    if not asked:  # the search is over
        return rounds.trials_text([])
    name = study.name(settings, features)
    recorded = storage.recorded(name)
    known = {point.number: recorded[point.number] for point in asked if _is(point, recorded.get(point.number))}
    if missing := [point for point in asked if point.number not in known]:
        for trial in _scored(settings, features, SearchHistory.read(history), missing):
            storage.record(name, trial)
            known[trial.number] = trial
    return rounds.trials_text([known[point.number] for point in asked])


def _is(point: Asked, recorded: Trial | None) -> bool:
    """True where *recorded* is the trial of *point*; a number alone proves nothing."""
    return recorded is not None and recorded.parameters == point.parameters


def _scored(settings: ModelSettings, features: Path, history: SearchHistory, points: list[Asked]) -> Iterator[Trial]:
    examples = splits.to_search(features, settings)
    checks.learnable(examples, settings)
    folds, bar = CrossValidation(examples, settings), PercentilePruner(history, settings.search)
    for point in points:
        yield folds.score(point, bar)
