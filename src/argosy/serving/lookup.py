"""Features by id, from a store that may be slow, down or gone: bounded, counted, and refused early while it does not answer.

Nothing is guessed in its place. A caller who has the features can always send them; who has not is told when to come back.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import cast

from argosy import errors
from argosy.ports.features import OnlineFeatures
from argosy.serving.circuit_breaker import CircuitBreaker
from argosy.serving.prometheus import Metrics
from argosy.serving.request_problems import RequestProblem
from argosy.serving.rows import RequestRows, Row, Value

_log = logging.getLogger("argosy.serving")
Features = Mapping[str, Value]


class Lookup:
    """The features of rows that are asked for by id."""

    def __init__(
        self,
        online: OnlineFeatures | None,
        join_keys: Sequence[str],
        metrics: Metrics,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._online = online
        self._names = " and ".join(join_keys)
        self._count = metrics.lookup
        self._breaker = CircuitBreaker(clock)

    async def features(self, asked: RequestRows) -> list[Features]:
        """Those of every row: as sent, or looked up. Raises RequestProblem (404, 422, 503)."""
        wanted = [place for place, row in enumerate(asked.rows) if row.features is None]
        if not wanted:
            return [cast("Features", row.features) for row in asked.rows]
        found = await self._found([asked.rows[place] for place in wanted], asked.where(wanted[0], None))
        given = [row.features for row in asked.rows]
        for place, features in zip(wanted, found, strict=True):
            if features is None:
                self._count("unknown")
                message = f"the online store does not know this {self._names}; send every feature"
                raise RequestProblem(404, message, field=asked.where(place, None))
            given[place] = features
        self._count("found", len(wanted))
        return cast("list[Features]", given)

    async def _found(self, rows: Sequence[Row], path: str) -> Sequence[Features | None]:
        if self._online is None:
            raise RequestProblem(422, "this server has no online store; send every feature", field=path)
        if self._breaker.refuses():
            self._count("refused", len(rows))
            raise _unavailable()
        try:
            found = await self._online.get([cast("Mapping[str, str | int]", row.entity) for row in rows])
        except (errors.TryAgain, errors.Misconfigured) as error:
            # The log alone says why: an address of our network, or the name of an account, is not for callers.
            _log.warning("features by id cannot be read: %s", error)
            self._breaker.failed()
            self._count("failed", len(rows))
            raise _unavailable() from error
        self._breaker.succeeded()
        return found


def _unavailable() -> RequestProblem:
    return RequestProblem(503, "the online store does not answer; send every feature, or try again", retry_after=1)
