"""The paths of this machine that every step sees: its system and the Python that runs the engine, read-only. Nothing of a user's.

Whatever else a step is to see, somebody gave it: its own files, volumes, what it declares to read, a folder that the user allows.
"""

import contextlib
import functools
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import argosy
from argosy.engine.processes import readable

FOLDERS = ("bin", "etc", "gnu", "lib", "lib32", "lib64", "libx32", "nix", "opt", "sbin", "sys", "usr")
EMPTY = (
    "dev",
    "dev/shm",
    "home",
    "media",
    "mnt",
    "proc",
    "root",
    "run",
    "srv",
    "tmp",
    "var",
    "var/cache",
    "var/lib",
    "var/log",
)
"""Folders that every system has, for what is shown below them."""
LINKS = {
    "var/run": "/run",
    "var/tmp": "/tmp",  # noqa: S108 - as below
    "var/lock": "/run",
    "dev/fd": "/proc/self/fd",
    "dev/ptmx": "pts/ptmx",
} | {f"dev/{name}": f"/proc/self/fd/{number}" for number, name in enumerate(("stdin", "stdout", "stderr"))}
TEMPORARY = "/tmp"  # noqa: S108 - inside the view, where it is the step's own
DEVICES = ("full", "null", "random", "tty", "urandom", "zero")
ACCELERATORS = ("nvidia", "dri", "kfd", "accel", "dxg")
"""The beginnings of the names of devices that steps calculate on."""
ETC = Path("/etc")
MOST_LINKS = 40
"""One after the other, as many as the kernel follows."""


@functools.cache
def shown() -> tuple[Path, ...]:
    """The folders and files that every step sees, none inside another."""
    wanted = [*_system(), *_devices(), *_python()]
    return tuple(path for path in dict.fromkeys(wanted) if not any(other in wanted for other in path.parents))


def in_view(path: Path) -> Path:
    """Where in the view *path* lies: behind the links that every view has, and not where this machine's own would lead."""
    for name, leads_to in LINKS.items():
        if path.is_relative_to(f"/{name}"):
            return Path(leads_to, path.relative_to(f"/{name}"))
    return path


def is_temporary(path: Path) -> bool:
    """True where *path* lies in what is ``/tmp`` inside a view, which each step has for itself: an environment that somebody made there."""
    return in_view(path).is_relative_to(TEMPORARY)


def is_shown(path: Path) -> bool:
    """True where *path*, or what it leads to, is part of what every step sees."""
    return any(place in (one, *one.parents) for one in {path, path.resolve()} for place in shown())


def is_whole(path: str) -> bool:
    """True where every step sees *path*, by this name, with all that is in it."""
    if not any(f"{path}/".startswith(f"{place}/") for place in shown() if place != ETC):
        return False
    return path == os.path.realpath(path)  # a link on the way may lead through what no step sees


def is_for_everybody(path: str) -> bool:
    """True where everybody may read *path*, where it is in ``/etc``: of that, steps see nothing else."""
    file = Path(os.path.realpath(path))
    if ETC not in file.parents:
        return True
    try:
        modes = [place.stat().st_mode for place in (file, *file.parents)]
    except OSError:  # nobody can read it
        return True
    return readable.may_read(modes[0]) and all(mode & stat.S_IXOTH for mode in modes[1:])


def links() -> Iterator[tuple[str, str]]:
    """The symbolic links in ``/`` that lead to a folder of the system: name and target."""
    for name in FOLDERS:
        if os.path.islink(f"/{name}"):  # noqa: PTH114 - done for each cell
            yield name, os.readlink(f"/{name}")  # noqa: PTH115


def _system() -> Iterator[Path]:
    for name in FOLDERS:
        path = Path("/", name)
        if path.is_dir() and not path.is_symlink():
            yield path


def _devices() -> Iterator[Path]:
    with os.scandir("/dev") as found:
        yield from (Path(entry.path) for entry in found if entry.name in DEVICES or entry.name.startswith(ACCELERATORS))


def _python() -> Iterator[Path]:
    """The interpreter with its libraries, and the modules that it finds beside them; not the folder it was started in."""
    home = Path.home()
    real = Path(sys.executable).resolve().parents[1]
    places = [Path(argosy.__file__).parent, Path(sys.prefix), Path(sys.base_prefix), real]
    started_in = {Path.cwd(), Path(sys.argv[0] if sys.argv else "").resolve().parent}
    places += [path for entry in sys.path if entry and (path := Path(entry)) not in started_in]
    for path in places:
        if path.exists() and path not in (home, *home.parents):
            yield path.absolute()


def behind_links() -> Iterator[tuple[str, str]]:
    """Targets of the links among the files of ``/etc``, where they are no part of the system otherwise (name servers in ``/run``): the
    path at which a step looks for each, and the file, without links on the way."""
    with os.scandir(ETC) as found:
        links = [entry.path for entry in found if entry.is_symlink()]
    for link in links:
        file = os.path.realpath(link)
        if _is_elsewhere(file):
            yield _way_out(link) or file, file


def _way_out(link: str) -> str | None:
    """The path at which *link*, or a link that it leads to, first leads out of the system; None where only a folder on the way does."""
    place = link
    with contextlib.suppress(OSError):  # no link any more
        for _ in range(MOST_LINKS):
            place = os.path.normpath(os.path.join(os.path.dirname(place), os.readlink(place)))  # noqa: PTH115, PTH118, PTH120
            if _is_elsewhere(place):
                return place
    return None


def _is_elsewhere(path: str) -> bool:
    return path.split("/")[1] not in (*FOLDERS, "proc", "dev")
