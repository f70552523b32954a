"""Requests that wait for the hot path: until the event loop has read from each connection that had something to say, and no longer."""

import asyncio
import functools
import logging
import time
from collections.abc import MutableMapping, Sequence
from typing import Any, Protocol, cast

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from argosy.serving.hot_path import HotRequest
from argosy.serving.inference import INLINE_BYTES, JUDGED
from argosy.serving.overload import LoopTurn, Overload
from argosy.serving.unread_requests import UnreadRequest

_log = logging.getLogger("argosy.serving")
UNAVAILABLE = b"503 Service Unavailable"
MOST_TOGETHER = 64
"""Requests that are answered together: more would share no more, and each holds its body meanwhile."""
MOST_LATE = 16
"""The same where turns hold too much: what a turn has done by then, by which others are refused, must not lag behind what it has taken."""
MOST_HELD_BYTES = 8 * 2**20
"""Of all that is left unread, for as long as one turn of the event loop takes."""


class AskingConnection(Protocol):
    """A connection that a request came by."""

    loop: asyncio.AbstractEventLoop

    def start(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Let *app* answer the request of *cycle*."""

    def reply(self, cycle: RequestResponseCycle, status: bytes, content: bytes) -> None:
        """Answer the request of *cycle* with *status* and *content*, which is headers and body."""

    def drop(self) -> None:
        """End the connection at once."""

    def take_up(self) -> None:
        """Read what was left unread."""


class AnswersTogether(Protocol):
    """Answers requests that are there with their whole body: a :class:`~argosy.serving.hot_path.HotPath`, or those of several models."""

    def may_take(self, scope: MutableMapping[str, Any]) -> bool:
        """See :meth:`HotPath.may_take <argosy.serving.hot_path.HotPath.may_take>`, as the others."""

    def answer(self, requests: Sequence[HotRequest]) -> list[bytes | None]:
        """See there."""

    def refusal(self, request: HotRequest) -> bytes:
        """See there."""


def most_together(overload: Overload) -> int:
    """Requests that are answered together now."""
    return MOST_LATE if overload.late else MOST_TOGETHER


class HotQueue:
    """The queue of one event loop."""

    def __init__(self, path: AnswersTogether, overload: Overload) -> None:
        self._path = path
        self._overload = overload
        self._turn = LoopTurn(overload, self._flush)
        self._waiting: list[tuple[AskingConnection, RequestResponseCycle, Any, HotRequest]] = []
        self._held_bytes = 0

    def may_take(self, cycle: RequestResponseCycle) -> bool:
        """True for a request that may be put here once all of it has come."""
        return not cycle.waiting_for_100_continue and self._path.may_take(_scope(cycle))

    def put(self, connection: AskingConnection, cycle: RequestResponseCycle, app: Any) -> None:
        """Answer the request of *cycle* with others that are there, or have *app* answer it, or refuse it where too many wait."""
        self._turn.arrived(connection.loop)
        request = HotRequest(_scope(cycle), bytes(cycle.body), time.perf_counter())
        if self._overload.sheds():
            connection.reply(cycle, UNAVAILABLE, self._path.refusal(request))
            return
        request.scope["state"][JUDGED] = True
        self._waiting.append((connection, cycle, app, request))
        if len(self._waiting) >= most_together(self._overload):
            self._flush()

    def holds(self, connection: AskingConnection, size: int) -> bool:
        """True where *connection* shall leave the *size* bytes that it got unread, until it is told to take them up: where turns hold too
        much, the newest are read first."""
        if not self._overload.late or size > INLINE_BYTES or self._held_bytes + size > MOST_HELD_BYTES:
            return False
        self._held_bytes += size
        self._turn.hold(connection.loop, functools.partial(self._take_up, connection, size))
        return True

    def _take_up(self, connection: AskingConnection, size: int) -> None:
        self._held_bytes -= size
        try:
            connection.take_up()
        except Exception:  # noqa: BLE001 - a fault of one connection must not leave the others unread
            _log.exception("a connection failed while it was read")
            connection.drop()

    def sheds(self) -> bool:
        """True where what is taken up now is refused, unless it is about something else than rows."""
        return self._overload.sheds()

    def refusal(self, asked: UnreadRequest) -> bytes | None:
        """What is refused with 503, all that follows the status line; None where *asked* is about something else, and is to be read."""
        scope = {"type": "http", "method": "POST", "path": asked.path, "headers": asked.headers, "state": {}}
        if not self._path.may_take(scope):
            return None
        return self._path.refusal(HotRequest(scope, b"", time.perf_counter()))

    def _flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        answers = self._path.answer([request for _, _, _, request in waiting])
        for (connection, cycle, app, _), answer in zip(waiting, answers, strict=True):
            try:
                if answer is None:
                    connection.start(cycle, app)
                elif not cycle.disconnected:
                    connection.reply(cycle, b"200 OK", answer)
            except Exception:  # noqa: BLE001 - a fault of one connection must not leave the others without an answer
                _log.exception("a connection failed while it was answered")
                connection.drop()


def _scope(cycle: RequestResponseCycle) -> MutableMapping[str, Any]:
    return cast("MutableMapping[str, Any]", cycle.scope)
