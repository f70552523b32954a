"""What to do about a proposal, decided without any forge."""

import pytest

from argosy.domain import promotion
from argosy.domain.documents import sha256
from argosy.domain.promotion import Request, State, Subject

A, B, C = (sha256(name.encode()) for name in "abc")


def subject(model_digest: str = A, **changes: object) -> Subject:
    """A subject; what is not given is the same for all."""
    values = {"model": "toy", "environment": "staging", "version": 1, "policy_digest": C, **changes}
    return Subject(model_digest=model_digest, **values)


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
    decision = promotion.decide(subject(), requests, served)
    assert decision.action == action
    assert (decision.request.number if decision.request else None) == number
    assert [one.number for one in decision.supersede] == superseded


def test_branches_are_a_function_of_the_subject() -> None:
    """The same model for the same place has the same branch, until that one is used up."""
    base = f"promote/toy/staging/{A.removeprefix('sha256:')[:12]}"
    assert promotion.branch(subject()) == base
    assert promotion.branch(subject(version=9)) == base
    assert promotion.branch(subject(), [base]) == f"{base}-2"
    assert promotion.branch(subject(), [base, f"{base}-2"]) == f"{base}-3"
    assert promotion.branch(subject(B)) != base


def test_staging_leads_to_production_and_production_to_nothing() -> None:
    """The next request has the same files in the next environment's folder."""
    merged = request(1, State.MERGED).model_copy(update={"body": "about it"})
    files = {
        "models/toy/staging/version.yaml": b"v",
        "models/toy/staging/evidence/evidence.json": b"models/toy/staging",
    }
    following = promotion.next_proposal(merged, files)
    assert following
    assert following.subject == subject(environment="production")
    assert following.title == "Promote toy version 1 to production"
    assert following.body == "about it"
    assert following.files == {
        "models/toy/production/version.yaml": b"v",
        "models/toy/production/evidence/evidence.json": b"models/toy/staging",
    }
    last = request(2, State.MERGED, following.subject)
    assert promotion.next_proposal(last, following.files) is None


def test_rejections_are_one_a_line() -> None:
    """A person can read, write and revert the file."""
    assert promotion.rejections(f"# aborted canaries\n\n{A}: errors at 10 %: see 12\nnonsense\n") == {
        A: "errors at 10 %: see 12"
    }
