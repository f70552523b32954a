"""Alive, ready, draining: what a load balancer needs to know.

A server is alive as long as its event loop turns. It is ready from the moment it is built (a model that does not load is never built into
an app) until it is told to stop; then readiness fails first, and requests that come until the last caller has noticed are still answered.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

STALLED_SECONDS = 30.0
"""An event loop that has not turned for this long hangs. No request holds it for a hundredth of that."""


@dataclass
class Lifecycle:
    """The state of one server, changed by whoever runs it, read from any thread."""

    draining: bool = False
    clock: Callable[[], float] = time.monotonic
    _turned: float | None = field(default=None, init=False)

    @property
    def ready(self) -> bool:
        """The readiness probe: True while new callers should come."""
        return not self.draining

    @property
    def live(self) -> bool:
        """The liveness probe: True while the event loop turns, and before anybody runs one."""
        return self._turned is None or self.clock() - self._turned < STALLED_SECONDS

    def turn(self) -> None:
        """The event loop says that it turns."""
        self._turned = self.clock()
