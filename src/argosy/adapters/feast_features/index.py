"""The index of a published online store, ``online.json``: the keys to look up, how to read the bytes found there, and how long they count.

The moment of each view is a cell among those of the features, so that whatever keeps cells keeps it: Feast takes it for a number like them.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from argosy import errors
from argosy.adapters.feast_features import codec
from argosy.domain import reserved_names
from argosy.ports.features import OnlineRow, OnlineView

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
    views: tuple[OnlineView, ...] = ()
    """Where they come from; none in what an earlier Argosy published."""

    @classmethod
    def parse(cls, text: str | bytes) -> "Index":
        """Raises ValueError or KeyError where *text* is none."""
        read = json.loads(text)
        views = [
            OnlineView(view["name"], tuple(view["features"]), view["lifetime_microseconds"])
            for view in read.get("views", ())
        ]
        return cls(read["table"], tuple(sorted(read["keys"].items())), tuple(read["features"]), tuple(views))

    @classmethod
    def read(cls, folder: Path) -> "Index":
        """That of the store in *folder*. Raises Misconfigured where there is none."""
        try:
            return cls.parse((folder / FILE).read_bytes())
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise errors.Misconfigured(f"{folder} holds no online store: {error}") from error

    def text(self) -> str:
        """The JSON that :meth:`parse` reads."""
        return json.dumps(self.as_json())

    def as_json(self) -> dict[str, Any]:
        """The same, not yet written."""
        views = [
            {"name": view.name, "features": view.features, "lifetime_microseconds": view.lifetime}
            for view in self.views
        ]
        # What has no views is written as it always was: a digest is of it.
        told = {"views": views} if views else {}
        return {"table": self.table, "keys": dict(self.keys), "features": self.features, **told}

    @cached_property
    def cells(self) -> tuple[str, ...]:
        """What the store keeps of each entity: its features, and the moment of each view."""
        return (*self.features, *map(moment_of, (view.name for view in self.views)))

    def key(self, join_keys: Mapping[str, Any]) -> bytes | None:
        """The key of an entity; None where one of its join keys is absent or of another type, so that no such entity can be known."""
        try:
            return codec.encode_key(self.keys, join_keys)
        except (KeyError, TypeError, ValueError, struct.error):
            return None

    def row(self, cells: Mapping[str, bytes], at: int) -> OnlineRow:
        """What *cells* (name to message) hold, as it counts *at* so many microseconds after 1970 began.

        Raises TryAgain where one is absent: half an entity is no answer.
        """
        try:
            values = codec.decode_all(map(cells.__getitem__, self.cells))
        except KeyError as error:
            raise errors.TryAgain(f"the online store holds an entity without its feature {error.args[0]!r}") from None
        features = dict(zip(self.features, values, strict=False))
        moments = cast("list[float | None]", values[len(self.features) :])
        expired: list[str] = []
        for view, moment in zip(self.views, moments, strict=True):
            if moment is not None and view.lifetime is not None and at - moment > view.lifetime:
                expired += [name for name in view.features if features[name] is not None]
                features.update(dict.fromkeys(view.features))
        return OnlineRow(features, moments, expired)


def moment_of(view: str) -> str:
    """The cell, and among rows the column, of the moment of *view*."""
    return f"{reserved_names.MOMENT}{view}"


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
