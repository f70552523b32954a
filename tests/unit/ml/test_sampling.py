"""The sampler's next round follows from settings and history alone."""

from typing import Any

import pytest

from argosy import errors
from argosy.domain.model_settings import ModelSettings
from argosy.domain.search import Asked, SearchHistory, Trial
from argosy.ml import rounds, sampling
from kit.examples import Given


def scored(asked: list[Asked]) -> list[Trial]:
    """Each point with a made-up score that prefers depth 3; every third is pruned."""
    return [
        Trial(
            number=point.number,
            parameters=point.parameters,
            state="pruned" if point.number % 3 == 2 else "complete",
            fold_scores=[0.4 + abs(point.parameters["max_depth"] - 3) / 10] * (1 if point.number % 3 == 2 else 3),
            boost_rounds=9,
            seconds=0.0,
        )
        for point in asked
    ]


def history_of(settings: ModelSettings, count: int) -> SearchHistory:
    """The history after *count* rounds."""
    history = rounds.empty(settings)
    for number in range(count):
        history = rounds.merged(history, scored(sampling.ask(settings, history, round_number=number)))
    return history


def test_asking_twice_gives_the_same(leavers: Given) -> None:
    """A retried task asks for the very same points, whatever order the trials are listed in."""
    history = history_of(leavers.settings, 1)
    turned = history.model_copy(update={"trials": history.trials[::-1]})
    assert sampling.ask(leavers.settings, history, round_number=1) == sampling.ask(
        leavers.settings, turned, round_number=1
    )


def test_numbers_go_on(leavers: Given) -> None:
    """Trials are numbered through the search; the last round asks for what is left, then nothing."""
    settings = leavers.changed(search__trials=6)
    assert [point.number for point in sampling.ask(settings, history_of(settings, 0), round_number=0)] == [0, 1, 2, 3]
    assert [point.number for point in sampling.ask(settings, history_of(settings, 1), round_number=1)] == [4, 5]
    assert sampling.ask(settings, history_of(settings, 2), round_number=2) == []


def test_points_lie_in_the_space_and_differ(leavers: Given) -> None:
    """Within their bounds, whole where whole, no two of a round alike; the first is the middle of the space."""
    asked = sampling.ask(leavers.settings, rounds.empty(leavers.settings), round_number=0)
    assert asked[0].parameters == {"learning_rate": pytest.approx((0.05 * 0.3) ** 0.5), "max_depth": 3}
    for point in asked:
        assert 0.05 <= point.parameters["learning_rate"] <= 0.3
        assert point.parameters["max_depth"] in (2, 3, 4)
        assert isinstance(point.parameters["max_depth"], int)
    assert len({point.parameters["learning_rate"] for point in asked}) == len(asked)


def test_seed_and_round_draw_anew(leavers: Given) -> None:
    """Another seed, or another round from the same history, gives other points."""
    history = rounds.empty(leavers.settings)
    first = sampling.ask(leavers.settings, history, round_number=0)
    assert first[1:] != sampling.ask(leavers.changed(seed=6), history, round_number=0)[1:]
    assert first[1:] != sampling.ask(leavers.settings, history, round_number=1)[1:]


def test_the_sampler_learns(leavers: Given) -> None:
    """After ten rounds it asks for the better depth more often than a third of the time."""
    settings = leavers.changed(
        search__trials=60, search__per_round=10, search__space__max_depth={"int_low": 1, "int_high": 9}
    )
    asked = sampling.ask(settings, history_of(settings, 5), round_number=5)
    assert sum(point.parameters["max_depth"] in (2, 3, 4) for point in asked) > 5


@pytest.mark.parametrize(
    ("space", "message"),
    [
        pytest.param(
            {"max_dept": {"int_low": 1, "int_high": 2}}, "search.space.max_dept: .*did you mean 'max_depth'", id="typo"
        ),
        pytest.param({"max_depth": {"int_low": 3, "int_high": 2}}, "from 3 to 2 is no range", id="upside-down"),
        pytest.param(
            {"gamma": {"low": 0.0, "high": 1.0, "log": True}}, "from 0 to 1 is no logarithmic range", id="log-of-zero"
        ),
        pytest.param(
            {"nthread": {"int_low": 1, "int_high": 2}}, "nthread: no parameter of that name", id="not-tunable"
        ),
    ],
)
def test_spaces_that_are_none(leavers: Given, space: dict[str, Any], message: str) -> None:
    """Each mistake is named by its place in the settings."""
    with pytest.raises(errors.Misconfigured, match=message):
        sampling.distributions(leavers.changed(search__space=space))


def test_class_weight_needs_two_classes(houses: Given) -> None:
    """A parameter that only means something for a binary task is refused elsewhere."""
    settings = houses.changed(search__space={"scale_pos_weight": {"low": 1.0, "high": 2.0}})
    with pytest.raises(errors.Misconfigured, match="only a binary task has; this one is regression"):
        sampling.distributions(settings)
