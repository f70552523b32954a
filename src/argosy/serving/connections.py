"""Connections, before there is a request: how many, how slow, how large. What a request may hold is said in ``exchange`` and ``reading``.

The parser is httptools, and nothing else: h11 has other limits, and a server would bear other things than its tests tried. Uvicorn drops
a connection that is idle between two requests, and no other one; here is the rest. Where every place is taken, whoever has been silent for
longest gives way, so that connections that do nothing keep nobody out.
"""

import asyncio
import math
import resource
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

import httptools
import orjson
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from argosy import errors
from argosy.serving import unread_requests
from argosy.serving.hot_queue import UNAVAILABLE, HotQueue

SWEEP_SECONDS = 0.5
"""In which each connection is looked at, at least once."""
SWEEP_PARTS = 5
"""That many looks it takes: one at five hundred connections would take 3 ms, in which nobody is answered."""
LINGER_SECONDS = 2.0
"""For a caller who is refused in the middle of what it sends. Closed at once, a connection takes the answer with it: the kernel resets
what still sends, and clients that write all of a body before they read anything never learn why."""
RESERVED_FILES = 64
"""Descriptors kept for all but callers: the prediction log, the online store, health and metrics."""
FEWEST = 16
"""Connections below which it is no use to start."""
_FRAMING = frozenset({b"content-length", b"transfer-encoding"})
_REASONS = {
    408: "Request Timeout",
    400: "Bad Request",
    431: "Request Header Fields Too Large",
    503: "Service Unavailable",
}


@dataclass(frozen=True)
class ConnectionLimits:
    """Limits on the connections of one listener: their number, timeouts in seconds, sizes in bytes."""

    connections: int = 1_000
    header_seconds: float = 10.0
    """From a connection's or a request's first byte to the end of its headers."""
    body_seconds: float = 15.0
    """Also of a body that nobody reads. Above what the route itself allows, whose answer says more."""
    idle_seconds: float = 65.0
    """Between requests; longer than the minute that common load balancers keep a connection, so that they close it and not we."""
    write_seconds: float = 15.0
    """That a caller may take nothing of an answer."""
    headers: int = 100
    header_bytes: int = 32 * 1024
    """Of all headers and the address."""
    pipelined: int = 16
    """Requests sent before the answer to an earlier one."""


class ParserState(Enum):
    """The state of a connection's HTTP parser, by the part of a request that it waits for."""

    START = "a request's first byte"
    HEAD = "the end of its headers"
    BODY = "the end of its body"


C = TypeVar("C")


class PartialSweep(Generic[C]):
    """Goes through all of a set that changes meanwhile, in :data:`SWEEP_PARTS` parts, again and again."""

    def __init__(self) -> None:
        self._left: list[C] = []
        self._size = 0

    def part(self, inside: Set[C]) -> Iterator[C]:
        """The next part of those that were *inside* when this round began, and still are."""
        if not self._left:
            self._left = list(inside)
            self._size = math.ceil(len(self._left) / SWEEP_PARTS)
        part, self._left = self._left[: self._size], self._left[self._size :]
        return (one for one in part if one in inside)


class ConnectionPool:
    """All connections of one listener. Used on one event loop."""

    def __init__(self, limits: ConnectionLimits, count: Callable[[str], None], hot: HotQueue | None = None) -> None:
        """*count* is told why a connection was ended, in a word or two. *hot*: answers what it can of the requests that come whole."""
        self.limits = limits
        self.count = count
        self.hot = hot
        self.leaving = False
        """True once callers should go elsewhere: each is told so with its next answer."""
        self._inside: set[Connection] = set()
        self._swept = PartialSweep[Connection]()

    def __len__(self) -> int:
        """Connections that are open."""
        return len(self._inside)

    def protocol(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: Any = None,
    ) -> "Connection":
        """A connection of this crowd, as uvicorn asks for one."""
        return Connection(self, config, server_state, app_state, _loop)

    def enter(self, connection: "Connection") -> bool:
        """Take *connection* in, in place of a silent one where there is no room. False: all others are busy."""
        if len(self._inside) >= self.limits.connections:
            silent = min(
                (other for other in self._inside if not other.busy), key=lambda other: other.since, default=None
            )
            if silent is None:
                return False
            self.count("crowded out")
            silent.drop()
        self._inside.add(connection)
        return True

    def leave(self, connection: "Connection") -> None:
        """*connection* is closed."""
        self._inside.discard(connection)

    def sweep(self) -> None:
        """End those connections whose time is over, of the next part of all."""
        for connection in self._swept.part(self._inside):
            connection.check()


