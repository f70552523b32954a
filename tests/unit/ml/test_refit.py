"""The final fit: one digest for equal data, settings and code, and a record that says how it came about."""

import json
import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from argosy.domain.search import Choice
from argosy.domain.training_record import TrainingRecord
from argosy.ml import boosting, crossvalidation, frames, metrics, refit, study
from argosy.report import training_plots
from argosy.steps.train import run
from kit.examples import Given

CHOICE = Choice(trial=3, score=0.4, metric="log_loss", parameters={"max_depth": 3, "subsample": 0.7}, boost_rounds=20)

TRAIN = """
import sys
from pathlib import Path
from argosy.domain.model_settings import ModelSettings
from argosy.steps.train import run
settings, features, choice, out = map(Path, sys.argv[1:])
print(run.run(settings=ModelSettings.read(settings), features=features, choice=choice,
              out_bundle=out / "bundle", out_training=out / "training"))
"""


@pytest.fixture
def record(each_task: Given) -> TrainingRecord:
    """The record of a fit of each task."""
    examples = frames.read(each_task.features, "train")
    fitted = refit.fit(examples, CHOICE, each_task.settings)
    return refit.record(
        fitted, examples, CHOICE, each_task.settings, model_digest="sha256:a", features_digest="sha256:b"
    )


def test_equal_inputs_give_one_digest(each_task: Given, tmp_path: Path) -> None:
    """Two working directories, two hash seeds, other thread limits and another home: the same bundle, byte for byte."""
    settings, choice = tmp_path / "settings.json", tmp_path / "choice.json"
    each_task.settings.write(settings)
    CHOICE.write(choice)
    outcomes = []
    for name, seed, threads in (("one", "0", "1"), ("two", "1", "4")):
        place = tmp_path / name
        place.mkdir()
        environment = os.environ | {"PYTHONHASHSEED": seed, "OMP_NUM_THREADS": threads, "HOME": str(place)}
        command = [sys.executable, "-c", TRAIN, str(settings), str(each_task.features), str(choice), str(place)]
        done = subprocess.run(command, env=environment, cwd=place, capture_output=True, text=True, check=True)
        files = {path.name: path.read_bytes() for path in sorted((place / "bundle").iterdir())}
        outcomes.append((done.stdout, files, (place / "training" / "training.json").read_bytes()))
    assert outcomes[0] == outcomes[1]
    assert outcomes[0][0].startswith("sha256:")


