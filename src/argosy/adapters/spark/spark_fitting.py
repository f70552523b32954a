"""Fits models by XGBoost's own engine on Spark, on rows that stay where Spark has them.

Executors read the examples from their Parquet file and encode them with the transformation of training and serving; each worker bins its
own rows, and what the workers count is added up. What comes here of a row is its number, and what the model of its fold answers. Which
fold a row is of, and when a fit is over, is said as for a fit in one process.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow.parquet as pq
from pyspark.sql import functions as F  # noqa: N812 - as everybody who writes Spark calls it
from xgboost.spark import SparkXGBRegressor

from argosy import errors
from argosy.adapters.spark.as_of_windows import column
from argosy.adapters.spark.spark_session import Spark
from argosy.domain.model_settings import ModelSettings
from argosy.ml import batches, boosting, frames, holdout, metrics, splits, trainers
from argosy.ml.batches import ANSWER, FOLD, LABEL, NUMBER
from argosy.ml.crossvalidation import FoldOutcome
from argosy.ml.encoding import Encoder
from argosy.ml.frames import Examples
from argosy.ml.trainer import Point
from argosy.ml.xgboost_trainer import BoosterModel, XGBoostTrainer

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

LEFT_OUT = "argosy_left_out"
LOGGERS = ("XGBoost-PySpark", "SparkXGBRegressor")


class SparkFitting:
    """See :class:`argosy.ml.fitting.Fitting`. Fits the training side of the features in a folder."""

    def __init__(self, spark: Spark, folder: Path, examples: Examples, settings: ModelSettings) -> None:
        """*examples*: the training side, with or without its features.

        Raises Misconfigured where this Spark cannot fit, Rejected where the rows make no folds.
        """
        spark.demand_driver("`train`")
        boosting.refuse_unordered(settings, examples.schema.features)
        self.workers = settings.compute.workers
        self._spark, self._folder, self._settings = spark, folder, settings
        self._learning = trainers.learning(settings, examples.schema.features)
        self._labels = examples.labels
        self._folds = splits.folds(examples, settings)
        self._places = frames.places(folder, holdout.TRAIN)
        self._kept: DataFrame | None = None
        for name in LOGGERS:
            logging.getLogger(name).setLevel(logging.WARNING)

    def outcomes(self, point: Point) -> Sequence[FoldOutcome]:
        """See the interface."""
        with self._spark.reported("folds cannot be fitted"):
            return [self._outcome(number, point) for number in range(self._settings.search.folds)]

    def fit(self, point: Point, *, rounds: int) -> BoosterModel:
        """See the interface."""
        with self._spark.reported("the model cannot be fitted"):
            return self._model(self._estimator(point, rounds).fit(self._rows()).get_booster())

    def _outcome(self, fold: int, point: Point) -> FoldOutcome:
        """A fit on all rows but those of *fold*, watched on these."""
        search, loss = self._settings.search, boosting.OBJECTIVES[self._learning.task][1]
        rows = self._rows().withColumn(LEFT_OUT, F.col(FOLD) == fold)
        stop = batches.StopTogether(search.max_boost_rounds, search.early_stopping_rounds)
        asked = self._estimator(point, search.max_boost_rounds, validation_indicator_col=LEFT_OUT, callbacks=[stop])
        fitted = asked.fit(rows)
        told = fitted.training_summary
        history = {"train": told.train_objective_history[loss], "validation": told.validation_objective_history[loss]}
        rounds, looked_at = _best(history["validation"], search.max_boost_rounds, search.early_stopping_rounds)
        inside = np.flatnonzero(self._folds == fold)
        model = self._model(fitted.get_booster()[:rounds])
        predictions = self._answers(rows.where(F.col(LEFT_OUT)), model, inside, f"fold-{fold}")
        score = metrics.score(self._settings.task, search.metric, self._labels[inside], predictions)
        losses = {name: [values[done - 1] for done in looked_at] for name, values in history.items()}
        return FoldOutcome(inside, predictions, score, rounds, losses, looked_at)

    def _rows(self) -> "DataFrame":
        """The training side, encoded, in a partition a worker: the same rows in the same order each time."""
        if self._kept is None:
            session, features = self._spark.session(), self._learning.features
            read = self._spark.table(self._folder / frames.ROWS).where(column(frames.SIDE) == holdout.TRAIN)
            asked = read.select(
                *(
                    column(feature.name).alias(name)
                    for feature, name in zip(features, batches.names(features), strict=True)
                ),
                column(frames.LABEL).cast("double").alias(LABEL),
                F.col("_metadata.row_index").alias(NUMBER),
            )
            folds = np.full(self._places[-1] + 1, -1, np.int16)
            folds[self._places] = self._folds
            encode = batches.EncodeBatches(features, session.sparkContext.broadcast(folds), XGBoostTrainer.version)
            fields = [
                *(f"{name} float" for name in batches.names(features)),
                f"{LABEL} double, {NUMBER} long, {FOLD} short",
            ]
            encoded = asked.mapInArrow(encode, ", ".join(fields))
            self._kept = encoded.repartition(self.workers, NUMBER).sortWithinPartitions(NUMBER).persist()
        return self._kept

    def _estimator(self, point: Point, rounds: int, **watched: Any) -> SparkXGBRegressor:
        encoder = Encoder(self._learning.features)
        asked = boosting.parameters(self._learning, point)
        del asked["nthread"]  # Spark's to say: `spark.task.cpus`
        # Of any task: the estimator for classes counts them in the rows, where a parameter says how many there are.
        return SparkXGBRegressor(
            features_col=batches.names(self._learning.features),
            label_col=LABEL,
            num_workers=self.workers,
            n_estimators=rounds,
            feature_names=encoder.booster_names,
            feature_types=encoder.types,
            # In the first worker, so that a stage that is done again has a new one.
            launch_tracker_on_driver=False,
            verbose=False,
            **asked,
            **watched,
        )

    def _model(self, booster: Any) -> BoosterModel:
        """*booster* without what its fit noted on it."""
        booster.set_attr(**dict.fromkeys(booster.attributes()))
        return BoosterModel(booster, self._learning.features)

    def _answers(
        self, rows: "DataFrame", model: BoosterModel, inside: npt.NDArray[np.int64], name: str
    ) -> npt.NDArray[np.float32]:
        """What *model* answers to *rows*, which are those *inside* the training side, in that order."""
        answer = batches.AnswerBatches(self._learning, model.save())
        numbers, answers = [np.empty(0, np.int64)], []
        for stream in self._spark.written(rows.mapInArrow(answer, f"{NUMBER} long, {ANSWER} array<float>"), name):
            with stream, pq.ParquetFile(stream) as file:
                told = file.read()
            numbers.append(told.column(NUMBER).to_numpy())
            flat = told.column(ANSWER).combine_chunks().flatten().to_numpy()
            answers.append(flat.reshape(told.num_rows, -1))
        found = np.concatenate(numbers)
        order = np.argsort(found)
        if not np.array_equal(found[order], self._places[inside]):
            raise errors.TryAgain(
                f"Spark answered {len(found)} rows, where a fold has {len(inside)}, or answered others"
            )
        ordered: npt.NDArray[np.float32] = np.concatenate([each for each in answers if len(each)])[order]
        return ordered if self._learning.task == "multiclass" else ordered[:, 0]


def _best(losses: Sequence[float], rounds: int, patience: int) -> tuple[int, list[int]]:
    """The round at which *losses*, one a round, were lowest where they were looked at; and those rounds."""
    watch = boosting.LossWatch(rounds, patience)
    looked_at = [done for done in range(1, len(losses) + 1) if watch.looks(done)]
    for done in looked_at:
        watch.stops(done, losses[done - 1])
    return watch.best, looked_at