class Connection(HttpToolsProtocol):
    """Uvicorn's, within limits."""

    def __init__(
        self, crowd: ConnectionPool, config: Config, server_state: ServerState, app_state: dict[str, Any], loop: Any
    ) -> None:
        super().__init__(config, server_state, app_state, loop)
        self._crowd = crowd
        self._limits = crowd.limits
        self.since = 0.0
        self._phase = ParserState.START
        self._fresh = True
        self._again = False
        """True while a parser reads, a second time, headers of a request that were read before."""
        self._fed = self._head_bytes = self._size = 0
        self._refused = False
        self._unsent, self._unsent_since = 0, 0.0
        self._lingers = False
        """True where the last answer is out, and what still comes is thrown away."""
        self._running: RequestResponseCycle | None = None
        self._reading = False
        self._held: tuple[RequestResponseCycle, Any] | None = None
        """A request that the hot path may take, if what was read together with its headers is all of it; and the app to ask otherwise."""
        self._unread: bytes | None = None
        """What came and is left as it is until others that came in the same turn of the event loop were taken up."""

    @property
    def busy(self) -> bool:
        """True while a request that has arrived with its whole body is being answered, or what may be one waits to be read."""
        if self._unread is not None:
            return True
        return self._phase is ParserState.START and self.cycle is not None and not self.cycle.response_complete

    def connection_made(self, transport: Any) -> None:
        """See asyncio."""
        super().connection_made(transport)
        self.since = self.loop.time()
        if not self._crowd.enter(self):
            self._refuse(503, "too many connections; try again", "too many")

    def connection_lost(self, exc: Exception | None) -> None:
        """See asyncio."""
        self._unread = None
        self._forget()
        super().connection_lost(exc)
        self._crowd.leave(self)

    def data_received(self, data: bytes) -> None:
        """See asyncio."""
        if self._unread is not None:  # more of it came
            data, self._unread = self._unread + data, None
        elif self._may_wait(len(data)):
            self._unread, self.since = data, self.loop.time()
            self._unset_keepalive_if_required()
            return
        if not self._refused:
            self._read(data)

    def _may_wait(self, size: int) -> bool:
        """True where *size* bytes that came are left unread for now: they are no answered request's business, and begin one."""
        hot = self._crowd.hot
        if hot is None or self._phase is not ParserState.START or self._refused or self._crowd.leaving:
            return False
        if (self.cycle is not None and not self.cycle.response_complete) or self.flow.write_paused:
            return False  # it has to wait for its turn
        return hot.holds(self, size)

    def take_up(self) -> None:
        """Read what was left unread, or refuse it as it is where there is no time for it."""
        data, self._unread = self._unread, None
        if data is None or self._refused or self.transport.is_closing():
            return
        if not self._refused_unread(data):
            self._read(data)

    def _refused_unread(self, data: bytes) -> bool:
        """Refuse *data*, a request that there is no time for; False where there is, or where it is to be read all the same."""
        hot = self._crowd.hot
        if hot is None or self._crowd.leaving or not hot.sheds():
            return False
        asked = unread_requests.whole(data)
        content = None if asked is None else hot.refusal(asked)
        if content is None:
            return False
        self._unset_keepalive_if_required()
        self._fresh, self.since = False, self.loop.time()
        self.transport.write(self._answer(UNAVAILABLE, self.server_state.default_headers, b"", content))
        return True

    def _read(self, data: bytes) -> None:
        if self._phase is ParserState.START:
            self._enter(ParserState.HEAD)
            self._head_bytes = 0
        self._fed = len(data)
        self._unset_keepalive_if_required()
        self._reading = True
        try:
            self._feed(data)
        except httptools.HttpParserError:
            self.send_400_response("")
        finally:
            self._reading = False
            self._release()
        if self._phase is ParserState.HEAD:
            # Where a line does not end, the parser calls nobody and keeps all of it.
            self._head_bytes += len(data)
            if self._head_bytes > self._limits.header_bytes:
                self._refuse(431, "the headers are too large", "large headers")

    def _feed(self, data: bytes) -> None:
        """Give *data* to the parser. It takes a request that offers another protocol, as Java's client does, for the last one, and what
        follows for that protocol: then a new parser reads on behind the same headers without the offer."""
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            method: bytes = self.parser.get_method()
            framing = [b"%b: %b" % header for header in self.headers if header[0] in _FRAMING]
            self.parser = httptools.HttpRequestParser(self)
            self._again = True
            self.parser.feed_data(b"\r\n".join([method + b" / HTTP/1.1", *framing, b"", b""]))
            self._again = False
            self._feed(data[offer.args[0] :])

    def on_message_begin(self) -> None:
        """See httptools."""
        if self._again:
            return
        super().on_message_begin()
        self._size = 0
        if self._phase is ParserState.START:  # the second of two that came together
            self._enter(ParserState.HEAD)
            self._head_bytes = -self._fed

    def on_url(self, url: bytes) -> None:
        """See httptools."""
        if not self._again:
            super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """See httptools."""
        if self._again:
            return
        self._size += len(name) + len(value)
        HttpToolsProtocol.on_header(self, name, value)
        if self._size > self._limits.header_bytes or len(self.headers) > self._limits.headers:
            raise _TooLarge

    def on_headers_complete(self) -> None:
        """See httptools."""
        if self._again:
            return
        if len(self.pipeline) >= self._limits.pipelined:
            raise _TooMany
        self._size += len(self.url)
        if self._too_large():
            raise _TooLarge
        super().on_headers_complete()
        self._fresh = False
        self._enter(ParserState.BODY)

    def on_message_complete(self) -> None:
        """See httptools."""
        if self.parser.should_upgrade():
            return  # its body is still to come; see _feed
        super().on_message_complete()
        self._enter(ParserState.START)

    def on_response_complete(self) -> None:
        """See uvicorn."""
        super().on_response_complete()
        if self._phase is ParserState.START:
            self.since = self.loop.time()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn says the same of everything
        """Uvicorn calls it for whatever the parser, or one of the methods above, refuses."""
        if len(self.pipeline) >= self._limits.pipelined:
            self._refuse(400, "too many requests at once on one connection", "pipelined")
        elif self._too_large():
            self._refuse(431, "the headers are too many or too large", "large headers")
        else:
            self._refuse(400, "this is no HTTP request", "malformed")

    def check(self) -> None:
        """End it where its time is over."""
        now = self.loop.time()
        waited = now - self.since
        if self._stuck(now):
            self._crowd.count("unread answer")
            self.transport.abort()
        elif self.busy or self.transport.is_closing():
            return
        elif self._lingers:
            if waited > LINGER_SECONDS:
                self.transport.abort()
        elif self._phase is ParserState.HEAD and waited > self._limits.header_seconds:
            self._refuse(408, "the headers did not arrive in time", "slow headers")
        elif self._phase is ParserState.BODY and waited > self._limits.body_seconds:
            self._crowd.count("slow body")
            self.transport.close()
        elif self._phase is ParserState.START and waited > self._patience():
            self._crowd.count("idle")
            self.transport.close()

    def drop(self) -> None:
        """Make room at once."""
        self._crowd.leave(self)
        self._refused = True
        self._forget()
        self.transport.abort()

    def _forget(self) -> None:
        """Tell every request of it that nobody waits for its answer. Uvicorn tells the last one, of several that came together."""
        for cycle in [self._running, *(cycle for cycle, _ in self.pipeline)]:
            if cycle is not None:
                cycle.disconnected = True
                cycle.message_event.set()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        if not self._reading:
            self._part()
        hot = self._crowd.hot
        if hot is not None and self._reading and hot.may_take(cycle):
            self._held = (cycle, app)
        else:
            self.start(cycle, app)

    def _part(self) -> None:
        """Let the answer that is due be the last one, where callers should go elsewhere and no other request came with this one."""
        if self._crowd.leaving and self._running is not None and not self.pipeline:
            self._running.keep_alive = False

    def start(self, cycle: RequestResponseCycle, app: Any) -> None:
        """Let *app* answer the request of *cycle*."""
        if cycle.more_body:
            cycle.transport = cast("asyncio.Transport", _Parting(self.transport, self.linger))
        super()._start_asgi_task(cycle, app)

    def linger(self) -> None:
        """The last answer is written: close, or where a body is still on its way once the caller stops, which it is told by the end of
        what it reads."""
        if self._phase is ParserState.START or self.transport.is_closing():
            self.transport.close()
            return
        self._refused = self._lingers = True
        self.since = self.loop.time()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.flow.resume_reading()

    def reply(self, cycle: RequestResponseCycle, status: bytes, content: bytes) -> None:
        """Answer the request of *cycle* with *status* and *content*, headers and body, as uvicorn's own ``send`` does it."""
        close = b"" if cycle.keep_alive else b"connection: close\r\n"
        cycle.response_started = cycle.response_complete = True
        self.transport.write(self._answer(status, cycle.default_headers, close, content))
        if not cycle.keep_alive:
            self.transport.close()
        cycle.on_response()

    @staticmethod
    def _answer(status: bytes, always: Sequence[tuple[bytes, bytes]], close: bytes, content: bytes) -> bytes:
        head = b"".join(b"%b: %b\r\n" % header for header in always)
        return b"".join([b"HTTP/1.1 ", status, b"\r\n", head, close, content])

    def _release(self) -> None:
        """Hand on the request that was held while its connection was read."""
        self._part()
        if self._held is None:
            return
        (cycle, app), self._held = self._held, None
        hot = self._crowd.hot
        if hot is None or cycle.more_body or self._refused or self.flow.write_paused:
            self.start(cycle, app)
        else:
            hot.put(self, cycle, app)

    def _patience(self) -> float:
        return self._limits.header_seconds if self._fresh else self._limits.idle_seconds

    def _stuck(self, now: float) -> bool:
        """True where the caller has read nothing of the answer for ``write_seconds``."""
        unsent = self.transport.get_write_buffer_size()
        if not unsent or unsent != self._unsent:
            self._unsent, self._unsent_since = unsent, now
        return unsent > 0 and now - self._unsent_since > self._limits.write_seconds

    def _enter(self, phase: ParserState) -> None:
        self._phase = phase
        self.since = self.loop.time()

    def _too_large(self) -> bool:
        return self._size > self._limits.header_bytes or len(self.headers or ()) > self._limits.headers

    def _refuse(self, status: int, message: str, reason: str) -> None:
        """Say why, and end it, once the answers that are due are out."""
        if self._refused:
            return
        self._refused = True
        self._crowd.count(reason)
        due = self.cycle is not None and not self.cycle.response_complete
        if due and self._phase is not ParserState.BODY:
            self.cycle.keep_alive = False
            return
        self._forget()
        if not due or not self.cycle.response_started:
            self.transport.write(_refusal(status, message))
        if status == 431:
            self.linger()
        else:
            self.transport.close()


