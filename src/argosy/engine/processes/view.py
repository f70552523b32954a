"""A process' own view of the file system: the system's folders, read-only, and what the process was given; nothing else of the machine.

A cell has two mount namespaces (:class:`Root`): one as the machine's, and one with a root put together of what every step sees
(``system``). For each step the second is copied, and what the step is given is taken from the first and shown in the copy
(:class:`View`). Where a path that is to be shown does not exist, the nearest folder above it is put together anew. Nothing is created on
the machine.
"""

import contextlib
import errno
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from argosy import scratch
from argosy.engine.processes import linux, readable, system

ROOT = Path("/")
PLACE = ".root"
OLD = ".machine"
NOTHING = "/dev/null"
_STICKY = ("dev/shm", "tmp")
_FOLDER_ITSELF = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NOT_OF_ANOTHER = (errno.EINVAL, errno.EPERM)
"""The kernel's errors where a file system cannot be shown with other owners: it has not learned to, or belongs to another namespace."""
_PROC_OF_MACHINE = ("bus", "fs", "irq", "sys")
"""Through what else lies there, root sets and reads this machine's."""
_PROC_HIDDEN = ("kcore", "keys", "sysrq-trigger", "timer_list")


class Bind(NamedTuple):
    """*source*, a file or folder of the machine, is shown at the absolute path *target*."""

    source: Path
    target: str
    read_only: bool = False


Listing = list[tuple[str, int, str]]


class Made(NamedTuple):
    """A place to mount something at that was made for one step: *parts* below a folder that no step can replace. *inode*: what was made;
    None where no step can have come there."""

    parts: tuple[str, ...]
    inode: int | None


class Root:
    """The two mount namespaces of a cell. This process must be in one of its own, which is as the machine's and becomes the first."""

    def __init__(self, nobody: int | None) -> None:
        """*nobody*: the namespace of users in which root sees of ``/etc`` what everybody may read, where there is one."""
        linux.mount("none", ROOT, "", linux.MS_REC | linux.MS_PRIVATE)
        self._nobody = nobody
        self._machine = _namespace()
        place = scratch.place_for_view()
        with scratch.held(place):
            self._states = _put_together(place, nobody)
            """The folders of the machine that were looked through, not mounted."""
            self.shared = [*map(str, system.shown()), "/proc", "/dev/pts"]
            """Mount points in the root that show what the machine has."""
            linux.leave_mounts()
            _turn_to(place)
            self._inside = _namespace()
            self._folders, self._links = _own_entries("/")
            self._listing = self._found()
            self.leave()
            linux.unmount(place)
            place.rmdir()  # the folder only: never remove what is in a place that shows the machine's files

    def renewed(self) -> "Root":
        """A root that shows what the machine has now: this one where it does, otherwise one that takes its place."""
        if all(found and readable.state(path) == found for path, found in self._states.items()):
            return self
        root = Root(self._nobody)
        os.close(self._machine)
        os.close(self._inside)
        return root

    def enter(self) -> None:
        """From the machine's namespace go to a copy of the other, which is this process' alone."""
        linux.enter_mounts(self._inside)
        linux.leave_mounts()

    def clear(self, made: Sequence[Made]) -> bool:
        """Drop the copy, with the places *made* in the root for one step; whether the root is then as it was."""
        linux.enter_mounts(self._inside)
        try:
            for place in reversed(made):
                _unmake(ROOT, place)
            return self._found() == self._listing
        except OSError:
            return False  # something else lies in one
        finally:
            self.leave()

    def _found(self) -> Listing:
        """The entries of the root itself: modes and names by folder, and where links point."""
        folders = [(path, os.lstat(path).st_mode, "/".join(sorted(os.listdir(path)))) for path in self._folders]  # noqa: PTH208
        return [*folders, *((path, 0, os.readlink(path)) for path in self._links)]  # noqa: PTH115 - done after each step

    def leave(self) -> None:
        """Go back to the machine's namespace."""
        linux.enter_mounts(self._machine)


