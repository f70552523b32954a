"""One round of questions: as many points as the settings say, inside their space, the same for the same answers so far."""

import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from argosy.domain.search import SearchHistory
from kit.examples import Given

Round = Callable[..., Any]


@pytest.fixture
def settings(leavers: Given, tmp_path: Path) -> Path:
    """8 trials, 4 a round, 2 a task."""
    leavers.settings.write(tmp_path / "model.yaml")
    return tmp_path / "model.yaml"


@pytest.fixture
def ask(run_step: Callable[..., Any], settings: Path) -> Round:
    """One attempt of the step."""

    def attempt(number: int | str, finished: str = "[]", history: Path | None = None) -> Any:
        inputs = {"settings": settings} | ({"history": history} if history else {})
        return run_step("suggest", inputs, round=str(number), finished=finished)

    return attempt


def answers(asked: dict[str, list[dict[str, Any]]]) -> str:
    """What the tasks of a round hand over, the score of a point made of its values."""
    tasks = [
        json.dumps([trial | {"state": "complete", "fold_scores": [score(trial)], "boost_rounds": 9, "seconds": 0.1} for trial in task])
        for task in asked.values()
    ]  # fmt: skip
    return json.dumps(tasks)


def score(trial: dict[str, Any]) -> float:
    """Lowest at a learning rate of 0.1 and a depth of 3."""
    point = trial["parameters"]
    return float(abs(point["learning_rate"] - 0.1) + abs(point["max_depth"] - 3))


def asked_of(ran: Any) -> dict[str, list[dict[str, Any]]]:
    """The points, by batch."""
    batches: dict[str, list[dict[str, Any]]] = json.loads(ran.out("asked").read_text(encoding="utf-8"))
    return batches


def test_the_first_round(ask: Round) -> None:
    """Numbers from 0, in batches named by their first and last, each point inside the space; nothing is in the history yet."""
    ran = ask(0)
    assert (ran.code, ran.said) == (0, "")
    assert json.loads(ran.result("batches")) == ["0-1", "2-3"]
    points = list(itertools.chain.from_iterable(asked_of(ran).values()))
    assert [point["number"] for point in points] == [0, 1, 2, 3]
    for point in points:
        assert 0.05 <= point["parameters"]["learning_rate"] <= 0.3
        assert point["parameters"]["max_depth"] in {2, 3, 4}
    assert len({json.dumps(point["parameters"]) for point in points}) == 4
    assert SearchHistory.read(ran.out("history")).trials == []


def test_the_next_round_follows_from_the_answers_alone(ask: Round) -> None:
    """The round before joins the history; a second attempt asks the same, and so does one whose tasks were done in another order."""
    first = ask(0)
    finished = answers(asked_of(first))
    other_way_round = json.dumps(json.loads(finished)[::-1])
    second, again, shuffled = (ask(1, text, first.out("history")) for text in (finished, finished, other_way_round))
    assert [trial.number for trial in SearchHistory.read(second.out("history")).trials] == [0, 1, 2, 3]
    assert json.loads(second.result("batches")) == ["4-5", "6-7"]
    for name in ("history", "asked"):
        assert second.out(name).read_bytes() == again.out(name).read_bytes() == shuffled.out(name).read_bytes()


def test_other_answers_give_other_questions(ask: Round, leavers: Given, settings: Path) -> None:
    """The sampler learns, once it has seen enough: it is not a fixed list of points."""
    leavers.changed(search__trials=24, search__per_round=12).write(settings)
    first = ask(0)
    finished = answers(asked_of(first))
    turned = json.loads(finished)
    for number, text in enumerate(turned):
        trials = json.loads(text)
        for trial in trials:
            trial["fold_scores"] = [-trial["fold_scores"][0]]
        turned[number] = json.dumps(trials)
    one, other = (ask(1, text, first.out("history")) for text in (finished, json.dumps(turned)))
    assert asked_of(one) != asked_of(other)


@pytest.mark.parametrize(
    ("number", "finished", "message"),
    [
        pytest.param("one", "[]", "parameter round: expected a number from 0, got 'one'", id="round"),
        pytest.param("-1", "[]", "parameter round: expected a number from 0, got '-1'", id="negative"),
        pytest.param("1", "[", "parameter finished: not JSON", id="not-json"),
        pytest.param("1", "{}", "parameter finished: expected a JSON list, an entry a task; got '{}'", id="no-list"),
        pytest.param("1", '[[{"number": 0}]]', "parameter finished: ", id="half-a-trial"),
    ],
)
def test_parameters_that_are_none(ask: Round, number: str, finished: str, message: str) -> None:
    """78, the parameter, and what came."""
    ran = ask(number, finished)
    assert ran.code == 78
    assert message in ran.said
    assert not ran.out("asked").exists()


def test_a_round_that_was_left_out(ask: Round) -> None:
    """A manifest that skips a round's results is refused before it wastes a search."""
    first = ask(0)
    second = ask(1, answers(asked_of(first)), first.out("history"))
    ran = ask(2, answers(asked_of(second)), first.out("history"))
    assert ran.code == 78
    assert "got 4, 5, 6, 7: a round was left out or read twice" in ran.said


def test_a_damaged_history(ask: Round, tmp_path: Path) -> None:
    """Its place, its first wrong field, and what to do."""
    (tmp_path / "history.json").write_text('{"metric": "log_loss"}', encoding="utf-8")
    ran = ask(1, "[]", tmp_path / "history.json")
    assert ran.code == 78
    assert "in/history is no SearchHistory of this version: direction: Field required; run the step" in ran.said


def test_a_search_that_is_over_asks_no_point(leavers: Given, ask: Round, tmp_path: Path) -> None:
    """Its last rounds have one batch each, of nothing: what waits for their results finds them."""
    search = leavers.settings.search.model_copy(update={"stop_after_rounds": 1, "trials": 100})
    leavers.settings.model_copy(update={"search": search}).write(tmp_path / "model.yaml")
    first = ask(0)
    alike = json.loads(answers(asked_of(first)))
    trials = [trial | {"fold_scores": [0.5]} for task in map(json.loads, alike) for trial in task]
    more = [trial | {"number": trial["number"] + len(trials)} for trial in trials]
    over = ask(1, json.dumps([json.dumps([*trials, *more])]), first.out("history"))
    assert asked_of(over) == {"none": []}
