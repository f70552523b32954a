"""What the registry is told of a run."""

from argosy.domain import registration
from argosy.domain.search import SearchHistory, Trial


def trial(number: int, score: float, state: str = "complete") -> Trial:
    """A trial with one fold."""
    return Trial(number=number, parameters={}, state=state, fold_scores=[score], boost_rounds=3, seconds=0.5)


def test_the_search_is_a_series_by_trial() -> None:
    """Every trial's score is there; the best so far counts complete trials only, in the search's direction."""
    trials = [trial(0, 0.5), trial(1, 0.9, "pruned"), trial(2, 0.4), trial(3, 0.6)]
    series = registration.search_series(SearchHistory(metric="m", direction="maximize", trials=trials))
    assert series["trial.score"] == [(0, 0.5), (1, 0.9), (2, 0.4), (3, 0.6)]
    assert series["trial.best"] == [(0, 0.5), (1, 0.5), (2, 0.5), (3, 0.6)]
    assert series["trial.boost_rounds"][0] == (0, 3.0)
    down = registration.search_series(SearchHistory(metric="m", direction="minimize", trials=trials))
    assert down["trial.best"] == [(0, 0.5), (1, 0.5), (2, 0.4), (3, 0.4)]


def test_a_search_whose_first_trials_were_pruned() -> None:
    """There is no best before the first complete trial."""
    series = registration.search_series(
        SearchHistory(metric="m", direction="maximize", trials=[trial(0, 1.0, "pruned"), trial(1, 0.2)])
    )
    assert series["trial.best"] == [(1, 0.2)]
