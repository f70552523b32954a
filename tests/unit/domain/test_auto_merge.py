"""When a request merges by itself, from values alone."""

import datetime

import pytest

from argosy import errors
from argosy.domain import auto_merge
from argosy.domain.auto_merge import MergeRules, ReviewStanding, ReviewState
from argosy.domain.merge_checks import Check
from argosy.domain.promotion_requests import Request
from argosy.files import model_folder
from argosy.testing.forge_contract import TEMPLATE, digest, opened, proposal

SATURDAY = datetime.datetime(2026, 12, 19, 12, tzinfo=datetime.UTC)
MONDAY = datetime.datetime(2026, 12, 14, 12, tzinfo=datetime.UTC)


def rules(text: str) -> MergeRules:
    """As the file says."""
    return model_folder.merge_rules_of(text.encode(), "clusters/staging/merging.yaml")


@pytest.fixture
def request_of_toy() -> Request:
    """A request for the model `toy` in staging."""
    from argosy.adapters.memory_forge import MemoryForge

    return opened(MemoryForge(TEMPLATE), proposal("a"))


def test_nothing_merges_by_default(request_of_toy: Request) -> None:
    """A file that says nothing of it, or no."""
    for text in ("timezone: Etc/UTC\n", "autoMerge: false\n"):
        assert list(auto_merge.before_looking(rules(text), request_of_toy, MONDAY)) == ["autoMerge is not true"]
    assert not list(auto_merge.before_looking(rules("autoMerge: true\n"), request_of_toy, MONDAY))


def test_only_of_these_models(request_of_toy: Request) -> None:
    """Where models are named, no other is meant; an empty list names none."""
    said = ["toy is not among its models"]
    assert list(auto_merge.before_looking(rules("autoMerge: true\nmodels: [churn]\n"), request_of_toy, MONDAY)) == said
    assert list(auto_merge.before_looking(rules("autoMerge: true\nmodels: []\n"), request_of_toy, MONDAY)) == said
    assert not list(auto_merge.before_looking(rules("autoMerge: true\nmodels: [toy]\n"), request_of_toy, MONDAY))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        pytest.param({"reverts": digest("b")}, "takes a model out of service: people decide that", id="revert"),
        pytest.param({"retires": True}, "takes a model out of service: people decide that", id="retirement"),
        pytest.param({"tries": "shadow", "percent": 10}, "tries a second version, or ends that", id="experiment"),
        pytest.param({"tries": "nothing"}, "tries a second version, or ends that", id="its-end"),
    ],
)
def test_what_people_decide(request_of_toy: Request, changes: dict[str, object], said: str) -> None:
    """A model goes, or is tried, by nobody's rule for what comes in."""
    asked = request_of_toy.model_copy(update={"subject": request_of_toy.subject.model_copy(update=changes)})
    (why,) = auto_merge.before_looking(rules("autoMerge: true\n"), asked, MONDAY)
    assert said in why


@pytest.mark.parametrize(
    ("freeze", "now", "frozen"),
    [
        pytest.param("{days: [sat, sun], why: weekend}", SATURDAY, True, id="day"),
        pytest.param("{days: [sat, sun], why: weekend}", MONDAY, False, id="another-day"),
        pytest.param("{from: 2026-12-19, to: 2027-01-06, why: holidays}", SATURDAY, True, id="first-date"),
        pytest.param("{from: 2026-12-01, to: 2026-12-19, why: audit}", SATURDAY, True, id="last-date"),
        pytest.param("{from: 2026-12-19, to: 2026-12-19, why: audit}", SATURDAY, True, id="one-date"),
        pytest.param("{from: 2026-12-20, to: 2027-01-06, why: holidays}", SATURDAY, False, id="day-before"),
        pytest.param("{from: 2026-12-01, to: 2026-12-18, why: audit}", SATURDAY, False, id="day-after"),
    ],
)
def test_freezes(request_of_toy: Request, freeze: str, now: datetime.datetime, frozen: bool) -> None:
    """Days and dates, the last one included; why is what people are told."""
    said = list(auto_merge.before_looking(rules(f"autoMerge: true\nfreeze: [{freeze}]\n"), request_of_toy, now))
    assert bool(said) is frozen
    assert all(one.startswith("frozen until ") for one in said)


