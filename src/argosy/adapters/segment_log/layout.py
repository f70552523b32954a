"""The layout of a prediction log: folders, file names, and the lock of who may finish a segment.

Below ``<root>/<model>/<environment>``: ``open/<stem>.segment`` while a server writes it, ``<day>/<stem>_<first>_<last>.parquet`` once it is
sealed, with the times of its first and its last record. When a segment was begun says nothing of those: clocks are set, back and forth.

A writer holds a lock on its open segment; whoever gets that lock finds the writer dead and may seal what it left. The Parquet file appears
by rename before the segment goes, so a reader that looks for segments first and for Parquet files second misses nothing.
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
BEFORE_TIME = "_"
_STAMP = "%Y%m%dT%H%M%S%fZ"
Span = tuple[datetime.datetime, datetime.datetime]
"""Times of the first and of the last record."""


@dataclass(frozen=True)
class LogFolder:
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

    def sealed_as(self, segment: Path, span: Span | None) -> Path:
        """The path of *segment*, whose records are of *span*, once it is sealed. None: it has none."""
        times = "" if span is None else "".join(f"{BEFORE_TIME}{_stamp(moment)}" for moment in span)
        return self.folder / opened_at(segment).date().isoformat() / f"{segment.stem}{times}{PARQUET}"


def place(uri: str, model: str, environment: str) -> LogFolder:
    """The place under ``file://`` *uri*. Raises Misconfigured where it is none."""
    parts = urlsplit(uri)
    root = Path(unquote(parts.path))
    if parts.scheme != "file" or parts.netloc not in {"", "localhost"} or not root.is_absolute():
        raise errors.Misconfigured(
            f"predictions cannot be logged at {uri!r}: expected file:///absolute/path; set ARGOSY_PREDICTIONS_URI"
        )
    return LogFolder(root / model / environment)


def new_stem(now: datetime.datetime) -> str:
    """A name that sorts by time and that no other writer picks."""
    return f"{_stamp(now)}-{secrets.token_hex(4)}"


def stem(path: Path) -> str:
    """The name of the segment at *path*, open or sealed."""
    return path.stem.partition(BEFORE_TIME)[0]


def span(path: Path) -> Span | None:
    """The times of the records in the sealed segment at *path*; None where its name does not say."""
    _, *times = path.stem.split(BEFORE_TIME)
    return (_moment(times[0]), _moment(times[1])) if len(times) == 2 else None


def opened_at(path: Path) -> datetime.datetime:
    """When the segment at *path*, open or sealed, was begun."""
    return _moment(path.stem.partition("-")[0])


def _stamp(moment: datetime.datetime) -> str:
    return moment.astimezone(datetime.UTC).strftime(_STAMP)


def _moment(stamp: str) -> datetime.datetime:
    return datetime.datetime.strptime(stamp, _STAMP).replace(tzinfo=datetime.UTC)


def lock(stream: BinaryIO) -> bool:
    """Try to become the one who may write or seal the segment *stream*; released when the stream closes or its process dies."""
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
