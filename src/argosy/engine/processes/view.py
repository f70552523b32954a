"""A process' own view of the file system: the machine's, with some paths showing folders and files of the step's own.

In a mount namespace of its own, a new root is put together from bind mounts of what the machine has; where a path that is to be shown does
not exist, the nearest folder above it is put together anew in the same way. Nothing is created on the machine.
"""

import contextlib
import os
import stat
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

from argosy.engine.processes import linux

ROOT = Path("/")
TEMPORARY = "/tmp"  # noqa: S108 - inside the view, where it is the step's own
PLACE = ".root"
OLD = ".machine"


class Bind(NamedTuple):
    """*source*, a file or folder of the machine, is shown at the absolute path *target*."""

    source: Path
    target: str
    read_only: bool = False


def enter(binds: Sequence[Bind], scratch: Path, visible: Sequence[Path] = ()) -> None:
    """Make the view the root of this process, which is alone in its mount namespace.

    *scratch* is what it sees as ``/tmp``; of what the machine has there, only the folders *visible* stay in sight. What it writes into
    ``/`` itself lies in *scratch*'s neighbour with the suffix ``PLACE`` where there is such a folder, otherwise in memory, and is gone
    with the process.
    """
    working = Path.cwd()
    linux.mount("none", ROOT, "", linux.MS_REC | linux.MS_PRIVATE)
    place = scratch.resolve().with_name(f"{scratch.name}{PLACE}")
    wanted = place.exists()
    if not wanted:
        place.mkdir()
    view = _View(place, wanted)
    view.assemble(ROOT)
    kept = [Bind(path, str(path)) for path in _outermost({path for path in visible if Path(TEMPORARY) in path.parents})]
    for bind in [Bind(scratch, TEMPORARY), *sorted([*kept, *binds], key=lambda bind: len(Path(bind.target).parts))]:
        view.show(bind)
    # Processes of the step's own namespace only. Not allowed inside some containers; then the machine's stay in sight, no more than that.
    with contextlib.suppress(OSError):
        linux.mount("proc", place / "proc", "proc", linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC)
    _turn_to(place)
    os.chdir(working if working.exists() else ROOT)


def _outermost(paths: Collection[Path]) -> list[Path]:
    return sorted(path for path in paths if not any(parent in paths for parent in path.parents))


def _turn_to(place: Path) -> None:
    old = place / OLD
    old.mkdir()
    linux.pivot_root(place, old)
    os.chdir(ROOT)
    linux.unmount(ROOT / OLD)
    (ROOT / OLD).rmdir()


class _View:
    """The new root while it is put together at *place*. *wanted*: whether somebody will look for what the process writes into ``/``."""

    def __init__(self, place: Path, wanted: bool) -> None:
        self.place = place
        self.wanted = wanted
        self.own: set[Path] = set()
        """Mount points in which something can be made without the machine having it too."""
        self.shared: set[Path] = set()
        """Mount points that show what the machine has."""

    def assemble(self, folder: Path) -> None:
        """Mount a new folder in the place of the machine's *folder*, with everything in it that the machine has there."""
        target = self.place / folder.relative_to(ROOT)
        mode = stat.S_IMODE(folder.stat().st_mode)
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
        if folder == ROOT and self.wanted:
            linux.mount(str(target), target, "", linux.MS_BIND)
        else:
            linux.mount("tmpfs", target, "tmpfs", linux.MS_NOSUID, f"mode={mode:o}")
        self.own.add(target)
        for entry in entries:
            self._take_over(entry, f"{target}/{entry.name}")

    def show(self, bind: Bind) -> None:
        """Show *bind*, at a place that is made where there is none."""
        target = self._room(Path(bind.target), folder=bind.source.is_dir())
        linux.mount(str(bind.source), target, "", linux.MS_BIND | linux.MS_REC)
        self.own.add(target)
        if bind.read_only:
            linux.mount("none", target, "", linux.MS_BIND | linux.MS_REMOUNT | linux.MS_RDONLY)

    def _take_over(self, source: os.DirEntry[str], target: str) -> None:
        # Plain strings: this is done for every entry of / as each step starts.
        if source.is_symlink():
            os.symlink(os.readlink(source.path), target)  # noqa: PTH115, PTH211
            return
        folder = source.is_dir()
        if folder:
            os.mkdir(target)  # noqa: PTH102
        elif source.is_file():
            os.close(os.open(target, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC))
        else:
            return
        linux.mount(source.path, target, "", linux.MS_BIND | linux.MS_REC)
        self.shared.add(Path(target))

    def _room(self, path: Path, *, folder: bool) -> Path:
        place = self.place
        parts = path.parts[1:]
        for depth, part in enumerate(parts):
            following = place / part
            if following.is_symlink():
                elsewhere = ROOT / place.relative_to(self.place) / following.readlink()
                return self._room(Path(os.path.normpath(elsewhere.joinpath(*parts[depth + 1 :]))), folder=folder)
            if not following.exists():
                if not self._is_own(place):
                    self.assemble(ROOT / place.relative_to(self.place))
                _make(following, folder=folder or depth < len(parts) - 1)
            place = following
        return place

    def _is_own(self, folder: Path) -> bool:
        for place in (folder, *folder.parents):
            if place in self.own:
                return True
            if place in self.shared:
                return False
        return False


def _make(place: Path, *, folder: bool) -> None:
    if folder:
        place.mkdir()
    else:
        place.touch()
