"""Features, defined once: joined to examples as they were known at the time, and looked up by id while serving.

Owns no definition: those are the model's own file. Which rows are examples, and on which side of the split, is decided before and after.
"""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

from argosy.ports.tables import AsOfView, Tables

Value = float | str | None


@dataclass(frozen=True)
class Definition:
    """One feature of a service."""

    name: str
    type: Literal["number", "category"]
    view: str
    source: str
    """The source of the data contract that the view reads."""
    column: str
    """The column of that source."""


@dataclass(frozen=True, slots=True)
class OnlineView:
    """A view whose features an online store has, each entity's with the moment at which they were true."""

    name: str
    features: Sequence[str]
    lifetime: int | None
    """How old they may be, in microseconds, as training has it; None: any age."""


class OnlineRow(NamedTuple):
    """What an online store has of one entity, as it counts at the moment that was asked about."""

    features: Mapping[str, Value]
    """By name; None where it is missing: so it was joined, or it has outlived its view."""
    moments: Sequence[float | None] = ()
    """Of each view of the store, when its features were true, in microseconds after 1970 began; None where the join found no row."""
    expired: Sequence[str] = ()
    """The features whose values have outlived their view."""


class Features(Protocol):
    """The features of one model. Joining them is :meth:`argosy.ports.tables.Tables.join`'s work."""

    def definitions(self) -> Sequence[Definition]:
        """The features of the model's service, in its order.

        Raises Misconfigured where the definitions cannot be loaded, or read a source by other times than the data contract's.
        """

    def join_keys(self) -> Sequence[str]:
        """The columns of an example that features are looked up by."""

    def views(self) -> Sequence[AsOfView]:
        """The views that :meth:`definitions` come from, each with those of its features."""

    def left_out(self) -> Sequence[AsOfView]:
        """The same for each feature that the views of the definitions could take by the data contract and the service does not, called
        ``<view>:<name>``: what a champion may read that the candidate does not.
        """

    def publish(self, rows: Path, into: Path, tables: Tables) -> str:
        """Write the online store to the folder *into*: of the file *rows*, sorted by the model's own join keys and time, the newest of
        each entity.

        The folder may be moved, and has the same bytes for the same rows. Returns the digest of its content. Memory is bounded.
        """


class OnlineFeatures(Protocol):
    """The newest features by id, of one published store, for one server."""

    @property
    def views(self) -> Sequence[OnlineView]:
        """The views that its features come from; none of a store that an earlier Argosy published, without moments: nothing expires."""

    async def get(self, entities: Sequence[Mapping[str, Any]], at: int) -> Sequence[OnlineRow | None]:
        """The features of each of *entities* (join key to value) as they count *at* so many microseconds after 1970 began; None for one
        that is unknown.

        They are what the offline join gave; a value that is older than its view's lifetime at that moment is missing, as it would be to
        the join.

        Raises TryAgain where the store fails, within a bounded time, and where it no longer holds what this server reads; Misconfigured
        where it refuses us.
        """

    async def close(self) -> None:
        """Give connections back; nothing is asked any more."""


@dataclass(frozen=True)
class Held:
    """One published store in a shared one."""

    digest: str
    model: str
    entities: int
    loaded_at: datetime.datetime
    """When it was last to be loaded, whether or not it was there already."""
    whole: bool
    """True where all of it is there; False while it is being loaded or dropped."""


class SharedOnlineStore(Protocol):
    """A database that many servers read: published stores of any model and version, each under its own digest, never changed.

    Every method raises TryAgain where the database cannot be reached, Misconfigured where it refuses.
    """

    def load(self, folder: Path, digest: str, model: str) -> None:
        """Copy the published store in *folder*, whose digest is *digest*, whole or not at all.

        Where it is there already, only ``loaded_at`` changes: whoever loads is about to propose it, and nobody may take it for forgotten.
        """

    def open(self, digest: str) -> OnlineFeatures:
        """The features of the published store *digest*. Raises Misconfigured where it is not there, or not whole."""

    def held(self) -> Sequence[Held]:
        """The published stores, by digest."""

    def drop(self, digest: str) -> None:
        """Remove a published store. Servers that read it answer requests by id no more. Nothing happens where it is not there."""
