"""The online store in PostgreSQL: a table a published store, as Feast's own store for PostgreSQL keeps it."""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import psycopg
from psycopg import sql

from argosy import errors, network
from argosy.adapters.feast_features import shared_store
from argosy.adapters.feast_features.index import Index
from argosy.ports.features import Held, OnlineFeatures

T = TypeVar("T")
ENTRIES = "CREATE TABLE IF NOT EXISTS argosy_online (digest TEXT PRIMARY KEY, entry TEXT NOT NULL)"
LOCK = 0x6172676F7379
"""Of those who load: two would make the same table."""
TABLE = (
    "CREATE TABLE {} (entity_key BYTEA, feature_name TEXT, value BYTEA, value_text TEXT NULL, vector_value BYTEA NULL, "
    "event_ts TIMESTAMPTZ, created_ts TIMESTAMPTZ, PRIMARY KEY (entity_key, feature_name))"
)
COPY = "COPY {} (entity_key, feature_name, value, event_ts) FROM STDIN (FORMAT BINARY)"
CONNECTIONS = 8
"""Of one server. What PostgreSQL can hold is some hundred, for all."""
REFUSALS = ("authentication failed", "does not exist", "pg_hba.conf", "no password supplied", "permission denied")
"""Of a connection that was refused there is only the text: what a person has to mend."""


class PostgresStore:
    """Online stores in PostgreSQL; see :class:`argosy.ports.features.SharedOnlineStore`."""

    def __init__(self, uri: str) -> None:
        self._uri = uri

    def load(self, folder: Path, digest: str, model: str) -> None:
        """See the port. One transaction: nobody sees half of it."""
        index, table, count = Index.read(folder), _table(digest), 0
        with self._connected() as connection:
            connection.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
            connection.execute(ENTRIES)
            if text := _entry(connection, digest):
                there, held = shared_store.read_entry(digest, text)
                again = shared_store.entry(there, replace(held, loaded_at=shared_store.now()))
                connection.execute("UPDATE argosy_online SET entry = %s WHERE digest = %s", [again, digest])
                return
            connection.execute(sql.SQL(TABLE).format(table))
            with connection.cursor() as cursor, cursor.copy(sql.SQL(COPY).format(table)) as copy:
                copy.set_types(["bytea", "text", "bytea", "timestamptz"])
                for entity in shared_store.entities(folder):
                    moment = datetime.fromtimestamp(entity.seconds, UTC)
                    for name, value in entity.cells.items():
                        copy.write_row((entity.key, name, value, moment))
                    count += 1
            held = Held(digest, model, count, shared_store.now(), whole=True)
            connection.execute("INSERT INTO argosy_online VALUES (%s, %s)", [digest, shared_store.entry(index, held)])

    def open(self, digest: str) -> OnlineFeatures:
        with self._connected() as connection:
            text = _entry(connection, digest) if _has_entries(connection) else None
        if text is None:
            raise errors.Misconfigured(
                f"the online store {digest} in {shared_store.shown(self._uri)} {shared_store.LOST}"
            )
        return shared_store.SharedFeatures(shared_store.read_entry(digest, text)[0], _Reader(self._uri, digest))

    def held(self) -> Sequence[Held]:
        with self._connected() as connection:
            if not _has_entries(connection):
                return []
            found = connection.execute("SELECT digest, entry FROM argosy_online ORDER BY digest").fetchall()
        return [shared_store.read_entry(digest, text)[1] for digest, text in found]

    def drop(self, digest: str) -> None:
        with self._connected() as connection:
            connection.execute(sql.SQL("DROP TABLE IF EXISTS {}").format(_table(digest)))
            if _has_entries(connection):
                connection.execute("DELETE FROM argosy_online WHERE digest = %s", [digest])

    @contextlib.contextmanager
    def _connected(self) -> Iterator[psycopg.Connection[Any]]:
        with (
            _reported(self._uri),
            psycopg.connect(self._uri, connect_timeout=int(shared_store.CONNECT_SECONDS)) as connection,
        ):
            yield connection


