"""What the forge asks of GitHub's GraphQL, and the words in which our stand-in answers, are those of GitHub's own schema."""

from collections.abc import Iterator

import pytest
from graphql import GraphQLSchema

from argosy.adapters.hosted_forge import github
from argosy.adapters.hosted_forge.promotion_pulls import HostedForge
from argosy.testing.forge_contract import TEMPLATE, proposal
from argosy.testing.reviewed_forge_contract import ReviewedForgeContract
from kit import github_graphql
from kit.fake_github import FakeGithub
from kit.github_standin import AtGithub


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    """GitHub's own."""
    return github_graphql.published()


@pytest.fixture
def server(schema: GraphQLSchema) -> Iterator[FakeGithub]:
    """A stand-in; every query of a test must be understood by GitHub's schema."""
    fake = FakeGithub(TEMPLATE)
    yield fake
    fake.stop()
    asked = {exchange.given["query"] for exchange in fake.exchanges if exchange.target == "/graphql"}
    assert asked
    assert not [said for query in asked for said in github_graphql.complaints(schema, query)]


@pytest.fixture
def forge(server: FakeGithub) -> HostedForge:
    """The adapter, in a hurry."""
    return HostedForge(github.of_token("owner/name", "secret-token", api=server.api, patience=0.0))


class TestReviewsByGithubsSchema(AtGithub, ReviewedForgeContract):
    """Reviews, and merges that are left to it."""


def test_teams_and_many_files(server: FakeGithub, forge: HostedForge) -> None:
    """In whose name a review was given, and contents by the hundred."""
    server.store.push({"CODEOWNERS": b"* @acme/reviewers\n"})
    request = forge.propose(proposal("a"))
    assert request is not None
    server.store.approvals = 1
    review = {"login": "ada", "state": "APPROVED", "oid": request.head, "team": "acme/reviewers"}
    server.store.reviews[request.number] = [review]
    assert forge.approval(request).state == "given"
    assert forge.contents([f"no/{number}" for number in range(9)] + ["README.md"], forge.head()) == {
        "README.md": TEMPLATE["README.md"]
    }


def test_the_stand_in_speaks_as_github_does(schema: GraphQLSchema) -> None:
    """No type, field, argument or kind of answer of ours that GitHub has not, or has otherwise."""
    assert not github_graphql.deviations(schema)


def test_what_github_does_not_understand_is_found(schema: GraphQLSchema) -> None:
    """The check can fail."""
    assert github_graphql.complaints(schema, "{ repository(owner: 1) { pullRequest { decision } } }")
