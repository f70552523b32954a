"""The index of a published online store, ``online.json``: the keys to look up, and how to read the bytes found there."""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from argosy import errors
from argosy.adapters.feast_features import codec
from argosy.ports.features import Value

FILE = "online.json"
DATABASE = "online.db"
MOST_VALUES = 500
"""Features of one table of lines. SQLite has 2,000 columns at most, and finds a value among a table's in steps as many as they are."""


@dataclass(frozen=True)
class Index:
    """The layout of one published store."""

    table: str
    """The table in its database."""
    keys: tuple[tuple[str, str], ...]
    """Join keys and their types, sorted by name."""
    features: tuple[str, ...]

    @classmethod
    def parse(cls, text: str | bytes) -> "Index":
        """Raises ValueError or KeyError where *text* is none."""
        read = json.loads(text)
        return cls(read["table"], tuple(sorted(read["keys"].items())), tuple(read["features"]))

    @classmethod
    def read(cls, folder: Path) -> "Index":
        """That of the store in *folder*. Raises Misconfigured where there is none."""
        try:
            return cls.parse((folder / FILE).read_bytes())
        except (OSError, ValueError, KeyError) as error:
            raise errors.Misconfigured(f"{folder} holds no online store: {error}") from error

    def text(self) -> str:
        """The JSON that :meth:`parse` reads."""
        return json.dumps({"table": self.table, "keys": dict(self.keys), "features": self.features})

    def key(self, join_keys: Mapping[str, Any]) -> bytes | None:
        """The key of an entity; None where one of its join keys is absent or of another type, so that no such entity can be known."""
        try:
            return codec.encode_key(self.keys, join_keys)
        except (KeyError, TypeError, ValueError, struct.error):
            return None

    def row(self, cells: Mapping[str, bytes]) -> Mapping[str, Value]:
        """The features that *cells* (feature to message) hold. Raises TryAgain where one is absent: half an entity is no answer."""
        try:
            return {name: codec.decode(cells[name]) for name in self.features}
        except KeyError as error:
            raise errors.TryAgain(f"the online store holds an entity without its feature {error.args[0]!r}") from None


def quoted(table: str) -> str:
    """*table* as a name in SQL."""
    return '"' + table.replace('"', '""') + '"'


def parts(features: int) -> list[range]:
    """The places of *features*, by the table that has them."""
    return [range(first, min(first + MOST_VALUES, features)) for first in range(0, features, MOST_VALUES)]


def rows_of(table: str, part: int) -> str:
    """A table that has a line an entity, beside *table*, which has one a value."""
    return f"{table}_rows_{part}" if part else f"{table}_rows"


def value(place: int) -> str:
    """The column of the feature that is at *place* among those sorted by name."""
    return f"value_{place}"
