"""Two pipelines, a reviewer and others at once, with faults at their calls, by seeds: a few of the thousand that `tests/bench` plays.

The checker of their history is tried, too: it finds what is planted.
"""

import collections
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from argosy.adapters.hosted_forge.promotion_pulls import HostedForge
from argosy.domain import environment_layout
from argosy.domain.environment_layout import PRODUCTION, STAGING
from argosy.testing.forge_contract import digest
from kit.effect_history import MODEL, EffectHistory, Files, OpenOne, Outside
from kit.fault_schedules import FAULTS
from kit.fault_story import FIRST, START, FaultStory, candidate, open_one
from kit.fault_worlds import GiteaWorld, GithubWorld, LocalWorld
from kit.gitea_server import GiteaServer, gitea_server

STAGED = {name: dict(candidate(name, FIRST).files) for name in "ab"}
SERVED = {
    **{name: dict(candidate(name, FIRST, PRODUCTION).files) for name in "ab"},
    FIRST: dict(candidate(FIRST, environment=PRODUCTION).files),
}
STAGING_PLACE = f"{MODEL}/{STAGING}"


def outside(commit: str, *opened: OpenOne, after: str = "", files: Files | None = None) -> Outside:
    """Main at *commit*, which follows those that are named in *after*."""
    return Outside(opened, commit, frozenset({commit, *after}), files or {})


def promotion(name: str, number: int) -> OpenOne:
    """The open request for staging."""
    return open_one(number, candidate(name, FIRST).subject)


def a_good_history() -> EffectHistory:
    """One request is opened, a second closes it and is merged; production follows, and goes back."""
    one, two = promotion("a", 1), promotion("b", 2)
    gone = environment_layout.rejected_path(MODEL, digest("b"))
    return EffectHistory(
        asked=[*STAGED.values(), *SERVED.values()],
        seen=[
            outside("1", one, files=SERVED[FIRST]),
            outside("1", one, two, files=SERVED[FIRST]),
            outside("1", two, files=SERVED[FIRST]),
            outside("2", after="1", files={**SERVED[FIRST], **STAGED["b"]}),
            outside("3", after="12", files={**SERVED["b"], **STAGED["b"]}),
            outside("4", after="123", files={**SERVED[FIRST], **STAGED["b"], gone: b"errors\n"}),
        ],
        merged={(STAGING, digest("b")), (PRODUCTION, digest("b"))},
        wanted={STAGING_PLACE: {one.brings, two.brings}},
    )


def _twice_open(history: EffectHistory) -> None:
    one = history.seen[1].open[0]
    history.seen[1] = replace(history.seen[1], open=(one, replace(one, number=3)))


def _left_open(history: EffectHistory) -> None:
    history.seen.append(replace(history.seen[-1], open=history.seen[1].open))


def _forked(history: EffectHistory) -> None:
    history.seen.append(replace(history.seen[-1], main="5", ancestors=frozenset("1235")))


def _in_the_end(history: EffectHistory, files: Files) -> None:
    history.seen.append(replace(history.seen[-1], main="5", ancestors=frozenset("12345"), files=files))


def _half_written(history: EffectHistory) -> None:
    path = environment_layout.version_path(MODEL, PRODUCTION)
    _in_the_end(history, {path: SERVED["a"][path]})


def _mixed(history: EffectHistory) -> None:
    path = environment_layout.version_path(MODEL, PRODUCTION)
    _in_the_end(history, {**SERVED["b"], path: SERVED["a"][path]})


def _lost(history: EffectHistory) -> None:
    history.seen = [replace(one, open=(), files=SERVED[FIRST]) for one in history.seen[:3]]
    history.merged.clear()


def _never_merged(history: EffectHistory) -> None:
    history.merged.add((STAGING, digest("a")))


def _another_champion(history: EffectHistory) -> None:
    _in_the_end(history, dict(history.seen[4].files))
    history.seen[4] = replace(history.seen[4], files={**SERVED["a"], **STAGED["b"]})


def _back_from_rejection(history: EffectHistory) -> None:
    _in_the_end(history, {**history.seen[-1].files, **SERVED["b"]})


def _half_a_revert(history: EffectHistory) -> None:
    gone = environment_layout.rejected_path(MODEL, digest("b"))
    history.seen[4] = replace(history.seen[4], files={**history.seen[4].files, gone: b"errors\n"})


