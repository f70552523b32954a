"""Opens, fills and finishes one segment file. Which thread does so, and when, is the writer's business."""

import datetime
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from argosy.adapters.segment_log import blocks, framing, layout
from argosy.ports.prediction_log import Prediction, ServedRelease


class Segment:
    """An open segment, locked for as long as it is."""

    def __init__(self, spool: layout.Spool, header: bytes) -> None:
        """Begin a segment in *spool* whose first payload is *header*. Raises OSError."""
        spool.folder.mkdir(parents=True, exist_ok=True)
        _, self._features = about(header)
        self._mark = secrets.token_bytes(framing.MARK_BYTES)
        self.path, self._stream = _begun(spool)
        self.size = 0
        try:
            self._write(framing.opening(self._mark) + framing.frame(header, self._mark))
        except OSError:
            self.path.unlink(missing_ok=True)
            self.close()
            raise

    def append(self, batches: Sequence[Sequence[Prediction]]) -> None:
        """Write *batches* as one frame, whole or not at all. Raises OSError."""
        self._write(framing.frame(blocks.packed(batches, self._features), self._mark))

    def sync(self) -> None:
        """Return once the disk has everything."""
        os.fsync(self._stream.fileno())

    def close(self) -> None:
        """Let go of the file, and with it of the lock."""
        self._stream.close()

    def _write(self, data: bytes) -> None:
        try:
            written = self._stream.write(data)
            while written < len(data):
                written += self._stream.write(data[written:])
        except OSError:
            # A reader stops at a torn frame: what came after it would be lost too.
            self._stream.truncate(self.size)
            self._stream.seek(self.size)
            raise
        self.size += len(data)


def _begun(spool: layout.Spool) -> tuple[Path, BinaryIO]:
    """A new file that is ours. One that is not locked yet looks abandoned, and another process may be shipping it: then, a next one."""
    while True:
        path = spool.folder / f"{layout.new_stem(datetime.datetime.now(datetime.UTC))}{layout.SEGMENT}"
        # Unbuffered: what write() returned from is with the operating system and survives this process.
        stream: BinaryIO = path.open("xb", buffering=0)
        if layout.lock(stream) and path.exists():
            return path, stream
        stream.close()


def header(served: ServedRelease, features: Sequence[tuple[str, str]]) -> bytes:
    """The first payload: what the segment is about. *features*: name and type (``number`` or ``category``), in order."""
    about = {
        "model": served.model,
        "environment": served.environment,
        "version": served.version,
        "digest": served.digest,
        "features": [list(feature) for feature in features],
    }
    return orjson.dumps(about)


def about(payload: bytes) -> tuple[ServedRelease, list[tuple[str, str]]]:
    """The arguments of :func:`header`, read back. Raises ValueError where *payload* is no header."""
    try:
        said: dict[str, Any] = orjson.loads(payload)
        features = [(str(name), str(kind)) for name, kind in said.pop("features")]
        return ServedRelease(**said), features
    except (TypeError, KeyError) as error:
        raise ValueError(f"not a segment's header: {error}") from error
