"""Packs a fitted model into a bundle: the four files whose digest is the model's name from then on.

What goes in depends on data, settings and code only: no time, no path, no run. What a bundle's files mean is ``domain.bundle``.
"""

import math
from pathlib import Path

import numpy as np
import numpy.typing as npt

from argosy import errors
from argosy.domain import bundle
from argosy.domain.model_settings import ModelSettings
from argosy.ml import bins, predictor, trainers
from argosy.ml.encoding import Row
from argosy.ml.frames import Examples
from argosy.ml.trainer import Model


def pack(
    folder: Path,
    *,
    settings: ModelSettings,
    model: Model,
    threshold: float | None,
    train: Examples,
    holdout: Examples,
) -> str:
    """Write the bundle into *folder* and return the model's digest, after loading it back and replaying its golden rows.

    *holdout*: rows the model never saw; its golden rows and the counts that drift is measured from are taken of them.
    """
    folder.mkdir(parents=True, exist_ok=True)
    signature = _signature(settings, train, threshold)
    # A fitted model carries how it was made; what is read back does not.
    content = model.save()
    (folder / bundle.model_file(signature)).write_bytes(content)
    signature.write(folder / bundle.SIGNATURE)
    answering = predictor.Predictor(trainers.load(signature, content, str(folder)), signature, digest="")
    asked = servable(signature, holdout)
    bins.of(asked, answering).write(folder / bundle.BINS)
    golden_rows(answering, asked, settings.training.golden_rows).write(folder / bundle.GOLDEN)
    return _proven(folder)


def golden_rows(answering: predictor.Predictor, holdout: Examples, count: int) -> bundle.Golden:
    """*count* rows of *holdout*, evenly spaced from the lowest prediction to the highest, with what *answering* says."""
    predictions = answering.predict_matrix(holdout.matrix)
    ranked = np.argsort(predictions if predictions.ndim == 1 else predictions[:, -1], kind="stable")
    positions = np.unique(np.linspace(0, len(ranked) - 1, num=min(count, len(ranked))).round().astype(np.int64))
    chosen = [int(index) for index in ranked[positions]]
    rows = [_row(holdout, index) for index in chosen]
    answers = answering.predict(rows)
    return bundle.Golden(
        rows=[
            bundle.GoldenRow(features=dict(row), prediction=[float(value) for value in np.atleast_1d(answer)])
            for row, answer in zip(rows, answers, strict=True)
        ]
    )


def servable(signature: bundle.Signature, examples: Examples) -> Examples:
    """Those of *examples* that a server of *signature* answers, and so logs. Raises Rejected where it would refuse each."""
    kept = np.flatnonzero(_answered(signature, examples))
    if not len(kept):
        raise errors.Rejected(
            "each row of the holdout has a category that the training side never saw, and the server would refuse all of them; "
            "look at `split` in the settings, or set `serving: {unknown_level: missing}`"
        )
    return Examples(examples.schema, examples.table.take(kept), examples.matrix[kept], examples.labels[kept])


def _answered(signature: bundle.Signature, examples: Examples) -> npt.NDArray[np.bool_]:
    """A mask of *examples*: True where a row has no level that the server refuses."""
    servable = np.ones(len(examples.matrix), dtype=np.bool_)
    if signature.serving.unknown_level == "missing":
        return servable
    for place, feature in enumerate(signature.features):
        if feature.type == "category":
            given = np.asarray(examples.table.column(feature.name).is_valid())
            servable &= ~(given & np.isnan(examples.matrix[:, place]))
    return servable


def _signature(settings: ModelSettings, train: Examples, threshold: float | None) -> bundle.Signature:
    trainer = trainers.of(settings)
    library = trainers.library(settings, trainer)
    return bundle.Signature(
        model=settings.model,
        task=settings.task,
        features=train.schema.features,
        join_keys=train.schema.join_keys,
        classes=settings.label.classes,
        threshold=threshold,
        split=train.schema.split or settings.split,
        trained_until=train.schema.trained_until,
        serving=settings.serving,
        xgboost=trainer.version if library is None else None,
        library=library,
    )


def _row(examples: Examples, index: int) -> Row:
    """The features of row *index* as a request would name them."""
    return {
        feature.name: _value(examples.table.column(feature.name)[index].as_py()) for feature in examples.schema.features
    }


def _value(value: float | str | None) -> float | str | None:
    if value is None or isinstance(value, str):
        return value
    return None if math.isnan(value) else float(value)


def _proven(folder: Path) -> str:
    """The digest of the bundle in *folder*, once it answers its own golden rows as written."""
    digest = bundle.digest(folder)
    loaded = predictor.Predictor.load(folder, digest)
    if difference := loaded.explain_difference(predictor.golden(folder)):
        raise errors.ArgosyError(f"the bundle does not answer as the model it was made of: {difference}")
    return digest
