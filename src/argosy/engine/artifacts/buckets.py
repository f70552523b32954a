"""Keyed storage as the executor uses it: a key is a file, or the beginning of the keys of a folder's files.

``OwnBucket`` is this machine's own, which stands in for the repository that a cluster's controller is configured with.
"""

import os
from pathlib import Path, PurePosixPath
from typing import Protocol

from argosy import shared_folders
from argosy.engine.artifacts.failures import ArtifactFailure, ArtifactMissing
from argosy.engine.state import object_store, trees

NO_KEY = "The specified key does not exist."
"""S3's words, which a workflow's message shows."""


class Bucket(Protocol):
    """Files and folders by key. Every method raises ArtifactFailure where it cannot do its work."""

    def get(self, key: str, target: Path) -> None:
        """Load the file or folder *key* to *target*, which is not there yet. Raises ArtifactMissing where there is none."""

    def put(self, key: str, source: Path) -> None:
        """Keep the file or folder *source* under *key*."""

    def delete(self, key: str) -> None:
        """Remove *key*, or all keys below one that ends in ``/``. Nothing happens where there is none."""

    def keys(self, prefix: str) -> list[str]:
        """The keys of files that begin with *prefix*, which is empty or ends in ``/``."""


class OwnBucket:
    """The bucket in the folder *root*: each key the path of a file."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def get(self, key: str, target: Path) -> None:
        """As the protocol has it."""
        source = self._path(key)
        if not source.exists():
            raise ArtifactMissing(NO_KEY)
        object_store.copy(source, target)

    def put(self, key: str, source: Path) -> None:
        """As the protocol has it. A key appears whole or not at all."""
        path = self._path(key)
        partial = self._root / f".{os.getpid()}-{path.name}.partial"
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            trees.remove(partial)
            object_store.copy(source, partial)
            trees.remove(path)
            shared_folders.write_inside(path.parent, lambda: partial.rename(path))
        except (FileExistsError, NotADirectoryError, IsADirectoryError) as error:
            raise ArtifactFailure(f"the key {key!r} lies below another key: {error}") from None
        finally:
            trees.remove(partial)

    def delete(self, key: str) -> None:
        """As the protocol has it."""
        path = self._path(key)
        trees.remove(path)
        shared_folders.remove_emptied(path.parent, self._root)

    def keys(self, prefix: str) -> list[str]:
        """As the protocol has it."""
        folder = self._path(prefix) if prefix else self._root
        found = trees.walk(folder) if folder.is_dir() else ()
        return [path.relative_to(self._root).as_posix() for path in found if path.is_file()]

    def _path(self, key: str) -> Path:
        return self._root / plain(key)


def plain(key: str) -> PurePosixPath:
    """*key* as the path of a file inside a folder. Raises ArtifactFailure where it would lead out of it."""
    path = PurePosixPath(key.lstrip("/"))
    if not path.parts or ".." in path.parts or "\0" in key:
        raise ArtifactFailure(f"the key {key!r} is not a plain path")
    return path
