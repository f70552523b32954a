"""What an update of a template does to one file: pure, from the text as it was written, as this release writes it, and as it is.

An edit is never lost: what only the template changed is taken, what only its owner changed stays, what both changed is merged, and
where they changed the same lines both stand there, marked.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

Word = Literal["new", "updated", "merged", "conflict", "removed", "kept"]
MARK = "<<<<<<< "
"""How the first line of a conflict begins."""


@dataclass(frozen=True)
class Merged:
    """Two edits of one text, brought together."""

    text: str
    conflicts: int
    """Places where both changed the same lines."""


Merge = Callable[[str, str, str], Merged]
"""Brings together: the text as it is, the one that both came of, and the template's."""


@dataclass(frozen=True)
class FileUpdate:
    """What is done about one file."""

    path: str
    word: Word
    text: str | None = None
    """What it holds from now on; None where it is removed, or stays."""
    why: str = ""


def updates(
    before: Mapping[str, str], after: Mapping[str, str], mine: Mapping[str, str], merge: Merge
) -> Iterator[FileUpdate]:
    """What is to be done, by path; nothing about a file that is to stay as it is.

    *before*: as the template wrote them, *after*: as it does now, *mine*: those that are there.
    """
    for path in sorted({*before, *after}):
        if found := _update(path, before.get(path), after.get(path), mine.get(path), merge):
            yield found


def _update(path: str, before: str | None, after: str | None, mine: str | None, merge: Merge) -> FileUpdate | None:
    if after in (before, mine):
        return None
    if after is None:
        if mine is None:
            return None
        if mine == before:
            return FileUpdate(path, "removed")
        return FileUpdate(path, "kept", why="the template has it no more, and you changed it: it stays yours")
    if mine is None:
        if before is None:
            return FileUpdate(path, "new", after)
        return FileUpdate(path, "kept", why="you removed it, so it does not come back")
    if mine == before:
        return FileUpdate(path, "updated", after)
    found = merge(mine, before or "", after)
    return FileUpdate(path, "conflict" if found.conflicts else "merged", found.text, _places(found.conflicts))


def _places(conflicts: int) -> str:
    return (
        f"{conflicts} place{'' if conflicts == 1 else 's'} where you and the template changed the same lines"
        if conflicts
        else ""
    )


def unresolved(mine: Mapping[str, str]) -> list[str]:
    """Paths of the files in which conflicts of an earlier update still stand."""
    return [path for path, text in sorted(mine.items()) if any(line.startswith(MARK) for line in text.split("\n"))]
