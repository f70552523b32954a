"""Requests that merge by themselves, with real signatures and checks: the toy model on a repository of this machine."""

import datetime
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from argosy import errors, wiring
from argosy.adapters.memory_registry import MemoryRegistry
from argosy.cli import main
from argosy.domain.auto_merge import ReviewStanding
from argosy.domain.promotion_requests import Request, State
from argosy.files import model_folder
from argosy.files.git_repository import Person, Repository
from argosy.promotion.auto_merging import AutoMerging, MergeAttempt
from argosy.promotion.desk import Desk
from argosy.settings import Settings
from kit.offered import offer
from kit.toy import Toy

MAIN = "refs/heads/main"
Rule = Callable[[str], None]


@pytest.fixture
def desk(toy: Toy, here: Settings, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A desk where request 1, for the toy in staging, is open; commands find it too."""
    monkeypatch.setenv("ARGOSY_HOME", str(here.home))
    monkeypatch.setenv("ARGOSY_DATA_ROOT", str(here.data_root))
    offer(toy, here, MemoryRegistry(datetime.datetime.now(datetime.UTC)))
    return Desk(wiring.forge(here), wiring.artifacts(here), wiring.verifier(here))


@pytest.fixture
def rule(desk: Desk, here: Settings) -> Rule:
    """Commits what staging's file says."""
    repository = Repository(Path(here.forge_uri.partition(":")[2]))

    def commit(text: str, environment: str = "staging") -> None:
        changes = {f"clusters/{environment}/merging.yaml": text.encode()}
        at = desk.forge.head()
        assert repository.move(MAIN, repository.commit(at, changes, "Rule\n", Person("ada")), at)

    return commit


def look(desk: Desk, *, dry: bool = False) -> list[MergeAttempt]:
    """One look."""
    return list(AutoMerging(desk, model_folder.merge_rules_of, dry=dry).look())


def with_forge(desk: Desk, **instead: object) -> Desk:
    """*desk*, whose forge does *instead* what is named."""
    forge = type("Other", (type(desk.forge),), {})
    changed = forge.__new__(forge)
    changed.__dict__.update(desk.forge.__dict__)
    for name, value in instead.items():
        setattr(changed, name, value)
    return replace(desk, forge=changed)


def test_no_rule_no_look(desk: Desk) -> None:
    """Nothing merges by itself where nobody said so."""
    assert look(desk) == []
    assert desk.forge.request(1).state is State.OPEN


def test_a_request_merges_by_itself(desk: Desk, rule: Rule, toy: Toy) -> None:
    """Reviews waived, every check green: merged, and main says by which rule."""
    rule("autoMerge: true\nreviews: waived\n")
    (said,) = look(desk, dry=True)
    assert (said.outcome, desk.forge.request(1).state) == ("merged", State.OPEN)
    (attempt,) = look(desk)
    assert (attempt.outcome, attempt.request.state, attempt.request.ended_by) == ("merged", State.MERGED, "argosy")
    assert look(desk) == []


def test_the_commit_says_which_rule(desk: Desk, rule: Rule, here: Settings) -> None:
    """Whoever reads main's history later."""
    rule("autoMerge: true\nreviews: waived\n")
    look(desk)
    message = Repository(Path(here.forge_uri.partition(":")[2])).git("log", "-1", "--format=%B", MAIN).decode()
    assert "Merged-by: argosy\nAuto-merge: clusters/staging/merging.yaml, reviews waived\n" in message


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param("autoMerge: false\n", "autoMerge is not true", id="off"),
        pytest.param("autoMerge: true\n", "a repository on this machine has no reviews", id="reviews"),
        pytest.param("autoMerge: true\nreviews: waived\nmodels: [other]\n", "toy is not among", id="models"),
        pytest.param(
            "autoMerge: true\nreviews: waived\nfreeze: [{from: 2000-01-01, to: 2999-01-01, why: all of time}]\n",
            "frozen for good: all of time",
            id="freeze",
        ),
    ],
)
def test_it_waits(desk: Desk, rule: Rule, text: str, why: str) -> None:
    """And says why."""
    rule(text)
    (attempt,) = look(desk)
    assert (attempt.outcome, desk.forge.request(1).state) == ("waits", State.OPEN)
    assert why in attempt.why[0]


def test_another_environment_s_rule_is_not_its_own(desk: Desk, rule: Rule) -> None:
    """Production's file moves nothing in staging."""
    rule("autoMerge: true\nreviews: waived\n", "production")
    assert look(desk) == []


