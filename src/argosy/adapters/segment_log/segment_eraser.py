"""Removes one entity's predictions from a log: from segments that were shipped, and from those that no server writes to any more."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from argosy import errors
from argosy.adapters.segment_log import columns, framing, layout, shipping
from argosy.ports.erasers import LoggedRows
from argosy.ports.objects import Objects

ATTEMPTS = 5


class SegmentEraser:
    """See :class:`argosy.ports.erasers.LogEraser`."""

    def __init__(self, objects: Objects, spool: Path) -> None:
        self._objects = objects
        self._spool = layout.Spool(spool)

    def erase(self, model: str, hashes: Collection[str], *, delete: bool) -> Iterator[LoggedRows]:
        """See the port. The spool first: what it ships meanwhile is found where it is shipped to."""
        wanted = pa.array(sorted(hashes), pa.string())
        for path in self._spool.segments():
            yield from self._of_spool(path, model, wanted, delete=delete)
        for key in list(self._objects.keys(f"{model}/")):
            if layout.ref(key) is not None:
                yield from self._of_shipped(key, wanted, delete=delete)

    def _of_spool(self, path: Path, model: str, wanted: pa.Array, *, delete: bool) -> Iterator[LoggedRows]:
        """What the segment *path* has; with *delete* it is shipped first where it has no writer, and nothing is left of it here."""
        try:
            parts = columns.hours(framing.read(path.read_bytes()))
        except FileNotFoundError:  # shipped since it was listed
            return
        except ValueError as error:
            raise errors.Misconfigured(f"{path} cannot be read, so nobody can tell whom it is about: {error}") from None
        rows = sum(
            int(pc.sum(_of_them(part.found.table, wanted)).as_py() or 0) for part in parts if part.ref.model == model
        )
        if not rows:
            return
        if delete:
            shipping.ship(path, self._objects)
        if not delete or path.exists():
            yield LoggedRows(str(path), rows, open=_has_writer(path))

    def _of_shipped(self, key: str, wanted: pa.Array, *, delete: bool) -> Iterator[LoggedRows]:
        for _ in range(ATTEMPTS):
            content = self._objects.get(key)
            if content is None:
                return
            kept, rows = self._without(key, content, wanted)
            # On the condition that nobody wrote it meanwhile: another machine may take somebody else out of it, and would be undone. At its
            # own key, even empty: shipped again after a kill, its segment would come back.
            if not rows or not delete or self._objects.replace(key, content, kept):
                if rows:
                    yield LoggedRows(key, rows)
                return
        raise errors.TryAgain(f"{key} is written by somebody else again and again; run this again")

    def _without(self, key: str, content: bytes, wanted: pa.Array) -> tuple[bytes, int]:
        """The segment *content* without the rows that are *wanted*, and how many these are."""
        try:
            found = columns.unpacked(content)
        except ValueError as error:
            raise errors.Misconfigured(f"{key} cannot be read, so nobody can tell whom it is about: {error}") from None
        of_them = _of_them(found.table, wanted)
        rows = int(pc.sum(of_them).as_py() or 0)
        return (columns.packed(replace(found, table=found.table.filter(pc.invert(of_them)))) if rows else b"", rows)


def _of_them(table: pa.Table, wanted: pa.Array) -> pa.ChunkedArray:
    return pc.fill_null(pc.is_in(table.column("entity"), wanted), False)


def _has_writer(path: Path) -> bool:
    try:
        with path.open("rb") as stream:
            return not layout.lock(stream)
    except FileNotFoundError:
        return False
