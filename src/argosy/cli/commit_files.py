"""The files of a commit, read out of git's objects into a folder that goes again: a change is looked at without being checked out.

A checkout of somebody else's commit runs what attributes and the reader's configuration say (filters, hooks); ``git archive`` leaves out
what the commit's own attributes tell it to. Objects are read as they are.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from argosy import errors, scratch
from argosy.files.git_repository import Repository

FILES = {"100644", "100755"}
"""Modes of a git tree's entries that are files; the others are links and other repositories."""


@contextlib.contextmanager
def unpacked(checkout: Path, commit: str) -> Iterator[tuple[Path, list[str]]]:
    """A folder with the files of *commit* of the repository at *checkout*, and the paths of its entries that are no files.

    Raises UsageError where there is no such commit.
    """
    repository = Repository(checkout / ".git")
    if repository.resolve(commit) is None:
        raise errors.UsageError(f"--commit {commit}: git knows no such commit in {checkout.absolute()}; fetch it first")
    entries = _entries(repository, commit)
    blobs = {path: blob for path, (mode, blob) in entries.items() if mode in FILES}
    with scratch.folder("commit") as place:
        for path, content in zip(blobs, repository.contents(list(blobs.values())), strict=True):
            target = place / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
        yield place, sorted(entries.keys() - blobs.keys())


def _entries(repository: Repository, commit: str) -> dict[str, tuple[str, str]]:
    """Path to mode and object of everything in *commit*."""
    output = repository.git("ls-tree", "-r", "-z", "--full-tree", commit).decode(errors="surrogateescape")
    lines = (line.partition("\t") for line in output.split("\0") if line)
    return {path: (description.split()[0], description.split()[2]) for description, _, path in lines}
