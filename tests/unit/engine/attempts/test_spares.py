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


@pytest.mark.parametrize("left", ["file", "folder", "link", "mode", "below a mount point"])
def test_what_a_step_left_is_not_handed_on(tmp_path: Path, given: Path, left: str) -> None:
    """Whatever it is, the next step starts with nothing."""
    spares = Spares(tmp_path / "spares", [Path("/tmp/shown/home")])
    folder = given / "tmp"
    spares.take(folder)
    match left:
        case "file":
            (folder / "shown").touch()
        case "folder":
            (folder / "home").mkdir()
        case "link":
            (folder / "shown").symlink_to("/")
        case "mode":
            folder.chmod(0o700)
        case _:
            (folder / "shown/home/more").mkdir(parents=True)
    assert not spares.keep(folder)
    assert folder.exists()


def test_mount_points_are_nothing(tmp_path: Path, given: Path) -> None:
    """A step that was shown a folder below its /tmp left nothing by that."""
    spares = Spares(tmp_path / "spares", [Path("/tmp/shown/home"), Path("/elsewhere")])
    spares.take(given / "tmp")
    (given / "tmp/shown/home").mkdir(parents=True)
    assert spares.keep(given / "tmp")


def test_spares_of_a_killed_engine_are_not_in_the_way(tmp_path: Path, given: Path) -> None:
    """They are not empty where a folder was shown below a step's /tmp; the run that is resumed starts with none."""
    shown = [Path("/tmp/shown/home")]
    killed = Spares(tmp_path / "spares", shown)
    for name in ("tmp", "work"):
        killed.take(given / name)
        (given / name / "shown/home").mkdir(parents=True)
    for name in ("tmp", "work"):
        assert killed.keep(given / name)
    spares = Spares(tmp_path / "spares", shown)
    spares.take(given / "tmp")
    assert list((given / "tmp").iterdir()) == []
    assert spares.keep(given / "tmp")
    assert [folder.name for folder in (tmp_path / "spares").iterdir()] == ["1"]


def test_a_folder_that_was_moved_away_is_not_handed_on(tmp_path: Path, given: Path) -> None:
    """An artifact can be a step's whole /tmp."""
    spares = Spares(tmp_path / "spares")
    spares.take(given / "tmp")
    (given / "tmp").rename(tmp_path / "artifact")
    assert not spares.keep(given / "tmp")
