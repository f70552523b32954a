"""Objects as files below a folder of this machine (``file://…``).

Content is written beside its place, flushed to disk, and linked or renamed into it: a reader, another process and a machine that loses
power all see it whole or not at all.
"""

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from argosy import errors, shared_folders
from argosy.files import local_store
from argosy.ports.objects import demand_key

INCOMING = ".incoming"
REPLACING = ".replacing.lock"


class FileObjects:
    """Files below one root. See :class:`argosy.ports.objects.Objects`."""

    def __init__(self, uri: str, setting: str) -> None:
        """*uri*: ``file:///absolute/path``. Raises Misconfigured, which names *setting*, where it is none."""
        root = local_store.path_of(uri)
        if root is None:
            raise errors.Misconfigured(
                f"{setting} is {uri!r}; expected file:///absolute/path or s3://<bucket>/<prefix>"
            )
        self._root = root

    def put(self, key: str, content: bytes) -> None:
        """See the port."""
        self._place(key, content, os.replace)

    def put_new(self, key: str, content: bytes) -> bool:
        """See the port."""
        demand_key(key)
        return not (self._root / key).exists() and self._place(key, content, os.link)

    def replace(self, key: str, before: bytes, content: bytes) -> bool:
        """See the port. One at a time below this root, whichever process or machine that shares it: a rename has no condition."""
        demand_key(key)
        lock = self._root / REPLACING
        with local_store.reported("write", lock), _held(lock):
            if self.get(key) != before:
                return False
            self.put(key, content)
            return True

    def get(self, key: str) -> bytes | None:
        """See the port."""
        demand_key(key)
        path = self._root / key
        with local_store.reported("read", path):
            try:
                return path.read_bytes()
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                return None

    def keys(self, prefix: str = "") -> Iterator[str]:
        """See the port."""
        folder, _, begins = prefix.rpartition("/")
        with local_store.reported("list", self._root / folder):
            found = sorted(self._below(folder, begins))
        yield from found

    def folders(self, prefix: str = "") -> list[str]:
        """See the port."""
        place = self._root / prefix
        with local_store.reported("list", place):
            # A folder that was emptied is none: a bucket does not know it either.
            return sorted(name for name in _names(place) if (place / name).is_dir() and any(_files(place / name)))

    def delete(self, key: str) -> None:
        """See the port."""
        demand_key(key)
        path = self._root / key
        with local_store.reported("remove", path), contextlib.suppress(FileNotFoundError, NotADirectoryError):
            path.unlink()
            shared_folders.remove_emptied(path.parent, self._root)

    def _below(self, folder: str, begins: str) -> Iterator[str]:
        place = self._root / folder
        for name in _names(place):
            if name.startswith(begins):
                for path in _files(place / name):
                    yield path.relative_to(self._root).as_posix()

    def _place(self, key: str, content: bytes, give_name: Callable[[Path, Path], object]) -> bool:
        """Write *content* and let *give_name* move it to *key*; False where that says that something is there."""
        demand_key(key)
        target = self._root / key
        with local_store.reported("write", target):
            incoming = self._root / INCOMING
            incoming.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=incoming) as scratch:
                partial = Path(scratch) / "content"
                partial.write_bytes(content)
                local_store.flush(partial)
                return _named(partial, target, give_name)


@contextlib.contextmanager
def _held(lock: Path) -> Iterator[None]:
    """The lock on the file *lock*, waited for; the system gives it back when its holder dies."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        yield


def _named(partial: Path, target: Path, give_name: Callable[[Path, Path], object]) -> bool:
    def name() -> bool:
        try:
            give_name(partial, target)
        except FileExistsError:
            return False
        return True

    named = shared_folders.write_inside(target.parent, name)
    with contextlib.suppress(FileNotFoundError):  # it was deleted already, and its folder with it
        local_store.flush(target.parent)
    return named


def _names(folder: Path) -> list[str]:
    try:
        return [path.name for path in folder.iterdir() if not path.name.startswith(".")]
    except (FileNotFoundError, NotADirectoryError):
        return []


def _files(path: Path) -> Iterator[Path]:
    """*path* where it is a file, and every file below it."""
    if path.is_dir():
        for name in _names(path):
            yield from _files(path / name)
    elif path.is_file():
        yield path
