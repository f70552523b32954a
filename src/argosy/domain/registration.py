"""A candidate as the registry (MLflow) records it: the documents of a run, flattened into parameters, metrics, series and tags.

Which registry it is, and how it keeps them, is an adapter's business.
"""

from argosy.domain import as_of
from argosy.domain.answers.answer_settings import AnswerSettings
from argosy.domain.data import Lineage
from argosy.domain.evidence import Evidence
from argosy.domain.model_settings import ModelSettings
from argosy.domain.search import Choice, SearchHistory
from argosy.domain.training_record import TrainingRecord

Series = dict[str, list[tuple[int, float]]]


def parameters(settings: ModelSettings, choice: Choice, record: TrainingRecord) -> dict[str, str]:
    """The settings, search and fit as MLflow parameters; values as text."""
    search = settings.search.model_dump(exclude={"space"}, exclude_none=True)
    return {
        **{f"{record.library or 'xgboost'}.{name}": str(value) for name, value in record.parameters.items()},
        **{f"search.{name}": str(value) for name, value in search.items()},
        "training.nthread": str(record.nthread),
        "training.threshold": settings.training.threshold,
        "boost_rounds": str(record.boost_rounds),
        "trial": str(choice.trial),
        "threshold": str(record.threshold),
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


def training_metrics(record: TrainingRecord) -> dict[str, float]:
    """Cross-validated scores, counts of the confusion matrix, the report by class, and the importance of each feature."""
    confusion = {
        f"confusion.{true}.as.{decided}": float(count)
        for true, line in zip(record.classes, record.confusion, strict=False)
        for decided, count in zip(record.classes, line, strict=True)
    }
    report = {
        f"class.{line.name}.{name}": value
        for line in record.classification_report
        for name, value in (("precision", line.precision), ("recall", line.recall), ("f1", line.f1))
        if value is not None
    }
    return {
        **{f"cross_validated.{name}": value for name, value in record.cross_validated.items()},
        **confusion,
        **report,
        **{f"importance.{name}": value for name, value in record.importance.items()},
        "training.rows": float(record.rows),
    }


def training_series(record: TrainingRecord) -> Series:
    """Scores by fold, and the losses by boosting round."""
    curve = record.learning_curve
    lists = {f"fold.{name}": values for name, values in record.fold_metrics.items()}
    losses = {
        f"learning_curve.{curve.loss}.train": curve.train,
        f"learning_curve.{curve.loss}.validation": curve.validation,
    }
    return {
        **{name: list(enumerate(values)) for name, values in lists.items()},
        **{name: list(zip(curve.rounds, values, strict=True)) for name, values in losses.items()},
    }


def tags(settings: ModelSettings, evidence: Evidence, lineage: Lineage, record: TrainingRecord) -> dict[str, str]:
    """MLflow tags: code, data, time and author."""
    return {
        **evidence.provenance.tags(),
        "model": settings.model,
        "owner": settings.owner,
        "code_version": lineage.code_version,
        "snapshot_digest": evidence.snapshot_digest,
        "features_digest": record.features_digest,
        "settings_digest": settings.content_digest(),
        "ingested_at": lineage.ingested_at,
        "rows_train": str(evidence.rows_train),
        "rows_holdout": str(evidence.rows_holdout),
        **({"as_of": as_of.text(evidence.as_of)} if evidence.as_of else {}),
        **({"retrained_for": evidence.cause.kind} if evidence.cause else {}),
        **{f"source.{source.source}.digest": source.location_digest for source in lineage.sources},
        **{f"library.{name}": version for name, version in record.libraries.items()},
    }


def answer_parameters(settings: AnswerSettings) -> dict[str, str]:
    """The settings of a language model as MLflow parameters; values as text."""
    sections = {
        "retrieval": settings.retrieval,
        "answerer": settings.answerer,
        "judge": settings.judge,
        "prices": settings.prices,
    }
    return {
        **{
            f"{name}.{field}": str(value)
            for name, section in sections.items()
            for field, value in section.model_dump().items()
        },
        "seed": str(settings.seed),
        "task": settings.task,
        "documents": str(len(settings.documents)),
    }


def answer_tags(settings: AnswerSettings, evidence: Evidence, lineage: Lineage) -> dict[str, str]:
    """MLflow tags of a language model: code, data, time and author."""
    return {
        **evidence.provenance.tags(),
        "model": settings.model,
        "owner": settings.owner,
        "code_version": lineage.code_version,
        "snapshot_digest": evidence.snapshot_digest,
        "settings_digest": settings.content_digest(),
        "ingested_at": lineage.ingested_at,
        "questions": str(evidence.rows_holdout),
        "passages": str(evidence.rows_train),
    }
