"""What the forge on GitHub asks, and what our stand-in for it answers, is as GitHub itself describes its interface."""

from collections.abc import Iterator
from typing import ClassVar

import pytest

from argosy.adapters.hosted_forge import github
from argosy.adapters.hosted_forge.promotion_pulls import HostedForge
from argosy.testing.forge_contract import TEMPLATE, ForgeContract, opened, proposal
from kit import fake_github
from kit.fake_github import FakeGithub
from kit.github_description import Description, Exchange, description
from kit.github_standin import AtGithub


@pytest.fixture(scope="module")
def described() -> Description:
    """GitHub's own."""
    return description()


@pytest.fixture
def server(described: Description) -> Iterator[FakeGithub]:
    """A stand-in; all that was said in a test must be as described."""
    fake = FakeGithub(TEMPLATE)
    yield fake
    fake.stop()
    assert fake.exchanges
    # Of GraphQL the description has not a word; see test_github_graphql.
    complaints = {
        one for exchange in fake.exchanges if exchange.target != "/graphql" for one in described.complaints(exchange)
    }
    assert not complaints, "\n".join(sorted(complaints))


class TestDescribedGithubForge(AtGithub, ForgeContract):
    """The contract, every call of which is held against the description."""

    account: ClassVar[str | None] = fake_github.ACCOUNT

    @pytest.fixture
    def forge(self, server: FakeGithub) -> HostedForge:
        """The adapter, in a hurry."""
        return HostedForge(github.of_token("owner/name", "secret-token", api=server.api, patience=0.0))


def test_what_the_contract_does_not_call(server: FakeGithub) -> None:
    """Owners who are asked, comments that are written anew, statuses."""
    server.store.people = {"ada"}
    server.store.push({"CODEOWNERS": b"* @ada @acme/reviewers\n"})
    forge = HostedForge(github.of_token("owner/name", "secret-token", api=server.api, patience=0.0))
    request = opened(forge, proposal("a"))
    forge.report(request, passed=False, text="red")
    assert (server.store.reviewers, len(server.store.comments[1])) == ({1: ["ada"]}, 1)


@pytest.mark.parametrize(
    ("exchange", "said"),
    [
        pytest.param(Exchange("GET", "/repos/o/n/nothing/7", None, 200, {}), "not described", id="address"),
        pytest.param(Exchange("GET", "/repos/o/n/pulls?order=asc", None, 200, []), "query 'order'", id="query"),
        pytest.param(Exchange("POST", "/repos/o/n/git/refs", {"ref": "r"}, 201, {}), "'sha' is a required", id="missing"),
        pytest.param(Exchange("POST", "/repos/o/n/pulls", {"base": 1, "head": "h"}, 201, {}), "asked base", id="type"),
        pytest.param(Exchange("GET", "/repos/o/n/pulls/7", None, 200, {"sha": "a"}), "'sha' was unexpected", id="answer"),
        pytest.param(Exchange("GET", "/repos/o/n/pulls/7", None, 299, {}), "status 299", id="status"),
    ],
)  # fmt: skip
def test_what_is_not_described_is_found(described: Description, exchange: Exchange, said: str) -> None:
    """The check can fail."""
    assert any(said in one for one in described.complaints(exchange)), described.complaints(exchange)
