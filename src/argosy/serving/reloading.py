"""Another version takes the place of one that is served, without a request that is dropped.

It is fetched, verified and loaded beside the old one, in a thread; then it answers what comes from that moment on, and the old one is let
go once nobody is answered by it any more. A version that may not be served, or does not load, changes nothing, and is told and counted.
"""

import asyncio
import contextlib
import logging
import signal
from collections.abc import Callable

from argosy import errors
from argosy.serving.served_models import ServedModel, ServedModels
from argosy.serving.versions_refused import VersionsRefused

_log = logging.getLogger("argosy.serving")
Successor = Callable[[ServedModel], ServedModel | None]
"""The model that is to take the place of one, loaded and verified; None where it is the one that should be served. Called in a thread.

Raises ArgosyError where it may not be served.
"""


class Reloader:
    """Looks for other versions on SIGHUP, and now and then; see :class:`argosy.serving.graceful_server.Companion`."""

    def __init__(
        self,
        models: ServedModels,
        successor: Successor,
        *,
        every: float | None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        """*every*: seconds between two looks; None: only where it is asked for. *say* is told what answers now."""
        self._models = models
        self._successor = successor
        self._every = every
        self._say = say
        self._asked = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._retiring: set[asyncio.Task[None]] = set()
        self._refusals = VersionsRefused()

    async def start(self) -> None:
        """See the protocol."""
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._asked.set)
        self._task = asyncio.create_task(self._run())

    async def stop(self, seconds: float) -> None:
        """See the protocol."""
        asyncio.get_running_loop().remove_signal_handler(signal.SIGHUP)
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task], timeout=seconds)
        if self._retiring:
            await asyncio.wait(self._retiring, timeout=seconds)

    async def _run(self) -> None:
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._every):
                    await self._asked.wait()
            self._asked.clear()
            await self.look()

    async def look(self) -> None:
        """Have the versions that should be served answer, of each model."""
        for model in list(self._models.models.values()):
            try:
                found = await asyncio.to_thread(self._successor, model)
            except errors.ArgosyError as error:
                self._refuse(model, str(error))
            except Exception as error:  # noqa: BLE001 - the server goes on with what it has, whatever is wrong with the new one
                _log.exception("%s is served as before", model.name)
                self._refuse(model, f"bug: {type(error).__name__}")
            else:
                if found is not None:
                    self._take(found)

    def _refuse(self, model: ServedModel, reason: str) -> None:
        self._models.server.reloaded("refused")
        self._refusals.tell(model.name, model.parts.service.version, reason)

    def _take(self, found: ServedModel) -> None:
        self._refusals.forget(found.name)
        before = self._models.replace(found)
        self._models.server.reloaded("taken")
        self._say(
            f"{found.name} version {found.parts.service.version} answers now, in place of {before.parts.service.version}"
        )
        task = asyncio.create_task(self._models.retire(before))
        self._retiring.add(task)
        task.add_done_callback(self._retiring.discard)
