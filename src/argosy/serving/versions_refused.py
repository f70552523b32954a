"""What may not be served, told once for each reason, however often it is looked at."""

import logging

_log = logging.getLogger("argosy.serving")


class VersionsRefused:
    """What was told of each model."""

    def __init__(self) -> None:
        self._told: dict[str, str] = {}

    def tell(self, model: str, version: str, reason: str) -> None:
        """*version* of *model* is served as before, for a *reason*."""
        if self._told.get(model) != reason:
            self._told[model] = reason
            _log.error("%s version %s is served as before: %s", model, version, reason)

    def forget(self, model: str) -> None:
        """There is nothing against *model* any more."""
        self._told.pop(model, None)