def _a_second_of_nobody(history: EffectHistory) -> None:
    path = environment_layout.second_path(MODEL, STAGING)
    _in_the_end(history, {**history.seen[-1].files, path: b"second:\n"})


@pytest.mark.parametrize(
    ("plant", "said"),
    [
        pytest.param(_twice_open, "two open requests ask for", id="one-question-twice"),
        pytest.param(_left_open, "in the end toy/staging promotion has two open requests", id="two-left-open"),
        pytest.param(_forked, "main went from 4 to 5, which does not follow it", id="forked-main"),
        pytest.param(_half_written, "production has neither nothing nor one candidate's files", id="half-written"),
        pytest.param(_mixed, "production has neither nothing nor one candidate's files", id="two-mixed"),
        pytest.param(_lost, "is open, served or closed by a person: it was lost", id="lost"),
        pytest.param(_never_merged, "was said to be merged, and staging never had it", id="merge-that-was-none"),
        pytest.param(_another_champion, "in production, and was compared with", id="champions-in-no-line"),
        pytest.param(_back_from_rejection, "again, which was taken out of service", id="rejected-and-back"),
        pytest.param(_half_a_revert, "was taken out of service, and no environment went back", id="half-a-revert"),
        pytest.param(_a_second_of_nobody, "staging tries what nobody asked for", id="a-second-version-of-nobody"),
    ],
)
def test_the_checker_finds_what_is_planted(plant: Callable[[EffectHistory], None], said: str) -> None:
    """A history that is good has no problem; with one thing planted, that is what is said."""
    history = a_good_history()
    assert not list(history.problems())
    plant(history)
    assert any(said in one for one in history.problems())


def test_on_a_server() -> None:
    """Whatever the order and the faults: no promise is broken; and merges, ways back, trials and faults there were."""
    played = [FaultStory(seed) for seed in (3, 5, 10)]
    assert {one.seed: one.played(GithubWorld()) for one in played} == {one.seed: [] for one in played}
    assert sum(len(one.schedule.faults) for one in played) > len(played)
    assert all(sum(one.did[what] for one in played) for what in ("merged", "went back", "tried", "superseded"))


def test_on_this_machine() -> None:
    """The same over git itself, without the lock that keeps races rare."""
    assert {seed: FaultStory(seed).played(LocalWorld()) for seed in (0, 5)} == {seed: [] for seed in (0, 5)}


@pytest.fixture
def gitea(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GiteaServer]:
    """A real one."""
    with gitea_server(tmp_path_factory.mktemp("gitea")) as running:
        yield running


def test_on_a_real_server(gitea: GiteaServer) -> None:
    """The same at Gitea, behind a proxy that loses calls and answers."""
    assert {seed: FaultStory(seed).played(GiteaWorld(gitea)) for seed in (2, 3)} == {2: [], 3: []}


def test_a_seed_plays_the_same_again() -> None:
    """What failed once can be looked at: the order of calls is the seed's."""
    first, second = FaultStory(2), FaultStory(2)
    for story in (first, second):
        story.played(GithubWorld())
    assert first.schedule.calls > 100
    assert (first.schedule.calls, first.schedule.faults, first.history.merged) == (
        second.schedule.calls,
        second.schedule.faults,
        second.history.merged,
    )


def test_every_fault_is_planted() -> None:
    """Seeds reach every kind of fault, and every actor."""
    drawn = collections.Counter[str]()
    for seed in range(30):
        schedule = FaultStory(seed).schedule
        drawn.update(schedule.actors)
        for _ in range(400):
            if (fault := schedule.fault("pipeline-1", writes=True)) in {"killed", "killed after"}:
                schedule.begin_anew("pipeline-1")
            drawn[fault] += 1
    assert drawn.keys() >= {*FAULTS, "pipeline-1", "pipeline-2", "reviewer", "on call", "experimenter", "somebody"}


def test_a_forge_that_leaves_rivals_open_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The schedules themselves are tried: with the protection taken out, one of a few seeds breaks the promise."""
    monkeypatch.setattr(HostedForge, "_close_rivals", lambda *_args, **_kw: None)
    assert any(
        "promotion has two open requests" in said for seed in (10, 3) for said in FaultStory(seed).played(GithubWorld())
    )


def test_the_start_is_whole() -> None:
    """Main begins with one model in both environments."""
    assert outside("1", files={path: content for path, content in START.items() if "models/" in path}).digests == {
        STAGING: digest(FIRST),
        PRODUCTION: digest(FIRST),
    }
