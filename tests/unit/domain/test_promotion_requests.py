"""What to do about a proposal, decided without any forge."""

import pytest

from argosy.domain import environment_layout, promotion_requests
from argosy.domain.documents import sha256
from argosy.domain.promotion_requests import Request, State, Subject

A, B, C = (sha256(name.encode()) for name in "abc")


def subject(model_digest: str = A, **changes: object) -> Subject:
    """A subject; what is not given is the same for all."""
    values = {"model": "toy", "environment": "staging", "version": 1, "policy_digest": C, **changes}
    return Subject(model_digest=model_digest, **values)


BACK = subject(reverts=B)


def short(digest: str) -> str:
    """The part of a digest that branches name."""
    return digest.removeprefix("sha256:")[:12]


def request(number: int, state: State, about: Subject | None = None, branch: str = "b") -> Request:
    """A request as a forge keeps it."""
    about = about or subject()
    return Request(
        number=number,
        subject=about,
        branch=branch,
        title="t",
        head="h",
        state=state,
        url="u",
        author="a",
        opened_at="now",
    )


def genuine(_request: Request) -> bool:
    """Every request's commit is about what its text says."""
    return True


def test_a_forged_request_is_not_adopted() -> None:
    """An open request that only says that it is this proposal stands in nobody's way: it is superseded like any other."""
    forged = request(1, State.OPEN, branch=promotion_requests.branch(subject()))
    decision = promotion_requests.decide(subject(), [forged], None, lambda _request: False)
    assert (decision.action, [one.number for one in decision.supersede]) == ("open", [1])
    assert decision.branch.endswith("-2")


@pytest.mark.parametrize(
    ("requests", "served", "action", "number", "superseded"),
    [
        pytest.param([], None, "open", None, [], id="first"),
        pytest.param([request(1, State.OPEN)], None, "adopt", 1, [], id="open-already"),
        pytest.param([request(1, State.MERGED)], A, "done", 1, [], id="merged-and-served"),
        pytest.param([], A, "done", None, [], id="served-without-request"),
        pytest.param([request(1, State.MERGED)], B, "open", None, [], id="merged-then-replaced"),
        pytest.param([request(1, State.CLOSED)], None, "stop", 1, [], id="a-person-said-no"),
        pytest.param(
            [request(1, State.CLOSED), request(2, State.SUPERSEDED)], None, "open", None, [], id="no-was-taken-back"
        ),
        pytest.param([request(1, State.OPEN, subject(B))], None, "open", None, [1], id="older-candidate"),
        pytest.param(
            [request(1, State.OPEN, subject(champion_digest=B))], None, "open", None, [1], id="other-champion"
        ),
        pytest.param([request(1, State.OPEN, subject(policy_digest=B))], None, "open", None, [1], id="other-policy"),
        pytest.param(
            [request(1, State.OPEN, subject(environment="production"))], None, "open", None, [], id="other-place"
        ),
        pytest.param([request(1, State.OPEN, subject(model="other"))], None, "open", None, [], id="other-model"),
        pytest.param([request(1, State.CLOSED, subject(B))], None, "open", None, [], id="no-to-another-model"),
        pytest.param([request(1, State.OPEN, subject(version=2))], None, "adopt", 1, [], id="the-digest-counts"),
        pytest.param([request(1, State.CLOSED), request(2, State.OPEN)], None, "adopt", 2, [], id="open-before-closed"),
    ],
)
def test_decisions(
    requests: list[Request], served: str | None, action: str, number: int | None, superseded: list[int]
) -> None:
    """Each state of the world has one answer."""
    decision = promotion_requests.decide(subject(), requests, served, genuine)
    assert decision.action == action
    assert (decision.request.number if decision.request else None) == number
    assert [one.number for one in decision.supersede] == superseded


def test_branches_are_a_function_of_the_subject() -> None:
    """The same model for the same place has the same branch, until that one is used up."""
    base = f"promote/toy/staging/{A.removeprefix('sha256:')[:12]}"
    assert promotion_requests.branch(subject()) == base
    assert promotion_requests.branch(subject(version=9)) == base
    assert promotion_requests.branch(subject(), [base]) == f"{base}-2"
    assert promotion_requests.branch(subject(), [base, f"{base}-2"]) == f"{base}-3"
    assert promotion_requests.branch(subject(B)) != base


def test_staging_leads_to_production_and_production_to_nothing() -> None:
    """The next request has the same files in the next environment's folder."""
    merged = request(1, State.MERGED).model_copy(update={"body": "about it"})
    files = {
        "models/toy/staging/version.yaml": b"v",
        "models/toy/staging/evidence/evidence.json": b"models/toy/staging",
    }
    following = promotion_requests.next_proposal(merged, files)
    assert following
    assert following.subject == subject(environment="production")
    assert following.title == "Promote toy version 1 to production"
    assert following.body == "about it"
    assert following.files == {
        "models/toy/production/version.yaml": b"v",
        "models/toy/production/evidence/evidence.json": b"models/toy/staging",
    }
    last = request(2, State.MERGED, following.subject)
    assert promotion_requests.next_proposal(last, following.files) is None


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        pytest.param(None, None, id="not-taken-out"),
        pytest.param(b"errors at 10 %:\n  see 12\n", "errors at 10 %: see 12", id="by-a-person"),
        pytest.param(b"", "no reason given", id="empty"),
    ],
)
def test_why_a_model_was_taken_out(content: bytes | None, reason: str | None) -> None:
    """The file alone says no, whatever it holds; its text is the reason, in one line."""
    assert environment_layout.rejection(content) == reason


@pytest.mark.parametrize(
    ("requests", "served", "action", "branch"),
    [
        pytest.param([], B, "open", f"revert/toy/staging/{short(B)}", id="first"),
        pytest.param([request(1, State.OPEN, BACK)], B, "adopt", "", id="open-already"),
        pytest.param(
            [request(1, State.OPEN, subject(C))], B, "open", f"revert/toy/staging/{short(B)}", id="beside-a-candidate"
        ),
        pytest.param([request(1, State.CLOSED, BACK)], B, "stop", "", id="a-person-keeps-it"),
        pytest.param([request(1, State.MERGED, BACK)], A, "done", "", id="merged"),
        pytest.param(
            [request(1, State.MERGED, BACK, f"revert/toy/staging/{short(B)}")],
            B,
            "open",
            f"revert/toy/staging/{short(B)}-2",
            id="came-back-and-failed-again",
        ),
        pytest.param(
            [request(1, State.MERGED)], B, "open", f"revert/toy/staging/{short(B)}", id="target-was-merged-before"
        ),
    ],
)
def test_going_back(requests: list[Request], served: str, action: str, branch: str) -> None:
    """A revert from B to A is opened once, closes no candidate, and is found again; its branch is a function of what it takes out."""
    decision = promotion_requests.decide(BACK, requests, served, genuine)
    assert (decision.action, decision.branch, decision.supersede) == (action, branch, ())


def test_a_candidate_closes_no_revert() -> None:
    """Both stay open, for people to choose."""
    assert promotion_requests.decide(subject(C), [request(1, State.OPEN, BACK)], B, genuine).supersede == ()


def test_a_revert_leads_nowhere() -> None:
    """What is put back in staging is not proposed for production by that."""
    assert promotion_requests.next_proposal(request(1, State.MERGED, BACK), {}) is None
    assert promotion_requests.labels(BACK) == ["revert", "model/toy", "environment/staging"]
