"""Every forge holds the contract."""

from pathlib import Path

import pytest

from argosy.adapters.local_forge.forge import MAIN, LocalForge
from argosy.adapters.local_forge.repository import Person, Repository
from argosy.adapters.memory_forge import MemoryForge
from argosy.testing.forge_contract import TEMPLATE, ForgeContract, Push


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


def _push(repository: Repository, changes: object) -> None:
    assert isinstance(changes, dict)
    main = repository.resolve(MAIN)
    assert main is not None
    assert repository.move(MAIN, repository.commit(main, changes, "By hand\n", Person("Some Body")), main)
