"""Two pipelines and a reviewer at once, with faults at their calls, by seeds: a few of the thousand that `tests/bench` plays; and the
checker of their history, which finds what is planted."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from argosy.adapters.hosted_forge.promotion_pulls import HostedForge
from argosy.testing.forge_contract import digest
from kit import fault_schedules
from kit.effect_history import EffectHistory, OpenOne, Outside
from kit.fault_schedules import PLACE, HostedWorld, LocalWorld, Schedule

FILES = {name: dict(fault_schedules.candidate(name).files) for name in "ab"}


def outside(commit: str, *opened: OpenOne, served: str | None = None, after: str = "") -> Outside:
    """Main at *commit*, which follows those that are named in *after*."""
    return Outside(opened, commit, frozenset({commit, *after}), FILES[served] if served else {})


def a_good_history() -> EffectHistory:
    """One request is opened, a second closes it, and is merged."""
    one, two = OpenOne(1, PLACE, digest("a")), OpenOne(2, PLACE, digest("b"))
    return EffectHistory(
        asked={digest(name): files for name, files in FILES.items()},
        seen=[
            outside("1", one),
            outside("1", one, two),
            outside("1", two),
            outside("2", served="b", after="1"),
        ],
        merged={digest("b")},
        wanted={PLACE: {digest("a"), digest("b")}},
    )


def _twice_open(history: EffectHistory) -> None:
    one = history.seen[1].open[0]
    history.seen[1] = replace(history.seen[1], open=(one, replace(one, number=3)))


def _left_open(history: EffectHistory) -> None:
    history.seen.append(replace(history.seen[-1], open=history.seen[1].open))


def _forked(history: EffectHistory) -> None:
    history.seen.append(replace(history.seen[-1], main="3", ancestors=frozenset("13")))


def _half_written(history: EffectHistory) -> None:
    path = next(iter(FILES["a"]))
    history.seen.append(replace(history.seen[-1], served={path: FILES["a"][path]}))


def _mixed(history: EffectHistory) -> None:
    path = next(iter(FILES["a"]))
    history.seen.append(replace(history.seen[-1], served={**FILES["b"], path: FILES["a"][path]}))


def _lost(history: EffectHistory) -> None:
    history.seen[-1] = replace(history.seen[-1], served={})
    history.merged.clear()


def _never_merged(history: EffectHistory) -> None:
    history.merged.add(digest("a"))


@pytest.mark.parametrize(
    ("plant", "said"),
    [
        pytest.param(_twice_open, "two open requests bring", id="one-digest-twice"),
        pytest.param(_left_open, "in the end toy/staging has two open requests", id="two-left-open"),
        pytest.param(_forked, "main went from 2 to 3, which does not follow it", id="forked-main"),
        pytest.param(_half_written, "main has neither nothing nor one candidate's files", id="half-written"),
        pytest.param(_mixed, "main has neither nothing nor one candidate's files", id="two-mixed"),
        pytest.param(_lost, "is open or served: it was lost", id="lost"),
        pytest.param(_never_merged, "was said to be merged, and main never had it", id="merge-that-was-none"),
    ],
)
def test_the_checker_finds_what_is_planted(plant: Callable[[EffectHistory], None], said: str) -> None:
    """A history that is good has no problem; with one thing planted, that is what is said."""
    history = a_good_history()
    assert not list(history.problems())
    plant(history)
    found = list(history.problems())
    assert found
    assert any(said in one for one in found)


@pytest.mark.parametrize("seeds", [range(12)], ids=["seeds-0-to-11"])
def test_on_a_server(seeds: range) -> None:
    """Whatever the order and the faults: no promise is broken; and faults there were."""
    played = [Schedule(seed) for seed in seeds]
    assert {one.seed: fault_schedules.run(one, HostedWorld()) for one in played} == {seed: [] for seed in seeds}
    assert sum(len(one.faults) for one in played) > len(played)
    assert any(one.history.merged for one in played)


def test_on_this_machine() -> None:
    """The same over git itself, without the lock that keeps races rare."""
    assert {seed: fault_schedules.run(Schedule(seed), LocalWorld()) for seed in range(4)} == {
        seed: [] for seed in range(4)
    }


def test_a_seed_plays_the_same_again() -> None:
    """What failed once can be looked at: the order of calls is the seed's."""
    first, second = Schedule(5), Schedule(5)
    for schedule in (first, second):
        fault_schedules.run(schedule, HostedWorld())
    assert (first.calls, first.faults, first.history.merged) == (second.calls, second.faults, second.history.merged)


def test_a_forge_that_leaves_rivals_open_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The schedules themselves are tried: with the protection taken out, one of a few seeds breaks the promise."""
    monkeypatch.setattr(HostedForge, "_close_rivals", lambda *_args, **_kw: None)
    found = [said for seed in range(6) for said in fault_schedules.run(Schedule(seed), HostedWorld())]
    assert any("in the end toy/staging has two open requests" in said for said in found)
