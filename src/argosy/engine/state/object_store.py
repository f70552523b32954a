"""Artifacts by the digest of their content: a file or a folder, kept once however many steps and runs hand it on.

Nothing in here changes once it is there. What a step gets is a copy of its own, checked against the digest while it is made.
"""

import hashlib
import json
import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from argosy import errors
from argosy.engine.state import disk, trees


class ObjectStore:
    """The objects under *root*."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def path(self, digest: str) -> Path:
        """The path of the object *digest*. It need not be there."""
        value = digest.removeprefix("sha256:")
        return self._root / value[:2] / value

    def has(self, digest: str) -> bool:
        """True where the object is there."""
        return self.path(digest).exists()

    def take(self, source: Path) -> str:
        """Move *source* into the store. Returns its digest; appears by rename, all of it or nothing, and stays after a power loss."""
        digest = digest_of(source)
        target = self.path(digest)
        if target.exists():
            trees.remove(source)
            return digest
        target.parent.mkdir(parents=True, exist_ok=True)
        _write_protect(source)
        try:
            _sync(source)
            source.rename(target)
        except OSError:
            # Another run was first with the same folder, or the step's files are on another file system.
            self._copy_in(source, target)
        disk.sync(target.parent)
        return digest

    def deliver(self, digest: str, target: Path, sub_path: str | None = None) -> None:
        """Put a writable copy of the object, or of *sub_path* in it, at *target*.

        Raises FileNotFoundError where there is no such file in it, Misconfigured where its content is not what it was.
        """
        source = self.path(digest)
        if sub_path:
            source = source / sub_path
            if not source.resolve().is_relative_to(self.path(digest).resolve()) or not source.exists():
                raise FileNotFoundError(f"no {sub_path!r} in the artifact")
        target.parent.mkdir(parents=True, exist_ok=True)
        copied = copy(source, target)
        if not sub_path and copied != digest:
            raise errors.Misconfigured(
                f"{source} is damaged: its content has the digest {copied}. Remove it and run again with --no-cache"
            )

    def _copy_in(self, source: Path, target: Path) -> None:
        if target.exists():
            trees.remove(source)
            return
        partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
        trees.remove(partial)
        copy(source, partial)
        _write_protect(partial)
        _sync(partial)
        partial.rename(target)
        trees.remove(source)


def digest_of(path: Path) -> str:
    """The digest of a file's bytes, or of a folder's sorted list of names, kinds and digests. Raises OSError, of what is neither too."""
    if not path.is_dir() or path.is_symlink():
        return _digest_of_file(path)
    return _digest_of_listing(_entry(entry, path) for entry in trees.walk(path))


def _entry(path: Path, folder: Path, digest: str | None = None) -> list[str]:
    name = path.relative_to(folder).as_posix()
    if path.is_symlink():
        return [name, "link", str(path.readlink())]
    if path.is_dir():
        return [name, "folder", ""]
    kind = "program" if path.stat().st_mode & stat.S_IXUSR else "file"
    return [name, kind, digest or _digest_of_file(path)]


def _digest_of_listing(entries: Iterator[list[str]]) -> str:
    listing = "\n".join(json.dumps(entry) for entry in entries)
    return "sha256:" + hashlib.sha256(b"folder\n" + listing.encode()).hexdigest()


def _digest_of_file(path: Path) -> str:
    digest = hashlib.sha256()
    for piece in trees.read(path):
        digest.update(piece)
    return "sha256:" + digest.hexdigest()


def copy(source: Path, target: Path, leaves_out: Callable[[Path], bool] = lambda _: False) -> str:
    """Copy a file or folder, which may be there and empty already; returns the digest of what was copied.

    *leaves_out*: what is not copied of what is in the folder. A folder comes with all that is in it.
    """
    if not source.is_dir():
        return _copy_file(source, target)
    target.mkdir(exist_ok=True)
    entries = []
    for path in trees.walk(source):
        if leaves_out(path):
            continue
        place = target / path.relative_to(source)
        digest = None
        if path.is_symlink():
            place.symlink_to(path.readlink())
        elif path.is_dir():
            place.mkdir()
        else:
            digest = _copy_file(path, place)
        entries.append(_entry(path, source, digest))
    return _digest_of_listing(iter(entries))


def _copy_file(source: Path, target: Path) -> str:
    digest = hashlib.sha256()
    with target.open("wb") as written:
        for piece in trees.read(source):
            digest.update(piece)
            if piece.count(0) == len(piece):
                written.seek(len(piece), os.SEEK_CUR)  # a hole stays one
            else:
                written.write(piece)
        written.truncate()
    target.chmod(source.stat().st_mode | stat.S_IWUSR)
    return "sha256:" + digest.hexdigest()


def _write_protect(path: Path) -> None:
    """Take the right to write from files. Folders have it, or they could not be moved or removed."""
    for entry in [path] if not path.is_dir() else [path, *trees.walk(path)]:
        if entry.is_symlink():
            continue
        if entry.is_dir():
            trees.open_up(entry)
        else:
            entry.chmod(entry.stat().st_mode & ~0o222)


def _sync(path: Path) -> None:
    """Have all of a file or folder on the disk before its name is: the journal names it from then on."""
    for entry in [path] if not path.is_dir() else [path, *trees.walk(path)]:
        if entry.is_dir() or (entry.is_file() and not entry.is_symlink()):
            disk.sync(entry)
