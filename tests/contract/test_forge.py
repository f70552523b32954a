"""Every forge holds the contract."""

from pathlib import Path

import pytest

from argosy import errors
from argosy.adapters.local_forge.forge import MAIN, LocalForge
from argosy.adapters.memory_forge import MemoryForge
from argosy.files.git_repository import Person, Repository
from argosy.report.autolinks import BREAK
from argosy.testing.forge_contract import TEMPLATE, ForgeContract, Push, merge, opened, proposal
from argosy.testing.manual_requests import Hand
from kit.hands import LocalHand, MemoryHand


class TestMemoryForge(ForgeContract):
    """The fake that other tests use."""

    @pytest.fixture
    def forge(self) -> MemoryForge:
        """A fresh one."""
        return MemoryForge(TEMPLATE)

    @pytest.fixture
    def push(self, forge: MemoryForge) -> Push:
        """Straight to main."""
        return forge.push

    @pytest.fixture
    def hand(self, forge: MemoryForge) -> Hand:
        """Straight into it."""
        return MemoryHand(forge)


class TestLocalForge(ForgeContract):
    """A bare repository."""

    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        """Where it will be."""
        return tmp_path / "forge" / "environment.git"

    @pytest.fixture
    def forge(self, path: Path) -> LocalForge:
        """A fresh one."""
        return LocalForge(path, TEMPLATE)

    @pytest.fixture
    def push(self, forge: LocalForge, path: Path) -> Push:
        """A commit that the forge did not make."""
        repository = Repository(path)
        return lambda changes: _push(repository, changes)

    @pytest.fixture
    def hand(self, forge: LocalForge, path: Path) -> Hand:
        """With git."""
        return LocalHand(path)

    def test_a_commit_of_another_history(self, forge: LocalForge, path: Path) -> None:
        """What never left main cannot be said to change it."""
        repository = Repository(path)
        orphan = repository.commit(None, dict(proposal("a").files), "From nowhere\n", Person("mallory"))
        request = opened(forge, proposal("a")).model_copy(update={"head": orphan})
        with pytest.raises(errors.Rejected, match="no history in common with main"):
            forge.changes(request, forge.head())


def _push(repository: Repository, changes: object) -> None:
    assert isinstance(changes, dict)
    main = repository.resolve(MAIN)
    assert main is not None
    assert repository.move(MAIN, repository.commit(main, changes, "By hand\n", Person("Some Body")), main)


def test_a_merge_refers_to_nothing(tmp_path: Path) -> None:
    """A commit on main closes issues and tells people, wherever it is pushed to, if a name in it reads like a reference."""
    forge = LocalForge(tmp_path / "environment.git", TEMPLATE)
    forge.propose(proposal("a"))
    merge(forge, 1, by="@ada, fixes #1", note="Overruled-by: ada (policy)\n")
    said = Repository(tmp_path / "environment.git").git("log", "-1", "--format=%B", MAIN).decode()
    assert said.replace(BREAK, "").splitlines()[2:5] == [
        "Request: 1",
        "Merged-by: @ada, fixes #1",
        "Overruled-by: ada (policy)",
    ]
    assert "@ada" not in said
    assert "#1" not in said