@pytest.mark.parametrize(
    ("freezes", "until"),
    [
        pytest.param("{days: [sat, sun], why: w}", "frozen until Mon 2026-12-21 00:00 Etc/UTC: w", id="days"),
        pytest.param(
            "{days: [sat], why: w}, {from: 2026-12-20, to: 2027-01-06, why: h}",
            "frozen until Thu 2027-01-07 00:00 Etc/UTC: w",
            id="one-after-the-other",
        ),
        pytest.param("{days: [mon, tue, wed, thu, fri, sat, sun], why: w}", "frozen for good: w", id="always"),
    ],
)
def test_when_a_freeze_ends(request_of_toy: Request, freezes: str, until: str) -> None:
    """The first moment that is free, whatever follows what."""
    assert list(
        auto_merge.before_looking(rules(f"autoMerge: true\nfreeze: [{freezes}]\n"), request_of_toy, SATURDAY)
    ) == [until]


def test_a_freeze_for_people() -> None:
    """Only where it says so; in the zone of the file, and a reviewer may overrule it."""
    asked = rules(
        "timezone: Pacific/Kiritimati\nfreeze: [{days: [sun], why: night, people: true}, {days: [sat], why: w}]\n"
    )
    (check,) = auto_merge.of_people(asked, SATURDAY)  # Sunday there
    assert (check.name, check.passed, check.final) == ("freeze", False, False)
    assert check.reason == "frozen until Mon 2026-12-21 00:00 Pacific/Kiritimati: night"
    assert auto_merge.of_people(asked, MONDAY)[0].passed
    assert auto_merge.of_people(rules("freeze: [{days: [sat], why: w}]\n"), SATURDAY) == []


def test_days_begin_where_the_people_are(request_of_toy: Request) -> None:
    """Friday 23:30 in London is Saturday in Berlin."""
    late = datetime.datetime(2026, 12, 18, 23, 30, tzinfo=datetime.UTC)
    text = "autoMerge: true\nfreeze: [{days: [sat], why: weekend}]\n"
    assert not list(auto_merge.before_looking(rules(text), request_of_toy, late))
    assert list(auto_merge.before_looking(rules(f"{text}timezone: Europe/Berlin\n"), request_of_toy, late))


@pytest.mark.parametrize(
    ("reviews", "state", "waits"),
    [
        pytest.param("required", "given", False, id="given"),
        pytest.param("required", "missing", True, id="missing"),
        pytest.param("required", "not asked", True, id="no-rule-asks"),
        pytest.param("required", "refused", True, id="no"),
        pytest.param("waived", "missing", False, id="waived"),
        pytest.param("waived", "not asked", False, id="waived-and-no-rule"),
        pytest.param("waived", "refused", True, id="a-no-is-a-no"),
    ],
)
def test_reviews(reviews: str, state: ReviewState, waits: bool) -> None:
    """Needed unless they are waived; a reviewer's no cannot be."""
    said = list(auto_merge.of_reviews(rules(f"autoMerge: true\nreviews: {reviews}\n"), ReviewStanding(state, "why")))
    assert said == (["why"] if waits else [])


def test_every_check_is_green() -> None:
    """Those that a reviewer might overrule, too: there is no reviewer."""
    checks = [Check("champion", passed=False, reason="moved"), Check("policy", passed=True, reason="fine")]
    assert list(auto_merge.of_checks(checks)) == ["champion: moved"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        pytest.param("automerge: true\n", r"merging.yaml:1: .*automerge", id="slip"),
        pytest.param("autoMerge: yes please\n", r"merging.yaml:1: autoMerge", id="kind"),
        pytest.param("reviews: none\n", r"merging.yaml:1: reviews", id="reviews"),
        pytest.param("timezone: Berlin/Europe\n", "is no time zone", id="timezone"),
        pytest.param("timezone: ../../etc/passwd\n", "is no time zone", id="path"),
        pytest.param("timezone: Europe\n", "is no time zone", id="folder-of-zones"),
        pytest.param("freeze: [{why: x}]\n", "give either `days`, or `from` and `to`", id="freeze-without-time"),
        pytest.param("freeze: [{days: [sat], from: 2026-01-01, to: 2026-01-02, why: x}]\n", "give either", id="both"),
        pytest.param("freeze: [{from: 2026-01-02, why: x}]\n", "give either", id="no-end"),
        pytest.param("freeze: [{from: 2026-01-02, to: 2026-01-01, why: x}]\n", "is before `from`", id="swapped"),
        pytest.param("freeze: [{days: [sat]}]\n", "why", id="no-reason"),
        pytest.param("freeze: [{days: [caturday], why: x}]\n", r"merging.yaml:1: ", id="day"),
        pytest.param("- autoMerge\n", "expected a mapping", id="list"),
        pytest.param("", "expected a mapping", id="empty"),
    ],
)
def test_rules_that_cannot_be_read(text: str, says: str) -> None:
    """With file, line and field; nobody guesses what was meant."""
    with pytest.raises(errors.Misconfigured, match=says):
        rules(text)
