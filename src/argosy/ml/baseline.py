"""A quick baseline: one modest model a drawn holdout, measured as ``evaluate`` measures, so that a new model's first limits are no guess.

No search: a tuned model is about as good or better. What limits follow is ``domain.baseline_limits``.
"""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import compute

from argosy import errors, scratch
from argosy.domain.data import FeatureColumn, FeatureSchema
from argosy.domain.model_settings import ModelSettings
from argosy.domain.search import Choice
from argosy.ml import bundling, frames, refit
from argosy.ml.encoding import Encoder
from argosy.ml.evaluation import measure
from argosy.ml.frames import Examples
from argosy.ml.predictor import Predictor

DRAWS = 5
"""Holdouts that are drawn; limits lie beyond the worst of them."""
MOST_ROWS = 20_000
"""Rows that are looked at, drawn by lot."""
PARAMETERS: dict[str, float | int] = {"learning_rate": 0.1, "max_depth": 4, "subsample": 0.8, "colsample_bytree": 0.8}
ROUNDS = 80


def measured(settings: ModelSettings, rows: pa.Table, features: list[FeatureColumn]) -> list[dict[str, float | None]]:
    """The measurements of each draw. *rows*: the primary source as its contract reads it, with the column ``label``."""
    labelled = rows.filter(compute.is_valid(rows.column(frames.LABEL)))
    random = np.random.default_rng(settings.seed)
    chosen = np.sort(random.permutation(labelled.num_rows)[:MOST_ROWS])
    table = _as_features(labelled.take(chosen), settings, features)
    share = getattr(settings.split, "holdout", 0.2)
    found = []
    for _ in range(DRAWS):
        held = random.random(table.num_rows) < share
        with scratch.folder("features") as folder:
            found.append(_one(settings, table, features, held, folder))
    return found


def _one(
    settings: ModelSettings, table: pa.Table, features: list[FeatureColumn], held: npt.NDArray[np.bool_], folder: Path
) -> dict[str, float | None]:
    learned = table.filter(pa.array(~held))
    known = [_with_levels(feature, learned) for feature in features]
    train, holdout = (_examples(settings, part, known) for part in (learned, table.filter(pa.array(held))))
    if not len(holdout):
        raise errors.Rejected(f"a fifth of {table.num_rows} rows came out empty; there are too few")
    choice = Choice(trial=0, score=0.0, metric=settings.search.metric, parameters=PARAMETERS, boost_rounds=ROUNDS)
    fitted = refit.fit(train, choice, settings)
    digest = bundling.pack(
        folder / "bundle",
        settings=settings,
        model=fitted.model,
        threshold=fitted.threshold,
        train=train,
        holdout=holdout,
    )
    return measure(settings, Predictor.load(folder / "bundle", digest), holdout).measurements


def _as_features(rows: pa.Table, settings: ModelSettings, features: list[FeatureColumn]) -> pa.Table:
    """*rows* as ``build-features`` would have them: numbers as float64, categories as text."""
    columns = {name: rows.column(name) for name in settings.entity}
    for feature in features:
        kind = pa.float64() if feature.type == "number" else pa.string()
        columns[feature.name] = rows.column(feature.name).cast(kind)
    for name in settings.evaluation.sensitive:
        columns.setdefault(name, rows.column(name))
    time = settings.primary.timestamp or frames.TIME
    columns[frames.TIME] = rows.column(time)
    columns[frames.LABEL] = rows.column(frames.LABEL).cast(pa.float64())
    return pa.table(columns)


def _with_levels(feature: FeatureColumn, learned: pa.Table) -> FeatureColumn:
    if feature.type == "number":
        return feature
    levels = sorted(value for value in compute.unique(learned.column(feature.name)).to_pylist() if value is not None)
    return feature.model_copy(update={"levels": levels})


def _examples(settings: ModelSettings, table: pa.Table, features: list[FeatureColumn]) -> Examples:
    schema = FeatureSchema(
        features=features,
        context=[],
        join_keys=settings.entity,
        rows_train=table.num_rows,
        rows_holdout=table.num_rows,
        online_digest="",
    )
    labels = np.asarray(table.column(frames.LABEL).to_numpy(), dtype=np.float64)
    return Examples(schema, table, Encoder(features).table(table), labels)
