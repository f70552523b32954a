"""The forge on GitHub, against a stand-in: the contract, lost answers, races, refusals."""

import itertools
import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import ClassVar

import pytest

from argosy import errors
from argosy.adapters.hosted_forge import github
from argosy.adapters.hosted_forge.promotion_pulls import HostedForge
from argosy.domain.promotion_requests import State
from argosy.report.autolinks import BREAK
from argosy.testing.forge_contract import (
    TEMPLATE,
    ForgeContract,
    files_of,
    merge,
    open_requests,
    opened,
    proposal,
    version,
)
from argosy.testing.reviewed_forge_contract import ReviewedForgeContract
from kit import fake_github
from kit.fake_github import FakeGithub
from kit.github_standin import AtGithub
from kit.hands import GithubHand


@pytest.fixture
def server() -> Iterator[FakeGithub]:
    """A GitHub that knows one repository."""
    fake = FakeGithub(TEMPLATE)
    yield fake
    fake.stop()


@pytest.fixture
def forge(server: FakeGithub) -> HostedForge:
    """The adapter, in a hurry."""
    return _forge(server)


def _forge(server: FakeGithub) -> HostedForge:
    return HostedForge(github.of_token("owner/name", "secret-token", api=server.api, patience=0.0))


class TestReviewsAtGithub(AtGithub, ReviewedForgeContract):
    """The same promises as every forge that has reviews."""


class TestGithubForge(AtGithub, ForgeContract):
    """The same promises as every forge."""

    account: ClassVar[str | None] = fake_github.ACCOUNT


def _finally(forge: HostedForge) -> None:
    """Propose until there is an answer, as a retried step does."""
    for _ in range(5):
        try:
            forge.propose(proposal("a"))
        except errors.TryAgain:
            continue
        return
    pytest.fail("five attempts were not enough for one fault")


@pytest.mark.parametrize("effect", [True, False], ids=["answer-lost", "request-lost"])
def test_one_request_whatever_is_lost(effect: bool) -> None:
    """Each call of a proposal fails once, before or after its effect; the retry ends with one open request, complete."""
    for call in itertools.count():
        fake = FakeGithub(TEMPLATE)
        try:
            forge = _forge(fake)
            forge.propose(proposal("old"))
            start = len(fake.seen)
            if effect:
                fake.lost = {start + call}
            else:
                fake.fault = lambda _m, _p, count, at=start + call: (
                    (502, {"message": "Bad Gateway"}) if count == at else None
                )  # type: ignore[misc]
            _finally(forge)
            if len(fake.seen) <= start + call:
                assert call > 10, "a proposal made hardly any calls: nothing was tried"
                return
            requests = forge.requests()
            assert [request.state for request in requests] == [State.SUPERSEDED, State.OPEN]
            assert requests[0].superseded_by == 2
            assert files_of(forge, 2) == proposal("a").files
        finally:
            fake.stop()


def test_labels_after_a_lost_answer(server: FakeGithub, forge: HostedForge) -> None:
    """A request whose labels were lost gets them from whoever proposes it next."""
    server.fault = lambda _method, path, _count: (502, {"message": "Bad Gateway"}) if path.endswith("/labels") else None
    with pytest.raises(errors.TryAgain, match="GitHub fails"):
        forge.propose(proposal("a"))
    server.fault = lambda _method, _path, _count: None
    request = forge.propose(proposal("a"))
    assert request
    assert "promotion" in request.labels


def test_pictures_have_their_address(server: FakeGithub, forge: HostedForge) -> None:
    """At the commit that is proposed, also where the first answer was lost: a page shows no file by its name alone."""
    server.fault = lambda method, path, _count: (
        (502, {"message": "Bad Gateway"}) if method == "PATCH" and "/pulls/" in path else None
    )
    given = replace(proposal("a"), body="![how far](gates.svg)\n")
    with pytest.raises(errors.TryAgain):
        forge.propose(given)
    server.fault = lambda _method, _path, _count: None
    request = opened(forge, given)
    page = request.url.rpartition("/pull/")[0]
    pull = github.of_token("owner/name", "secret-token", api=server.api, patience=0.0).pull(request.number)
    assert pull is not None
    assert pull.body.startswith(f"![how far]({page}/raw/{request.head}/models/toy/staging/evidence/gates.svg)\n")


def test_pictures_of_an_updated_branch_are_still_ours(server: FakeGithub, forge: HostedForge) -> None:
    """Main merged into the branch gives it a commit that no address in the text names."""
    body = "![how far](gates.svg)\n"
    request = opened(forge, replace(proposal("a"), body=body))
    there = server.store
    there.refs[f"heads/{request.branch}"] = there.commit(
        there.commits[request.head].files, (request.head, there.refs["heads/main"]), "Merge main"
    )
    updated = forge.request(request.number)
    assert updated.head != request.head
    assert updated.body == request.body == body


