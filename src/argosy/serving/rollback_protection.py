"""Rollback protection: the oldest release that may be served, from what this machine served last or from a file that main wrote.

A laptop keeps a counter of its own. Pods cannot: what git says is the record there (docs/security.md).
"""

import json
import os
from pathlib import Path

from argosy import errors


class Counter:
    """The number of the release served last, in a file; written atomically, and never lowered by itself."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def value(self) -> int:
        """The number, 0 where there is none yet. Raises Misconfigured where the file holds something else."""
        try:
            return int(json.loads(self._path.read_bytes())["counter"])
        except FileNotFoundError:
            return 0
        except (ValueError, TypeError, KeyError) as error:
            raise errors.Misconfigured(
                f"{self._path} does not hold the number of the release that was served last; if it was edited, remove it"
            ) from error

    def set(self, number: int) -> None:
        """Remember *number*, on disk when this returns. Raises OSError."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        partial = self._path.with_name(f".{self._path.name}.{os.getpid()}")
        with partial.open("w", encoding="utf-8") as stream:
            json.dump({"counter": number}, stream)
            stream.flush()
            os.fsync(stream.fileno())
        partial.replace(self._path)


def minimum(path: Path) -> int:
    """The oldest release that the file *path* lets anybody serve. Raises Misconfigured where it says no whole number."""
    try:
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise errors.Misconfigured(f"--minimum-release: {path} cannot be read: {error}") from error
    if not text.isdecimal():
        raise errors.Misconfigured(f"--minimum-release: {path} holds {text[:50]!r}; expected a version's number")
    return int(text)
