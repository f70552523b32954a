"""Where the files of a log lie, what they are called, and who may finish them.

``<root>/<model>/<environment>/open/<stem>.segment`` while a server writes it, ``<root>/<model>/<environment>/<day>/<stem>.parquet`` once
sealed. A writer holds a lock on its open segment; whoever gets that lock finds the writer dead and may seal what it left. The Parquet file
appears by rename before the segment goes, so a reader that looks for segments first and for Parquet files second misses nothing.
"""

import datetime
import fcntl
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from argosy import errors

SEGMENT = ".segment"
PARQUET = ".parquet"
OPEN = "open"
_STAMP = "%Y%m%dT%H%M%S%fZ"


@dataclass(frozen=True)
class Place:
    """The folder of one model in one environment."""

    folder: Path

    @property
    def open(self) -> Path:
        """Folder of the open segments."""
        return self.folder / OPEN

    def segments(self) -> list[Path]:
        """The open segments, oldest first."""
        return sorted(self.open.glob(f"*{SEGMENT}"))

    def sealed(self) -> list[Path]:
        """The sealed segments, oldest first."""
        return sorted(self.folder.glob(f"[0-9]*/*{PARQUET}"))

    def sealed_as(self, segment: Path) -> Path:
        """Where *segment* will lie once sealed."""
        return self.folder / opened_at(segment).date().isoformat() / f"{segment.stem}{PARQUET}"


def place(uri: str, model: str, environment: str) -> Place:
    """The place under ``file://`` *uri*. Raises Misconfigured where it is none."""
    parts = urlsplit(uri)
    root = Path(unquote(parts.path))
    if parts.scheme != "file" or parts.netloc not in {"", "localhost"} or not root.is_absolute():
        raise errors.Misconfigured(
            f"predictions cannot be logged at {uri!r}: expected file:///absolute/path; set ARGOSY_PREDICTIONS_URI"
        )
    return Place(root / model / environment)


def new_stem(now: datetime.datetime) -> str:
    """A name that sorts by time and that no other writer picks."""
    return f"{now.astimezone(datetime.UTC).strftime(_STAMP)}-{secrets.token_hex(4)}"


def opened_at(path: Path) -> datetime.datetime:
    """When the segment at *path*, open or sealed, was begun."""
    stamp = path.stem.partition("-")[0]
    return datetime.datetime.strptime(stamp, _STAMP).replace(tzinfo=datetime.UTC)


def lock(stream: BinaryIO) -> bool:
    """Try to become the one who may write or seal the segment *stream*; released when the stream closes or its process dies."""
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
