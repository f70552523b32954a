"""Features by id, from a store that may be slow, down or gone: bounded, counted, and refused early while it does not answer.

Nothing is guessed in its place. A caller who has the features can always send them; who has not is told when to come back. What has
outlived its view by the time of the answer is missing, as it was while training; the answer says so.
"""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import cast

from argosy import errors
from argosy.ports.features import OnlineFeatures, OnlineRow
from argosy.serving.circuit_breaker import CircuitBreaker
from argosy.serving.prometheus import Metrics
from argosy.serving.request_columns import Entity, RequestColumns, getter
from argosy.serving.request_problems import RequestProblem
from argosy.serving.rows import Value

_log = logging.getLogger("argosy.serving")
MICROSECONDS = 1e6
"""Of a second."""


def microseconds() -> int:
    """The time of this machine, after 1970 began."""
    return time.time_ns() // 1000


class Lookup:
    """The features of rows that are asked for by id."""

    def __init__(
        self,
        online: OnlineFeatures | None,
        join_keys: Sequence[str],
        metrics: Metrics,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], int] = microseconds,
    ) -> None:
        """*now*: in microseconds after 1970 began; what a feature's age is counted to."""
        self._online = online
        self._now = now
        self._names = " and ".join(join_keys)
        self._count = metrics.lookup
        self._breaker = CircuitBreaker(clock)
        views = () if online is None else online.views
        self._ages = [metrics.online_age.labels(view.name).observe for view in views]
        # To Prometheus what first appears with a number has not grown by it.
        for feature in (name for view in views if view.lifetime is not None for name in view.features):
            metrics.expired_values.labels(feature)
        if online is not None and not views:
            _log.warning(
                "the online store of this version was published by an earlier Argosy, without the moments of its features: none expires, "
                "however old; train a new version"
            )

    async def filled(self, asked: RequestColumns) -> RequestColumns:
        """*asked* with the features of rows that were asked for by id. Raises RequestProblem (404, 422, 503)."""
        entities = cast("Sequence[Entity]", asked.entities)
        now = self._now()
        found = await self._found([entities[place] for place in asked.by_id], now, asked.where(asked.by_id[0], None))
        if None in found:
            self._count("unknown")
            message = f"the online store does not know this {self._names}; send every feature"
            raise RequestProblem(404, message, field=asked.where(asked.by_id[found.index(None)], None))
        self._count("found", len(found))
        rows = cast("Sequence[OnlineRow]", found)
        self._observe(rows, now)
        expired = {place: row.expired for place, row in zip(asked.by_id, rows, strict=True) if row.expired}
        return replace(asked, features=_filled(asked, rows), expired=expired)

    def _observe(self, rows: Sequence[OnlineRow], now: int) -> None:
        if not self._ages:
            return
        for observe, moments in zip(self._ages, zip(*(row.moments for row in rows), strict=True), strict=True):
            if there := [moment for moment in moments if moment is not None]:
                observe((now - min(there)) / MICROSECONDS)

    async def _found(self, entities: Sequence[Entity], now: int, path: str) -> Sequence[OnlineRow | None]:
        if self._online is None:
            raise RequestProblem(422, "this server has no online store; send every feature", field=path)
        if self._breaker.refuses():
            self._count("refused", len(entities))
            raise _unavailable()
        try:
            found = await self._online.get(entities, now)
        except (errors.TryAgain, errors.Misconfigured) as error:
            # The log alone says why: an address of our network, or the name of an account, is not for callers.
            _log.warning("features by id cannot be read: %s", error)
            self._breaker.failed()
            self._count("failed", len(entities))
            raise _unavailable() from error
        self._breaker.succeeded()
        return found


def _filled(asked: RequestColumns, found: Sequence[OnlineRow]) -> dict[str, Sequence[Value]]:
    """The columns of *asked*, with the rows that were *found* in their places."""
    rows = map(getter(list(asked.features)), [row.features for row in found])
    columns: dict[str, Sequence[Value]] = dict(zip(asked.features, zip(*rows, strict=True), strict=True))
    if len(found) == asked.count:
        return columns
    filled: dict[str, Sequence[Value]] = {}
    for name, values in asked.features.items():
        known = dict(zip(asked.by_id, columns[name], strict=True))
        filled[name] = [known.get(place, value) for place, value in enumerate(values)]
    return filled


def _unavailable() -> RequestProblem:
    return RequestProblem(503, "the online store does not answer; send every feature, or try again", retry_after=1)
