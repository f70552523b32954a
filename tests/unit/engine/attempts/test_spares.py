"""Folders that attempts hand on, and those they do not."""

from pathlib import Path

import pytest

from argosy.engine.attempts.spares import Spares


@pytest.fixture
def given(tmp_path: Path) -> Path:
    """Where the folders of an attempt are made."""
    folder = tmp_path / "attempt"
    folder.mkdir()
    return folder


def test_an_empty_folder_is_handed_on(tmp_path: Path, given: Path) -> None:
    """The same inode, and none left once the run is over."""
    spares = Spares(tmp_path / "spares")
    spares.take(given / "tmp")
    inode = (given / "tmp").stat().st_ino
    assert spares.keep(given / "tmp")
    assert not (given / "tmp").exists()
    spares.take(given / "again")
    assert (given / "again").stat().st_ino == inode
    assert spares.keep(given / "again")
    spares.close()
    assert not (tmp_path / "spares").exists()


@pytest.mark.parametrize("left", ["file", "folder", "link", "mode"])
def test_what_a_step_left_is_not_handed_on(tmp_path: Path, given: Path, left: str) -> None:
    """Whatever it is, the next step starts with nothing."""
    spares = Spares(tmp_path / "spares")
    folder = given / "tmp"
    spares.take(folder)
    match left:
        case "file":
            (folder / "shown").touch()
        case "folder":
            (folder / "home").mkdir()
        case "link":
            (folder / "shown").symlink_to("/")
        case _:
            folder.chmod(0o700)
    assert not spares.keep(folder)
    assert folder.exists()


def test_spares_of_a_killed_engine_are_not_in_the_way(tmp_path: Path, given: Path) -> None:
    """The run that is resumed starts with none."""
    killed = Spares(tmp_path / "spares")
    for name in ("tmp", "work"):
        killed.take(given / name)
    for name in ("tmp", "work"):
        assert killed.keep(given / name)
    spares = Spares(tmp_path / "spares")
    spares.take(given / "tmp")
    assert spares.keep(given / "tmp")
    assert [folder.name for folder in (tmp_path / "spares").iterdir()] == ["1"]


def test_a_folder_that_was_moved_away_is_not_handed_on(tmp_path: Path, given: Path) -> None:
    """An artifact can be a step's whole /tmp."""
    spares = Spares(tmp_path / "spares")
    spares.take(given / "tmp")
    (given / "tmp").rename(tmp_path / "artifact")
    assert not spares.keep(given / "tmp")
