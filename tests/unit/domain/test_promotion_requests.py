"""What to do about a proposal, decided without any forge."""

import datetime

import pytest

from argosy import errors
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


DAY = datetime.date(2026, 3, 1)
OUT, ANEW = subject(retires=True), subject(renews=True)
SHADOW = subject(tries="shadow", percent=10, until=DAY)
KINDS = {"promotion": subject(), "revert": BACK, "retirement": OUT, "renewal": ANEW, "experiment": SHADOW}


def decided(about: Subject, requests: list[Request], served: str | None = None) -> tuple[str, int | None, list[int]]:
    """The action, the request that it is about, and those that are superseded."""
    decision = promotion_requests.decide(about, requests, served, genuine)
    return (
        decision.action,
        decision.request.number if decision.request else None,
        [one.number for one in decision.supersede],
    )


def test_each_kind_has_its_name_and_its_branches() -> None:
    """Branches tell what is asked: two tries of one model that differ in anything are two."""
    assert {name: about.kind for name, about in KINDS.items()} == {name: name for name in KINDS}
    branches = {name: promotion_requests.branch(about) for name, about in KINDS.items()}
    assert branches == {
        "promotion": f"promote/toy/staging/{short(A)}",
        "revert": f"revert/toy/staging/{short(B)}",
        "retirement": f"retire/toy/staging/{short(A)}",
        "renewal": f"sign/toy/staging/{short(A)}",
        "experiment": f"try/toy/staging/shadow-10-2026-03-01-{short(A)}",
    }
    assert all(branch.startswith(promotion_requests.PREFIXES) for branch in branches.values())


@pytest.mark.parametrize("one", KINDS)
def test_kinds_stand_beside_one_another(one: str) -> None:
    """Each adopts its own open request, and none closes, or is taken for, one of another kind."""
    waiting = [request(number, State.OPEN, about) for number, about in enumerate(KINDS.values(), start=1)]
    assert decided(KINDS[one], waiting, served=C) == ("adopt", 1 + list(KINDS).index(one), [])
    others = [each for each in waiting if each.subject.kind != one]
    assert decided(KINDS[one], others, served=C) == ("open", None, [])
    assert [promotion_requests.same_place(waiting[0], each) for each in waiting] == [True, False, False, False, False]


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(subject(tries="candidate", percent=10, until=DAY), id="role"),
        pytest.param(subject(tries="shadow", percent=20, until=DAY), id="share"),
        pytest.param(subject(tries="shadow", percent=10), id="end"),
        pytest.param(subject(B, tries="shadow", percent=10, until=DAY), id="model"),
    ],
)
def test_another_try_is_another_question(other: Subject) -> None:
    """It takes the place of the one that is open, and what people said of that one is no word on it."""
    assert decided(SHADOW, [request(1, State.OPEN, other)]) == ("open", None, [1])
    assert decided(SHADOW, [request(1, State.CLOSED, other)]) == ("open", None, [])
    assert decided(SHADOW, [request(1, State.CLOSED, SHADOW)]) == ("stop", 1, [])


def test_another_way_back_is_another_question() -> None:
    """To the same model, out of another one."""
    assert decided(BACK, [request(1, State.CLOSED, subject(reverts=C))], served=B) == ("open", None, [])


def test_when_nothing_is_left_to_do() -> None:
    """A model that is out needs no request to take it out; signatures are made anew however often that is asked."""
    assert decided(OUT, [request(1, State.MERGED, OUT)], served=None) == ("done", 1, [])
    assert decided(OUT, [request(1, State.MERGED, OUT)], served=A) == ("open", None, [])
    assert decided(ANEW, [], served=A) == ("open", None, [])
    assert decided(SHADOW, [request(1, State.MERGED, SHADOW)], served=A) == ("done", 1, [])


def test_of_several_the_newest_is_meant() -> None:
    """The newest that was merged, whatever came after it; and of those that are open and ask the same, the newest."""
    ended = [request(1, State.MERGED), request(2, State.MERGED), request(3, State.CLOSED)]
    assert decided(subject(), ended, served=A) == ("done", 2, [])
    assert decided(subject(), [request(1, State.OPEN), request(2, State.OPEN)]) == ("adopt", 2, [])


