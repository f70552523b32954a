"""What changed in a git repository since its history left another's: in commits, and in the work tree that no commit holds yet.

Says which files, and nothing of what they mean to a model.
"""

import difflib
import os
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from argosy import errors

PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class TreeChanges:
    """The files that are others than at a commit. Every path is absolute."""

    top: Path
    """The folder of the repository."""
    base: str
    """The commit they are held against."""
    files: frozenset[Path]
    """Changed, new, or gone."""
    gone: frozenset[Path] = frozenset()
    """Those of them that are not there any more."""
    renamed: Mapping[Path, Path] = field(default_factory=dict)
    """Where a file is now to where it was, of those that only moved, or nearly so."""
    uncommitted: int = 0
    """How many of them are in no commit as they are."""

    def before(self, path: Path) -> bytes | None:
        """What *path* held at the commit; None where it was not there."""
        name = path.relative_to(self.top).as_posix()
        return _answer(self.top, "show", f"{self.base}:{name}")


def since(ref: str, where: Path) -> TreeChanges:
    """What changed in the repository round *where* since it left the history of *ref*.

    Raises Misconfigured where there is no repository, UsageError where *ref* is no commit of it, or its history does not reach back.
    """
    top = _top(where)
    base = _merge_base(top, _commit(top, ref), ref)
    committed = list(_named(_ask(top, "diff", "--name-status", "-z", "-M", base, "--")))
    new = [top / name for name in _names(_ask(top, "ls-files", "-z", "--others", "--exclude-standard", "--", ":/"))]
    loose = set(_names(_ask(top, "diff", "--name-only", "-z", "--no-renames", "HEAD", "--")))
    paths = [path for _, path, _ in committed] + [before for _, _, before in committed if before]
    gone = {path for status, path, _ in committed if status == "D"} | {before for _, _, before in committed if before}
    return TreeChanges(
        top=top,
        base=base,
        files=frozenset(top / path for path in paths) | frozenset(new),
        # Gone from git's sight only, or there again: what is there is not gone.
        gone=frozenset(top / path for path in gone if not os.path.lexists(top / path)),
        renamed={top / path: top / before for _, path, before in committed if before},
        uncommitted=len(loose) + len(new),
    )


def _named(output: bytes) -> Iterator[tuple[str, str, str | None]]:
    """Status, path, and where it was, of each entry of ``git diff --name-status -z``."""
    words = iter(_names(output))
    for status in words:
        before = next(words) if status[0] in "RC" else None
        # A copy leaves its source where it is.
        yield status[0], next(words), before if status[0] == "R" else None


def _names(output: bytes) -> list[str]:
    # A name in git is bytes; what is no UTF-8 must still be the file it is.
    return [os.fsdecode(name) for name in output.split(b"\0") if name]


def _top(where: Path) -> Path:
    top = _answer(where, "rev-parse", "--show-toplevel")
    if top is None:
        raise errors.Misconfigured(
            f"{where} is in no work tree of git: nobody can say what changed there; name the models"
        )
    return Path(os.fsdecode(top).removesuffix("\n"))


def _commit(top: Path, ref: str) -> str:
    found = _answer(top, "rev-parse", "--quiet", "--verify", "--end-of-options", f"{ref}^{{commit}}")
    if found is not None:
        return found.decode().strip()
    if _answer(top, "rev-parse", "--quiet", "--verify", "HEAD") is None:
        raise errors.UsageError(f"{top} has no commit yet: nothing can have changed since {ref!r}; name the models")
    listed = _names(_ask(top, "for-each-ref", "--format=%(refname:short)").replace(b"\n", b"\0"))
    close = [name for name in listed if name.endswith(f"/{ref}")] or difflib.get_close_matches(ref, listed, n=1)
    meant = f"did you mean {close[0]!r}" if close else "`git fetch` brings what the server has"
    raise errors.UsageError(f"{ref!r} is no commit of {top}; {meant}")


def _merge_base(top: Path, commit: str, ref: str) -> str:
    base = _answer(top, "merge-base", commit, "HEAD")
    if base is not None:
        return base.decode().strip()
    if _ask(top, "rev-parse", "--is-shallow-repository").strip() == b"true":
        raise errors.UsageError(
            f"this clone of {top} is shallow, its history does not reach back to where it left {ref!r}; `git fetch --unshallow` brings "
            "the rest (of GitHub's actions/checkout: fetch-depth: 0)"
        )
    raise errors.UsageError(
        f"HEAD and {ref!r} have no commit in common; name a branch or commit that this one came from"
    )


def _ask(top: Path, *words: str) -> bytes:
    """What git answers. Raises TryAgain with what it said instead."""
    done = _run(top, *words)
    if done.returncode != 0:
        said = " ".join(done.stderr.decode(errors="replace").split())
        raise errors.TryAgain(f"git {words[0]} fails in {top}: {said[:300]}")
    return done.stdout


def _answer(top: Path, *words: str) -> bytes | None:
    """What git answers; None where it has no answer."""
    done = _run(top, *words)
    return done.stdout if done.returncode == 0 else None


def _run(top: Path, *words: str) -> "subprocess.CompletedProcess[bytes]":
    try:
        return subprocess.run(
            ["git", "-C", str(top), *words], capture_output=True, check=False, timeout=PATIENCE_SECONDS
        )
    except FileNotFoundError as error:
        raise errors.Misconfigured(
            "git is not installed, and it alone knows what changed; install it, or name the models"
        ) from error
    except subprocess.TimeoutExpired as error:
        raise errors.TryAgain(f"git {words[0]} did not answer within {PATIENCE_SECONDS} seconds in {top}") from error
