"""An online store for argosy that lives outside of it: a folder that servers share, ``folder:///mnt/features``, with two files a store.

``<digest>.sqlite`` holds the cells and never changes; ``<digest>.json`` says whose they are, comes last and goes first: a store is there
while that one is. Both appear by a rename, so that nobody reads half of one.
"""

import asyncio
import contextlib
import os
import sqlite3
import tempfile
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from argosy import errors
from argosy.adapters.feast_features import shared_store
from argosy.adapters.feast_features.index import Index
from argosy.ports.features import Held, OnlineFeatures

MOST_KEYS = 500
"""Entities asked for at once: SQLite takes a limited number of parameters."""


class FolderStore:
    """Published stores in the folder that *uri* names; see ``argosy.ports.features.SharedOnlineStore``."""

    def __init__(self, uri: str) -> None:
        path = urllib.parse.unquote(urllib.parse.urlsplit(uri).path)
        if not path.startswith("/"):
            raise errors.Misconfigured(f"{uri} names no folder; write folder:///mnt/features")
        self._folder = Path(path)

    def load(self, folder: Path, digest: str, model: str) -> None:
        """See the port."""
        with _reported(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            entry, cells = self._files(digest)
            if entry.exists():
                index, held = shared_store.read_entry(digest, entry.read_bytes())
                _write(entry, shared_store.entry(index, replace(held, loaded_at=shared_store.now())))
                return
            count = _copy(folder, cells)
            held = Held(digest, model, count, shared_store.now(), whole=True)
            _write(entry, shared_store.entry(Index.read(folder), held))

    def open(self, digest: str) -> OnlineFeatures:
        """See the port."""
        entry, cells = self._files(digest)
        with _reported(self._folder):
            if not entry.exists():
                raise errors.Misconfigured(f"the online store {digest} in {self._folder} {shared_store.LOST}")
            index, _ = shared_store.read_entry(digest, entry.read_bytes())
        return shared_store.SharedFeatures(index, _Reader(entry, cells))

    def held(self) -> Sequence[Held]:
        """See the port."""
        with _reported(self._folder):
            found = {f"sha256:{entry.stem}": entry.read_bytes() for entry in sorted(self._folder.glob("*.json"))}
        return [shared_store.read_entry(digest, text)[1] for digest, text in found.items()]

    def drop(self, digest: str) -> None:
        """See the port."""
        with _reported(self._folder):
            for file in self._files(digest):
                file.unlink(missing_ok=True)

    def _files(self, digest: str) -> tuple[Path, Path]:
        stem = digest.removeprefix("sha256:")
        return self._folder / f"{stem}.json", self._folder / f"{stem}.sqlite"


class _Reader:
    """See ``argosy.adapters.feast_features.shared_store.Backend``. A connection a question: one that stayed open would read on in a file
    that was dropped."""

    def __init__(self, entry: Path, cells: Path) -> None:
        self._entry = entry
        self._cells = cells

    async def fetch(self, keys: Sequence[bytes]) -> Mapping[bytes, Mapping[str, bytes]]:
        """See the protocol."""
        return await asyncio.to_thread(self._read, keys) if await self.stands() else {}

    async def stands(self) -> bool:
        """See the protocol."""
        return await asyncio.to_thread(self._entry.exists)

    async def close(self) -> None:
        """See the protocol."""

    def _read(self, keys: Sequence[bytes]) -> Mapping[bytes, Mapping[str, bytes]]:
        found: dict[bytes, dict[str, bytes]] = {}
        with (
            _reported(self._cells),
            contextlib.closing(sqlite3.connect(f"{self._cells.as_uri()}?mode=ro", uri=True)) as read,
        ):
            for place in range(0, len(keys), MOST_KEYS):
                some = keys[place : place + MOST_KEYS]
                marks = ", ".join("?" * len(some))
                for key, name, value in read.execute(f"SELECT * FROM cells WHERE key IN ({marks})", some):  # noqa: S608
                    found.setdefault(key, {})[name] = value
        return found


def _copy(folder: Path, target: Path) -> int:
    """Copy the cells published in *folder* to the file *target*; returns of how many entities."""
    count = 0
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".loading-") as place:
        file = Path(place) / target.name
        with contextlib.closing(sqlite3.connect(file)) as written:
            written.execute(
                "CREATE TABLE cells (key BLOB, name TEXT, value BLOB, PRIMARY KEY (key, name)) WITHOUT ROWID"
            )
            for entity in shared_store.entities(folder):
                rows = [(entity.key, name, value) for name, value in entity.cells.items()]
                written.executemany("INSERT INTO cells VALUES (?, ?, ?)", rows)
                count += 1
            written.commit()
        file.replace(target)
    return count


def _write(file: Path, text: str) -> None:
    with tempfile.NamedTemporaryFile("w", dir=file.parent, prefix=".entry-", delete=False, encoding="utf-8") as written:
        written.write(text)
        written.flush()
        os.fsync(written.fileno())
    Path(written.name).replace(file)


@contextlib.contextmanager
def _reported(place: Path) -> Iterator[None]:
    """Failures of disk and database as what may be tried again."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise errors.TryAgain(f"the online store in {place} cannot be used: {error}") from error