def test_a_red_check(desk: Desk, rule: Rule, toy: Toy) -> None:
    """Even one that a reviewer might overrule: nobody is there to."""
    rule("autoMerge: true\nreviews: waived\n")
    policy = "policies/toy.yaml"
    changed = (desk.forge.read(policy) or b"") + b"# another\n"
    with_policy = {policy: changed}
    path = desk.forge._repository.path  # type: ignore[attr-defined]
    repository, at = Repository(path), desk.forge.head()
    assert repository.move(MAIN, repository.commit(at, with_policy, "Policy\n", Person("ada")), at)
    (attempt,) = look(desk)
    assert attempt.outcome == "waits"
    assert attempt.why[0].startswith("policy: it was judged by another policy")


def test_a_commit_that_came_between(desk: Desk, rule: Rule) -> None:
    """What was reviewed is merged, or nothing: the commit that is asked for is named to the merge."""
    rule("autoMerge: true\nreviews: waived\n")
    request = desk.forge.request(1)
    with pytest.raises(errors.Rejected, match=f"#1 proposes {request.head} by now, not {'0' * 40}"):
        desk.merge(1, by="argosy", head="0" * 40)


def test_reviews_are_asked_before_checks(desk: Desk, rule: Rule) -> None:
    """A request that waits for its reviewer costs one call, not all its files."""
    rule("autoMerge: true\n")
    asked: list[str] = []
    missing = with_forge(
        desk, approval=lambda _: ReviewStanding("missing", "no review yet"), contents=lambda *_: asked.append("")
    )
    (attempt,) = look(missing)
    assert (attempt.outcome, attempt.why, asked) == ("waits", ("no review yet",), [])


def test_what_main_s_rules_wait_for_is_left_to_the_forge(desk: Desk, rule: Rule) -> None:
    """All of ours is there, and the forge wants more: it merges when that comes. Taken back in a freeze."""
    rule("autoMerge: true\nreviews: waived\n")
    later: list[str] = []
    taken_back: list[int] = []

    def refuse(*_: object, **__: object) -> Request:
        raise errors.Rejected("a check of your own is pending")

    def leave(request: Request, *, by: str, note: str = "") -> None:
        later.append(f"{request.number} {by} {note}")

    busy = with_forge(
        desk, merge=refuse, merge_later=leave, merge_no_later=lambda request: taken_back.append(request.number)
    )
    (attempt,) = look(busy)
    assert (attempt.outcome, attempt.why) == ("left to the forge", ("a check of your own is pending",))
    assert later == ["1 argosy Auto-merge: clusters/staging/merging.yaml, reviews waived\n"]
    rule("autoMerge: true\nreviews: waived\nfreeze: [{days: [mon, tue, wed, thu, fri, sat, sun], why: audit}]\n")
    (attempt,) = look(busy)
    assert (attempt.outcome, taken_back) == ("waits", [1])
    why_not = with_forge(desk, merge=refuse, merge_later=lambda *_, **__: "it merges nothing", merge_no_later=None)
    rule("autoMerge: true\nreviews: waived\n")
    (attempt,) = look(why_not)
    assert (attempt.outcome, attempt.why[1]) == ("waits", "it merges nothing")


def test_rules_that_cannot_be_read(desk: Desk, rule: Rule, capsys: pytest.CaptureFixture[str]) -> None:
    """Said, with the line; nothing merges."""
    rule("autoMerge: true\nreveiws: waived\n")
    assert main.run(["pr", "auto-merge"]) == errors.Misconfigured.exit_code
    output = capsys.readouterr().out
    assert "failed #1" in output
    assert "clusters/staging/merging.yaml:2: " in output
    assert desk.forge.request(1).state is State.OPEN


def test_the_command(desk: Desk, rule: Rule, capsys: pytest.CaptureFixture[str]) -> None:
    """Says what it did, and what follows a merge follows this one."""
    assert main.run(["pr", "auto-merge"]) == errors.DONE
    assert "no open request of an environment" in capsys.readouterr().out
    rule("autoMerge: true\nreviews: waived\n")
    assert main.run(["pr", "auto-merge", "--dry-run"]) == errors.DONE
    assert capsys.readouterr().out.startswith("would be merged #1 ")
    assert main.run(["pr", "auto-merge"]) == errors.DONE
    output = capsys.readouterr().out
    assert output.startswith("merged #1 ")
    assert "opened #2: " in output
