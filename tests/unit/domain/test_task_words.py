"""A model's answers and weak sides, in the words of its task."""

import pytest

from argosy.domain import task_words
from argosy.domain.model_settings import Task


@pytest.mark.parametrize(
    ("task", "answer", "push"),
    [
        pytest.param("binary", "probability of 'yes'", "13.30% of decisions turned"),
        pytest.param("multiclass", "probability of the class decided for", "13.30% of decisions turned"),
        pytest.param("regression", "predicted value", "moved by 0.133 standard deviations of the label on average"),
    ],
)
def test_words_are_those_of_the_task(task: Task, answer: str, push: str) -> None:
    """A regression states no probability and decides nothing."""
    assert task_words.score(task, ["no", "yes"]) == answer
    assert task_words.pushed(task, 0.133) == push
    assert ("probability" in task_words.CALIBRATION[task]) == (task != "regression")


def test_a_weakness_is_said_without_a_gate() -> None:
    """What a tenth of missing values costs stands in the card, whether or not the policy limits it."""
    measured = {"performance.r2": 0.85, "robustness.missing_drop": 0.37, "robustness.noise_drop": None}
    assert list(task_words.weaknesses("regression", measured)) == [
        "With a tenth of all values missing it loses 0.37 of r2 (0.85 on the whole holdout)."
    ]
