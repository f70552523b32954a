"""Alive, ready, draining: what a load balancer needs to know.

A server is alive as long as it answers. It is ready from the moment it is built (a model that does not load is never built into an app)
until it is told to stop; then readiness fails first, and requests that come until the last caller has noticed are still answered.
"""

from dataclasses import dataclass


@dataclass
class Lifecycle:
    """The state of one server, changed by whoever runs it."""

    draining: bool = False

    @property
    def ready(self) -> bool:
        """Whether new callers should come."""
        return not self.draining
