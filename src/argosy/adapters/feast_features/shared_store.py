"""The common part of the online stores that servers share, on Redis or PostgreSQL.

Every published store lies there under its own digest, in a Feast project of its own: two versions that are served at once each read the
features they were approved with, and what is there never changes. It counts as there once it is whole. Where its bytes lie is Feast's
layout, so that Feast's own stores read it; writing and reading them here takes neither Feast nor the seconds of its import.
"""

import asyncio
import contextlib
import itertools
import json
import sqlite3
import urllib.parse
from collections.abc import Coroutine, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol, TypeVar

from argosy import errors
from argosy.adapters.feast_features import index as indexes
from argosy.adapters.feast_features import online
from argosy.adapters.feast_features.index import Index
from argosy.ports.features import Held, OnlineRow, OnlineView

T = TypeVar("T")
SETTING = "ARGOSY_ONLINE_STORE_URI"
VIEW = "online"
"""The feature view in each project."""
ANSWER_SECONDS = 1.0
"""Timeout of a lookup, a new connection included: a hundred times what is usual, and short of what callers wait."""
CONNECT_SECONDS = 5.0
LOST = "was not loaded, or was lost; `argosy online load MODEL` puts it there"


def project(digest: str) -> str:
    """The Feast project of the store with *digest*: short enough for a table's name, long enough to be met by nothing else."""
    return f"argosy_{digest.removeprefix('sha256:')[:32]}"


@dataclass(frozen=True)
class Entity:
    """The features of one entity, as the bytes that any of Feast's stores keeps."""

    key: bytes
    cells: Mapping[str, bytes]
    """Feature to value, and what :attr:`Index.cells` has besides."""
    seconds: int
    """The time of its newest example, after 1970 began. Its features may be older, each view's by itself."""


def entities(folder: Path) -> Iterator[Entity]:
    """All of the published store in *folder*, in the order of their keys. Raises Misconfigured where it is none."""
    table = indexes.quoted(Index.read(folder).table)
    query = f"SELECT entity_key, feature_name, value, event_ts FROM {table} ORDER BY entity_key, feature_name"  # noqa: S608
    try:
        with contextlib.closing(online.connected(folder)) as database:
            for key, cells in itertools.groupby(database.execute(query), key=lambda cell: cell[0]):
                found = list(cells)
                yield Entity(key, {name: value for _, name, value, _ in found}, found[0][3])
    except sqlite3.Error as error:
        raise errors.Misconfigured(f"{folder} holds no online store: {error}") from error


def entry(index: Index, held: Held) -> str:
    """The record of a store that was published, for :func:`read_entry`."""
    described = {
        "model": held.model,
        "entities": held.entities,
        "loaded_at": held.loaded_at.isoformat(),
        "whole": held.whole,
    }
    return json.dumps({**described, "index": json.loads(index.text())})


def read_entry(digest: str, text: str | bytes) -> tuple[Index, Held]:
    """The record that :func:`entry` wrote about the store with *digest*. Raises Misconfigured where somebody else did."""
    try:
        read = json.loads(text)
        at = datetime.fromisoformat(read["loaded_at"])
        held = Held(digest, read["model"], read["entities"], at, read["whole"])
        return Index.parse(json.dumps(read["index"])), held
    except (ValueError, KeyError, TypeError) as error:
        raise errors.Misconfigured(f"the shared online store holds no description of {digest}: {error}") from error


def now() -> datetime:
    """The time at which something was loaded."""
    return datetime.now(UTC)


def shown(uri: str) -> str:
    """*uri* without what opens it."""
    parts = urllib.parse.urlsplit(uri)
    return parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment="").geturl()


class Backend(Protocol):
    """One published store in one database, for reading."""

    async def fetch(self, keys: Sequence[bytes]) -> Mapping[bytes, Mapping[str, bytes]]:
        """Key to cells of those *keys* that are known."""

    async def stands(self) -> bool:
        """True where the store is still there, whole."""

    async def close(self) -> None:
        """Give connections back."""


class SharedFeatures:
    """See :class:`argosy.ports.features.OnlineFeatures`; of the published store that *backend* reads by *index*."""

    def __init__(self, index: Index, backend: Backend) -> None:
        self._index = index
        self._backend = backend
        self._asking: set[asyncio.Task[Any]] = set()

    @property
    def views(self) -> Sequence[OnlineView]:
        return self._index.views

    async def get(self, entities: Sequence[Mapping[str, Any]], at: int) -> Sequence[OnlineRow | None]:
        keys = [self._index.key(entity) for entity in entities]
        wanted = [key for key in dict.fromkeys(keys) if key is not None]
        found = await self._in_time(self._found(wanted)) if wanted else {}
        return [None if key is None or key not in found else self._index.row(found[key], at) for key in keys]

    async def close(self) -> None:
        await self._backend.close()

    async def _found(self, keys: Sequence[bytes]) -> Mapping[bytes, Mapping[str, bytes]]:
        found = await self._backend.fetch(keys)
        # A store that somebody emptied knows nobody; to say so of a customer would be a wrong answer.
        if len(found) < len(keys) and not await self._backend.stands():
            raise errors.TryAgain(f"what this server reads {LOST}")
        return found

    async def _in_time(self, asking: Coroutine[Any, Any, T]) -> T:
        """The answer. Not ``asyncio.timeout``, which waits for the client to take back its question, and that may hang as well."""
        task = asyncio.create_task(asking)
        self._asking.add(task)
        task.add_done_callback(self._done)
        try:
            await asyncio.wait([task], timeout=ANSWER_SECONDS)
        finally:
            task.cancel()  # nothing, where it is done
        if not task.done():
            raise errors.TryAgain(f"no answer within {ANSWER_SECONDS:g} s")
        return task.result()

    def _done(self, task: asyncio.Task[Any]) -> None:
        self._asking.discard(task)
        if not task.cancelled():
            task.exception()  # looked at: whoever asked has gone, or was told
