"""Looks features up in the online store that ``build-features`` published: Feast's own table, read without Feast."""

import json
import sqlite3
import struct
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from argosy import errors
from argosy.adapters.feast_features import codec
from argosy.ports.features import Value

INDEX = "online.json"
DATABASE = "online.db"


class FeastOnline:
    """The online store in *folder*. Safe to use from several threads. Raises Misconfigured where it is none."""

    def __init__(self, folder: Path) -> None:
        try:
            index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
            # Nobody writes to a published store: no locks, no journal.
            self._database = sqlite3.connect(
                f"{(folder / DATABASE).absolute().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False
            )
        except (OSError, ValueError, sqlite3.Error) as error:
            raise errors.Misconfigured(f"{folder} holds no online store: {error}") from error
        self._keys = sorted(index["keys"].items())
        self._features: list[str] = index["features"]
        self._select = f"SELECT feature_name, value FROM {quoted(index['table'])} WHERE entity_key = ?"  # noqa: S608
        self._turn = threading.Lock()

    def get(self, join_keys: Mapping[str, Any]) -> Mapping[str, Value]:
        """The features of one entity; see the port."""
        try:
            key = codec.encode_key(self._keys, join_keys)
        except KeyError as error:
            raise LookupError(f"the join key {error.args[0]!r} is not given") from None
        except (TypeError, ValueError, struct.error):
            raise LookupError("a join key is not of its type") from None
        try:
            with self._turn:
                found = dict(self._database.execute(self._select, [key]).fetchall())
        except sqlite3.Error as error:
            raise errors.TryAgain(f"the online store cannot be read: {error}") from error
        if not found:
            raise LookupError("no such entity in the online store")
        return {name: codec.decode(found[name]) for name in self._features}


def quoted(table: str) -> str:
    """*table* as a name in SQL."""
    return '"' + table.replace('"', '""') + '"'