OWNERS = b"* @acme/platform\n/models/ @ada @acme/reviewers @gone\n"


def test_owners_are_asked_once(server: FakeGithub, forge: HostedForge) -> None:
    """By main's CODEOWNERS, when the request is opened; not again by a retry, when they may have answered."""
    server.store.people = {"ada", "reviewers", "platform", "gone"}
    server.store.push({"CODEOWNERS": OWNERS})
    for _ in range(2):
        opened(forge, proposal("a"))
    assert server.store.reviewers == {1: ["reviewers", "ada", "gone"]}
    assert server.store.comments == {}


@pytest.mark.parametrize("lost", [False, True], ids=["at-once", "cut-off"])
def test_owners_who_cannot_be_asked(server: FakeGithub, forge: HostedForge, lost: bool) -> None:
    """The others are; the request says it in one comment, which an attempt after a cut-off one writes anew."""
    server.store.people = {"ada", "reviewers"}
    server.store.push({"CODEOWNERS": OWNERS})
    server.fault = lambda _m, path, _c: (502, {"message": "Bad"}) if lost and path.endswith("/labels") else None
    if lost:
        with pytest.raises(errors.TryAgain):
            forge.propose(proposal("a"))
    server.fault = lambda _method, _path, _count: None
    opened(forge, proposal("a"))
    assert set(server.store.reviewers[1]) == {"ada", "reviewers"}
    (said,) = server.store.comments[1]
    assert said.startswith("CODEOWNERS names gone for this; GitHub could not ask them")


def test_one_comment_says_what_holds(server: FakeGithub, forge: HostedForge) -> None:
    """However often it is checked; the status is the commit's, so that another one has none yet."""
    request = opened(forge, proposal("a"))
    forge.report(request, passed=False, text="1 check is red")
    forge.report(request, passed=True, text="all is well")
    (said,) = server.store.comments[1]
    assert said.startswith("all is well\n")
    assert server.store.statuses == {request.head: {"argosy": "success"}}


def test_people_are_told_once(server: FakeGithub, forge: HostedForge) -> None:
    """Of each thing by a comment of its own, which nothing that is written anew takes away."""
    request = opened(forge, proposal("a"))
    for key in ("monday", "monday", "tuesday"):
        forge.tell(request, "it waits", key=key)
    forge.report(request, passed=True, text="all is well")
    assert [text.partition("\n")[0] for text in server.store.comments[1]] == ["it waits", "it waits", "all is well"]


def test_a_token_that_sets_no_status(server: FakeGithub, forge: HostedForge) -> None:
    """It is a right of its own, which requests do without; the line names it."""
    request = opened(forge, proposal("a"))
    server.fault = lambda _m, path, _c: (403, {"message": "Resource not accessible"}) if "/statuses/" in path else None
    with pytest.raises(errors.Misconfigured, match="Give it commit statuses, read and write, or have main require"):
        forge.report(request, passed=True, text="all is well")


def test_two_pipelines_at_once(server: FakeGithub) -> None:
    """Whatever order GitHub sees their calls in, one request stays open."""
    failures: list[BaseException] = []

    def work(name: str) -> None:
        forge = _forge(server)
        for number in range(8):
            try:
                forge.propose(proposal(f"{name}-{number}", author=name))
            except errors.TryAgain:
                continue
            except BaseException as error:
                failures.append(error)
                raise

    workers = [threading.Thread(target=work, args=(name,)) for name in ("left", "right")]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert failures == []
    forge = _forge(server)
    forge.propose(proposal("last"))
    assert len(open_requests(forge)) == 1
    assert len(forge.requests()) == 17


def test_the_same_model_from_two_pipelines(server: FakeGithub) -> None:
    """Both get the one request."""
    numbers: list[int] = []

    def work() -> None:
        request = _forge(server).propose(proposal("a"))
        assert request
        numbers.append(request.number)

    workers = [threading.Thread(target=work) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert numbers == [1, 1, 1, 1]


def test_a_merge_that_conflicts(server: FakeGithub, forge: HostedForge) -> None:
    """GitHub merges text; where main changed the same file it refuses, and we say what helps."""
    forge.propose(proposal("a"))
    server.store.push({"models/toy/staging/version.yaml": b"model: other\n"})
    with pytest.raises(
        errors.Rejected, match=r"main has changed models/toy/staging/version.yaml since .* would mix the two"
    ):
        merge(forge, 1)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        pytest.param((405, {"message": "Base branch was modified"}), "does not merge request 1: Base branch", id="base-moved"),
        pytest.param((409, {"message": "Head branch was modified"}), "does not merge request 1: Head branch", id="head-moved"),
    ],
)  # fmt: skip
def test_github_refuses_a_merge(
    server: FakeGithub, forge: HostedForge, answer: fake_github.Answer, message: str
) -> None:
    """What moved in the moment between our look and GitHub's is looked at again."""
    request = opened(forge, proposal("a"))
    server.fault = lambda _method, path, _count: answer if path.endswith("/merge") else None
    with pytest.raises(errors.TryAgain, match=message):
        merge(forge, 1)
    sent = [body for line, body in server.given if line.endswith("/merge")]
    assert [body["sha"] for body in sent] == [request.head]


