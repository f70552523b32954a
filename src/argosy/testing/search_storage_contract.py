"""The contract suite of the storage of a search's trials."""

from argosy.domain.search import Trial
from argosy.ports.search_storage import SearchStorage


def make_trial(number: int, *, depth: int = 3, state: str = "complete") -> Trial:
    """A trial of the space that the tests' settings have."""
    scores = [0.41, 0.42, 0.4] if state == "complete" else [0.6]
    return Trial.model_validate(
        {
            "number": number,
            "parameters": {"learning_rate": 0.1 + number / 1000, "max_depth": depth},
            "state": state,
            "fold_scores": scores,
            "boost_rounds": 25,
            "seconds": 0.5,
        }
    )


class SearchStorageContract:
    """Inherit, and provide a fixture ``storage``."""

    def test_a_new_study_is_empty(self, storage: SearchStorage) -> None:
        """Asking for a study that nobody has written to is no error."""
        assert storage.recorded("nobody") == {}

    def test_trials_come_back_as_they_were(self, storage: SearchStorage) -> None:
        """Complete and pruned trials come back equal, floats to the last bit, whole numbers whole."""
        trials = {0: make_trial(0), 1: make_trial(1, state="pruned")}
        for trial in trials.values():
            storage.record("s", trial)
        assert storage.recorded("s") == trials
        assert isinstance(storage.recorded("s")[0].parameters["max_depth"], int)

    def test_by_number_in_any_order(self, storage: SearchStorage) -> None:
        """Workers finish in any order; a trial is found by its own number."""
        for number in (7, 3):
            storage.record("s", make_trial(number))
        assert {number: trial.number for number, trial in storage.recorded("s").items()} == {7: 7, 3: 3}

    def test_the_first_of_a_number_stays(self, storage: SearchStorage) -> None:
        """A task that was retried while its first attempt still wrote does not change what others have read."""
        storage.record("s", make_trial(0, depth=3))
        storage.record("s", make_trial(0, depth=4))
        assert storage.recorded("s") == {0: make_trial(0, depth=3)}

    def test_studies_are_apart(self, storage: SearchStorage) -> None:
        """Trial 0 of one search is nothing to another."""
        storage.record("one", make_trial(0))
        assert storage.recorded("other") == {}
