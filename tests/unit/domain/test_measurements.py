"""The names that settings and policies may use are those under which a model is measured."""

import dataclasses
from pathlib import Path

import pyarrow as pa
import pytest

from argosy.domain import expectation_types, measurements
from argosy.domain.search import Choice
from argosy.ml import frames, metrics
from argosy.ml.evaluation import measure
from argosy.ml.predictor import Predictor
from argosy.steps.train.run import run as train
from kit.examples import Given, make_settings

# What Great Expectations imports warns of its own future.
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning:great_expectations", "ignore:module 'sre_:DeprecationWarning"
)


def test_scores() -> None:
    """Of every task."""
    assert {task: set(names) for task, names in measurements.SCORES.items()} == {
        task: set(found) for task, found in metrics.METRICS.items()
    }


def test_measurements(each_task: Given, tmp_path: Path) -> None:
    """Of every task: what is measured has a name that is known, and what is known is measured."""
    settings = each_task.changed(evaluation__sensitive=["half"], evaluation__slices=["half"])
    examples = frames.read(each_task.features, "holdout")
    halves = pa.array(["a" if index % 2 else "b" for index in range(len(examples))])
    examples = dataclasses.replace(examples, table=examples.table.append_column("half", halves))
    choice = tmp_path / "choice.json"
    Choice(trial=0, score=0.4, metric="log_loss", parameters={"max_depth": 3}, boost_rounds=20).write(choice)
    out, training = tmp_path / "bundle", tmp_path / "training"
    digest = train(settings=settings, features=each_task.features, choice=choice, out_bundle=out, out_training=training)
    measured = {*measure(settings, Predictor.load(out, digest), examples).measurements}
    assert [name for name in measured if measurements.unknown(name, settings)] == []
    assert {name for name in measurements.names(settings) if not name.startswith("latency.")} <= measured


def test_expectations() -> None:
    """Every type and every argument that the library has, and no other."""
    from great_expectations.expectations import registry

    kinds = registry.list_registered_expectation_implementations()
    assert set(kinds) == expectation_types.TYPES
    fields = {name for kind in kinds for name in registry.get_expectation_impl(kind).__fields__}
    assert fields >= expectation_types.ARGUMENTS


def test_a_slice_is_known_by_its_column() -> None:
    """Which values there are, only the data knows."""
    settings = make_settings("binary", ["no", "yes"], "auc", evaluation={"slices": ["plan"]})
    assert measurements.unknown("performance.slice.plan.pro.auc", settings) is None
    assert measurements.unknown("performance.slice.city.pro.auc", settings) is not None
