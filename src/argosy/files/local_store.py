"""A folder of this machine as a store: its address, what its disk says, and what it takes for content to be there after a loss of power."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from argosy import errors


def path_of(uri: str) -> Path | None:
    """The folder that ``file://`` *uri* names; None where it is no such address."""
    parts = urlsplit(uri)
    path = Path(unquote(parts.path))
    return path if parts.scheme == "file" and parts.netloc in {"", "localhost"} and path.is_absolute() else None


def flush(path: Path) -> None:
    """Return once the disk has the file or folder *path*. Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def reported(doing: str, place: Path) -> Iterator[None]:
    """Turn what the file system says while *doing* something at *place* into what Argosy says."""
    try:
        yield
    except OSError as error:
        if errors.is_disk_full(error):
            raise errors.LocalDisk(f"the disk takes no more at {place}: {error.strerror}; free space there") from error
        if isinstance(error, PermissionError):
            raise errors.Misconfigured(f"{error.filename} may not be written or read by this user") from error
        raise errors.TryAgain(f"cannot {doing} {place}: {error}") from error
