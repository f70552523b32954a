"""A bare repository through git: what a commit holds is asked for once."""

from pathlib import Path

import pytest

from argosy.files import git_repository
from argosy.files.git_repository import Person, Repository

ADA = Person("ada")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """With two files on main."""
    made = Repository(tmp_path / "some.git")
    made.create({"a": b"1\n", "b/c": b"2\n"}, "first", ADA)
    return made


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The verbs of git that are run."""
    run, verbs = git_repository._run, []

    def noted(arguments: list[str], *rest: object) -> bytes:
        verbs.append(arguments[1])
        return run(arguments, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(git_repository, "_run", noted)
    return verbs


def test_a_commit_is_read_once(repository: Repository, calls: list[str]) -> None:
    """Again, in part and with one blob twice: all of that is known, and what is handed out may be changed."""
    commit = repository.resolve("refs/heads/main")
    assert commit is not None
    for _ in range(2):
        found = repository.files(commit)
        assert found == {"a": b"1\n", "b/c": b"2\n"}
        found.clear()
        repository.entries(commit).clear()
    blob = repository.listing(commit)["a"]
    assert repository.contents([blob, blob]) == [b"1\n", b"1\n"]
    assert repository.contents([]) == []
    assert calls == ["rev-parse", "ls-tree", "cat-file"]


def test_what_a_ref_names_is_looked_up_each_time(repository: Repository) -> None:
    """It moves."""
    ref = "refs/heads/main"
    assert repository.files(ref)["a"] == b"1\n"
    first = repository.resolve(ref)
    assert first is not None
    repository.move(ref, repository.commit(first, {"a": b"3\n"}, "second", ADA), first)
    assert repository.files(ref)["a"] == b"3\n"
    assert repository.files(first)["a"] == b"1\n"


def test_only_so_much_is_remembered(repository: Repository, calls: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """What came first is read again; so is what is large, each time."""
    monkeypatch.setattr(git_repository, "REMEMBERED", 1)
    commit = repository.resolve("refs/heads/main")
    assert commit is not None
    one, other = repository.listing(commit).values()
    for blob in (one, other, other, one):
        repository.contents([blob])
    assert calls.count("cat-file") == 3
    monkeypatch.setattr(git_repository, "REMEMBERED_BYTES", 1)
    assert [repository.contents([other]), repository.contents([other])] == [[b"2\n"], [b"2\n"]]
    assert calls.count("cat-file") == 5
