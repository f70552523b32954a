"""The choice: the best complete trial of the whole search, the earlier of two that are equal."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest

from argosy.domain.search import Choice, SearchHistory, Trial
from kit.toy import SETTINGS


def trial(number: int, score: float, state: Literal["complete", "pruned"] = "complete") -> Trial:
    """A trial with two folds of equal score."""
    return Trial(
        number=number,
        parameters={"eta": 0.1 * (number + 1)},
        state=state,
        fold_scores=[score, score],
        boost_rounds=10 + number,
        seconds=1.0,
    )


@pytest.fixture
def select(run_step: Callable[..., Any], tmp_path: Path) -> Callable[..., Any]:
    """The step over a history and a last round."""

    def attempt(
        before: list[Trial], last: list[list[Trial]], direction: Literal["maximize", "minimize"] = "maximize"
    ) -> Any:
        SearchHistory(metric="f1", direction=direction, trials=before).write(tmp_path / "history.json")
        (tmp_path / "model.yaml").write_text(json.dumps(SETTINGS), encoding="utf-8")
        finished = json.dumps([json.dumps([one.model_dump(mode="json") for one in task]) for task in last])
        inputs = {"settings": tmp_path / "model.yaml", "history": tmp_path / "history.json"}
        return run_step("select", inputs, finished=finished)

    return attempt


@pytest.mark.parametrize(("direction", "best"), [("maximize", 3), ("minimize", 1)])
def test_the_best_of_the_whole_search(select: Callable[..., Any], direction: str, best: int) -> None:
    """Of earlier rounds and of the last; the history is whole, by number, and a second attempt writes the same bytes."""
    rounds = [trial(0, 0.5), trial(1, 0.2)], [[trial(3, 0.7)], [trial(2, 0.6)]]
    first, second = (select(*rounds, direction=direction) for _ in range(2))
    assert (first.code, first.said) == (0, "")
    chosen = Choice.read(first.out("choice"))
    assert (chosen.trial, chosen.boost_rounds, chosen.metric) == (best, 10 + best, "f1")
    assert chosen.parameters == {"eta": 0.1 * (best + 1)}
    assert [one.number for one in SearchHistory.read(first.out("history")).trials] == [0, 1, 2, 3]
    for name in ("choice", "history"):
        assert first.out(name).read_bytes() == second.out(name).read_bytes()


def test_a_pruned_trial_is_never_chosen(select: Callable[..., Any]) -> None:
    """Its score covers fewer folds and may look better than it is."""
    ran = select([trial(0, 0.5)], [[trial(1, 0.9, "pruned"), trial(2, 0.6)]])
    assert Choice.read(ran.out("choice")).trial == 2


def test_of_equals_the_first(select: Callable[..., Any]) -> None:
    """The order in which tasks ended has no say."""
    ran = select([trial(0, 0.5)], [[trial(2, 0.6)], [trial(1, 0.6)]])
    assert Choice.read(ran.out("choice")).trial == 1


def test_a_search_without_a_score(select: Callable[..., Any]) -> None:
    """Nothing to fit: 10, and where to look."""
    ran = select([trial(0, 0.5, "pruned")], [[trial(1, 0.6, "pruned")]])
    assert ran.code == 10
    assert "none of 2 trials came to a f1: look at the logs of the trial tasks" in ran.said
    assert not ran.out("choice").exists()


def test_a_round_read_twice(select: Callable[..., Any]) -> None:
    """A trial counts once, or the wiring is wrong."""
    ran = select([trial(0, 0.5)], [[trial(0, 0.5)]])
    assert ran.code == 78
    assert "got 0, 0: a round was left out or read twice" in ran.said
