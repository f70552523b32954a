"""The steps of a search: from the first question to the choice, with a task that is killed and tried again."""

import json
from pathlib import Path

import pytest

from argosy import errors
from argosy.adapters.memory_search_storage import MemorySearchStorage
from argosy.domain.search import Choice, SearchHistory, Trial
from argosy.ml import crossvalidation, study
from argosy.steps.select import run as select
from argosy.steps.suggest import run as suggest
from argosy.steps.trial import run as trial
from kit.examples import Given, write_features


class FailingStorage(MemorySearchStorage):
    """Fails from the n-th write on."""

    def __init__(self, writes: int) -> None:
        super().__init__()
        self.writes = writes

    def record(self, study: str, trial: Trial) -> None:
        """Keep *trial*, or fail."""
        if self.writes == 0:
            raise errors.TryAgain("the search's database failed: gone")
        self.writes -= 1
        super().record(study, trial)


def first_round(given: Given, folder: Path) -> tuple[Path, list[str]]:
    """The history and the batches of round 0."""
    history = folder / "history-0.json"
    text = suggest.run(settings=given.settings, round_number=0, finished="[]", history=None, out=history)
    return history, [json.dumps(batch) for batch in json.loads(text)]


def without_seconds(text: str) -> list[dict[str, object]]:
    """Trials but for how long they took."""
    return [{name: value for name, value in entry.items() if name != "seconds"} for entry in json.loads(text)]


def search(given: Given, folder: Path) -> tuple[SearchHistory, Choice]:
    """A whole search, as the pipeline wires it."""
    history, finished, storage = None, "[]", MemorySearchStorage()
    for number in range(2):
        out = folder / f"history-{number}.json"
        batches = json.loads(
            suggest.run(settings=given.settings, round_number=number, finished=finished, history=history, out=out)
        )
        history = out
        results = [
            trial.run(
                settings=given.settings, features=given.features, history=out, batch=json.dumps(batch), storage=storage
            )
            for batch in batches
        ]
        finished = json.dumps([json.loads(result) for result in results])
    assert history is not None
    select.run(finished=finished, history=history, out_history=folder / "all.json", out_choice=folder / "choice.json")
    return SearchHistory.read(folder / "all.json"), Choice.read(folder / "choice.json")


def test_a_whole_search(each_task: Given, tmp_path: Path) -> None:
    """Every trial of the settings is there, by number, and the choice is the best of them; doing it again changes nothing."""
    history, choice = search(each_task, tmp_path / "one")
    assert [entry.number for entry in history.trials] == list(range(each_task.settings.search.trials))
    scores = [entry.score for entry in history.trials if entry.state == "complete"]
    assert choice.score == (min(scores) if history.direction == "minimize" else max(scores))
    assert search(each_task, tmp_path / "two")[1] == choice


def test_a_retried_task_scores_only_what_is_missing(
    leavers: Given, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The storage fails after the first trial; the next attempt scores the second alone and ends as if nothing had been."""
    history, batches = first_round(leavers, tmp_path)
    arguments = {"settings": leavers.settings, "features": leavers.features, "history": history, "batch": batches[0]}
    storage = FailingStorage(writes=1)
    with pytest.raises(errors.TryAgain, match="gone"):
        trial.run(**arguments, storage=storage)  # type: ignore[arg-type]
    storage.writes = 9
    scored: list[int] = []
    score = crossvalidation.CrossValidation.score
    monkeypatch.setattr(
        crossvalidation.CrossValidation,
        "score",
        lambda self, asked, bar: scored.append(asked.number) or score(self, asked, bar),
    )
    retried = trial.run(**arguments, storage=storage)  # type: ignore[arg-type]
    assert scored == [1]
    undisturbed = trial.run(**arguments, storage=MemorySearchStorage())  # type: ignore[arg-type]
    assert without_seconds(retried) == without_seconds(undisturbed)


def test_a_recorded_number_of_another_point_is_not_believed(leavers: Given, tmp_path: Path) -> None:
    """Only a trial with the very same parameters is taken from the storage."""
    history, batches = first_round(leavers, tmp_path)
    asked = json.loads(batches[0])[0]
    storage = MemorySearchStorage()
    lie = Trial(
        number=asked["number"],
        parameters=asked["parameters"] | {"max_depth": 4},
        state="complete",
        fold_scores=[0.0],
        boost_rounds=1,
        seconds=0.0,
    )
    storage.record(study.name(leavers.settings, leavers.features), lie)
    done = trial.run(
        settings=leavers.settings, features=leavers.features, history=history, batch=batches[0], storage=storage
    )
    assert json.loads(done)[0]["fold_scores"] != [0.0]


def test_a_target_with_one_class(leavers: Given, tmp_path: Path) -> None:
    """Nothing is scored, and the error says what to look at."""
    features = write_features(tmp_path / "f", {"x": [float(n) for n in range(30)]}, [1] * 30, task="binary")
    history, batches = first_round(leavers, tmp_path)
    with pytest.raises(errors.Rejected, match="never gives class 'stays' in 24 training rows"):
        trial.run(
            settings=leavers.settings,
            features=features,
            history=history,
            batch=batches[0],
            storage=MemorySearchStorage(),
        )


def test_a_round_left_out_is_noticed(leavers: Given, tmp_path: Path) -> None:
    """A manifest wired by hand that skips a round's results is refused before it wastes a search."""
    history, _ = first_round(leavers, tmp_path)
    later = json.dumps(
        [[{"number": 4, "parameters": {}, "state": "complete", "fold_scores": [1.0], "boost_rounds": 1, "seconds": 0}]]
    )
    with pytest.raises(errors.Misconfigured, match="a round was left out"):
        suggest.run(settings=leavers.settings, round_number=2, finished=later, history=history, out=tmp_path / "h")


def test_a_round_of_a_search_that_is_over(leavers: Given, tmp_path: Path) -> None:
    """Without a point nothing is read: neither features nor the storage of trials."""
    nowhere = tmp_path / "nowhere"
    text = trial.run(
        settings=leavers.settings, features=nowhere, history=nowhere, batch="[]", storage=FailingStorage(0)
    )
    assert json.loads(text) == []
