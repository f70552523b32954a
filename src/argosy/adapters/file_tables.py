"""Tables below a folder of this machine: the tables to score, and their results."""

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from argosy import errors
from argosy.files import local_store, stored_folder

_READING = 1 << 20


class FileTables:
    """Files below one folder, or one file. See :class:`argosy.ports.table_files.TableFiles`."""

    def __init__(self, place: Path) -> None:
        """*place*: a folder, which need not be there for who writes, or a file."""
        self._only = place.name if place.is_file() else None
        self.root = place.parent if self._only else place
        self._place = place

    @property
    def uri(self) -> str:
        """See the port."""
        return str(self._place)

    def below(self, folder: str) -> "FileTables":
        """See the port."""
        return FileTables(self.root / folder)

    def names(self) -> list[str]:
        """See the port."""
        if self._only:
            return [self._only]
        if not self.root.is_dir():
            raise errors.Misconfigured(f"{self.root}: there is no such file or folder")
        with local_store.reported("list", self.root):
            return sorted(path.relative_to(self.root).as_posix() for path in self.root.rglob("*") if path.is_file())

    def version(self, name: str) -> str | None:
        """See the port."""
        with local_store.reported("read", self.root / name):
            try:
                return _version((self.root / name).stat())
            except (FileNotFoundError, NotADirectoryError):
                return None

    def fingerprint(self, name: str) -> str:
        """See the port."""
        path = self.root / name
        with local_store.reported("read", path):
            return stored_folder.digest(path)

    def open(self, name: str, version: str | None) -> BinaryIO:
        """See the port. What is read is of that version, unless somebody writes into the file as it lies there."""
        path = self.root / name
        with local_store.reported("read", path):
            stream = path.open("rb", buffering=_READING)
        if version is not None and _version(os.fstat(stream.fileno())) != version:
            stream.close()
            raise errors.TryAgain(f"{path} was changed since it was looked at; begin again, and what is done is left")
        return stream

    @contextlib.contextmanager
    def draft(self, name: str) -> Iterator[Path]:
        """See the port. Beside its place, so that it is kept by a rename."""
        target = self.root / name
        draft = target.with_name(f".{target.name}.{os.getpid()}")
        with local_store.reported("write", target):
            target.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield draft
        finally:
            with local_store.reported("write", target):
                draft.unlink(missing_ok=True)

    def keep(self, name: str, draft: Path, over: str | None) -> bool:
        """See the port."""
        target = self.root / name
        with local_store.reported("write", target):
            local_store.flush(draft)
            with _one_by_one(target.parent):
                if self.version(name) != over:
                    return False
                draft.replace(target)
        return True

    def get(self, name: str) -> bytes | None:
        """See the port."""
        with local_store.reported("read", self.root / name):
            try:
                return (self.root / name).read_bytes()
            except (FileNotFoundError, NotADirectoryError):
                return None

    def put(self, name: str, content: bytes) -> None:
        """See the port."""
        with self.draft(name) as draft, local_store.reported("write", self.root / name):
            draft.write_bytes(content)
            local_store.flush(draft)
            draft.replace(self.root / name)

    def remove(self, name: str) -> None:
        """See the port."""
        with local_store.reported("remove", self.root / name):
            (self.root / name).unlink(missing_ok=True)


def _version(found: os.stat_result) -> str:
    return f"{found.st_ino}-{found.st_size}-{found.st_mtime_ns}"


@contextlib.contextmanager
def _one_by_one(folder: Path) -> Iterator[None]:
    """Whoever keeps a file in *folder* looks what is there and puts its own in place of that, with nobody in between."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
