"""A process' own view of the file system: the machine's, with some paths showing folders and files of the step's own.

A root is put together from bind mounts of what the machine has. It is made once for a mount namespace (:func:`take_root`) and copied, with
the namespace, for each step, which then has its own files mounted over it (:class:`View`). Where a path that is to be shown does not exist,
the nearest folder above it is put together anew in the same way. Nothing is created on the machine.
"""

import contextlib
import os
import stat
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from argosy import scratch
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


Listing = frozenset[tuple[str, int, str]]


def take_root() -> list[str]:
    """Give this process, which is alone in its mount namespace, a root of its own that shows what the machine's does. Returns the mount
    points in it."""
    linux.mount("none", ROOT, "", linux.MS_REC | linux.MS_PRIVATE)
    place = scratch.place_for_view()
    with scratch.held(place):
        shared = _assemble(ROOT, place)
        # Processes of this namespace only. Not allowed inside some containers; then the machine's stay in sight, no more than that.
        with contextlib.suppress(OSError):
            linux.mount("proc", place / "proc", "proc", linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC)
        _turn_to(place)
        place.rmdir()  # the folder only: never remove what is in a place that shows the machine's files
    return shared


def listing() -> Listing:
    """What lies in the root itself: names, modes, and where links point."""
    with os.scandir(ROOT) as found:
        entries = [(entry.name, entry.stat(follow_symlinks=False).st_mode, _link(entry)) for entry in found]
    return frozenset([*entries, (".", ROOT.stat().st_mode, "")])


class View:
    """What one step sees, in a copy of the namespace that :func:`take_root` made a root for. *shared*: the mount points there."""

    def __init__(self, shared: Collection[str]) -> None:
        self._shared = set(shared)
        """Mount points that show what the machine has."""
        self._own = {str(ROOT)}
        """Mount points in which something can be made without the machine having it too."""
        self._made: list[Path] = []
        """What was made in the root that all steps of the namespace have in common."""

    def show(self, binds: Sequence[Bind], scratch: Path, visible: Sequence[Path] = ()) -> None:
        """Mount *binds* where they are wanted, and *scratch* as ``/tmp``; of what the machine has there, only the folders *visible* stay
        in sight. What the process writes into ``/`` itself lies in *scratch*'s neighbour with the suffix ``PLACE`` where there is such a
        folder, otherwise in memory."""
        place = scratch.resolve().with_name(f"{scratch.name}{PLACE}")
        if separate := place.exists():
            self._shared = set(_assemble(ROOT, place, own=True))
            _turn_to(place)
        kept = [
            Bind(path, str(path)) for path in _outermost({path for path in visible if Path(TEMPORARY) in path.parents})
        ]
        wanted = [Bind(scratch, TEMPORARY), *sorted([*kept, *binds], key=lambda bind: len(Path(bind.target).parts))]
        # Looked up before anything is mounted: a source may lie below what another one hides.
        with _opened([bind.source for bind in wanted]) as sources:
            for bind, source in zip(wanted, sources, strict=True):
                self._show(bind, source)
        if separate:
            self._made.clear()

    def forget(self) -> None:
        """Remove what was made in the root for this step, once its namespace is left. Raises OSError where something else lies in it."""
        for path in reversed(self._made):
            path.rmdir() if path.is_dir() else path.unlink()

    def _show(self, bind: Bind, source: int) -> None:
        target = self._room(Path(bind.target), folder=stat.S_ISDIR(os.fstat(source).st_mode))
        linux.mount(_path_of(source), target, "", linux.MS_BIND | linux.MS_REC)
        self._own.add(str(target))
        if bind.read_only:
            linux.mount("none", target, "", linux.MS_BIND | linux.MS_REMOUNT | linux.MS_RDONLY)

    def _room(self, path: Path, *, folder: bool) -> Path:
        """A place to mount something at *path*, made where there is none."""
        place, parts = ROOT, path.parts[1:]
        for depth, part in enumerate(parts):
            following = place / part
            if following.is_symlink():
                elsewhere = place / following.readlink()
                return self._room(Path(os.path.normpath(elsewhere.joinpath(*parts[depth + 1 :]))), folder=folder)
            if not following.exists():
                self._make(following, folder=folder or depth < len(parts) - 1)
            place = following
        return place

    def _make(self, path: Path, *, folder: bool) -> None:
        holder = self._own_mount_of(path.parent)
        if holder is None:
            holder = str(path.parent)
            self._shared.update(_assemble(path.parent, path.parent))
            self._own.add(holder)
        path.mkdir() if folder else path.touch()
        if holder == str(ROOT):
            self._made.append(path)

    def _own_mount_of(self, folder: Path) -> str | None:
        """The mount point of the step's own that *folder* lies in; None where it is the machine's."""
        for place in map(str, (folder, *folder.parents)):
            if place in self._own:
                return place
            if place in self._shared:
                return None
        return None


def _assemble(folder: Path, target: Path, *, own: bool = False) -> list[str]:
    """Mount a new folder at *target*, with everything in it that the machine's *folder* has; with *own* it is *target* itself that becomes
    the mount point. Returns where in *folder* something is mounted now."""
    mode = stat.S_IMODE(folder.stat().st_mode)
    # All is known of the entries before something hides them.
    with os.scandir(folder) as found:
        entries = sorted((entry.name, stat.S_IFMT(entry.stat(follow_symlinks=False).st_mode)) for entry in found)
    with _opened([folder]) as (source,):
        if own:
            linux.mount(str(target), target, "", linux.MS_BIND)
        else:
            linux.mount("tmpfs", target, "tmpfs", linux.MS_NOSUID, f"mode={mode:o}")
        # What is put together is not shown inside itself.
        linux.mount("none", target, "", linux.MS_UNBINDABLE)
        taken = [name for name, kind in entries if _take_over(f"{_path_of(source)}/{name}", kind, f"{target}/{name}")]
    return [str(folder / name) for name in taken]


def _take_over(source: str, kind: int, target: str) -> bool:
    """Show *source* at *target*, which is nothing yet; whether it was mounted for that. Plain strings: done for every entry of ``/``."""
    match kind:
        case stat.S_IFLNK:
            os.symlink(os.readlink(source), target)  # noqa: PTH115, PTH211
            return False
        case stat.S_IFDIR:
            os.mkdir(target)  # noqa: PTH102
        case stat.S_IFREG:
            os.close(os.open(target, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC))
        case _:
            return False
    linux.mount(source, target, "", linux.MS_BIND | linux.MS_REC)
    return True


def _turn_to(place: Path) -> None:
    """Make the mount point *place* the root of this process."""
    old = place / OLD
    old.mkdir()
    linux.pivot_root(place, old)
    os.chdir(ROOT)
    linux.unmount(ROOT / OLD)
    (ROOT / OLD).rmdir()


@contextlib.contextmanager
def _opened(paths: Sequence[Path]) -> Iterator[list[int]]:
    """*paths*, held by descriptors that name them whatever is mounted over them."""
    with contextlib.ExitStack() as stack:
        numbers = [os.open(path, os.O_PATH | os.O_CLOEXEC) for path in paths]
        for number in numbers:
            stack.callback(os.close, number)
        yield numbers


def _path_of(number: int) -> str:
    return f"/proc/self/fd/{number}"


def _link(entry: os.DirEntry[str]) -> str:
    return os.readlink(entry.path) if entry.is_symlink() else ""  # noqa: PTH115


def _outermost(paths: Collection[Path]) -> list[Path]:
    return sorted(path for path in paths if not any(parent in paths for parent in path.parents))
