"""The forge on Gitea, against a real server: the contract, and what Gitea does otherwise than GitHub."""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from argosy import errors
from argosy.adapters.hosted_forge.gitea import GiteaHost
from argosy.adapters.hosted_forge.promotion_pulls import HostedForge
from argosy.domain.promotion_requests import State
from argosy.testing.forge_contract import TEMPLATE, ForgeContract, Push, merge, opened, proposal
from argosy.testing.manual_requests import Hand
from argosy.testing.manual_reviews import Reviewers
from argosy.testing.reviewed_forge_contract import ReviewedForgeContract
from kit.gitea_server import ADMINISTRATOR, PASSWORD, GiteaServer, gitea_server
from kit.hands import GiteaHand
from kit.reviewers import GiteaReviewers


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GiteaServer]:
    """One for all."""
    with gitea_server(tmp_path_factory.mktemp("gitea")) as running:
        yield running


@pytest.fixture
def repository(server: GiteaServer) -> str:
    """A fresh one."""
    return server.repository(TEMPLATE)


@pytest.fixture
def forge(server: GiteaServer, repository: str) -> HostedForge:
    """The adapter."""
    return HostedForge(GiteaHost(server.address, repository, server.token))


@pytest.fixture
def hand(server: GiteaServer, repository: str, tmp_path: Path) -> Hand:
    """With git."""
    return GiteaHand(server, repository, tmp_path / "by-hand.git")


def test_owners_a_comment_and_a_status(server: GiteaServer, repository: str, forge: HostedForge, hand: Hand) -> None:
    """Who may be asked is asked once, who may not is named; one comment says what holds, and the status is the commit's."""
    ada = {
        "username": f"ada-{repository.rpartition('-')[2]}",
        "email": f"{repository[-4:]}@ada.example",
        "password": PASSWORD,
    }
    server.call("POST", "admin/users", {**ada, "must_change_password": False})
    server.call("PUT", f"repos/{repository}/collaborators/{ada['username']}", {"permission": "write"})
    hand.push({"CODEOWNERS": f"* @{ada['username']} @nobody\n".encode()})
    for _ in range(2):
        request = opened(forge, proposal("a"))
    place = f"repos/{repository}"
    asked = server.call("GET", f"{place}/pulls/{request.number}")["requested_reviewers"]
    assert [one["login"] for one in asked] == [ada["username"]]
    (said,) = server.call("GET", f"{place}/issues/{request.number}/comments")
    assert said["body"].startswith("CODEOWNERS names nobody for this; Gitea could not ask them")
    forge.report(request, passed=True, text="all is well")
    (said,) = server.call("GET", f"{place}/issues/{request.number}/comments")
    assert said["body"].startswith("all is well")
    (status,) = server.call("GET", f"{place}/commits/{request.head}/statuses")
    assert (status["context"], status["status"]) == ("argosy", "success")


def test_a_rule_of_main_forbids_the_merge(server: GiteaServer, repository: str, forge: HostedForge) -> None:
    """Gitea's reason, and where to see to it; nothing is tried again."""
    server.call("POST", f"repos/{repository}/branch_protections", {"rule_name": "main", "required_approvals": 1})
    opened(forge, proposal("a"))
    with pytest.raises(errors.Rejected, match=r"Gitea does not merge request 1: .*see to it at http\S+/pulls/1"):
        merge(forge, 1)
    assert forge.request(1).state is State.OPEN


def test_a_request_from_a_fork(server: GiteaServer, repository: str, forge: HostedForge) -> None:
    """Anybody may open one, under a branch and with a text like ours; it is none of ours, and supersedes nothing."""
    fork = f"{repository}-fork".partition("/")[2]
    server.call("POST", "orgs", {"username": f"mallory-{fork}"})
    server.call("POST", f"repos/{repository}/forks", {"organization": f"mallory-{fork}", "name": fork})
    theirs = HostedForge(GiteaHost(server.address, f"mallory-{fork}/{fork}", server.token))
    forged = opened(theirs, proposal("a"))
    body = server.call("GET", f"repos/mallory-{fork}/{fork}/pulls/{forged.number}")["body"]
    wanted = {"base": "main", "head": f"mallory-{fork}:{forged.branch}", "title": "Promote", "body": body}
    number = server.call("POST", f"repos/{repository}/pulls", wanted)["number"]
    request = opened(forge, proposal("a"))
    assert [one.number for one in forge.requests()] == [request.number]
    with pytest.raises(errors.UsageError, match="is no promotion request: its branch is"):
        forge.request(number)


class TestReviewsAtGitea(ReviewedForgeContract):
    """The same promises as every forge that has reviews."""

    settling_seconds = 3.0

    @pytest.fixture
    def push(self, hand: Hand) -> Push:
        """A commit that the forge did not make."""
        return hand.push

    @pytest.fixture
    def reviewers(self, server: GiteaServer, repository: str) -> Reviewers:
        """Accounts there."""
        return GiteaReviewers(server, repository)


class TestGiteaForge(ForgeContract):
    """The same promises as every forge."""

    account: ClassVar[str | None] = ADMINISTRATOR

    @pytest.fixture
    def push(self, hand: Hand) -> Push:
        """A commit that the forge did not make."""
        return hand.push
