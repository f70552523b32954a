"""What is shown to a step is what it would not see otherwise."""

from pathlib import Path

import pytest

from argosy.engine.attempts.visible_paths import VisiblePaths
from argosy.engine.manifest.model import Template
from argosy.engine.options import Place
from argosy.engine.processes import system


@pytest.fixture
def part_of_the_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a file that every step sees."""
    folder = tmp_path / "system"
    folder.mkdir()
    (folder / "file").touch()
    monkeypatch.setattr(system, "shown", lambda: (folder,))
    return folder


@pytest.fixture
def given(tmp_path: Path) -> Path:
    """A folder that steps are given."""
    folder = tmp_path / "given"
    folder.mkdir()
    return folder


def seen(folder: Path, *, writable: bool = False) -> list[str]:
    """What a step gets to see that is given *folder*."""
    return [bind.target for bind in VisiblePaths([Place(folder, writable)]).of(Template({}))]


def test_a_link_into_the_system_shows_nothing_more(part_of_the_system: Path, given: Path) -> None:
    """A folder of certificates has hundreds, and each mount is paid for at each step."""
    for number in range(3):
        (given / f"link-{number}").symlink_to(part_of_the_system / "file")
    assert seen(given) == [str(given)]


def test_a_link_elsewhere_is_followed(part_of_the_system: Path, given: Path, tmp_path: Path) -> None:
    """What it leads to is shown beside the folder."""
    (tmp_path / "elsewhere").touch()
    (given / "link").symlink_to(tmp_path / "elsewhere")
    assert seen(given) == [str(given), str(tmp_path / "elsewhere")]


def test_a_link_of_the_system_that_leads_out_of_it_is_followed(
    part_of_the_system: Path, given: Path, tmp_path: Path
) -> None:
    """The name is part of the system, the file is not."""
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/file").touch()
    (part_of_the_system / "away").symlink_to(tmp_path / "elsewhere")
    (given / "link").symlink_to(part_of_the_system / "away/file")
    assert seen(given) == [str(given), str(part_of_the_system / "away/file")]


def test_a_link_to_what_only_some_may_read_in_etc_is_followed(given: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of ``/etc`` a step sees what everybody may read: what is given to it is shown all the same."""
    monkeypatch.setattr(system, "shown", lambda: (system.ETC,))
    (given / "link").symlink_to("/etc/passwd")
    assert seen(given) == [str(given), "/etc/passwd"]


def test_a_link_that_leads_elsewhere_by_now_is_followed(given: Path, tmp_path: Path) -> None:
    """As one does that names the release in use: steps later in the run see the one that it names by then."""
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
    (given / "current").symlink_to(tmp_path / "first")
    visible = VisiblePaths([Place(given)])
    assert [bind.target for bind in visible.of(Template({}))] == [str(given), str(tmp_path / "first")]
    (given / "next").symlink_to(tmp_path / "second")
    (given / "next").rename(given / "current")
    assert [bind.target for bind in visible.of(Template({}))] == [str(given), str(tmp_path / "second")]


@pytest.mark.parametrize("as_volume", [False, True], ids=["allowed", "volume"])
@pytest.mark.parametrize("read", [".", "out", "out/link", "out/link/key"])
def test_a_link_that_a_step_may_have_put_is_not_followed(
    read: str, as_volume: bool, given: Path, tmp_path: Path
) -> None:
    """Below a folder to be read may lie one that steps write to: what they link to is not shown to those after them."""
    (tmp_path / "private").mkdir()
    (tmp_path / "private/key").touch()
    (given / "out").mkdir()
    (given / "out/link").symlink_to(tmp_path / "private")
    others = [] if as_volume else [Place(given / "out", writable=True)]
    found = VisiblePaths([Place(given / read), *others], volumes=[given / "out"] if as_volume else []).of(Template({}))
    assert [bind for bind in found if not Path(bind.target).resolve().is_relative_to(given)] == []


def test_what_a_step_puts_a_link_in_place_of_is_not_followed(given: Path, tmp_path: Path) -> None:
    """It was a folder when it was shown first."""
    (tmp_path / "private").mkdir()
    (given / "out").mkdir()
    visible = VisiblePaths([Place(given, writable=True), Place(given / "out")])
    assert [bind.target for bind in visible.of(Template({}))] == [str(given), str(given / "out")]
    (given / "out").rmdir()
    (given / "out").symlink_to(tmp_path / "private")
    assert [bind.target for bind in visible.of(Template({}))] == [str(given)]


def test_what_is_gone_by_now_is_not_shown(given: Path, tmp_path: Path) -> None:
    """A step could not be started with it."""
    (tmp_path / "elsewhere").touch()
    (given / "link").symlink_to(tmp_path / "elsewhere")
    visible = VisiblePaths([Place(given)])
    assert len(visible.of(Template({}))) == 2
    (tmp_path / "elsewhere").unlink()
    assert [bind.target for bind in visible.of(Template({}))] == [str(given)]


def test_what_has_come_by_now_is_shown(given: Path) -> None:
    """What a step is to read may be made by the step before."""
    visible = VisiblePaths([Place(given / "later")])
    assert visible.of(Template({})) == []
    (given / "later").touch()
    assert [bind.target for bind in visible.of(Template({}))] == [str(given / "later")]


def test_a_folder_is_not_looked_through_for_each_step(given: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may have a hundred thousand entries."""
    (given / "file").touch()
    visible = VisiblePaths([Place(given)])
    first = visible.of(Template({}))
    monkeypatch.setattr("os.walk", None)
    assert visible.of(Template({})) == first