class View:
    """The view of one step: *root*, with its own files shown in a copy."""

    def __init__(self, root: Root) -> None:
        self._root = root
        self._shared = set(root.shared)
        """Mount points that show what the machine has."""
        self._own = {str(ROOT)}
        """Mount points in which something can be made without the machine having it too."""
        self._made: list[Made] = []
        """The places made in the root that all steps of the cell have in common."""
        self._made_outside: list[Made] = []
        """The places made in the step's own ``/tmp``, as the machine has it."""

    def show(self, binds: Sequence[Bind], scratch: Path, given: Sequence[Bind] = ()) -> None:
        """Go to a view with *binds* where they are wanted, *given* at their own paths, and *scratch* as ``/tmp``. What the process writes
        into ``/`` itself lies in *scratch*'s neighbour with the suffix ``PLACE`` where there is such a folder, otherwise in memory."""
        self._scratch = scratch
        place = scratch.resolve().with_name(f"{scratch.name}{PLACE}")
        with contextlib.ExitStack() as stack:
            own = _held(stack, place) if place.exists() else None
            linked = _held_behind_links(stack)
            # Each step has a /tmp of its own, which hides what the root has there.
            hidden = [Bind(path, str(path), read_only=True) for path in system.shown() if system.is_temporary(path)]
            wanted = sorted([*hidden, *linked, *given, *binds], key=lambda bind: len(Path(bind.target).parts))
            wanted.insert(0, Bind(scratch, system.TEMPORARY))
            trees = [(_held(stack, bind.source, read_only=bind.read_only), bind) for bind in wanted]
            self._root.enter()
            if own is not None:
                self._shared = set(_assemble(ROOT, ROOT / PLACE, own=own))
                _turn_to(ROOT / PLACE)
            for tree, bind in trees:
                target = self._room(Path(bind.target), folder=stat.S_ISDIR(os.fstat(tree).st_mode))
                linux.attach(tree, target)
                self._own.add(str(target))
        if own is not None:
            self._made = [Made((PLACE,), None)]

    def forget(self) -> bool:
        """Leave the view, and remove what was made in the root for this step; whether nothing of it is left there."""
        return self._root.clear(self._made)

    def clear_scratch(self) -> None:
        """Remove from the step's ``/tmp`` what was made there to mount something at: as an artifact, it has only what the step left."""
        if not self._made_outside:
            return
        self._root.leave()
        for place in reversed(self._made_outside):
            with contextlib.suppress(OSError):  # it has become the step's own
                _unmake(self._scratch, place)

    def _room(self, path: Path, *, folder: bool) -> Path:
        """A place to mount something at *path*, made where there is none."""
        place, parts = ROOT, path.parts[1:]
        for depth, part in enumerate(parts):
            following = place / part
            if (link := self._link_at(following)) is not None:
                elsewhere = place / link
                return self._room(Path(os.path.normpath(elsewhere.joinpath(*parts[depth + 1 :]))), folder=folder)
            if not following.exists():
                try:
                    self._make(following, folder=folder or depth < len(parts) - 1)
                except FileExistsError:  # by now: a container beside, which has the same /tmp, wants it too
                    return self._room(path, folder=folder)
            place = following
        return place

    def _link_at(self, path: Path) -> str | None:
        """The target of the link *path*; None where there is none. A folder that keeps everybody out becomes the step's own, and empty."""
        try:
            return os.readlink(path)  # noqa: PTH115 - done for each step
        except PermissionError:
            linux.mount("tmpfs", path.parent, "tmpfs", linux.MS_NOSUID, "mode=755")
            self._own.add(str(path.parent))
        except OSError:  # something else, or nothing
            pass
        return None

    def _make(self, path: Path, *, folder: bool) -> None:
        holder = self._own_mount_of(path.parent)
        if holder is None:
            holder = str(path.parent)
            self._shared.update(_assemble(path.parent, path.parent))
            self._own.add(holder)
        path.mkdir() if folder else path.touch(exist_ok=False)
        inode = os.lstat(path).st_ino
        if holder == str(ROOT):
            self._made.append(Made(path.parts[1:], inode))
        elif holder == system.TEMPORARY:
            self._made_outside.append(Made(path.relative_to(system.TEMPORARY).parts, inode))

    def _own_mount_of(self, folder: Path) -> str | None:
        """The mount point of the step's own that *folder* lies in; None where it is the machine's."""
        for place in map(str, (folder, *folder.parents)):
            if place in self._own:
                return place
            if place in self._shared:
                return None
        return None


