"""Every forge holds the contract."""

import json
from pathlib import Path

import pytest

from argosy import errors, wiring
from argosy.adapters.local_forge.forge import MAIN, LocalForge
from argosy.adapters.memory_forge import MemoryForge
from argosy.files.git_repository import Person, Repository
from argosy.report.autolinks import BREAK
from argosy.settings import Settings
from argosy.testing.forge_contract import TEMPLATE, ForgeContract, Push, merge, opened, proposal
from argosy.testing.manual_requests import Hand
from kit.hands import LocalHand, MemoryHand
from kit.installed_package import install_example


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
    """A bare repository, opened by the example of a package that keeps a diary beside it: each verb is the local forge's own."""

    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        """Where it will be."""
        return tmp_path / "forge" / "environment.git"

    @pytest.fixture
    def forge(self, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalForge:
        """A fresh one, chosen by its address."""
        LocalForge(path, TEMPLATE)
        install_example("own-forge", tmp_path / "site")
        monkeypatch.syspath_prepend(tmp_path / "site")
        variables = {"ARGOSY_HOME": str(tmp_path / "home"), "ARGOSY_FORGE_URI": f"diary:{path}"}
        found = wiring.forge(Settings.from_environment(variables))
        assert isinstance(found, LocalForge)
        return found

    @pytest.fixture
    def push(self, forge: LocalForge, path: Path) -> Push:
        """A commit that the forge did not make."""
        repository = Repository(path)
        return lambda changes: _push(repository, changes)

    @pytest.fixture
    def hand(self, forge: LocalForge, path: Path) -> Hand:
        """With git."""
        return LocalHand(path)

    def test_decisions_are_in_its_diary(self, forge: LocalForge, path: Path) -> None:
        """Once each, with who and why; a second try of the same decision is none."""
        first, second = opened(forge, proposal("a")), opened(forge, proposal("b", environment="production"))
        forge.close(second.number, by="grace", reason="too early")
        forge.close(second.number, by="grace", reason="too early")
        forge.reopen(second.number, by="ada")
        merge(forge, first.number, by="ada", note="")
        merge(forge, first.number, by="ada", note="")
        lines = path.with_suffix(".diary.jsonl").read_text(encoding="utf-8").splitlines()
        told = [(each["request"], each["what"], each["by"], each["why"]) for each in map(json.loads, lines)]
        assert told == [
            (second.number, "closed", "grace", "too early"),
            (second.number, "opened again", "ada", ""),
            (first.number, "merged", "ada", ""),
        ]

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
