"""The folder that a new environment repo starts with, and which policies an environment repo that is there holds otherwise.

An environment repo is copied from the folder once. From then on main alone decides, so that nobody changes the rules by editing a file of
their own; but whoever edits one should be told.
"""

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from argosy.domain import environment_layout
from argosy.files.git_repository import Repository

POLICIES = "policies/"
MAIN = "refs/heads/main"


def read(folder: Path) -> dict[str, bytes]:
    """Path to content of every file under *folder*; links, that to *folder* among them, count as what they lead to."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(_files(folder))}


def other_policies(repository: Path, template: Mapping[str, bytes]) -> list[str]:
    """The policies that main of *repository* has, and has otherwise than *template*. None where there is no repository."""
    wanted = {path: content for path, content in template.items() if environment_layout.is_policy(path)}
    if not wanted or not repository.exists():
        return []
    held = Repository(repository).listing(MAIN, POLICIES)
    return [path for path, content in wanted.items() if held.get(path, blob := _blob(content)) != blob]


def _files(folder: Path) -> Iterator[Path]:
    seen: set[Path] = set()
    for place, folders, names in os.walk(folder, followlinks=True):
        real = Path(place).resolve()
        # A link to a folder above would lead round and round; a repository's own folder is no content of it.
        folders[:] = [] if real in seen else [name for name in folders if name != ".git"]
        if real not in seen:
            yield from (path for name in names if name != ".git" and (path := Path(place) / name).is_file())
        seen.add(real)


def _blob(content: bytes) -> str:
    """The id under which git keeps *content*: compared without reading main's."""
    return hashlib.sha1(b"blob %d\0%b" % (len(content), content), usedforsecurity=False).hexdigest()
