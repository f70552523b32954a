"""Turns segments that nobody writes any more into Parquet files: a server's own full ones, and those that a killed server left."""

import contextlib
import logging
from pathlib import Path

from argosy.adapters.segment_log import framing, layout

_log = logging.getLogger(__name__)


def seal_abandoned(place: layout.LogFolder) -> int:
    """Seal every segment at *place* without a living writer; returns how many. One that cannot be sealed now stays as it is."""
    sealed = 0
    for path in place.segments():
        try:
            sealed += _seal(place, path)
        except (OSError, ValueError) as error:
            _log.warning("prediction log segment %s is not sealed yet: %s", path, error)
    return sealed


def _seal(place: layout.LogFolder, path: Path) -> bool:
    from argosy.adapters.segment_log import columns

    with contextlib.suppress(FileNotFoundError), path.open("rb") as stream:
        if not layout.lock(stream) or not path.exists():
            return False  # its writer lives, or another process sealed it between listing and lock
        data = stream.read()
        if not framing.MAGIC.startswith(data[: len(framing.MAGIC)]):
            raise ValueError("it is no segment; remove it")
        found = columns.logged(framing.read(data))
        if found.table.num_rows or found.damaged:
            columns.write(found, place.sealed_as(path, columns.span(found)))
        path.unlink()
        return True
    return False
