"""A point's score depends on the examples, the settings and the point, and on nothing else."""

import dataclasses

import numpy as np
import pytest

from argosy.domain.search import Asked, SearchHistory, Trial
from argosy.ml import crossvalidation, frames, metrics, rounds
from argosy.ml.crossvalidation import CrossValidation
from argosy.ml.pruning import PercentilePruner
from kit.examples import Given

POINTS = [Asked(number=0, parameters={"max_depth": 2}), Asked(number=1, parameters={"max_depth": 4})]


def without_time(trial: Trial) -> Trial:
    """*trial* but for how long it took."""
    return trial.model_copy(update={"seconds": 0.0})


def score(given: Given, points: list[Asked], history: SearchHistory | None = None) -> dict[int, Trial]:
    """The trials of *points*, by number."""
    folds = CrossValidation(frames.read(given.features, "train"), given.settings)
    bar = PercentilePruner(history or rounds.empty(given.settings), given.settings.search)
    return {point.number: without_time(folds.score(point, bar)) for point in points}


def test_points_do_not_know_of_each_other(each_task: Given) -> None:
    """A point scored alone, first or last scores the same to the bit: batches do not matter."""
    both, turned = score(each_task, POINTS), score(each_task, POINTS[::-1])
    assert both == turned
    assert score(each_task, POINTS[1:])[1] == both[1]


def test_every_task_learns_something(each_task: Given) -> None:
    """On real data each task's model beats an answer that ignores the features."""
    examples = frames.read(each_task.features, "train")
    outcomes = CrossValidation(examples, each_task.settings).outcomes({"max_depth": 3})
    predictions = crossvalidation.out_of_fold(outcomes)
    task, metric = each_task.settings.task, {"binary": "auc", "multiclass": "accuracy", "regression": "r2"}
    floor = {"binary": 0.75, "multiclass": 0.85, "regression": 0.4}
    assert metrics.score(task, metric[task], examples.labels, predictions) > floor[task]


def test_outcomes_score_as_the_trial_did(each_task: Given) -> None:
    """Training repeats the chosen trial's folds exactly, with their predictions."""
    folds = CrossValidation(frames.read(each_task.features, "train"), each_task.settings)
    trial = score(each_task, POINTS)[1]
    assert [outcome.score for outcome in folds.outcomes(POINTS[1].parameters)] == trial.fold_scores


def test_out_of_fold_covers_every_row_once(leavers: Given) -> None:
    """Each row has the prediction of the fold it was left out of."""
    examples = frames.read(leavers.features, "train")
    outcomes = CrossValidation(examples, leavers.settings).outcomes({})
    rows = np.concatenate([outcome.rows for outcome in outcomes])
    assert sorted(rows.tolist()) == list(range(len(examples)))
    blank = [dataclasses.replace(outcome, predictions=outcome.rows.astype(np.float32)) for outcome in outcomes]
    assert crossvalidation.out_of_fold(blank).tolist() == list(range(len(examples)))


def test_a_hopeless_point_is_pruned(leavers: Given) -> None:
    """Against a history of better trials a point that learns nothing is given up after its first fold."""
    good = score(leavers, [Asked(number=number, parameters={"max_depth": 3}) for number in range(8)])
    history = rounds.merged(rounds.empty(leavers.settings), list(good.values()))
    hopeless = score(leavers, [Asked(number=8, parameters={"learning_rate": 0.001, "max_depth": 1})], history)[8]
    assert (hopeless.state, len(hopeless.fold_scores)) == ("pruned", 1)


@pytest.mark.parametrize(
    ("folds", "expected"),
    [
        pytest.param([10, 20, 31], 20, id="mean"),
        pytest.param([1], 1, id="one"),
        pytest.param([0, 1], 1, id="never-none"),
    ],
)
def test_final_rounds(folds: list[int], expected: int) -> None:
    """The final model gets the folds' mean, one round at least."""
    assert crossvalidation.final_rounds(folds) == expected