def test_the_record_is_whole(record: TrainingRecord, each_task: Given) -> None:
    """Scores by fold and overall, importance, curves, versions, seeds and parameters."""
    assert (
        record.fold_rows == [len(frames.read(each_task.features, "train")) // 3] * 3
        or sum(record.fold_rows) == record.rows
    )
    assert set(record.cross_validated) == set(metrics.METRICS[record.task])
    assert all(len(values) == 3 for values in record.fold_metrics.values())
    assert record.parameters["seed"] == each_task.settings.seed
    assert record.parameters["max_depth"] == 3
    assert set(record.libraries) == {"numpy", "optuna", "pyarrow", "python", "xgboost"}
    assert record.learning_curve.rounds == [
        boosting.STRIDE * number for number in range(1, len(record.learning_curve.train) + 1)
    ]
    assert len(record.learning_curve.train) == len(record.learning_curve.validation) > 1
    assert record.learning_curve.train[-1] < record.learning_curve.train[0]
    assert sum(record.importance.values()) > 0


def test_confusion_and_report_agree(record: TrainingRecord) -> None:
    """Every row is in the matrix once; the report's recall follows from it. Regression has neither."""
    if record.task == "regression":
        assert (record.confusion, record.classification_report) == ([], [])
        return
    assert sum(map(sum, record.confusion)) == record.rows
    for index, line in enumerate(record.classification_report):
        assert line.recall == pytest.approx(record.confusion[index][index] / line.rows)


def test_threshold_follows_the_setting(leavers: Given) -> None:
    """`half` is 0.5; `f1` is what the out-of-fold predictions say, and beats it there."""
    examples = frames.read(leavers.features, "train")
    best = refit.fit(examples, CHOICE, leavers.settings)
    half = refit.fit(examples, CHOICE, leavers.changed(training__threshold="half"))
    assert half.threshold == 0.5
    assert best.threshold is not None
    assert metrics.score("binary", "f1", examples.labels, best.predictions, threshold=best.threshold) > metrics.score(
        "binary", "f1", examples.labels, best.predictions
    )


def test_class_report_without_decisions() -> None:
    """A class that nobody decided for has no precision, and that is said rather than made 0."""
    lines = refit.class_report([[3, 0], [2, 0]], ["no", "yes"])
    assert (lines[0].precision, lines[1].precision, lines[1].recall) == (0.6, None, 0.0)


def test_plots_are_well_formed(record: TrainingRecord, tmp_path: Path) -> None:
    """Each picture is XML, and a feature's name cannot break out of it."""
    nasty = record.model_copy(update={"importance": {"<script>alert(1)</script>": 1.0, **record.importance}})
    training_plots.write(nasty, tmp_path)
    expected = {"importance.svg", "learning-curve.svg"} | ({"confusion-matrix.svg"} if record.confusion else set())
    assert {path.name for path in tmp_path.iterdir()} == expected
    for path in tmp_path.iterdir():
        assert ElementTree.fromstring(path.read_text()).tag.endswith("svg")  # noqa: S314 - we wrote it
        assert "<script" not in path.read_text()


def test_studies_are_told_apart(leavers: Given, flowers: Given) -> None:
    """What changes a score changes the study's name; how many trials there are, or who runs them, does not."""
    name = study.name(leavers.settings, leavers.features)
    same = [leavers.changed(search__trials=200), leavers.changed(search__per_task=1), leavers.changed(owner="others")]
    assert {study.name(settings, leavers.features) for settings in same} == {name}
    other = [
        leavers.changed(seed=6),
        leavers.changed(search__folds=4),
        leavers.changed(search__per_round=5),
        leavers.changed(training__nthread=2),
        leavers.changed(search__space__max_depth={"int_low": 2, "int_high": 5}),
    ]
    names = {study.name(settings, leavers.features) for settings in other} | {name}
    names.add(study.name(leavers.settings, flowers.features))
    assert len(names) == 7


def test_golden_rows_are_real_holdout_rows(leavers: Given, tmp_path: Path) -> None:
    """They come from rows the model has not seen, and carry no id."""
    CHOICE.write(tmp_path / "choice.json")
    run.run(
        settings=leavers.settings,
        features=leavers.features,
        choice=tmp_path / "choice.json",
        out_bundle=tmp_path / "bundle",
        out_training=tmp_path / "training",
    )
    rows = json.loads((tmp_path / "bundle" / "golden.json").read_text())["rows"]
    names = [feature.name for feature in frames.schema(leavers.features).features]
    holdout = frames.read(leavers.features, "holdout").table.select(names).to_pylist()
    assert all(sorted(row["features"]) == sorted(names) for row in rows)
    assert all(row["features"] in holdout for row in rows)
    assert np.all(np.diff([row["prediction"][0] for row in rows]) >= 0)


def test_rounds_are_counted_on_all_rows_where_trials_saw_few(leavers: Given) -> None:
    """A choice of a search on a draw says how many rounds that draw bears; the model is of all rows."""
    examples = frames.read(leavers.features, "train")
    search = leavers.settings.search.model_copy(update={"rows": len(examples) // 2})
    few = refit.fit(examples, CHOICE, leavers.settings.model_copy(update={"search": search}))
    assert few.rounds == crossvalidation.final_rounds([outcome.rounds for outcome in few.outcomes])
    assert refit.fit(examples, CHOICE, leavers.settings).rounds == CHOICE.boost_rounds