def test_main_moves_while_github_merges(server: FakeGithub, forge: HostedForge) -> None:
    """GitHub takes no promise about main: where it merged onto another, nobody is told that all is well."""
    opened(forge, proposal("a"))

    def somebody_is_faster(_method: str, path: str, _count: int) -> None:
        if path.endswith("/merge"):
            server.store.push({"models/toy/production/version.yaml": version("b").yaml().encode()})

    server.fault = somebody_is_faster
    with pytest.raises(errors.Rejected, match=r"is merged as .*, but main had moved on from .*, which was checked"):
        merge(forge, 1)


def test_an_answer_that_is_lost_hides_no_other_main(server: FakeGithub, forge: HostedForge) -> None:
    """Whoever asks again hears what the first would have: that the merge is onto another main than was checked."""
    request, checked = opened(forge, proposal("a")), forge.head()

    def somebody_is_faster(_method: str, path: str, count: int) -> None:
        if path.endswith("/merge"):
            server.store.push({"models/toy/production/version.yaml": version("b").yaml().encode()})
            server.lost = {count}

    server.fault = somebody_is_faster
    with pytest.raises(errors.TryAgain, match="GitHub fails"):
        forge.merge(1, head=request.head, by="ada", at=checked)
    for _ in range(2):
        with pytest.raises(errors.Rejected, match=rf"but main had moved on from {checked[:12]}, which was checked"):
            forge.merge(1, head=request.head, by="ada", at=forge.head())


def test_an_answer_that_is_lost_is_found(server: FakeGithub, forge: HostedForge) -> None:
    """Asked again, a merge that was done onto the main that was checked is done."""
    request = opened(forge, proposal("a"))

    def lose(_method: str, path: str, count: int) -> None:
        server.lost = {count} if path.endswith("/merge") else set()

    server.fault = lose
    with pytest.raises(errors.TryAgain):
        merge(forge, 1)
    assert merge(forge, 1).state is State.MERGED
    assert forge.request(1).head == request.head


def test_a_merge_that_main_lost_is_none(server: FakeGithub, forge: HostedForge) -> None:
    """A server calls a request merged for ever, also where main was moved back since: nobody is told that it is in main."""
    request, before = opened(forge, proposal("a")), forge.head()
    merge(forge, 1)
    server.store.refs["heads/main"] = before
    with pytest.raises(errors.Rejected, match=r"calls request 1 merged as .*, which main does not have"):
        forge.merge(1, head=request.head, by="ada", at=before)


def test_a_repository_out_of_sight_is_no_empty_one(server: FakeGithub, forge: HostedForge) -> None:
    """GitHub answers 404 for what a token may not see: where that begins between two calls, main is not taken for one without a file."""
    at = forge.head()
    assert forge.read("models/toy/none.yaml", at) is None
    server.fault = lambda *_: (404, {"message": "Not Found"})
    for asked in (at, None):
        with pytest.raises(errors.Misconfigured, match=r"GitHub knows no|Not Found \[404\]"):
            forge.read("models/toy/staging/version.yaml", asked)
    with pytest.raises(errors.Misconfigured, match=r"GitHub knows no|Not Found \[404\]"):
        forge.contents(["models/toy/staging"], at)


def test_a_tree_that_github_cut_off_is_not_trusted(server: FakeGithub, forge: HostedForge) -> None:
    """Where GitHub lists a part of the files, nothing is concluded from it."""
    request = opened(forge, proposal("a"))
    server.store.tree_limit = 3
    with pytest.raises(errors.Misconfigured, match=r"in part only.*nothing is merged"):
        forge.changes(request, forge.head())


def test_a_commit_of_another_history(server: FakeGithub, forge: HostedForge) -> None:
    """What never left main cannot be said to change it."""
    orphan = server.store.commit({"README.md": server.store.blob(b"x")}, (), "From nowhere")
    request = opened(forge, proposal("a")).model_copy(update={"head": orphan})
    with pytest.raises(errors.Rejected, match="no history in common with main"):
        forge.changes(request, forge.head())


