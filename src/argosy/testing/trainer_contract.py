"""The contract suite of what fits models: of XGBoost, and of every trainer that a package brings."""

import pickle
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pytest

from argosy import errors
from argosy.domain.data import FeatureColumn
from argosy.domain.model_settings import Task
from argosy.ml.trainer import Learning, Model, Rows, Trainer

TASKS: tuple[Task, ...] = ("binary", "multiclass", "regression")
FEATURES = (
    FeatureColumn(name="told", type="number", view=""),
    FeatureColumn(name="kind", type="category", view="", levels=list("abcdefghijk")),
    *(FeatureColumn(name=f"noise_{number}", type="number", view="") for number in range(10)),
)
"""Enough of them that a sum along a row may be taken in more than one order."""
ROWS = 600


def learning(task: Task) -> Learning:
    """A model of :data:`FEATURES`."""
    return Learning(task, {"binary": 2, "multiclass": 3, "regression": 0}[task], FEATURES, seed=3, nthread=1)


def rows(task: Task, *, seed: int = 1) -> Rows:
    """Rows whose label follows from ``told`` and ``kind``; some values are missing, and the others say nothing."""
    random = np.random.default_rng(seed)
    told, kind = random.normal(size=ROWS), random.integers(0, 11, ROWS).astype(float)
    value = told + (kind > 6)
    labels = {
        "binary": (value > 0.3).astype(float),
        "multiclass": np.digitize(value, [-0.3, 0.8]).astype(float),
        "regression": 10 * value + 100,
    }[task]
    matrix = np.column_stack([told, kind, random.normal(size=(ROWS, 10))]).astype(np.float32)
    matrix[random.random(matrix.shape) < 0.03] = np.nan
    return Rows(matrix, labels)


def margins(answers: npt.NDArray[np.float64], task: Task) -> npt.NDArray[np.float64]:
    """What contributions sum to: log-odds of a binary task, the value of a regression."""
    return np.log(answers / (1 - answers)) if task == "binary" else answers


