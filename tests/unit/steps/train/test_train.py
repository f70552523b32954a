"""The final fit, as its image runs it: one bundle for equal inputs, and answers that replay to the last bit."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from argosy.domain import bundle as bundles
from argosy.domain.search import Choice
from argosy.domain.training_record import TrainingRecord
from argosy.ml.predictor import Predictor
from kit.examples import Given

CHOICE = Choice(trial=3, score=0.4, metric="log_loss", parameters={"max_depth": 3, "subsample": 0.7}, boost_rounds=20)


@pytest.fixture
def train(run_step: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    """The step over what is given."""

    def attempt(given: Given, features: Path | None = None, choice: Choice = CHOICE) -> Any:
        given.settings.write(tmp_path / "model.yaml")
        choice.write(tmp_path / "choice.json")
        inputs = {"settings": tmp_path / "model.yaml", "choice": tmp_path / "choice.json"}
        return run_step("train", {**inputs, "features": features or given.features})

    return attempt


def test_a_bundle_of_each_task(train: Callable[..., Any], each_task: Given) -> None:
    """Four files whose digest is the result; a second attempt gives the same bytes; the golden rows replay exactly."""
    first, second = train(each_task), train(each_task)
    assert (first.code, first.said) == (0, "")
    folder = first.out("bundle")
    assert sorted(path.name for path in folder.iterdir()) == sorted(bundles.FILES)
    assert first.result("model-digest") == second.result("model-digest") == bundles.digest(folder)
    for name in bundles.FILES:
        assert (folder / name).read_bytes() == (second.out("bundle") / name).read_bytes()
    golden = bundles.Golden.read(folder / bundles.GOLDEN).rows
    assert len(golden) == 7
    predictor = Predictor.load(folder, first.result("model-digest"))
    answers = predictor.predict([row.features for row in golden])
    assert [np.atleast_1d(answer).tolist() for answer in answers] == [row.prediction for row in golden]


def test_how_it_went_is_written_down(train: Callable[..., Any], leavers: Given) -> None:
    """The record is of this very model, and beside it lie pictures of it."""
    ran = train(leavers)
    record = TrainingRecord.read(ran.out("training") / "training.json")
    assert record.model_digest == ran.result("model-digest")
    assert (record.trial, record.boost_rounds) == (3, 20)
    assert {"importance.svg", "learning-curve.svg"} <= {path.name for path in ran.out("training").iterdir()}


def test_the_choice_decides(train: Callable[..., Any], leavers: Given) -> None:
    """Other parameters, another model."""
    other = CHOICE.model_copy(update={"boost_rounds": 21})
    assert train(leavers).result("model-digest") != train(leavers, choice=other).result("model-digest")


def test_a_label_that_never_changes(
    train: Callable[..., Any], leavers: Given, features_of: Callable[..., Path]
) -> None:
    """There is nothing to learn: 10, and the class that is missing."""
    ran = train(leavers, features_of({"x": [float(n) for n in range(30)]}, [1] * 30))
    assert ran.code == 10
    assert "never gives class 'stays' in 24 training rows" in ran.said
    assert not ran.out("bundle").exists()


def test_a_choice_that_is_none(
    train: Callable[..., Any], leavers: Given, run_step: Callable[..., Any], tmp_path: Path
) -> None:
    """A truncated file is named; nothing is fitted from half of it."""
    leavers.settings.write(tmp_path / "model.yaml")
    (tmp_path / "choice.json").write_text(json.dumps({"trial": 3})[:-3], encoding="utf-8")
    inputs = {"settings": tmp_path / "model.yaml", "choice": tmp_path / "choice.json", "features": leavers.features}
    ran = run_step("train", inputs)
    assert ran.code == 78
    assert "in/choice is no Choice of this version: the whole: Invalid JSON" in ran.said
