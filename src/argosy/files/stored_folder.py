"""Stored folders, in every model store: plain files, under names, that never change once they are there."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from argosy import errors

Digests = dict[str, str]
"""Path inside the folder to the digest of the file."""
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*")


def is_name(name: str) -> bool:
    """True where a folder can be kept under *name*: it leads out of no store, and is the same in every one."""
    return _NAME.fullmatch(name) is not None


def demand_name(name: str) -> None:
    """Raise Misconfigured where no folder can be kept under *name*."""
    if not is_name(name):
        raise errors.Misconfigured(f"{name!r} is no name for a folder of the model store")


def demand_plain(folder: Path) -> None:
    """Raise Misconfigured where *folder* is none, or holds links and devices: what they lead to is not what was digested."""
    for _ in _files(folder):
        pass


def digests(folder: Path) -> Digests:
    """The files of *folder*. Raises what :func:`demand_plain` raises."""
    return {path.relative_to(folder).as_posix(): digest(path) for path in _files(folder)}


def digest(file: Path) -> str:
    """The digest of one file."""
    with file.open("rb") as stream:
        return f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"


def demand_same(ours: Mapping[str, str], theirs: Mapping[str, str], place: object) -> None:
    """Raise Misconfigured where *theirs*, which lies at *place*, is not *ours*."""
    if ours != theirs:
        path = min(path for path in ours.keys() | theirs.keys() if ours.get(path) != theirs.get(path))
        raise errors.Misconfigured(
            f"the model store has other content at {place}: {path} differs. What is stored never changes; "
            "if the registry was lost or replaced, give it a store of its own (ARGOSY_STORE_URI)"
        )


def _files(folder: Path) -> Iterator[Path]:
    if not folder.is_dir():
        raise errors.Misconfigured(f"{folder} is not a folder")
    for path in folder.rglob("*"):
        if path.is_symlink() or not (path.is_file() or path.is_dir()):
            raise errors.Misconfigured(
                f"{path} is neither a plain file nor a folder; the model store keeps nothing else"
            )
        if path.is_file():
            yield path