def _unmake(top: Path, made: Made) -> None:
    """Remove what was *made* below *top*, if it is still that. A step can have put links in its way, which are not followed: this process
    may remove what the step may not even see. Raises OSError where something lies in it."""
    folder = os.open(top, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in made.parts[:-1]:
            above, folder = folder, os.open(part, _FOLDER_ITSELF, dir_fd=folder)
            os.close(above)
        found = os.stat(made.parts[-1], dir_fd=folder, follow_symlinks=False)
        if made.inode in (None, found.st_ino):
            remove = os.rmdir if stat.S_ISDIR(found.st_mode) else os.unlink
            remove(made.parts[-1], dir_fd=folder)
    finally:
        os.close(folder)


def _put_together(place: Path, nobody: int | None) -> dict[str, readable.State]:
    """Mount a root at *place* with what every step sees. Returns the folders of the machine that were looked through for it."""
    linux.mount("tmpfs", place, "tmpfs", linux.MS_NOSUID, "mode=755")
    for name in system.EMPTY:
        (place / name).mkdir(0o1777 if name in _STICKY else 0o755)
        if name in _STICKY:
            (place / name).chmod(0o1777)
    for name, leads_to in (*system.links(), *system.LINKS.items()):
        (place / name).symlink_to(leads_to)
    looked_through: dict[str, readable.State] = {}
    as_root = os.geteuid() == 0
    for path in system.shown():
        if system.is_temporary(path):
            continue  # in each view
        # Links of the root itself lead into this machine's folders for as long as it is not the root.
        target = place / system.in_view(path).relative_to(ROOT)
        if as_root and path == system.ETC:
            looked_through = _show_to_everybody(path, target, nobody)
        else:
            _copy(path, target)
    _add_processes(place / "proc")
    with contextlib.suppress(OSError):  # no terminals, then
        (place / "dev/pts").mkdir()
        linux.mount(
            "devpts", place / "dev/pts", "devpts", linux.MS_NOSUID | linux.MS_NOEXEC, "newinstance,ptmxmode=0666"
        )
    return looked_through


def _add_processes(place: Path) -> None:
    """Mount at *place* what there is to see of processes: of this cell's only."""
    try:
        linux.mount("proc", place, "proc", linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC)
    except OSError:
        # Inside some containers. There the machine's are seen, but only by name: this cell has a user namespace, or fewer rights than they.
        _copy(Path("/proc"), place)
    for name in _PROC_OF_MACHINE:
        if (place / name).is_dir():
            _copy(place / name, place / name)
    for name in _PROC_HIDDEN:
        if (place / name).exists():
            _copy(Path(NOTHING), place / name)


def _copy(path: Path, target: Path, owners: int | None = None) -> None:
    """Show *path* at *target*, read-only and with *owners*; a place for it is made where there is none."""
    with contextlib.ExitStack() as stack:
        tree = _held(stack, path, read_only=True, owners=owners)
        if not target.exists():
            if stat.S_ISDIR(os.fstat(tree).st_mode):
                target.mkdir(parents=True)
            else:
                target.parent.mkdir(parents=True, exist_ok=True)
                target.touch()
        linux.attach(tree, target)


def _show_to_everybody(path: Path, target: Path, nobody: int | None) -> dict[str, readable.State]:
    """Show at *target*, which is nothing yet, what everybody may read of the folder *path*, read-only. Returns the folders that were looked
    through for it: none where *path* is mounted as *nobody*'s, so that the kernel looks at each access what everybody may read."""
    if nobody is not None:
        try:
            _copy(path, target, nobody)
        except OSError as error:
            if error.errno not in _NOT_OF_ANOTHER:
                raise
        else:
            return {}
    return _copy_readable(path, target)


def _copy_readable(path: Path, target: Path) -> dict[str, readable.State]:
    """Show at *target*, which is nothing yet, what everybody may read of the folder *path* now, read-only. Returns the folders that were
    looked through: a mount follows the file that it was made for, not its name."""
    target.mkdir()
    linux.mount("tmpfs", target, "tmpfs", linux.MS_NOSUID, "mode=755")
    states: dict[str, readable.State] = {}
    _fill(readable.look(str(path)), str(path), str(target), states)
    linux.make_read_only(target)
    return states


def _fill(folder: readable.Folder, source: str, target: str, states: dict[str, readable.State]) -> None:
    """Show in the folder *target* what *folder*, which is *source*, has for everybody; *states* gets what it was."""
    states[source] = folder.state
    for name in folder.links:
        with contextlib.suppress(OSError):  # gone, or no link any more
            _take_over(f"{source}/{name}", stat.S_IFLNK, f"{target}/{name}")
    for name in folder.files:
        _show_readable(f"{source}/{name}", f"{target}/{name}", stat.S_IFREG)
    for name, inner in folder.folders.items():
        if inner.whole:
            _show_readable(f"{source}/{name}", f"{target}/{name}", stat.S_IFDIR)
        else:
            os.mkdir(f"{target}/{name}", inner.mode)  # noqa: PTH102
            _fill(inner, f"{source}/{name}", f"{target}/{name}", states)


def _show_readable(source: str, target: str, kind: int) -> None:
    """Show *source* at *target*, if it is still the file or folder, as *kind* says, that everybody may read."""
    with contextlib.ExitStack() as stack:
        try:
            tree = _held(stack, source, follow=False)
        except (FileNotFoundError, NotADirectoryError):  # as a file is that was about to take another's name
            return
        mode = os.fstat(tree).st_mode  # of what is held, whatever has its name by then
        if stat.S_IFMT(mode) != kind or not readable.may_read(mode):
            return
        place = Path(target)
        place.mkdir() if kind == stat.S_IFDIR else place.touch()
        try:
            linux.attach(tree, target)
        except FileNotFoundError:  # another file has the name since, or none
            place.rmdir() if kind == stat.S_IFDIR else place.unlink()
            _show_readable(source, target, kind)


def _held_behind_links(stack: contextlib.ExitStack) -> list[Bind]:
    """The targets elsewhere of links of ``/etc`` that everybody may read, held until *stack* ends."""
    found = []
    for target, file in system.behind_links():
        if (number := readable.held(file)) is not None:
            stack.callback(os.close, number)
            found.append(Bind(Path(_path_of(number)), target, read_only=True))
    return found


def _held(
    stack: contextlib.ExitStack,
    path: Path | str,
    *,
    read_only: bool = False,
    follow: bool = True,
    owners: int | None = None,
) -> int:
    """The mount at *path*, held until *stack* ends."""
    number = linux.tree(path, read_only=read_only, follow=follow, owners=owners)
    stack.callback(os.close, number)
    return number


def _namespace() -> int:
    return os.open("/proc/self/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)


def _own_entries(folder: str) -> tuple[list[str], list[str]]:
    """The folders and the links of the file system that *folder* is in, from there on."""
    device = os.lstat(folder).st_dev
    folders, links = [folder], []
    for place in folders:  # which grows
        with os.scandir(place) as entries:
            for entry in entries:
                about = entry.stat(follow_symlinks=False)
                if about.st_dev == device and stat.S_ISDIR(about.st_mode):
                    folders.append(entry.path)
                elif stat.S_ISLNK(about.st_mode):
                    links.append(entry.path)
    return folders, links


def _assemble(folder: Path, target: Path, *, own: int | None = None) -> list[str]:
    """Mount a new folder at *target*, with everything in it that *folder* has; with *own* it is that tree that becomes the new folder.
    Returns where in *folder* something is mounted now."""
    mode = stat.S_IMODE(folder.stat().st_mode)
    # All is known of the entries before something hides them.
    with os.scandir(folder) as found:
        entries = sorted((entry.name, stat.S_IFMT(entry.stat(follow_symlinks=False).st_mode)) for entry in found)
    with _opened([folder]) as (source,):
        if own is not None:
            target.mkdir()
            linux.attach(own, target)
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
