"""What a contract of forges needs at the stand-in for GitHub."""

import pytest

from argosy.testing.forge_contract import Push
from argosy.testing.manual_requests import Hand
from argosy.testing.manual_reviews import Reviewers
from kit.fake_github import FakeGithub
from kit.hands import GithubHand
from kit.reviewers import GithubReviewers


class AtGithub:
    """People at the stand-in; a contract's test class inherits them beside the contract."""

    @pytest.fixture
    def push(self, server: FakeGithub) -> Push:
        """Straight to main."""
        return server.store.push

    @pytest.fixture
    def hand(self, server: FakeGithub) -> Hand:
        """Straight into it."""
        return GithubHand(server)

    @pytest.fixture
    def reviewers(self, server: FakeGithub) -> Reviewers:
        """Straight into it."""
        return GithubReviewers(server)
