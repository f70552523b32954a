"""What the registry is told of a candidate: the documents of a run, flattened into parameters, metrics, series and tags.

Which registry it is, and how it keeps them, is an adapter's business.
"""

from collections.abc import Mapping
from typing import Any

from argosy.domain.data import Lineage
from argosy.domain.evidence import Evidence
from argosy.domain.model_settings import ModelSettings
from argosy.domain.search import Choice, SearchHistory

Series = dict[str, list[tuple[int, float]]]


def parameters(settings: ModelSettings, choice: Choice) -> dict[str, str]:
    """What the model was made with."""
    chosen = {f"xgboost.{name}": str(value) for name, value in choice.parameters.items()}
    search = settings.search.model_dump(exclude={"space"})
    return {
        **chosen,
        **{f"search.{name}": str(value) for name, value in search.items()},
        **{f"training.{name}": str(value) for name, value in settings.training.model_dump().items()},
        "boost_rounds": str(choice.boost_rounds),
        "trial": str(choice.trial),
        "threshold": str(choice.threshold),
        "seed": str(settings.seed),
        "task": settings.task,
        "feature_service": settings.feature_service,
        "split": settings.split.canonical_json().strip(),
    }


def search_series(history: SearchHistory) -> Series:
    """Score, boosting rounds, folds scored and seconds of each trial, and the best score so far, by trial number."""
    best = max if history.direction == "maximize" else min
    series: Series = {name: [] for name in ("score", "boost_rounds", "folds", "seconds", "best")}
    scores: list[float] = []
    for trial in history.trials:
        values = (trial.score, trial.boost_rounds, len(trial.fold_scores), trial.seconds)
        for name, value in zip(("score", "boost_rounds", "folds", "seconds"), values, strict=True):
            series[name].append((trial.number, float(value)))
        if trial.state == "complete":
            scores.append(trial.score)
        if scores:
            series["best"].append((trial.number, best(scores)))
    return {f"trial.{name}": points for name, points in series.items()}


def training_values(record: Mapping[str, Any]) -> tuple[dict[str, float], Series, dict[str, str]]:
    """The numbers, lists of numbers and words in ``training.json``, by dotted name."""
    numbers: dict[str, float] = {}
    series: Series = {}
    words: dict[str, str] = {}
    for name, value in _flat(record, "training"):
        if _is_number(value):
            numbers[name] = float(value)
        elif isinstance(value, list) and value and all(_is_number(entry) for entry in value):
            series[name] = [(step, float(entry)) for step, entry in enumerate(value)]
        elif isinstance(value, str):
            words[name] = value
    return numbers, series, words


def tags(settings: ModelSettings, evidence: Evidence, lineage: Lineage) -> dict[str, str]:
    """What says which code and data, when, by whom."""
    return {
        "mlflow.source.git.commit": evidence.git_commit,
        "model": settings.model,
        "owner": settings.owner,
        "git_commit": evidence.git_commit,
        "code_version": lineage.code_version,
        "snapshot_digest": evidence.snapshot_digest,
        "settings_digest": settings.content_digest(),
        "ingested_at": lineage.ingested_at,
        "rows_train": str(evidence.rows_train),
        "rows_holdout": str(evidence.rows_holdout),
        **{f"source.{source.source}.digest": source.location_digest for source in lineage.sources},
    }


def _flat(value: Any, name: str) -> list[tuple[str, Any]]:
    if isinstance(value, Mapping):
        return [pair for key, inner in value.items() for pair in _flat(inner, f"{name}.{key}")]
    return [(name, value)]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
