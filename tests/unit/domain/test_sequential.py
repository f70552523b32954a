"""A canary that is decided at every look: how often wrongly, by exact reckoning over all that can happen, and what each question hears."""

import itertools
import math
import random

import pytest

from argosy.domain import sequential
from argosy.domain.sequential import Beside, Distance, EventCounts, NoWorse, PairedLook, Risks, Share

RISKS = Risks(0.01, 0.01)


def share(events: int, trials: int) -> Share:
    """Errors, of which a quarter of a percent is healthy and one percent is not."""
    return Share("errors", EventCounts(events, trials), healthy=0.0025, limit=0.01)


@pytest.mark.parametrize(
    ("events", "trials", "word"),
    [
        pytest.param(0, 0, "wait", id="nothing-seen"),
        pytest.param(0, 600, "wait", id="few"),
        pytest.param(0, 620, "go", id="none-in-six-hundred"),
        pytest.param(5, 100, "abort", id="many"),
        pytest.param(8, 2000, "wait", id="between"),
    ],
)
def test_a_share(events: int, trials: int, word: str) -> None:
    """Sized by requests seen: rare errors are let go once enough answers came without them."""
    assert share(events, trials).word(RISKS) == word


def ever(rate: float, word: str, most: int) -> float:
    """The exact chance that, looked at after every request, a version with *rate* is ever called *word* within *most* requests."""
    alive, called = {0: 1.0}, 0.0
    for trial in range(1, most + 1):
        after: dict[int, float] = {}
        for events, chance in alive.items():
            for more, part in ((0, 1 - rate), (1, rate)):
                after[events + more] = after.get(events + more, 0.0) + chance * part
        alive = {}
        for events, chance in after.items():
            said = Share("errors", EventCounts(events, trial), healthy=0.1, limit=0.3).word(Risks(0.05, 0.05))
            if said == "wait":
                alive[events] = chance
            elif said == word:
                called += chance
    return called


@pytest.mark.parametrize("rate", [0.02, 0.1])
def test_a_healthy_version_is_hardly_ever_given_up(rate: float) -> None:
    """Looked at after every request: not an estimate, every course is reckoned."""
    assert 0 < ever(rate, "abort", 150) <= 0.05
    assert ever(rate, "go", 150) > 0.9


@pytest.mark.parametrize("rate", [0.3, 0.5])
def test_a_bad_version_hardly_ever_goes_on(rate: float) -> None:
    """At the limit, and beyond it."""
    assert 0 < ever(rate, "go", 150) <= 0.05
    assert ever(rate, "abort", 150) > 0.9


@pytest.mark.parametrize(("odds", "sign"), [(1.0, 1), (3.0, -1)])
def test_two_versions_side_by_side(odds: float, sign: int) -> None:
    """Given the events that both had, the ratio's mean is exactly 1 at either end: of what is healthy, and of its inverse at the limit."""
    look_new, look_old, events = 7, 11, 6
    ways = {j: math.comb(look_new, j) * math.comb(look_old, events - j) * odds**j for j in range(events + 1)}
    total = sum(ways.values())
    mean = sum(
        way
        / total
        * math.exp(
            sign
            * sequential._log_ratio(PairedLook(EventCounts(j, look_new), EventCounts(events - j, look_old)), 1.0, 3.0)
        )
        for j, way in ways.items()
    )
    assert mean == pytest.approx(1.0, rel=1e-12)


def test_what_both_bear_alike_says_nothing() -> None:
    """A rush makes half of all answers slow, of both: no reason to give one up; the new one's own slowness is."""
    rush = [PairedLook(EventCounts(50, 100), EventCounts(450, 900))] * 5
    assert Beside("slow", rush).word(RISKS) == "go"
    assert Beside("slow", [PairedLook(EventCounts(50, 100), EventCounts(45, 900))]).word(RISKS) == "abort"
    assert Beside("slow", [PairedLook(EventCounts(0, 100), EventCounts(0, 900))] * 50).word(RISKS) == "wait"
    assert Beside("slow", []).word(RISKS) == "wait"


def below(shares: tuple[float, ...], trials: int) -> list[EventCounts]:
    """Scores below three edges."""
    return [EventCounts(round(part * trials), trials) for part in shares]


