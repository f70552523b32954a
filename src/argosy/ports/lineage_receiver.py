"""Port: who is told which data a step read and made."""

from collections.abc import Mapping
from typing import Any, Protocol


class LineageReceiver(Protocol):
    """Takes events of OpenLineage. No run depends on it."""

    def tell(self, event: Mapping[str, Any]) -> None:
        """Hand *event* on, once, within seconds. Raises nothing: one that cannot be handed on is lost, and a line says so."""
