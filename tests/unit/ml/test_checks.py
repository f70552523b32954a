"""Data that teaches nothing is refused, with the column and what to do."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from argosy import errors
from argosy.ml import checks, frames
from kit.examples import Given

COUNT = 30
VARIED = [float(index) for index in range(COUNT)]
LABELS = [index % 2 for index in range(COUNT)]


def test_real_data_is_learnable(each_task: Given) -> None:
    """Each task's example passes."""
    checks.learnable(frames.read(each_task.features, "train"), each_task.settings)
    outline = frames.outline(each_task.features, "train")
    checks.learnable(outline, each_task.settings, frames.parts(each_task.features, "train"))


@pytest.mark.parametrize(
    ("columns", "labels", "message"),
    [
        pytest.param(
            {"x": VARIED}, [0] * COUNT, r"never gives class 'leaves' in 24 .*\(stays: 24, leaves: 0\)", id="one-class"
        ),
        pytest.param(
            {"x": VARIED, "same": [3.0] * COUNT}, LABELS, "feature 'same' has one value in all 24", id="constant"
        ),
        pytest.param({"x": VARIED, "word": ["a"] * COUNT}, LABELS, "feature 'word' has one value", id="constant-level"),
        pytest.param({"x": [1.0] + [None] * (COUNT - 1)}, LABELS, "feature 'x' is missing in all 24", id="all-missing"),
        pytest.param(
            {"x": VARIED}, [None, None, *LABELS[2:]], "undefined in 1 of 24 training rows", id="label-missing"
        ),
    ],
)
def test_unlearnable_data(
    features_of: Callable[..., Path], leavers: Given, columns: dict[str, list[Any]], labels: list[int], message: str
) -> None:
    """The error names the column, counts the rows, and ends 10: trying again gives the same answer."""
    folder = features_of(columns, labels)
    with pytest.raises(errors.Rejected, match=message):
        checks.learnable(frames.read(folder, "train"), leavers.settings)
    parts = [part.slice(first, 7) for part in frames.parts(folder, "train") for first in range(0, len(part), 7)]
    with pytest.raises(errors.Rejected, match=message):
        checks.learnable(frames.outline(folder, "train"), leavers.settings, parts)


def test_regression_without_variety(features_of: Callable[..., Path], houses: Given) -> None:
    """One value everywhere is nothing to learn."""
    folder = features_of({"x": VARIED}, [2.5] * COUNT, task="regression")
    with pytest.raises(errors.Rejected, match=r"the label `y` is 2\.5 in every training row"):
        checks.learnable(frames.read(folder, "train"), houses.settings)


def test_constant_but_sometimes_missing_is_a_feature(features_of: Callable[..., Path], leavers: Given) -> None:
    """That a value is missing can tell rows apart."""
    folder = features_of({"x": [None if index % 3 else 1.0 for index in range(COUNT)]}, LABELS)
    checks.learnable(frames.read(folder, "train"), leavers.settings)


def test_an_empty_side(features_of: Callable[..., Path]) -> None:
    """Without a row on one side there is nothing to fit or to judge."""
    folder = features_of({"x": [1.0]}, [1])
    with pytest.raises(errors.Rejected, match="no row on the train side; look at `split`"):
        frames.read(folder, "train")


def test_a_column_that_is_not_there(features_of: Callable[..., Path]) -> None:
    """A schema that promises more than the rows hold is a broken hand-over."""
    folder = features_of({"x": VARIED}, LABELS)
    schema = frames.schema(folder)
    ghost = schema.features[0].model_copy(update={"name": "ghost"})
    schema.model_copy(update={"features": [*schema.features, ghost]}).write(folder / frames.SCHEMA)
    with pytest.raises(errors.Misconfigured, match="has no column 'ghost'"):
        frames.read(folder, "train")
