"""What tasks hand over survives the way through workflow parameters, and gaps in it are noticed."""

import json
import math

import pytest

from argosy import errors
from argosy.domain.search import Asked, Trial
from argosy.ml import rounds
from argosy.testing.search_storage_contract import make_trial
from kit.examples import Given

ASKED = [Asked(number=number, parameters={"gamma": 0.1 * number, "max_depth": number}) for number in range(5)]


def test_batches_come_back() -> None:
    """Points go out in batches of the size that was set and come back equal."""
    text = json.loads(rounds.batches(ASKED, 2))
    assert [len(entry) for entry in text] == [2, 2, 1]
    assert [point for entry in text for point in rounds.batch(json.dumps(entry))] == ASKED


@pytest.mark.parametrize(
    "as_text", [pytest.param(True, id="entries-as-text"), pytest.param(False, id="entries-as-lists")]
)
def test_finished_comes_back(as_text: bool) -> None:
    """A fan-out's results are read whether each entry is a list or the text of one."""
    trials = [make_trial(0), make_trial(1, state="pruned"), make_trial(2)]
    tasks = [rounds.trials_text(trials[:2]), rounds.trials_text(trials[2:])]
    assert rounds.finished(json.dumps(tasks if as_text else [json.loads(task) for task in tasks])) == trials


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param("{", "parameter finished: not JSON", id="no-json"),
        pytest.param("{}", "expected a JSON list, an entry a task", id="no-list"),
        pytest.param('[[{"number": 0}]]', "parameter finished: .*", id="no-trial"),
    ],
)
def test_other_text_is_refused(text: str, message: str) -> None:
    """What no task of the search wrote is an error, not an empty round."""
    with pytest.raises(errors.Misconfigured, match=message):
        rounds.finished(text)


def test_merging_sorts_by_number(leavers: Given) -> None:
    """The history does not depend on which task came first."""
    trials = [make_trial(2), make_trial(0), make_trial(1)]
    merged = rounds.merged(rounds.empty(leavers.settings), trials)
    assert [trial.number for trial in merged.trials] == [0, 1, 2]
    assert merged.direction == "minimize"


@pytest.mark.parametrize("numbers", [pytest.param([0, 2], id="left-out"), pytest.param([0, 1, 1], id="twice")])
def test_gaps_are_noticed(leavers: Given, numbers: list[int]) -> None:
    """A round left out or read twice would change every later point."""
    with pytest.raises(errors.Misconfigured, match="a round was left out or read twice"):
        rounds.merged(rounds.empty(leavers.settings), [make_trial(number) for number in numbers])


def scored(number: int, score: float, state: str = "complete") -> Trial:
    """A trial of one fold."""
    return make_trial(number).model_copy(update={"fold_scores": [score], "state": state})


@pytest.mark.parametrize(
    ("direction", "scores", "best"),
    [
        pytest.param("maximize", [0.1, 0.3, 0.2], 1, id="highest"),
        pytest.param("minimize", [0.2, 0.3, 0.1], 2, id="lowest"),
        pytest.param("maximize", [0.3, 0.3, 0.1], 0, id="the-first-of-equals"),
        pytest.param("minimize", [float("nan"), 0.3, 0.4], 1, id="undefined-is-never-best"),
    ],
)
def test_choice(leavers: Given, direction: str, scores: list[float], best: int) -> None:
    """The best complete trial, of equals the first."""
    trials = [scored(number, score) for number, score in enumerate(scores)]
    trials.append(scored(len(trials), 99.0 if direction == "maximize" else -99.0, "pruned"))
    history = rounds.merged(rounds.empty(leavers.settings), trials).model_copy(update={"direction": direction})
    choice = rounds.choose(history)
    assert (choice.trial, choice.score, choice.boost_rounds) == (best, scores[best], 25)


def test_nothing_to_choose(leavers: Given) -> None:
    """A search in which no trial came to a score ends with the reason."""
    history = rounds.merged(rounds.empty(leavers.settings), [scored(0, 0.1, "pruned")])
    with pytest.raises(errors.Rejected, match="none of 1 trials came to a log_loss"):
        rounds.choose(history)


class TestStopping:
    """A search that finds nothing better any more."""

    def over(self, given: Given, scores: list[float], after: int | None) -> bool:
        search = given.settings.search.model_copy(update={"per_round": 2, "stop_after_rounds": after})
        trials = [make_trial(number).model_copy(update={"fold_scores": [score]}) for number, score in enumerate(scores)]
        history = rounds.merged(rounds.empty(given.settings), trials)
        return rounds.is_over(history, given.settings.model_copy(update={"search": search}))

    @pytest.mark.parametrize(
        ("scores", "after", "over"),
        [
            pytest.param([0.5, 0.6, 0.5, 0.5], 1, True, id="as-good-is-no-better"),
            pytest.param([0.5, 0.6, 0.5, 0.4], 1, False, id="better-in-the-last-round"),
            pytest.param([0.5, 0.6, 0.7, 0.7], 2, False, id="one-round-of-two"),
            pytest.param([0.5, 0.6, 0.7, 0.7, 0.7, 0.7], 2, True, id="two-rounds"),
            pytest.param([0.5, 0.6, 0.7, 0.7, 0.7, 0.7], None, False, id="not-asked-for"),
            pytest.param([], 1, False, id="before-the-first"),
            pytest.param([math.nan, math.nan], 1, False, id="none-with-a-score"),
        ],
    )
    def test_over(self, leavers: Given, scores: list[float], after: int | None, over: bool) -> None:
        """Lower is better here; whole rounds count, from the one with the best trial."""
        assert self.over(leavers, scores, after) is over

    def test_a_round_without_points_has_a_batch(self) -> None:
        """A fan-out over nothing has no results for the next task to read."""
        assert rounds.named(rounds.batches([], 5)) == {rounds.NO_POINTS: []}