class _Parting:
    """A connection's transport, for a request whose body is on its way: to close it is to *linger*."""

    def __init__(self, transport: asyncio.Transport, linger: Callable[[], None]) -> None:
        self._transport = transport
        self.close = linger

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


def _refusal(status: int, message: str) -> bytes:
    body = orjson.dumps({"error": message})
    lines = [
        f"HTTP/1.1 {status} {_REASONS[status]}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        *(["Retry-After: 1"] if status == 503 else []),
        "Connection: close",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


class _TooLarge(Exception):
    """Ends the parser's work; :meth:`Connection.send_400_response` says why."""


class _TooMany(Exception):
    """The same, for requests."""


def affordable(limits: ConnectionLimits) -> int:
    """The number of connections that the process's limit on open files (``ulimit -n``) leaves room for, at most ``limits.connections``.

    Raises Misconfigured where that is next to none.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = limits.connections + _open_files() + RESERVED_FILES
    if soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    room = soft - _open_files() - RESERVED_FILES
    if room < FEWEST:
        raise errors.Misconfigured(
            f"this process may open {soft} files, which leaves no room for callers; raise it (ulimit -n) to 256 or more"
        )
    return min(limits.connections, room)


def _open_files() -> int:
    return len(list(Path("/dev/fd").iterdir()))
