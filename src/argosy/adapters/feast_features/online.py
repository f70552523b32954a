"""Looks features up in the files that ``build-features`` published, without Feast.

A line of one of our tables is all of an entity. What an earlier Argosy published may have Feast's table alone, a line a value.
"""

import sqlite3
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from argosy import errors
from argosy.adapters.feast_features import index as indexes
from argosy.ports.features import OnlineRow, OnlineView


class FeastOnline:
    """The online store in *folder*. Safe to use from several threads. Raises Misconfigured where it is none."""

    def __init__(self, folder: Path) -> None:
        self._index = indexes.Index.read(folder)
        try:
            self._database = connected(folder)
        except sqlite3.Error as error:
            raise errors.Misconfigured(f"{folder} holds no online store: {error}") from error
        self._cells = _OfLines(self._index) if self._index.views else _OfValues(self._index)
        self._turn = threading.Lock()

    @property
    def views(self) -> Sequence[OnlineView]:
        """See the port."""
        return self._index.views

    async def get(self, entities: Sequence[Mapping[str, Any]], at: int) -> Sequence[OnlineRow | None]:
        """See the port. Answers at once: a row of a file of this machine takes less time than asking another thread would."""
        return [self._row(entity, at) for entity in entities]

    async def close(self) -> None:
        self._database.close()

    def _row(self, entity: Mapping[str, Any], at: int) -> OnlineRow | None:
        key = self._index.key(entity)
        if key is None:
            return None
        try:
            with self._turn:
                found = self._cells.found(self._database, key)
        except sqlite3.Error as error:
            raise errors.TryAgain(f"the online store cannot be read: {error}") from error
        return self._index.row(found, at) if found else None


class _OfLines:
    """Reads an entity's cells from the tables of lines; a store has several where it has very many features."""

    def __init__(self, index: indexes.Index) -> None:
        names = sorted(index.cells)
        self._selects = []
        for part, places in enumerate(indexes.parts(len(names))):
            values = ", ".join(map(indexes.value, places))
            lines = indexes.quoted(indexes.rows_of(index.table, part))
            select = f"SELECT {values} FROM {lines} WHERE entity_key = ?"  # noqa: S608 - our own names
            self._selects.append((select, names[places.start : places.stop]))

    def found(self, database: sqlite3.Connection, key: bytes) -> Mapping[str, bytes]:
        """Cells by name; none where the entity is unknown."""
        cells: dict[str, bytes] = {}
        for select, names in self._selects:
            line = database.execute(select, (key,)).fetchone()
            if line is not None:
                cells.update(zip(names, line, strict=True))
        return cells


class _OfValues:
    """Reads them from the table that Feast reads."""

    def __init__(self, index: indexes.Index) -> None:
        self._select = f"SELECT feature_name, value FROM {indexes.quoted(index.table)} WHERE entity_key = ?"  # noqa: S608

    def found(self, database: sqlite3.Connection, key: bytes) -> Mapping[str, bytes]:
        """See :meth:`_OfLines.found`."""
        return dict(database.execute(self._select, (key,)).fetchall())


def connected(folder: Path) -> sqlite3.Connection:
    """The database of a published store. Nobody writes to one any more: no locks, no journal."""
    uri = f"{(folder / indexes.DATABASE).absolute().as_uri()}?mode=ro&immutable=1"
    return sqlite3.connect(uri, uri=True, check_same_thread=False)