@pytest.mark.parametrize(
    ("new", "trials", "word"),
    [
        pytest.param((0.2, 0.5, 0.8), 2000, "go", id="the-same"),
        pytest.param((0.2, 0.5, 0.8), 50, "wait", id="few"),
        pytest.param((0.2, 0.8, 0.9), 500, "abort", id="far"),
        pytest.param((0.2, 0.35, 0.8), 500, "wait", id="on-the-limit"),
    ],
)
def test_scores(new: tuple[float, ...], trials: int, word: str) -> None:
    """By the edge where they are farthest apart."""
    old = below((0.2, 0.5, 0.8), 10 * trials)
    assert Distance("scores", below(new, trials), old, 0.15).word(RISKS) == word


def test_the_interval_of_a_share_holds_at_all_times() -> None:
    """The exact chance that a share of a fifth ever leaves its interval in 120 trials, looked at after each, is below alpha."""
    rate, alpha = 0.2, 0.1
    alive, left = {0: 1.0}, 0.0
    for trial in range(1, 121):
        after: dict[int, float] = {}
        for events, more in itertools.product(alive, (0, 1)):
            after[events + more] = after.get(events + more, 0.0) + alive[events] * (rate if more else 1 - rate)
        alive = {}
        for events, chance in after.items():
            low, high = sequential.share_interval(EventCounts(events, trial), alpha)
            if low <= rate <= high:
                alive[events] = chance
            else:
                left += chance
    assert 0 < left <= alpha


def test_all_questions_together() -> None:
    """One that is bad gives it up, with its name; it waits for the last that is open, and goes on once none is."""
    good, bad, wide = share(0, 2000), share(40, 1000), share(0, 10)
    assert sequential.decide([good, bad, wide], RISKS).word == "abort"
    assert sequential.decide([good, bad], RISKS).reasons == (
        "errors: 40 of 1,000 (4.00%; 0.25% is healthy, 1.00% is not)",
    )
    waits = sequential.decide([good, wide], RISKS)
    assert (waits.word, waits.reasons[0][:13]) == ("wait", "errors: 0 of ")
    assert sequential.decide([good], RISKS).word == "go"
    # Ten questions share the risk of giving a good one up: what one would be given up for, ten are not.
    edge = next(k for k in range(100) if share(k, 200).word(RISKS) == "abort")
    assert sequential.decide([share(edge, 200)], RISKS).word == "abort"
    assert sequential.decide([share(edge, 200), *[good] * 9], RISKS).word == "wait"


def test_what_is_no_count_is_refused() -> None:
    """A counter that was reset under the look, and a canary that is asked nothing."""
    with pytest.raises(ValueError, match="5 events in 3 trials"):
        EventCounts(5, 3)
    with pytest.raises(ValueError, match="asked nothing"):
        sequential.decide([], RISKS)


@pytest.mark.parametrize(
    ("old", "new", "margin", "wrong"),
    [
        pytest.param(0.4, 0.4, 0.15, "abort", id="as-good"),
        pytest.param(0.0, 0.0, 0.05, "abort", id="none-on-either-side"),
        pytest.param(0.4, 0.55, 0.15, "go", id="worse"),
        pytest.param(0.02, 0.1, 0.05, "go", id="much-worse"),
    ],
)
def test_no_worse_than_the_old_version(old: float, new: float, margin: float, wrong: str) -> None:
    """Looked at after every ten answers, it is wrong in hardly any of two hundred canaries."""
    draw = random.Random(7).random
    words = []
    for _ in range(200):
        known = EventCounts(sum(draw() < old for _ in range(300)), 300)
        events, word = 0, "wait"
        for trials in range(10, 601, 10):
            events += sum(draw() < new for _ in range(10))
            word = NoWorse("answers", EventCounts(events, trials), known, margin).word(RISKS)
            if word != "wait":
                break
        words.append(word)
    assert words.count(wrong) <= 6
    assert words.count("wait") < 100
    assert NoWorse("answers", EventCounts(0, 500), EventCounts(0, 20), margin).word(RISKS) == "wait"
