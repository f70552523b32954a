"""Features by id, from a store that may be slow, down or gone: bounded, counted, and refused early while it does not answer.

Nothing is guessed in its place. A caller who has the features can always send them; who has not is told when to come back.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import cast

from argosy import errors
from argosy.ports.features import OnlineFeatures
from argosy.serving.circuit_breaker import CircuitBreaker
from argosy.serving.prometheus import Metrics
from argosy.serving.request_columns import Entity, RequestColumns, getter
from argosy.serving.request_problems import RequestProblem
from argosy.serving.rows import Value

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

    async def filled(self, asked: RequestColumns) -> RequestColumns:
        """*asked* with the features of rows that were asked for by id. Raises RequestProblem (404, 422, 503)."""
        entities = cast("Sequence[Entity]", asked.entities)
        found = await self._found([entities[place] for place in asked.by_id], asked.where(asked.by_id[0], None))
        if None in found:
            self._count("unknown")
            message = f"the online store does not know this {self._names}; send every feature"
            raise RequestProblem(404, message, field=asked.where(asked.by_id[found.index(None)], None))
        self._count("found", len(found))
        return replace(asked, features=_filled(asked, cast("Sequence[Features]", found)))

    async def _found(self, entities: Sequence[Entity], path: str) -> Sequence[Features | None]:
        if self._online is None:
            raise RequestProblem(422, "this server has no online store; send every feature", field=path)
        if self._breaker.refuses():
            self._count("refused", len(entities))
            raise _unavailable()
        try:
            found = await self._online.get(entities)
        except (errors.TryAgain, errors.Misconfigured) as error:
            # The log alone says why: an address of our network, or the name of an account, is not for callers.
            _log.warning("features by id cannot be read: %s", error)
            self._breaker.failed()
            self._count("failed", len(entities))
            raise _unavailable() from error
        self._breaker.succeeded()
        return found


def _filled(asked: RequestColumns, found: Sequence[Features]) -> dict[str, Sequence[Value]]:
    """The columns of *asked*, with the rows that were *found* in their places."""
    rows = map(getter(list(asked.features)), found)
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