class _Reader:
    """See :class:`argosy.adapters.feast_features.shared_store.Backend`."""

    def __init__(self, uri: str, digest: str) -> None:
        self._uri = uri
        self._digest = digest
        self._connections = _Connections(uri)
        self._select = sql.SQL("SELECT entity_key, feature_name, value FROM {} WHERE entity_key = ANY(%b)").format(
            _table(digest)
        )

    async def fetch(self, keys: Sequence[bytes]) -> Mapping[bytes, Mapping[str, bytes]]:
        """See the protocol."""
        found: dict[bytes, dict[str, bytes]] = defaultdict(dict)
        try:
            for key, name, value in await self._rows(self._select, [list(keys)]):
                found[key][name] = value
        except psycopg.errors.UndefinedTable:
            return {}  # and so it does not stand
        return found

    async def stands(self) -> bool:
        """See the protocol."""
        return bool(await self._rows(sql.SQL("SELECT 1 FROM argosy_online WHERE digest = %b"), [self._digest]))

    async def close(self) -> None:
        """See the protocol."""
        await self._connections.close()

    async def _rows(self, query: sql.SQL | sql.Composed, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        async def ask(connection: psycopg.AsyncConnection[Any]) -> list[tuple[Any, ...]]:
            async with connection.cursor(binary=True) as cursor:
                await cursor.execute(query, values)
                return await cursor.fetchall()

        with _reported(self._uri):
            return await self._connections.run(ask)


class _Connections:
    """A few connections that are kept for the next question."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._turns = asyncio.Semaphore(CONNECTIONS)
        self._idle: list[psycopg.AsyncConnection[Any]] = []

    async def run(self, ask: Callable[[psycopg.AsyncConnection[Any]], Awaitable[T]]) -> T:
        """The answer of *ask*, on a connection of its own."""
        async with self._turns:
            while self._idle:
                # One that lay idle may have been closed by the other side, and so may all of them; a new one tells.
                with contextlib.suppress(psycopg.OperationalError):
                    return await self._kept(self._idle.pop(), ask)
            seconds = int(shared_store.CONNECT_SECONDS)
            return await self._kept(
                await psycopg.AsyncConnection.connect(self._uri, autocommit=True, connect_timeout=seconds), ask
            )

    async def close(self) -> None:
        """Close them."""
        while self._idle:
            await self._idle.pop().close()

    async def _kept(
        self, connection: psycopg.AsyncConnection[Any], ask: Callable[[psycopg.AsyncConnection[Any]], Awaitable[T]]
    ) -> T:
        try:
            answer = await ask(connection)
        except BaseException:
            await connection.close()
            raise
        self._idle.append(connection)
        return answer


def _table(digest: str) -> sql.Identifier:
    return sql.Identifier(f"{shared_store.project(digest)}_{shared_store.VIEW}")


def _has_entries(connection: psycopg.Connection[Any]) -> bool:
    return connection.execute("SELECT to_regclass('argosy_online')").fetchone() != (None,)


def _entry(connection: psycopg.Connection[Any], digest: str) -> str | None:
    found = connection.execute("SELECT entry FROM argosy_online WHERE digest = %s", [digest]).fetchone()
    return found[0] if found else None


@contextlib.contextmanager
def _reported(uri: str) -> Iterator[None]:
    """Errors of the client as ours, without the addresses and the lines of a query that they hold."""
    where = f"the online store {shared_store.shown(uri)}"
    try:
        yield
    except psycopg.errors.UndefinedTable:
        raise
    except (psycopg.errors.DiskFull, psycopg.errors.InsufficientPrivilege) as error:
        raise errors.Misconfigured(f"{where} refuses: {_first_line(error)}") from error
    except psycopg.OperationalError as error:
        if any(refusal in str(error) for refusal in REFUSALS):
            raise errors.Misconfigured(
                f"{where} refuses: {_first_line(error)}; look at {shared_store.SETTING}"
            ) from error
        if fault := network.fault(where, error):
            raise fault from error
        raise errors.TryAgain(f"{where}: {_first_line(error)}") from error
    except psycopg.ProgrammingError as error:
        raise errors.Misconfigured(f"{shared_store.SETTING}: {_first_line(error)}") from error
    except psycopg.Error as error:
        raise errors.TryAgain(f"{where}: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
