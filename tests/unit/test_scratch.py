"""Temporary folders go with their process, or with the next engine."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from argosy import scratch


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A place for temporary files of the test's own."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path  # type: ignore[return-value]


def _left(machine: Path, name: str, age: float = 3600.0) -> Path:
    """A folder that a killed process left, *age* seconds ago."""
    path = machine / name
    (path / "scratch").mkdir(parents=True)
    os.utime(path, (time.time() - age,) * 2)
    return path


def test_a_folder_lasts_as_long_as_its_block(machine: Path) -> None:
    """It is there for its user alone, and gone afterwards with all that is in it."""
    with scratch.folder("git") as folder:
        (folder / "file").touch()
        assert folder.parent == machine
        assert folder.stat().st_mode & 0o777 == 0o700
    assert list(machine.iterdir()) == []


def test_what_the_dead_left_is_removed(machine: Path) -> None:
    """Of every purpose, with the files in it."""
    for purpose in scratch.PURPOSES:
        path = _left(machine, f"argosy-{purpose}-dead")
        if purpose != "view":
            (path / "scratch" / "file").touch()
            os.utime(path, (0, 0))
    scratch.clear_left()
    assert list(machine.iterdir()) == []


def test_what_lives_stays(machine: Path) -> None:
    """A folder that a process holds, however old; one too young to tell; what belongs to others."""
    young = _left(machine, "argosy-git-young", age=1)
    others = [_left(machine, name) for name in ("argosy-notes", "argosy-mine-1", "git-view-1")]
    (machine / "argosy-git-file").touch()
    with scratch.folder("imports") as held:
        os.utime(held, (0, 0))
        scratch.clear_left()
        assert {path.name for path in machine.iterdir()} == {
            path.name for path in (young, held, machine / "argosy-git-file", *others)
        }


def test_a_link_is_not_followed(machine: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Whoever can write to the machine's temporary folder cannot have another folder removed."""
    target = tmp_path_factory.mktemp("target")
    os.utime(target, (0, 0))
    (machine / "argosy-git-link").symlink_to(target)
    scratch.clear_left()
    assert target.is_dir()


def test_no_file_is_removed_from_a_view(machine: Path) -> None:
    """A view shows the machine's own files: a folder with something in it is left alone."""
    path = _left(machine, "argosy-view-dead")
    (path / "scratch" / "precious").touch()
    os.utime(path, (0, 0))
    scratch.clear_left()
    assert (path / "scratch" / "precious").exists()


def test_a_clock_that_was_set_back_keeps_nothing(machine: Path) -> None:
    """What the dead left in a future that is no more goes as well."""
    path = _left(machine, "argosy-serve-dead", age=-7200)
    scratch.clear_left()
    assert not path.exists()


def test_whoever_needs_a_folder_removes_what_the_dead_left(machine: Path) -> None:
    """A server that was killed, for one, is cleared away when the next one starts; by another process, and once in each."""
    left = _left(machine, "argosy-serve-dead")
    code = "from argosy import scratch\nwith scratch.folder('serve') as folder: print(folder.parent)"
    environment = os.environ | {"TMPDIR": str(machine)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(machine)
    assert not left.exists()


def test_nobody_makes_temporary_folders_of_ours_in_another_way() -> None:
    """A folder that no lock holds stays for ever when its process is killed."""
    source = Path(scratch.__file__).parent
    assert [path for path in source.rglob("*.py") if 'TemporaryDirectory(prefix="argosy-' in path.read_text()] == []