class TrainerContract:
    """Inherit, and provide a fixture ``trainer``; override ``points`` where a fit needs parameters."""

    points: Mapping[Task, Mapping[str, float | int]] = {}
    """By task, a point of the search space; none: every parameter is left to the trainer."""
    rounds = 30

    @pytest.fixture(params=TASKS)
    def task(self, request: pytest.FixtureRequest) -> Task:
        found: Task = request.param
        return found

    @pytest.fixture
    def model(self, trainer: Trainer, task: Task) -> Model:
        return self._fitted(trainer, task)

    def _fitted(self, trainer: Trainer, task: Task) -> Model:
        return trainer.fit(learning(task), self.points.get(task, {}), rows(task), rounds=self.rounds)

    def test_says_its_version(self, trainer: Trainer) -> None:
        """Of the library, with a minor: a server compares it."""
        assert len(trainer.version.split(".")) >= 2
        assert isinstance(trainer.is_monotone, bool)

    def test_learns(self, model: Model, task: Task) -> None:
        """Of rows that it has not seen it tells far more than who always says the commonest."""
        new = rows(task, seed=2)
        answers = np.asarray(model.predict(new.matrix), np.float64)
        if task == "regression":
            assert np.mean(np.abs(answers - new.labels)) < 0.5 * np.mean(np.abs(new.labels - np.mean(new.labels)))
        else:
            decided = answers > 0.5 if task == "binary" else np.argmax(answers, axis=1)
            assert np.mean(decided == new.labels) > 0.8

    def test_answers_have_the_shape_of_the_task(self, model: Model, task: Task) -> None:
        """Probabilities lie in 0 to 1, and those of all classes sum to 1."""
        answers = np.asarray(model.predict(rows(task).matrix), np.float64)
        assert answers.shape == ((ROWS, 3) if task == "multiclass" else (ROWS,))
        if task != "regression":
            assert answers.min() >= 0
            assert answers.max() <= 1
        if task == "multiclass":
            assert np.allclose(answers.sum(axis=1), 1, atol=1e-5)

    def test_a_row_is_answered_the_same_whatever_it_comes_with(self, model: Model, task: Task) -> None:
        """To the last bit: alone, among others and in another order. A server batches requests."""
        matrix = rows(task, seed=2).matrix[:40]
        together = np.asarray(model.predict(matrix))
        alone = np.concatenate([np.asarray(model.predict(matrix[place : place + 1])) for place in range(len(matrix))])
        turned = np.asarray(model.predict(np.ascontiguousarray(matrix[::-1])))[::-1]
        assert together.tobytes() == alone.tobytes()
        assert together.tobytes() == np.ascontiguousarray(turned).tobytes()

    def test_the_same_rows_give_the_same_model(self, trainer: Trainer, model: Model, task: Task) -> None:
        """To the last byte, or the run cannot be repeated: no time, no address of memory, no lot without a seed."""
        assert model.save() == self._fitted(trainer, task).save()

    def test_what_is_loaded_answers_as_what_was_saved(self, trainer: Trainer, model: Model, task: Task) -> None:
        """To the last bit, contributions too; what is saved again is the same file."""
        matrix = rows(task, seed=2).matrix
        loaded = trainer.load(learning(task), content := model.save())
        again = trainer.load(learning(task), content)
        assert np.asarray(loaded.predict(matrix)).tobytes() == np.asarray(again.predict(matrix)).tobytes()
        assert np.allclose(loaded.predict(matrix), model.predict(matrix), rtol=1e-6)
        assert np.allclose(loaded.contributions(matrix), model.contributions(matrix), rtol=1e-5, atol=1e-6)

    @pytest.mark.parametrize(
        "content",
        [
            pytest.param(b"", id="empty"),
            pytest.param(b"no model at all", id="garbage"),
            pytest.param(pickle.dumps({"a": 1}), id="pickle"),
        ],
    )
    def test_what_is_no_model_is_not_loaded(self, trainer: Trainer, content: bytes) -> None:
        """It is refused by its first bytes, before any parser."""
        with pytest.raises(errors.Misconfigured):
            trainer.load(learning("binary"), content)

    def test_a_model_of_other_features_is_not_loaded(self, trainer: Trainer, model: Model, task: Task) -> None:
        """It would answer, and mean something else."""
        asked = learning(task)
        fewer = Learning(asked.task, asked.classes, asked.features[:-1], seed=0, nthread=1)
        with pytest.raises(errors.Misconfigured):
            trainer.load(fewer, model.save())

    def test_a_row_without_values_is_answered(self, model: Model) -> None:
        """With a number: a feature may be missing, and all of them."""
        assert np.isfinite(model.predict(np.full((2, len(FEATURES)), np.nan, np.float32))).all()

    def test_contributions_sum_to_the_answer(self, model: Model, task: Task) -> None:
        """One a feature, and what none adds; before a probability is made of them."""
        matrix = rows(task, seed=2).matrix[:50]
        answers = np.asarray(model.predict(matrix), np.float64)
        parts = np.asarray(model.contributions(matrix), np.float64)
        assert parts.shape == (*answers.shape, len(FEATURES) + 1)
        sums = parts.sum(axis=-1)
        if task == "multiclass":
            odds = np.exp(sums - sums.max(axis=1, keepdims=True))
            assert np.allclose(odds / odds.sum(axis=1, keepdims=True), answers, atol=1e-4)
        else:
            assert np.allclose(sums, margins(answers, task), rtol=1e-3, atol=1e-3)

    def test_importance_knows_what_says_nothing(self, model: Model) -> None:
        """One a feature, none below zero, and what tells the label is ahead of noise."""
        found = list(model.importance())
        assert len(found) == len(FEATURES)
        assert min(found) >= 0
        assert found[0] > max(found[2:])

    def test_a_fit_is_watched_on_rows_left_out(self, trainer: Trainer, task: Task) -> None:
        """Their answers come back, and the losses as often as they were looked at; those of the rows fitted on where asked for."""
        left_out = rows(task, seed=2)
        for curves in (True, False):
            found = trainer.watch(
                learning(task),
                self.points.get(task, {}),
                rows(task),
                left_out,
                rounds=self.rounds,
                patience=5,
                curves=curves,
            )
            assert found.predictions.dtype == np.float32
            assert len(found.predictions) == len(left_out)
            assert 1 <= found.rounds <= self.rounds
            assert set(found.losses) == ({"train", "validation"} if curves else {"validation"})
            assert {len(each) for each in found.losses.values()} == {len(found.looked_at)}

    def test_parameters_can_be_written_down(self, trainer: Trainer, task: Task) -> None:
        """Names with numbers, texts or truth; the loss has a name."""
        found = trainer.parameters(learning(task), self.points.get(task, {}))
        assert all(isinstance(value, float | int | str | bool) for value in found.values())
        assert trainer.loss(learning(task))
