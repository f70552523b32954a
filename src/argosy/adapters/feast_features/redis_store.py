"""The online store in Redis: a hash an entity, as Feast's own store for Redis keeps it.

One server, or a service that looks like one (``redis://``, ``rediss://``); not the protocol of Redis Cluster.
"""

import contextlib
import itertools
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import mmh3
import redis.asyncio
from redis import exceptions
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import NoBackoff
from redis.retry import Retry

from argosy import errors, network
from argosy.adapters.feast_features import codec, shared_store
from argosy.adapters.feast_features.index import Index
from argosy.adapters.feast_features.shared_store import Entity
from argosy.ports.features import Held, OnlineFeatures

ENTRIES = "argosy:online:"
BATCH = 1000
"""Entities a round trip."""
TIME = f"_ts:{shared_store.VIEW}".encode()
"""The field of an entity's time; an entity that is there has it."""
CONNECTIONS = 32
WRITE_SECONDS = 60.0
AGAIN = 1
"""One more try, at once: a connection that lay idle may have been closed by the other side."""


class RedisStore:
    """Online stores in Redis; see :class:`argosy.ports.features.SharedOnlineStore`."""

    def __init__(self, uri: str) -> None:
        self._uri = uri

    def load(self, folder: Path, digest: str, model: str) -> None:
        index, count = Index.read(folder), 0
        with self._connected() as client:
            text = client.get(_entry(digest))
            there, held = shared_store.read_entry(digest, text) if text else (index, None)
            if held is not None and held.whole:
                client.set(_entry(digest), shared_store.entry(there, replace(held, loaded_at=shared_store.now())))
                return
            _refuse_eviction(client, self._uri)
            begun = Held(digest, model, 0, shared_store.now(), whole=False)
            client.set(_entry(digest), shared_store.entry(index, begun))
            rest = shared_store.entities(folder)
            while batch := list(itertools.islice(rest, BATCH)):
                with client.pipeline(transaction=False) as pipe:
                    for entity in batch:
                        pipe.hset(_key(entity.key, digest), mapping=_fields(entity))
                    pipe.execute()
                count += len(batch)
            client.set(
                _entry(digest), shared_store.entry(index, Held(digest, model, count, shared_store.now(), whole=True))
            )

    def open(self, digest: str) -> OnlineFeatures:
        with self._connected() as client:
            text = client.get(_entry(digest))
        index, held = shared_store.read_entry(digest, text) if text else (None, None)
        if index is None or held is None or not held.whole:
            raise errors.Misconfigured(
                f"the online store {digest} in {shared_store.shown(self._uri)} {shared_store.LOST}"
            )
        return shared_store.SharedFeatures(index, _Reader(self._uri, digest, index))

    def held(self) -> Sequence[Held]:
        with self._connected() as client:
            names = [name.decode() for name in client.scan_iter(match=f"{ENTRIES}*", count=BATCH)]
            found = {name.removeprefix(ENTRIES): client.get(name) for name in names}
        return [shared_store.read_entry(digest, text)[1] for digest, text in sorted(found.items()) if text]

    def drop(self, digest: str) -> None:
        with self._connected() as client:
            if text := client.get(_entry(digest)):
                index, held = shared_store.read_entry(digest, text)
                client.set(_entry(digest), shared_store.entry(index, replace(held, whole=False)))
            keys = client.scan_iter(match=f"*{shared_store.project(digest)}", count=BATCH)
            while batch := list(itertools.islice(keys, BATCH)):
                client.unlink(*batch)
            client.delete(_entry(digest))

    @contextlib.contextmanager
    def _connected(self) -> Iterator["redis.Redis"]:
        with _reported(self._uri):
            client = redis.Redis.from_url(
                self._uri,
                socket_timeout=WRITE_SECONDS,
                socket_connect_timeout=shared_store.CONNECT_SECONDS,
                retry=Retry(NoBackoff(), AGAIN),
            )
            with contextlib.closing(client):
                yield client


class _Reader:
    """See :class:`argosy.adapters.feast_features.shared_store.Backend`."""

    def __init__(self, uri: str, digest: str, index: Index) -> None:
        self._uri = uri
        self._digest = digest
        self._names = index.cells
        self._fields = [TIME, *map(_field, self._names)]
        pool = redis.asyncio.BlockingConnectionPool.from_url(
            uri,
            max_connections=CONNECTIONS,
            timeout=shared_store.ANSWER_SECONDS,
            socket_timeout=shared_store.ANSWER_SECONDS,
            socket_connect_timeout=shared_store.ANSWER_SECONDS,
            retry=AsyncRetry(NoBackoff(), AGAIN),
        )
        self._client = redis.asyncio.Redis.from_pool(pool)

    async def fetch(self, keys: Sequence[bytes]) -> Mapping[bytes, Mapping[str, bytes]]:
        """See the protocol."""
        places = [_key(key, self._digest) for key in keys]
        with _reported(self._uri):
            if len(places) == 1:
                rows = [await self._client.hmget(places[0], self._fields)]
            else:
                async with self._client.pipeline(transaction=False) as pipe:
                    for place in places:
                        pipe.hmget(place, self._fields)
                    rows = await pipe.execute()
        return {key: self._cells(row) for key, row in zip(keys, rows, strict=True) if row[0] is not None}

    async def stands(self) -> bool:
        """See the protocol."""
        with _reported(self._uri):
            text = await self._client.get(_entry(self._digest))
        return bool(text) and shared_store.read_entry(self._digest, text)[1].whole

    async def close(self) -> None:
        """See the protocol."""
        await self._client.aclose()

    def _cells(self, row: Sequence[bytes | None]) -> Mapping[str, bytes]:
        return {name: cell for name, cell in zip(self._names, row[1:], strict=True) if cell is not None}


def _entry(digest: str) -> str:
    return f"{ENTRIES}{digest}"


def _key(key: bytes, digest: str) -> bytes:
    return key + shared_store.project(digest).encode()


def _field(feature: str) -> bytes:
    return struct.pack("<I", mmh3.hash(f"{shared_store.VIEW}:{feature}", signed=False))


def _fields(entity: Entity) -> dict[bytes, bytes]:
    cells = {_field(name): value for name, value in entity.cells.items()}
    return {TIME: codec.encode_time(entity.seconds), **cells}


def _refuse_eviction(client: "redis.Redis", uri: str) -> None:
    policy = client.info("memory").get("maxmemory_policy", "")
    if policy.startswith("allkeys-"):
        raise errors.Misconfigured(
            f"the online store {shared_store.shown(uri)} drops keys when memory is short (maxmemory-policy {policy}), and customers would "
            "become unknown without a word; set maxmemory-policy to noeviction there, or use a Redis of its own"
        )


@contextlib.contextmanager
def _reported(uri: str) -> Iterator[None]:
    """Errors of the client as ours."""
    where = f"the online store {shared_store.shown(uri)}"
    try:
        yield
    except exceptions.OutOfMemoryError as error:
        raise errors.Misconfigured(
            f"{where} is full: {error}; give it more memory, or let `argosy online prune` drop what nothing serves"
        ) from error
    except (exceptions.AuthenticationError, exceptions.NoPermissionError) as error:
        raise errors.Misconfigured(f"{where} refuses: {error}; look at {shared_store.SETTING}") from error
    except (exceptions.RedisError, OSError) as error:
        if fault := network.fault(where, error):
            raise fault from error
        raise errors.TryAgain(f"{where}: {error}") from error
    except ValueError as error:
        raise errors.Misconfigured(f"{shared_store.SETTING}: {error}") from error
