"""What a first model is held against: an answer for all, and the column that tells most."""

import numpy as np
import pyarrow as pa
import pytest

from argosy.domain.data import FeatureColumn, FeatureSchema
from argosy.domain.model_settings import Task
from argosy.ml import simple_answers
from argosy.ml.frames import Examples


def examples(task: Task, seed: int) -> Examples:
    """Rows whose label `told` tells for the most part, some of it missing; `secret` tells all, and is personal data."""
    random = np.random.default_rng(seed)
    told = random.integers(0, 3, 900).astype(np.float64)
    labels = {"binary": (told == 2).astype(np.float64), "multiclass": told.copy(), "regression": told * 10}[task]
    noisy = random.random(900) < 0.1
    labels[noisy] = random.permutation(labels)[noisy]
    shown = np.where(random.random(900) < 0.05, np.nan, told)
    features = [
        FeatureColumn(name=name, type="number", view="v", personal=name == "secret")
        for name in ("noise", "told", "secret")
    ]
    schema = FeatureSchema(
        features=features, context=[], join_keys=[], rows_train=900, rows_holdout=900, online_digest=""
    )
    matrix = np.stack([random.normal(size=900), shown, labels], axis=1)
    return Examples(schema, pa.table({}), matrix, labels)


@pytest.mark.parametrize(
    ("task", "metric", "nothing"),
    [("binary", "auc", "0.5"), ("multiclass", "accuracy", None), ("regression", "rmse", None)],
)
def test_three_answers(task: Task, metric: str, nothing: str | None) -> None:
    """One for all, one by the column that tells most and may be named, and the model's, all on the holdout."""
    train, holdout = examples(task, 1), examples(task, 2)
    best = np.eye(3)[holdout.labels.astype(int)] * 0.9 + 1 / 30 if task == "multiclass" else holdout.labels
    table = simple_answers.table(task, metric, 3, train, holdout, best)
    assert [row[0] for row in table.rows] == ["the same answer for all", "by told alone", "this model"]
    same, one, model = (float(row[1]) for row in table.rows)
    assert nothing is None or same == float(nothing)
    assert (same < one < model) if metric != "rmse" else (same > one > model)
