"""The forge on Gitea, against a real server: the contract, and what Gitea does otherwise than GitHub."""

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from argosy.adapters.hosted_forge.gitea import GiteaHost
from argosy.adapters.hosted_forge.promotion_pulls import HostedForge
from argosy.testing.forge_contract import TEMPLATE, ForgeContract, Push
from argosy.testing.manual_requests import Hand
from kit.gitea_server import ADMINISTRATOR, GiteaServer, gitea_server
from kit.hands import GiteaHand


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


class TestGiteaForge(ForgeContract):
    """The same promises as every forge."""

    account: ClassVar[str | None] = ADMINISTRATOR

    @pytest.fixture
    def push(self, hand: Hand) -> Push:
        """A commit that the forge did not make."""
        return hand.push
