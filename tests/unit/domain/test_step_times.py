"""The time of steps: what a step tells of those before it, and the ledger that a run makes of it."""

import pytest

from argosy import errors
from argosy.domain import step_times
from argosy.domain.step_times import StepTime


def took(step: str, began: float, ended: float, cpu: float = 0.0, tasks: int = 1) -> StepTime:
    """One step's time."""
    return StepTime(step=step, began=began, ended=ended, cpu=cpu, tasks=tasks)


def test_what_is_told_is_read_however_pipelines_nest_it() -> None:
    """A task tells a list, a fan-out a list of lists, and a step that was told them puts its own behind."""
    one, two = step_times.text([took("trial", 10, 12, 2.0)]), step_times.text([took("train", 20, 21)])
    assert step_times.parse(f"[{one},[{two},{two}]]") == [took("trial", 10, 12, 2.0), *[took("train", 20, 21)] * 2]
    assert step_times.parse(" ") == []


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("{", id="no-json"),
        pytest.param('["x"]', id="no-time"),
        pytest.param('[{"step":"a","began":2,"ended":1,"cpu":0}]', id="ends-before-it-begins"),
        pytest.param("[" * 100_000, id="deep"),
    ],
)
def test_what_is_no_time_is_refused(text: str) -> None:
    """Somebody set the parameter by hand."""
    with pytest.raises(errors.Misconfigured, match="parameter spent"):
        step_times.parse(text)


def test_a_fan_out_of_thousands_stays_short() -> None:
    """Tasks of one step that follow each other closely are told as one; another step between them, or a long wait, parts them."""
    trials = [took("trial", at, at + 1.5, 1.0) for at in range(1000)]
    told = step_times.parse(step_times.text([*trials, took("trial", 5000, 5001, 1.0)]))
    assert told == [took("trial", 0, 1000.5, 1000.0, 1000), took("trial", 5000, 5001, 1.0)]
    parted = [took("suggest", 0, 1), took("trial", 1, 2), took("suggest", 2, 3)]
    assert step_times.parse(step_times.text(parted)) == parted


def test_waiting_is_told_apart_from_work() -> None:
    """Side by side counts once in what is covered, and twice in what it cost; the rest nobody worked."""
    found = step_times.ledger([took("a", 100, 110, 9), took("b", 105, 120, 14), took("c", 130, 140, 8)], 90, 150)
    assert found is not None
    assert (found.seconds, found.cpu, found.waiting) == (60, 31, 30)
    assert [(each.step, each.seconds, each.share) for each in found.steps] == [
        ("a", 10, pytest.approx(1 / 6, abs=1e-4)),
        ("b", 15, 0.25),
        ("c", 10, pytest.approx(1 / 6, abs=1e-4)),
    ]


def test_what_was_there_already_costs_nothing() -> None:
    """A step taken from the cache tells when it ran, which was before; its time is in no figure, and it is named."""
    found = step_times.ledger([took("old", 10, 50, 40), took("half", 60, 61, 1), took("half", 101, 103, 2)], 100, 110)
    assert found is not None
    assert [(each.step, each.tasks, each.cached, each.seconds, each.cpu) for each in found.steps] == [
        ("old", 1, 1, 0, 0),
        ("half", 2, 1, 2, 2),
    ]
    assert (found.cpu, found.waiting) == (2, 8)


def test_clocks_that_disagree_make_no_time_negative() -> None:
    """The controller keeps whole seconds, and a node's clock may be ahead."""
    found = step_times.ledger([took("a", 99.5, 101, 1), took("ahead", 108, 130, 5)], 100, 110)
    assert found is not None
    assert (found.waiting, found.steps[1].share) == (7, 1.0)
    assert step_times.ledger([], 0, 1) is None
