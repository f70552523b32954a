"""A model that Spark fits answers as the one that this process fits, where no row is drawn, and its bundle is like any other.

A JVM takes a quarter of a minute: so all share one, and only who sets ARGOSY_SPARK starts it.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from argosy import errors, wiring
from argosy.domain import bundle as bundles
from argosy.domain.compute_settings import Compute
from argosy.domain.search import Choice
from argosy.domain.training_record import TrainingRecord
from argosy.ml import frames
from argosy.ml.predictor import Predictor
from argosy.steps.train import run as train
from kit.examples import Given

pytest.importorskip("pyspark", reason="PySpark is not installed (requirements/spark.txt)")
pytestmark = [
    pytest.mark.skipif(shutil.which("java") is None, reason="Java is not installed"),
    pytest.mark.skipif(
        "ARGOSY_SPARK" not in os.environ, reason="ARGOSY_SPARK is not set: a JVM takes a quarter of a minute"
    ),
    pytest.mark.timeout(1800),
    pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::ResourceWarning"),
]
DRAWS_NOTHING = Choice(trial=3, score=0.4, metric="log_loss", parameters={"max_depth": 3}, boost_rounds=20)
DRAWS = DRAWS_NOTHING.model_copy(update={"parameters": {"max_depth": 3, "subsample": 0.7}})
OPTIONS = {
    "spark.driver.memory": "700m",
    "spark.driver.extraJavaOptions": "-XX:+UseSerialGC -XX:TieredStopAtLevel=1",
    "spark.sql.shuffle.partitions": "2",
}


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """One Spark in this process, of two tasks at once."""
    from argosy.adapters.spark.spark_session import Spark

    opened = Spark("local[2]", OPTIONS, tmp_path_factory.mktemp("spark"))
    yield opened
    opened.close()


def fitted(
    given: Given, out: Path, choice: Choice, spark: Any = None, workers: int = 2
) -> tuple[Predictor, TrainingRecord]:
    """What ``train`` makes of *given* at *choice*, on *spark* where it is given one."""
    settings = given.settings.model_copy(update={"compute": Compute(engine="spark", workers=workers)})
    out.mkdir()
    choice.write(out / "choice.json")
    digest = train.run(
        settings=settings,
        features=given.features,
        choice=out / "choice.json",
        out_bundle=out / "bundle",
        out_training=out / "training",
        elsewhere=wiring.fitting(spark, settings, given.features),
    )
    return Predictor.load(out / "bundle", digest), TrainingRecord.read(out / "training" / "training.json")


def test_the_model_that_this_process_fits(each_task: Given, spark: Any, tmp_path: Path) -> None:
    """Of each task, where no row is drawn: answers to the holdout, scores of the folds, the files of the bundle."""
    mine, here = fitted(each_task, tmp_path / "here", DRAWS_NOTHING)
    theirs, there = fitted(each_task, tmp_path / "spark", DRAWS_NOTHING, spark)
    holdout = frames.read(each_task.features, "holdout")
    expected, found = mine.predict_matrix(holdout.matrix), theirs.predict_matrix(holdout.matrix)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert there.cross_validated == pytest.approx(here.cross_validated, rel=1e-5)
    assert there.learning_curve.validation == pytest.approx(here.learning_curve.validation, rel=1e-5)
    assert there.learning_curve.train == pytest.approx(here.learning_curve.train, rel=1e-5)
    assert (there.fold_rounds, there.fold_rows) == (here.fold_rounds, here.fold_rows)
    assert there.parameters == here.parameters
    assert (there.workers, here.workers) == (2, None)
    assert theirs.signature == mine.signature.model_copy(update={"threshold": theirs.signature.threshold})
    assert sorted(path.name for path in (tmp_path / "spark" / "bundle").iterdir()) == sorted(bundles.FILES)


def test_one_digest_for_one_number_of_workers(leavers: Given, spark: Any, tmp_path: Path) -> None:
    """Rows are drawn by the seed in each worker: the same again, and others than in one process."""
    first, _ = fitted(leavers, tmp_path / "first", DRAWS, spark)
    again, _ = fitted(leavers, tmp_path / "again", DRAWS, spark)
    assert again.digest == first.digest


def test_more_workers_than_room(leavers: Given, spark: Any, tmp_path: Path) -> None:
    """Said at once, with the setting: Spark would wait for ten minutes."""
    with pytest.raises(
        errors.Misconfigured, match=r"`compute.workers` tasks at once, and Spark has room for fewer; lower it"
    ):
        fitted(leavers, tmp_path / "out", DRAWS_NOTHING, spark, workers=3)
