"""One model on one holdout, measured on every dimension that arrays can tell: all but latency, which takes a server."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from argosy.domain.evidence import Curve, Table
from argosy.domain.measuring import AS_EVER, Measuring
from argosy.domain.model_settings import Direction, ModelSettings
from argosy.ml import (
    adversarial,
    answer_order,
    attribution,
    calibration,
    fairness,
    leakage,
    metrics,
    missing_inputs,
    newest_rows,
    performance,
    robustness,
    threshold_steps,
    worst_slices,
)
from argosy.ml.encoding import Matrix
from argosy.ml.frames import Examples
from argosy.ml.predictor import Predictor
from argosy.ml.row_groups import RowGroups
from argosy.ml.score_intervals import Labelled

Array = npt.NDArray[np.float64]

EXPLAINED = 2000
"""Rows that contributions are calculated for; their mean does not move any more with more of them."""


@dataclass(frozen=True)
class EvaluationResult:
    """Measurements by name, for gates; and tables, curves and sentences, for people."""

    measurements: dict[str, float | None]
    tables: list[Table]
    curves: list[Curve]
    attribution: dict[str, float]
    sentences: list[str]
    predictions: Array = field(repr=False)
    """What the model answered for every row."""


def measure(
    settings: ModelSettings,
    predictor: Predictor,
    holdout: Examples,
    measuring: Measuring = AS_EVER,
    recent: Examples | None = None,
) -> EvaluationResult:
    """Measure *predictor* on *holdout*, by the sizes of *measuring*. *recent*: the newest labelled rows, where some are kept apart."""
    task, labels = settings.task, holdout.labels
    predictions = predictor.predict_matrix(holdout.matrix)
    threshold = predictor.threshold
    measurements = performance.measure(task, labels, predictions, threshold)
    tables, curves = _decisions(settings, labels, predictions, threshold)
    if task == "binary":
        measurements |= performance.business(labels, predictions, threshold, settings.evaluation.business)
    if settings.evaluation.slices:
        found, table = performance.by_slice(
            task, labels, predictions, columns(holdout, settings.evaluation.slices), measuring.smallest_slice
        )
        measurements |= found
        tables += [*_worst(settings, labels, predictions, threshold, holdout, measuring.smallest_slice), table]
    found, groups = _fairness(settings, labels, predictions, threshold, holdout)
    calibrated, curve = calibration.measure(task, labels, predictions)
    importance, sentences = _explained(predictor, holdout, predictions)
    robust, looks = _strained(
        settings, predictor, holdout.matrix, labels, predictions, importance, settings.training.monotone, measuring
    )
    newer = None if recent is None else (recent, predictor.predict_matrix(recent.matrix))
    late, times = newest_rows.measure(task, holdout, predictions, threshold, measuring.newest, newer)
    names = [feature.name for feature in predictor.signature.features]
    alone, leaks = leakage.measure(task, holdout, names, settings.seed)
    return EvaluationResult(
        measurements={
            **measurements,
            **found,
            **calibrated,
            **robust,
            **attribution.measure(importance),
            **late,
            **alone,
        },
        tables=[*tables, *groups, *looks, *times, leaks],
        curves=[*curves, *curve],
        attribution=importance,
        sentences=sentences,
        predictions=predictions,
    )


def measure_alone(
    settings: ModelSettings,
    predictor: Predictor,
    matrix: Matrix,
    labels: Array,
    predictions: Array,
    measuring: Measuring,
) -> dict[str, float | None]:
    """Robustness and explainability of *predictor*, which *predictions* are of, by the same draws as :func:`measure` has for another model.

    *matrix*: the rows of the same holdout as this one encodes them, of its own features. An order that *settings* declare of a feature that
    it does not take is none of its own.
    """
    names = [feature.name for feature in predictor.signature.features]
    importance = attribution.overall(predictor.contributions(matrix[:EXPLAINED]), names)
    declared = {name: direction for name, direction in settings.training.monotone.items() if name in names}
    robust, _ = _strained(settings, predictor, matrix, labels, predictions, importance, declared, measuring)
    return {**attribution.measure(importance), **robust}


def _strained(
    settings: ModelSettings,
    predictor: Predictor,
    matrix: Matrix,
    labels: Array,
    predictions: Array,
    importance: dict[str, float],
    declared: Mapping[str, Direction],
    measuring: Measuring,
) -> tuple[dict[str, float | None], list[Table]]:
    """Looks that ask the model about rows that are none of the holdout; most on few rows, all drawn by the seed. *declared*: of features
    that it takes, which way answers go."""
    task, predict, seed = settings.task, predictor.predict_matrix, settings.seed
    features, threshold = predictor.signature.features, predictor.threshold
    names = [feature.name for feature in features]
    numeric = [index for index, feature in enumerate(features) if feature.type == "number"]
    robust, shaken = robustness.measure(
        task, predict, matrix, labels, numeric, threshold, seed, measuring, answered=predictions
    )
    attacked, search = adversarial.measure(
        task,
        predict,
        matrix,
        float(labels.std()) or 1.0,
        names,
        numeric,
        [importance.get(name, 0.0) for name in names],
        threshold,
        seed,
        measuring,
    )
    absent, gaps = missing_inputs.measure(task, predict, matrix, labels, features, threshold, seed, measuring)
    ordered, orders = answer_order.measure(
        predict,
        matrix,
        names,
        declared,
        seed,
        measuring,
        bound=settings.training.bind_monotone,
    )
    near, steps = threshold_steps.measure(
        task, labels, predictions, threshold, measuring.threshold_step, settings.evaluation.business
    )
    return {**robust, **attacked, **absent, **ordered, **near}, [shaken, search, gaps, *orders, *steps]


def columns(holdout: Examples, names: list[str]) -> dict[str, RowGroups]:
    """The rows by the values of each of the columns called *names*."""
    return {name: RowGroups.of_column(holdout.table.column(name)) for name in names}


def _decisions(
    settings: ModelSettings, labels: Array, predictions: Array, threshold: float
) -> tuple[list[Table], list[Curve]]:
    curves = performance.curves(settings.task, labels, predictions, settings.label.classes)
    if settings.task == "regression":
        return [], curves
    arguments = (settings.task, labels, predictions, threshold, settings.label.classes)
    tables = [performance.confusion(*arguments), performance.report(*arguments)]
    return tables, curves


def _worst(
    settings: ModelSettings, labels: Array, predictions: Array, threshold: float, holdout: Examples, smallest: int
) -> list[Table]:
    names = dict.fromkeys([*settings.evaluation.slices, *settings.evaluation.sensitive])
    none = np.zeros(len(labels), dtype=np.int64)
    decided = none if settings.task == "regression" else metrics.decisions(settings.task, predictions, threshold)
    return worst_slices.tables(
        settings.task, Labelled(labels, predictions, decided), columns(holdout, list(names)), smallest
    )


def _fairness(
    settings: ModelSettings, labels: Array, predictions: Array, threshold: float, holdout: Examples
) -> tuple[dict[str, float | None], list[Table]]:
    groups = columns(holdout, settings.evaluation.sensitive)
    found, tables = fairness.measure(settings.task, labels, predictions, threshold, groups)
    if settings.task == "binary":
        tables += [
            fairness.mitigated(labels, predictions, threshold, members, attribute, settings.seed)
            for attribute, members in groups.items()
        ]
    return found, tables


def _explained(predictor: Predictor, holdout: Examples, predictions: Array) -> tuple[dict[str, float], list[str]]:
    """Importance over the first rows, and a sentence each for the highest, the middle and the lowest prediction."""
    names = [feature.name for feature in predictor.signature.features]
    importance = attribution.overall(predictor.contributions(holdout.matrix[:EXPLAINED]), names)
    if predictor.signature.task == "multiclass":
        return importance, []
    ranked = np.argsort(-predictions, kind="stable")
    chosen = [int(ranked[position]) for position in (0, len(ranked) // 2, len(ranked) - 1)]
    contributions = predictor.contributions(holdout.matrix[chosen])
    sentences = []
    for index, own in zip(chosen, contributions, strict=True):
        row = {name: holdout.table.column(name)[index].as_py() for name in names}
        sentences.append(attribution.sentence(predictor.signature, row, own, float(predictions[index])))
    return importance, sentences
