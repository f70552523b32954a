"""Folders that several processes keep files in, each removing what it emptied."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from argosy import shared_folders


def test_what_the_writer_returns(tmp_path: Path) -> None:
    """The folder is there when the writer is called, and what it gives is given on."""
    folder = tmp_path / "a" / "b"
    assert shared_folders.write_inside(folder, folder.is_dir)


def test_a_folder_that_goes_before_it_is_written_in(tmp_path: Path) -> None:
    """It is made again, and written in again."""
    folder = tmp_path / "a" / "b"
    gone = [folder, folder.parent]

    def write() -> int:
        while gone:
            gone.pop(0).rmdir()
        return (folder / "file").write_text("x", encoding="utf-8")

    assert shared_folders.write_inside(folder, write) == 1


@pytest.mark.parametrize("error", [FileExistsError, FileNotFoundError])
def test_a_folder_that_goes_while_it_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[OSError]
) -> None:
    """Whatever the system says of a folder that was there a moment ago: what it was in may be gone with it."""
    folder, make = tmp_path / "a", Path.mkdir
    lost = [error(), error()]

    def mkdir(path: Path, *arguments: Any, **named: Any) -> None:
        if lost:
            raise lost.pop()
        make(path, *arguments, **named)

    monkeypatch.setattr(Path, "mkdir", mkdir)
    assert shared_folders.write_inside(folder, folder.is_dir)


@pytest.mark.parametrize("place", ["file", "file/below"])
def test_a_file_in_the_place_of_a_folder(tmp_path: Path, place: str) -> None:
    """It is said at once, and what is there stays."""
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises((FileExistsError, NotADirectoryError)):
        shared_folders.write_inside(tmp_path / place, lambda: None)
    assert (tmp_path / "file").read_text(encoding="utf-8") == "x"


def test_what_the_writer_finds_missing_otherwise(tmp_path: Path) -> None:
    """A file that is not there for another reason is heard of."""
    with pytest.raises(FileNotFoundError):
        shared_folders.write_inside(tmp_path, (tmp_path / "none").read_text)


@pytest.mark.parametrize(
    ("outside", "left"),
    [(lambda root: root / "a", ["a"]), (lambda root: root, []), (lambda root: root / "x", ["a", "a/b"])],
)
def test_only_emptied_folders_up_to_the_root_go(
    tmp_path: Path, outside: Callable[[Path], Path], left: list[str]
) -> None:
    """Nothing above the root is removed, and nothing that is not below it."""
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    shared_folders.remove_emptied(folder, outside(tmp_path))
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")) == left


def test_a_folder_with_something_in_it_stays(tmp_path: Path) -> None:
    """And so does what is above it."""
    (tmp_path / "a" / "b").mkdir(parents=True)
    (tmp_path / "a" / "file").touch()
    shared_folders.remove_emptied(tmp_path / "a" / "b", tmp_path)
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["file"]
