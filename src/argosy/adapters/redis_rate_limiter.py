"""Counts requests in Redis, so that a rate holds over all replicas of a server: ``limits``' sliding window, on the database's clock."""

from functools import lru_cache
from typing import Any

import limits
import redis.asyncio
from limits.aio.storage import RedisStorage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from limits.errors import StorageError

from argosy import errors

CONNECT_SECONDS = 1.0
CONNECTIONS = 16

_item = lru_cache(maxsize=1024)(limits.parse)


class RedisRateLimiter:
    """See the port."""

    def __init__(self, uri: str, namespace: str) -> None:
        """*uri*: ``redis://…`` or ``rediss://…``. *namespace*: what is counted apart from others in the same database."""
        options: dict[str, Any] = {
            "implementation": "redispy",
            "wrap_exceptions": True,
            "key_prefix": f"argosy-rates:{namespace}",
        }
        self._pool = redis.asyncio.BlockingConnectionPool.from_url(
            uri,
            max_connections=CONNECTIONS,
            timeout=CONNECT_SECONDS,
            socket_connect_timeout=CONNECT_SECONDS,
            socket_timeout=CONNECT_SECONDS,
        )
        self._storage = RedisStorage(f"async+{uri}", connection_pool=self._pool, **options)
        self._strategy = SlidingWindowCounterRateLimiter(self._storage)

    async def hit(self, key: str, rate: str) -> float:
        """See the port."""
        item = _item(rate)
        try:
            if await self._strategy.hit(item, key):
                return 0.0
            stats = await self._storage.get_sliding_window(item.key_for(key), item.get_expiry())
        except StorageError as error:
            raise errors.TryAgain(
                f"rates cannot be counted in Redis: {errors.first_line(error.storage_error)}"
            ) from error
        # The window's count is kept for one window more, as the one before; its time is told with that.
        return stats[3] % item.get_expiry() or float(item.get_expiry())

    async def close(self) -> None:
        """See the port."""
        await self._pool.aclose()
