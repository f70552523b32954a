"""The rules as they stand in their file, read again when it changes: a key is added or withdrawn without a restart."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from argosy import errors
from argosy.domain.access_rules import AccessRules, Issuer
from argosy.files import model_folder
from argosy.ports.rate_limiter import RateLimiter
from argosy.ports.token_verifier import TokenVerifier
from argosy.serving.access.gatekeeper import Gatekeeper
from argosy.serving.access.local_rate_limiter import LocalRateLimiter, RateCounter
from argosy.serving.access.outcomes import Outcome
from argosy.serving.file_stamps import stamp

_log = logging.getLogger("argosy.serving")


@dataclass(frozen=True)
class AccessFile:
    """The file of the rules, and what they are held by."""

    path: Path
    tokens: Callable[[Sequence[Issuer]], TokenVerifier]
    """Proves tokens of the issuers that the rules name."""
    shared: RateLimiter | None = None
    """The counter that replicas share; None: each counts by itself."""


class WatchedRules:
    """The gatekeeper by the file's present content. A file that cannot be understood changes nothing, and is told and counted."""

    def __init__(
        self,
        file: AccessFile,
        count: Callable[[Outcome], None] = lambda _: None,
        report: Callable[[bool], None] = lambda _: None,
        local: RateCounter | None = None,
    ) -> None:
        """*count*: see the gatekeeper. *report* is told, when the file changed, whether it was understood.

        *local*: counts where replicas share no counter; None: this process alone. Raises Misconfigured.
        """
        self._file = file
        self._count = count
        self._report = report
        self._local = local or LocalRateLimiter()
        self._seen = stamp(file.path)
        self.gatekeeper = self._read()
        report(True)

    def look(self) -> None:
        """Read the file again, where it changed since it was last read."""
        now = stamp(self._file.path)
        if now == self._seen:
            return
        self._seen = now
        try:
            self.gatekeeper = self._read()
        except errors.Misconfigured as error:
            _log.error("access stays as it was: %s", error)
            self._report(False)
        else:
            self._report(True)

    async def close(self) -> None:
        """Let go of the counter that replicas share."""
        if self._file.shared is not None:
            await self._file.shared.close()

    def _read(self) -> Gatekeeper:
        rules = model_folder.load(self._file.path, AccessRules)
        return Gatekeeper(
            rules,
            tokens=self._file.tokens(rules.issuers) if rules.issuers else None,
            shared=self._file.shared,
            count=self._count,
            # Rates go on from where they were: a change of the file is no reason to let anybody ask twice.
            local=self._local,
        )