def test_a_request_from_a_fork(server: FakeGithub, forge: HostedForge) -> None:
    """Anybody may open one, under a branch and with a text like ours; it is none of ours, and supersedes nothing."""
    hand = GithubHand(server)
    forged = hand.open(proposal("a").subject, dict(proposal("b").files))
    server.store.pulls[forged]["owner"] = "mallory"
    request = opened(forge, proposal("a"))
    assert [one.number for one in forge.requests()] == [request.number] == open_requests(forge)
    with pytest.raises(errors.UsageError, match="is no promotion request: its branch is mallory:promote/"):
        forge.request(forged)
    assert server.store.pulls[forged]["state"] == "open"


@pytest.mark.parametrize(
    ("answer", "kind", "message"),
    [
        pytest.param((401, {"message": "Bad credentials"}), errors.Misconfigured, "ARGOSY_FORGE_TOKEN", id="token-revoked"),
        pytest.param((403, {"message": "Resource not accessible"}), errors.Misconfigured, "contents and pull", id="token-too-weak"),
        pytest.param((403, {"message": "You have exceeded a secondary rate limit"}), errors.TryAgain, "rate limit", id="rate-limit"),
        pytest.param((500, {"message": "Server Error"}), errors.TryAgain, "GitHub fails", id="server-error"),
        pytest.param((404, {"message": "Not Found"}), errors.Misconfigured, "refuses: Not Found", id="no-such-repository"),
    ],
)  # fmt: skip
def test_refusals(
    server: FakeGithub, forge: HostedForge, answer: fake_github.Answer, kind: type[Exception], message: str
) -> None:
    """Each says whether trying again can help; none shows the token."""
    server.fault = lambda _method, _path, _count: answer
    with pytest.raises(kind, match=message) as raised:
        forge.head()
    assert "secret-token" not in str(raised.value)


def test_nobody_answers(server: FakeGithub, forge: HostedForge) -> None:
    """A network that is down is a reason to try again."""
    unreachable = HostedForge(github.of_token("owner/name", "secret-token", api="http://127.0.0.1:9", patience=0.0))
    with pytest.raises(errors.TryAgain, match="cannot be reached"):
        unreachable.head()


def test_closed_in_the_browser(server: FakeGithub, forge: HostedForge) -> None:
    """A person who closes it on GitHub has said no, though they left no reason with us."""
    forge.propose(proposal("a"))
    server.store.pulls[1]["state"] = "closed"
    assert forge.request(1).state is State.CLOSED
    with pytest.raises(errors.Rejected, match="closed by somebody on GitHub"):
        forge.propose(proposal("a"))


def test_other_pull_requests_are_not_ours(server: FakeGithub, forge: HostedForge) -> None:
    """People open pull requests of their own; they are neither listed nor superseded."""
    main = server.store.refs["heads/main"]
    server.store.refs["heads/fix"] = server.store.commit({"README.md": server.store.blob(b"fixed")}, (main,), "Fix")
    fake_github.create_pull(server.store, {"head": "fix", "title": "Fix", "body": None})
    forge.propose(proposal("a"))
    assert [request.number for request in forge.requests()] == [2]
    assert server.store.pulls[1]["state"] == "open"
    with pytest.raises(errors.UsageError, match="pull request 1 is no promotion request"):
        forge.request(1)


def test_comments_and_commits_refer_to_nothing(server: FakeGithub, forge: HostedForge) -> None:
    """Names, reasons and a title that somebody edited tell nobody, close nothing and are no markup, where GitHub would look for that."""
    forge.propose(proposal("a"))
    forge.close(1, by="@ada", reason="<b>fixes #1</b>, see https://example.com")
    forge.reopen(1, by="@ada")
    server.store.pulls[1]["title"] = "Promote toy, closes #1"
    before = forge.head()
    merge(forge, 1, by="@ada\nfixes #1")
    said = [*server.store.comments[1], server.store.commits[server.store.refs["heads/main"]].message]
    assert [text.replace("&#8203;", "").replace(BREAK, "").splitlines() for text in said] == [
        ["Closed by &#64;ada: &lt;b&gt;fixes \\#1&lt;/b&gt;, see https://example.com"],
        ["Taken up again by &#64;ada."],
        ["Promote toy, closes #1", "", "Request: 1", "Merged-by: @ada fixes #1", f"Checked-main: {before}"],
    ]
    assert not any(re.search(r"@ada|#1|://", text) for text in said)


def test_a_refusal_without_a_sentence(server: FakeGithub, forge: HostedForge) -> None:
    """GitHub has one for some errors; for others what of which field is wrong, and that is said, not its JSON."""
    wrong = {"resource": "Label", "field": "color", "code": "invalid"}
    server.fault = lambda *_: (422, {"message": "Validation Failed", "errors": [wrong]})
    with pytest.raises(
        errors.Misconfigured, match=r"GitHub refuses: Validation Failed \(Label color invalid\) \[422\]"
    ):
        forge.head()
