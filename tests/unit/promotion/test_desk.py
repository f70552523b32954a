"""The reviewer's verbs as values, for whatever shows them: what is open, what a request holds, how it ended."""

import datetime
from collections.abc import Callable
from dataclasses import replace

import pytest

from argosy import errors, wiring
from argosy.adapters.memory_forge import MemoryForge
from argosy.adapters.memory_registry import MemoryRegistry
from argosy.domain.merge_checks import Check
from argosy.domain.promotion_requests import Request, State
from argosy.promotion.desk import Desk
from argosy.report import check_comment
from argosy.settings import Settings
from kit.offered import offer
from kit.toy import Toy


@pytest.fixture
def desk(toy: Toy, here: Settings) -> Desk:
    """A desk where request 1, for the toy, is open."""
    offer(toy, here, MemoryRegistry(datetime.datetime.now(datetime.UTC)))
    return Desk(wiring.forge(here), wiring.artifacts(here), wiring.verifier(here))


def test_a_review(desk: Desk, toy: Toy) -> None:
    """Of an open request every check and the signed evidence; of a merged one the evidence and whether it is signed."""
    review = desk.review(1)
    assert (review.request.number, review.request.subject.model_digest) == (1, toy.digest)
    assert {check.name for check in review.checks if not check.passed} == set()
    assert {"subject", "documents", "champion", "signatures", "release", "features", "term"} <= {
        one.name for one in review.checks
    }
    assert review.markdown.startswith("# toy: promote\n")
    assert (review.evidence[:18], review.text) == ("signature verified", "as the evidence has it")
    desk.merge(1, by="Ada")
    merged = desk.review(1)
    assert (merged.request.state, merged.checks) == (State.MERGED, ())
    assert (merged.markdown, merged.evidence) == (review.markdown, review.evidence)


def test_the_term_is_the_desk_s_clock_s(desk: Desk) -> None:
    """A release that is over is red, by the time that the desk is given."""
    late = replace(desk, now=lambda: datetime.datetime(2100, 1, 1, tzinfo=datetime.UTC))
    found = late.check(1)
    assert not found.passed
    assert [check.name for check in found.checks if not check.passed] == ["term"]
    with pytest.raises(errors.Rejected, match=r"request 1 is not merged, 1 of \d+ checks are red:\n  term: "):
        late.merge(1, by="Ada")
    assert desk.check(1).passed


def test_features_that_are_gone_are_red(desk: Desk, here: Settings) -> None:
    """One person was erased from them: the bundle stays, and servers of it would not start."""
    store = wiring.artifacts(here)
    (online,) = store.folders("online/")
    store.remove(online.name)
    red = [check for check in desk.check(1).checks if not check.passed]
    assert [(check.name, check.final) for check in red] == [("features", True)]
    assert online.uri.rstrip("/") in red[0].reason
    with pytest.raises(errors.Rejected, match="servers would not start"):
        desk.merge(1, by="Ada")


def test_a_superseded_request_is_red(desk: Desk, here: Settings, new_toy: Callable[[str], Toy]) -> None:
    """A newer candidate took its place: its check says so, whatever else of it still holds, and it cannot be merged."""
    offer(new_toy("newer"), here, MemoryRegistry(datetime.datetime.now(datetime.UTC)))
    red = [check for check in desk.check(1).checks if not check.passed]
    assert [(check.name, check.reason, check.final) for check in red] == [
        ("open", "it is superseded: superseded by request 2", True)
    ]
    with pytest.raises(errors.Rejected, match="superseded"):
        desk.merge(1, by="Ada")
    desk.close(2, by="Ada", reason="not this one")
    assert "it is closed: not this one" in {check.reason for check in desk.check(2).checks}


def test_what_is_shown_beside_the_request(desk: Desk) -> None:
    """Whether its commit passed and each check with its reason, the red ones first; of a merged one nothing."""
    shown: list[tuple[int, bool, str]] = []

    class Board(MemoryForge):
        def report(self, request: Request, *, passed: bool, text: str) -> None:
            shown.append((request.number, passed, text))

    late = replace(desk, now=lambda: datetime.datetime(2100, 1, 1, tzinfo=datetime.UTC))
    checked = late.check(1)
    board = replace(desk, forge=Board({}))
    board.report(checked)
    board.report(replace(checked, checks=()))
    ((number, passed, text),) = shown
    head, _, _, _, first, *_ = text.splitlines()
    assert (number, passed) == (1, False)
    assert head == f"**1 of {len(checked.checks)} checks are red**, of commit `{checked.request.head[:12]}`."
    assert first.startswith("| **red**, for good | `term` | ")
    assert "checks passed" in check_comment.markdown([Check("term", passed=True, reason="a|b\n| x")], "f" * 40)


def test_those_who_wait_are_told_of(desk: Desk) -> None:
    """Of a request that is open for that long, once a day; of one that ended nobody hears."""
    opened = datetime.datetime.fromisoformat(desk.forge.request(1).opened_at)
    told: list[tuple[int, str, str]] = []

    def later(days: float) -> list[int]:
        board = replace(desk, now=lambda: opened + datetime.timedelta(days=days))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(desk.forge, "tell", lambda one, text, key: told.append((one.number, key, text)))
            return [request.number for request in board.remind(datetime.timedelta(days=1))]

    assert (later(0.9), later(1.1), later(2.2)) == ([], [1], [1])
    assert [text.partition(".")[0] for _, _, text in told] == [
        "This request has waited for 1 day",
        "This request has waited for 2 days",
    ]
    assert len({key for _, key, _ in told}) == 2
    desk.close(1, by="Ada", reason="no")
    assert later(3) == []


def test_what_was_ended_before(desk: Desk) -> None:
    """An end says whether it is this call's doing; the open list has what is left."""
    assert [request.number for request in desk.requests()] == [1]
    closed, again = (desk.close(1, by=name, reason=f"{name} says so") for name in ("Ada", "Ben"))
    assert (closed.already, again.already) == (False, True)
    assert again.request.reason == "Ada says so"
    assert desk.requests() == []
    assert desk.reopen(1, by="Ada").state is State.OPEN
    merged, again = desk.merge(1, by="Ada"), desk.merge(1, by="Ben")
    assert (merged.already, again.already, again.request.ended_by) == (False, True, "Ada")
    assert [request.number for request in desk.requests(ended=True)] == [1]


def test_a_diff(desk: Desk, toy: Toy) -> None:
    """File by file, with what each gets and loses."""
    files = {file.path.removeprefix("models/toy/staging/"): file for file in desk.diff(1)}
    assert f'+modelDigest: "{toy.digest}"' in files["version.yaml"].text
    assert (files["evidence/evidence.md"].added, files["evidence/evidence.md"].removed) == (3, 0)
