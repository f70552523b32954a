"""``training.json``: how a model was fitted and what cross-validation said, for the registry and the report.

Written beside the bundle, not into it: none of it changes what a model answers.
"""

from argosy.domain.documents import Document
from argosy.domain.model_settings import Task

FILE = "training.json"
"""The name of the document in the output ``training`` of ``train``, which ``register`` and the report read."""


class ClassRecord(Document):
    """One line of the classification report; every row judged by a model that has not seen it."""

    name: str
    precision: float | None = None
    recall: float | None = None
    f1: float | None = None
    rows: int


class LearningCurve(Document):
    """Mean loss over the folds, as far as every fold went. All three lists are of one length."""

    loss: str
    rounds: list[int]
    """After how many boosting rounds each loss was measured."""
    train: list[float]
    validation: list[float]


class TrainingRecord(Document):
    """Everything about one fit that does not follow from the bundle."""

    model: str
    model_digest: str
    task: Task
    features_digest: str
    seed: int
    nthread: int
    workers: int | None = None
    """Tasks of Spark that fitted it together; None: one process did."""
    rows: int
    library: str | None = None
    """The trainer that fitted it; None of XGBoost."""
    parameters: dict[str, float | int | str | bool]
    """All of the library's parameters, the fixed and the found."""
    boost_rounds: int
    threshold: float | None = None
    trial: int
    search_metric: str
    search_score: float
    fold_rows: list[int]
    fold_rounds: list[int]
    fold_metrics: dict[str, list[float]]
    """Score by name, a value a fold, at the model's threshold. A score that is undefined in a fold is left out."""
    cross_validated: dict[str, float]
    """Score by name over all rows, each judged by a model that has not seen it; undefined ones are left out."""
    classes: list[str]
    confusion: list[list[int]]
    """Rows by true class (line) and decided class (column), out of fold; empty for regression."""
    classification_report: list[ClassRecord]
    importance: dict[str, float]
    """Feature to how much the model goes by it (XGBoost: mean gain), largest first; 0: not at all."""
    learning_curve: LearningCurve
    libraries: dict[str, str]
