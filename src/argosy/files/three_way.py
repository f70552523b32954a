"""Two edits of one text brought together by git, which does it line by line as people know it from branches."""

import subprocess
from pathlib import Path

from argosy import errors, scratch
from argosy.domain.template_updates import Merged

MOST_CONFLICTS = 127
"""git's exit code is the number of conflicts up to this one; above, it failed."""


def merged(mine: str, base: str, theirs: str, *, labels: tuple[str, str, str]) -> Merged:
    """*mine* and *theirs*, both made of *base*; where they conflict both stand there, marked with *labels* of the three.

    Raises Misconfigured where git is not there, or cannot do it.
    """
    with scratch.folder("merge") as place:
        files = [_written(place / name, text) for name, text in (("mine", mine), ("base", base), ("theirs", theirs))]
        marks = [word for label in labels for word in ("-L", label)]
        try:
            done = subprocess.run(["git", "merge-file", "-p", *marks, *files], capture_output=True, check=False)
        except FileNotFoundError:
            raise errors.Misconfigured("git is not on PATH, and edits are merged by it; install git") from None
    if not 0 <= done.returncode <= MOST_CONFLICTS:
        raise errors.Misconfigured(f"git merge-file failed: {done.stderr.decode(errors='replace').strip()}")
    return Merged(done.stdout.decode(), done.returncode)


def _written(file: Path, text: str) -> str:
    file.write_bytes(text.encode())
    return str(file)
