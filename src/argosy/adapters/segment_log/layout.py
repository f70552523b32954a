"""The places of a log: the spool, a folder of this machine, and the keys of what was shipped.

A segment is ``<stem>.segment`` in the spool from its first record until the store has it. Its writer holds a lock on it; whoever gets that
lock finds it complete and may ship it. Shipped segments are
``<model>/<environment>/version=<n|none>/date=YYYY-MM-DD/hour=HH/<model digest>-<content>.parquet``, which others read as a Hive table.
"""

import contextlib
import datetime
import fcntl
import os
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from argosy.ports.prediction_log import SegmentRef

SEGMENT = ".segment"
_STAMP = "%Y%m%dT%H%M%S%fZ"
_DIGEST = "sha256:"
_KEY = re.compile(
    r"(?P<model>[^/]+)/(?P<environment>[^/]+)/version=(?P<version>\d+|none)/"
    r"date=(?P<date>\d{4}-\d\d-\d\d)/hour=(?P<hour>\d\d)/(?P<name>(?P<digest>\w+)-\w+)\.parquet"
)


@dataclass(frozen=True)
class Spool:
    """The folder of the segments that the store does not have yet, of whatever model."""

    folder: Path

    def segments(self) -> list[Path]:
        """The segments, oldest first."""
        return sorted(self.folder.glob(f"*{SEGMENT}"))

    @contextlib.contextmanager
    def shippers_lock(self) -> Iterator[int | None]:
        """The descriptor by which this process, of all, may ship from here or have another do so; None where somebody else may.

        Whoever inherits it keeps it. It is of the folder itself, so that nothing else lies among the segments. Raises OSError.
        """
        descriptor = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            yield descriptor if lock(descriptor) else None
        finally:
            os.close(descriptor)

    def abandoned(self) -> bool:
        """True where a segment has no writer. Only to be asked with the shippers' lock: it takes each segment's for a moment."""
        return any(_is_abandoned(path) for path in self.segments())


def new_stem(now: datetime.datetime) -> str:
    """A name that sorts by time and that no other writer picks."""
    return f"{now.astimezone(datetime.UTC).strftime(_STAMP)}-{secrets.token_hex(4)}"


def begun(segment: Path) -> datetime.datetime | None:
    """When *segment* was begun, by the clock of then; None where its name does not say."""
    try:
        return datetime.datetime.strptime(segment.stem.partition("-")[0], _STAMP).replace(tzinfo=datetime.UTC)
    except ValueError:
        return None


def lock(stream: BinaryIO | int) -> bool:
    """Try to become the one who may write or ship the segment *stream*; released when the stream closes or its process dies."""
    try:
        fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_abandoned(segment: Path) -> bool:
    try:
        with segment.open("rb") as stream:
            return lock(stream)
    except FileNotFoundError:  # shipped since it was listed
        return False


def folder(model: str, environment: str) -> str:
    """What the keys of *model* in *environment* begin with."""
    return f"{model}/{environment}/"


def version_folder(version: int | None) -> str:
    """The part of a key that says the version."""
    return f"version={'none' if version is None else version}/"


def date_folder(day: datetime.date) -> str:
    """The part of a key that says the day."""
    return f"date={day.isoformat()}/"


def name(digest: str, content: str) -> str:
    """The name of a segment whose records have the hash *content*, answered by the model *digest*."""
    return f"{digest.removeprefix(_DIGEST)}-{content}"


def key(ref: SegmentRef) -> str:
    """The place of *ref* in the store."""
    place = folder(ref.model, ref.environment) + version_folder(ref.version) + date_folder(ref.hour.date())
    return f"{place}hour={ref.hour:%H}/{ref.name}.parquet"


def ref(key: str) -> SegmentRef | None:
    """What lies at *key*; None where that is no segment."""
    found = _KEY.fullmatch(key)
    if found is None:
        return None
    version = None if found["version"] == "none" else int(found["version"])
    try:
        hour = datetime.datetime.fromisoformat(f"{found['date']}T{found['hour']}:00:00+00:00")
    except ValueError:
        return None
    return SegmentRef(found["model"], found["environment"], version, _DIGEST + found["digest"], hour, found["name"])