def test_evidence_that_main_has_overtaken_is_renewed_where_it_leads_on() -> None:
    """Staging serves the model, but production would refuse what it was judged by: it is asked anew. After production comes nothing."""
    beside = {name: subject(environment=name, champion_digest=B) for name in ("staging", "production")}
    merged = [request(number, State.MERGED, about) for number, about in enumerate(beside.values(), start=1)]
    newer = {name: about.model_copy(update={"champion_digest": C}) for name, about in beside.items()}
    assert decided(newer["staging"], merged, served=A) == ("open", None, [])
    assert decided(newer["production"], merged, served=A) == ("done", 2, [])
    assert decided(beside["staging"], merged, served=A) == ("done", 1, [])
    for gone in (OUT, SHADOW):  # neither leads anywhere
        other = gone.model_copy(update={"policy_digest": B})
        assert decided(gone, [request(1, State.MERGED, other)], served=None if gone.retires else A)[0] == "done"


def test_a_superseded_request_says_by_which() -> None:
    """Its end reads like any other, and leads to the one that took its place."""
    ended = promotion_requests.superseded(request(1, State.OPEN), request(2, State.OPEN), "then")
    assert (ended.state, ended.ended_by, ended.ended_at, ended.superseded_by) == (State.SUPERSEDED, "a", "then", 2)
    assert ended.reason == "superseded by request 2"


def test_each_kind_has_its_places() -> None:
    """A request may change these files and folders, and no others."""
    folder = "models/toy/staging"
    served = (f"{folder}/version.yaml", f"{folder}/evidence", f"{folder}/retired.yaml")
    assert {name: promotion_requests.places(about) for name, about in KINDS.items()} == {
        "promotion": served,
        "revert": (*served, f"models/toy/rejected/{B.removeprefix('sha256:')}.txt"),
        "retirement": (served[0], f"{folder}/second.yaml", served[2]),
        "renewal": served,
        "experiment": (f"{folder}/second.yaml",),
    }


def test_the_commit_that_was_checked_and_no_other() -> None:
    """One that is merged at another commit is a no, one that moved can be checked again."""
    promotion_requests.refuse_moved(request(1, State.MERGED), "h")
    with pytest.raises(errors.Rejected, match="request 1 is merged at commit h, not at other, which was checked"):
        promotion_requests.refuse_moved(request(1, State.MERGED), "other")
    with pytest.raises(errors.TryAgain, match="the commit of request 1 has moved since it was checked"):
        promotion_requests.refuse_moved(request(1, State.OPEN), "other")


def test_what_people_are_told_of_a_no() -> None:
    """Who said it, why, and the command by which the request is taken up again."""
    closed = request(7, State.CLOSED).model_copy(update={"ended_by": "ada", "reason": "too early"})
    said = str(promotion_requests.refusal(closed))
    assert "request 7 for this very model was closed by ada (too early)" in said
    assert "`argosy pr reopen 7`" in said
    assert "by somebody (no reason given)" in str(promotion_requests.refusal(request(7, State.CLOSED)))
    assert "request 7 is not about what its commit changes" in str(promotion_requests.mislabelled(7))


def test_the_files_of_a_request() -> None:
    """The version file, and all evidence beside it; in the next environment its folder is another, and nothing else."""
    files = promotion_requests.files(subject(), "version: 1\n", {"evidence.json": b"{}", "card.md": b"#"})
    assert files == {
        "models/toy/staging/version.yaml": b"version: 1\n",
        "models/toy/staging/evidence/evidence.json": b"{}",
        "models/toy/staging/evidence/card.md": b"#",
    }
    twice = {"models/toy/staging/evidence/models/toy/staging/a": b""}
    following = promotion_requests.next_proposal(request(1, State.MERGED), twice)
    assert following
    assert list(following.files) == ["models/toy/production/evidence/models/toy/staging/a"]


def test_a_reason_is_one_line() -> None:
    """What a terminal obeys is no part of it, and it has an end; one that says nothing is refused."""
    assert promotion_requests.one_line("errors\n at\x1b[2J 10 %", 99) == "errors at [2J 10 %"
    assert promotion_requests.one_line("errors", 3) == "err"
    for nothing in ("", " \n", "\x1b"):
        with pytest.raises(errors.UsageError, match="--reason says nothing"):
            promotion_requests.one_line(nothing, 99)
