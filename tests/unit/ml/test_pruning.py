"""A trial is given up only against finished rounds, on equal terms, and never while too little is known."""

import pytest

from argosy.domain.model_settings import Search
from argosy.domain.search import SearchHistory
from argosy.ml import pruning


def history(direction: str, scores: list[list[float]]) -> SearchHistory:
    """Trials with these fold scores; three folds are complete."""
    trials = [
        {
            "number": number,
            "parameters": {},
            "state": "complete" if len(folds) == 3 else "pruned",
            "fold_scores": folds,
            "boost_rounds": 1,
            "seconds": 0.0,
        }
        for number, folds in enumerate(scores)
    ]
    return SearchHistory.model_validate({"metric": "m", "direction": direction, "trials": trials})


SEARCH = Search(metric="m", folds=3)
EIGHT = [[0.1 * number] * 3 for number in range(1, 9)]


@pytest.mark.parametrize(
    ("direction", "scores", "stops"),
    [
        pytest.param("maximize", [0.71], False, id="as-good-as-the-best-quarter"),
        pytest.param("maximize", [0.69], True, id="below-it"),
        pytest.param("minimize", [0.19], False, id="small-is-good"),
        pytest.param("minimize", [0.21], True, id="large-is-bad"),
        pytest.param("maximize", [0.9, 0.4], True, id="the-mean-counts"),
        pytest.param("maximize", [0.0, 0.0, 0.0], False, id="nothing-left-to-save"),
        pytest.param("maximize", [float("nan")], False, id="undefined-is-judged-later"),
    ],
)
def test_against_the_best_quarter(direction: str, scores: list[float], stops: bool) -> None:
    """A trial goes on while its running mean is among the best quarter of those with as many folds."""
    assert pruning.PercentilePruner(history(direction, EIGHT), SEARCH).stops(scores) is stops


def test_too_few_to_compare_with() -> None:
    """Seven trials are no ground to give one up."""
    assert not pruning.PercentilePruner(history("maximize", EIGHT[:7]), SEARCH).stops([0.0])


def test_pruned_trials_count_as_far_as_they_went() -> None:
    """The bar after one fold is over all trials; after two over those that got there, once they are enough."""
    bar = pruning.PercentilePruner(history("maximize", [*EIGHT[:4], *([[0.9]] * 4)]), SEARCH)
    assert bar.stops([0.85])
    assert not bar.stops([0.0, 0.0])


def test_not_before_its_time() -> None:
    """`prune_after_folds` folds are always scored."""
    search = Search(metric="m", folds=3, prune_after_folds=2)
    bar = pruning.PercentilePruner(history("maximize", EIGHT), search)
    assert not bar.stops([0.0])
    assert bar.stops([0.0, 0.0])
