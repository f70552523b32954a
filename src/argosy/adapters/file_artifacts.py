"""The model store as a folder of this machine (``file://…``).

A folder is copied beside its place, flushed to disk, and renamed into it: a reader, another process and a machine that loses power all see
it whole or not at all.
"""

import contextlib
import datetime
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

from argosy import errors
from argosy.domain.bundle import name_in_store
from argosy.files import local_store, stored_folder
from argosy.ports.artifacts import StoredFolder

INCOMING = ".incoming"
TAKEN = {errno.ENOTEMPTY, errno.EEXIST}


class FileArtifacts:
    """Folders under one root."""

    def __init__(self, uri: str) -> None:
        """*uri*: ``file:///absolute/path``. Raises Misconfigured where it is none."""
        self._root = _path_of(uri)

    def put(self, folder: Path, name: str) -> str:
        """See :class:`argosy.ports.artifacts.Artifacts`."""
        stored_folder.demand_name(name)
        target = self._root / name
        with local_store.reported("copy to", target):
            ours = stored_folder.digests(folder)
            try:
                os.utime(target)
            except FileNotFoundError:
                self._add(folder, target)
            stored_folder.demand_same(ours, stored_folder.digests(target), target)
        return f"file://{quote(str(target))}/"

    def get(self, uri: str, into: Path) -> None:
        """See :class:`argosy.ports.artifacts.Artifacts`."""
        source = self._source(uri)
        if not source.is_dir():
            raise errors.Misconfigured(f"the model store has nothing at {uri}")
        with local_store.reported("copy to", into):
            stored_folder.demand_plain(source)
            into.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=f".{into.name}.", dir=into.parent) as scratch:
                os.rename(_copied(source, Path(scratch)), into)  # noqa: PTH104 - replaces an empty folder; Path.rename says it does not

    def folders(self, prefix: str) -> Iterator[StoredFolder]:
        """See the port. Folders lie two names below what they are kept under, as every name has it that this store was given."""
        with local_store.reported("list", self._root):
            for place in sorted((self._root / prefix).glob("*/*")):
                if place.is_dir() and not place.is_symlink():
                    at = datetime.datetime.fromtimestamp(place.stat().st_mtime, datetime.UTC)
                    yield StoredFolder(place.relative_to(self._root).as_posix(), f"file://{quote(str(place))}/", at)

    def read(self, name: str, path: str) -> bytes | None:
        """See :class:`argosy.ports.artifacts.Artifacts`."""
        stored_folder.demand_name(name)
        with local_store.reported("read", self._root / name):
            try:
                return (self._root / name / path).read_bytes()
            except (FileNotFoundError, NotADirectoryError):
                return None

    def remove(self, name: str) -> None:
        """See :class:`argosy.ports.artifacts.Artifacts`."""
        stored_folder.demand_name(name)
        incoming = self._root / INCOMING
        with local_store.reported("remove", self._root / name):
            incoming.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=incoming) as scratch, contextlib.suppress(FileNotFoundError):
                (self._root / name).rename(Path(scratch) / "gone")
            local_store.flush((self._root / name).parent)

    def _source(self, uri: str) -> Path:
        """The folder that was stored at *uri*: here, also where the store was moved since, and versions in git name its old place."""
        source = _path_of(uri)
        if ".." not in source.parts:
            if source.is_relative_to(self._root):
                return source
            name = name_in_store(uri)
            if stored_folder.is_name(name) and (self._root / name).is_dir():
                return self._root / name
        raise errors.Misconfigured(f"{uri} is not in the model store file://{self._root}; set ARGOSY_STORE_URI")

    def _add(self, folder: Path, target: Path) -> None:
        incoming = self._root / INCOMING
        incoming.mkdir(parents=True, exist_ok=True)
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=incoming) as scratch:
            try:
                os.rename(_copied(folder, Path(scratch)), target)  # noqa: PTH104
            except OSError as error:
                if error.errno not in TAKEN:
                    raise
                return  # another process put it there first; the caller compares
        local_store.flush(target.parent)


def _path_of(uri: str) -> Path:
    path = local_store.path_of(uri)
    if path is None:
        raise errors.Misconfigured(f"{uri!r} is no place of a model store; expected file:///absolute/path")
    return path


def _copied(folder: Path, scratch: Path) -> Path:
    """A copy of *folder* inside *scratch* that is on the disk, not only in its cache."""
    copy = scratch / "copy"
    shutil.copytree(folder, copy, copy_function=shutil.copyfile)
    for path in [copy, *copy.rglob("*")]:
        local_store.flush(path)
    return copy
