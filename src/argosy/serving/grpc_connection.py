"""A caller's connection for gRPC: HTTP/2 on asyncio, within limits. What a call is answered is decided elsewhere (:class:`CallHandler`).

grpcio's own server takes, for a call that does nothing, more of a core than a whole prediction takes over HTTP. Here a call that came
whole is handed on where it is read, and costs what a request over HTTP costs (``tests/bench/serving_grpc.py``). Everything that a peer can
make this side keep has a bound: streams, bytes not read yet, headers, answers that nobody takes, and frames that ask for work and are no
calls.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, Self

from argosy.serving import grpc_frames
from argosy.serving.connections import ConnectionLimits
from argosy.serving.grpc_frames import (
    ACK,
    END_HEADERS,
    END_STREAM,
    FRAME_HEAD,
    MESSAGE_HEAD,
    MOST_FRAME,
    MOST_WINDOW,
    PADDED,
    PREFACE,
    PRIORITIZED,
    WINDOW,
    BlockReader,
    BrokenCall,
    BrokenProtocol,
    CallHead,
    Frame,
    GrpcStatus,
    Http2Error,
)

STREAMS = 128
"""Calls at once on one connection."""
IDLE_FRAMES = 1_000
"""Frames that are no part of a call which is answered: more between two of them are an attack, whatever they say."""
UNSENT_BYTES = 8 * 2**20
"""Of answers that a connection's peer does not take; beyond it, it is cut."""
GRACE_SECONDS = 1.0
"""For calls that were on their way when a peer was told to go elsewhere."""
_DATA, _HEADERS, _CONTINUATION = int(Frame.DATA), int(Frame.HEADERS), int(Frame.CONTINUATION)
_pack, _unpack = grpc_frames.HEAD.pack, grpc_frames.HEAD.unpack_from
_ANSWER_SIZE = len(grpc_frames.ANSWER_BLOCK) << 8 | _HEADERS
_ANSWER_HEAD, _END_HEAD = END_HEADERS, END_HEADERS | END_STREAM


class Aborted(Exception):
    """Ends a call with the status that was said."""


class CallHandler(Protocol):
    """What answers calls."""

    def known(self, path: str) -> bool:
        """True where there is a method of that *path*."""

    def hot(self, call: "GrpcCall") -> bool:
        """Take *call*, which is there with its one message, to be answered at once or started; False to have it started here."""

    async def answer(self, call: "GrpcCall") -> None:
        """Answer *call*, or raise Aborted once it was said how it ends."""


@dataclass(frozen=True)
class GrpcLimits:
    """Limits on calls and their connections."""

    connections: ConnectionLimits
    message_bytes: int
    calls: int
    """Calls at once, on all connections."""
    age_seconds: float
    """After which a caller is asked to connect anew."""
    grace_seconds: float
    """For its calls to end, from then on."""


class GrpcCall:
    """One call: what came of it, and its answer. It is the context of grpcio's handlers, as far as they are used here."""

    __slots__ = (
        "_begun",
        "_head_sent",
        "_trailing",
        "_waiter",
        "_wanted",
        "admitted",
        "closed",
        "connection",
        "deadline",
        "end",
        "ended",
        "head",
        "judged",
        "messages",
        "number",
        "room",
        "task",
        "unsent",
        "window",
    )

    def __init__(self, connection: "GrpcConnection", number: int, head: CallHead, window: int) -> None:
        self.connection = connection
        self.number = number
        self.head = head
        self.window = window
        """Bytes that the peer takes."""
        self.room = WINDOW
        """Bytes that the peer may send."""
        self.messages: deque[bytes] = deque()
        self.ended = False
        """True once the peer has sent all."""
        self.closed = False
        self.judged = False
        """True where it was found as it was read that there is time for it."""
        self.admitted = False
        """True where the caller was asked who it is, and was counted."""
        self.task: asyncio.Task[None] | None = None
        self.deadline: float | None = None
        self.unsent = b""
        """Of the answer; what comes behind it waits in ``end``."""
        self.end: bytes | None = None
        self._begun = bytearray()
        self._wanted = 0
        self._waiter: asyncio.Future[None] | None = None
        self._trailing = b""
        self._head_sent = False

    @property
    def whole(self) -> bytes | None:
        """The message, where it is the only one and all of it is there."""
        return self.messages[0] if self.ended and len(self.messages) == 1 and not self._begun else None

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        """What the caller brought."""
        return self.head.metadata

    def time_remaining(self) -> float | None:
        """Seconds that the caller still waits; None where it said nothing of it."""
        return None if self.deadline is None else self.deadline - self.connection.loop.time()

    def set_trailing_metadata(self, fields: Any) -> None:
        """What stands behind the answer."""
        self._trailing = grpc_frames.header_block(fields)

    async def abort(self, status: Any, message: str, fields: Any = ()) -> None:
        """End the call with *status*. Raises Aborted."""
        self.set_trailing_metadata(fields)
        self.fail(status, message)
        raise Aborted

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        """The next message. Raises StopAsyncIteration."""
        while not self.messages:
            if self.ended or self.closed:
                raise StopAsyncIteration
            self._waiter = self.connection.loop.create_future()
            self._make_room()
            try:
                await self._waiter
            finally:
                self._waiter = None
        return self.messages.popleft()

    def take(self, data: bytes, most: int) -> None:
        """*data* came. Raises BrokenCall where it is no message, or a longer one than *most*."""
        if not self._begun and len(data) <= most and (message := grpc_frames.whole_message(data)) is not None:
            self.messages.append(message)
            self._wake()
            return
        self._begun += data
        while True:
            if not self._wanted and not self._open(most):
                break
            if len(self._begun) < self._wanted:
                break
            message = bytes(self._begun[MESSAGE_HEAD : self._wanted])
            if self._begun[0]:
                message = grpc_frames.plain(message, self.head.encoding, most)
            self.messages.append(message)
            del self._begun[: self._wanted]
            self._wanted = 0
        self._wake()
        if self._waiter is not None:
            self._make_room()

    def _open(self, most: int) -> bool:
        """Read the length of the message that begins; False where it is not there yet."""
        if len(self._begun) < MESSAGE_HEAD:
            return False
        flag, size = self._begun[0], int.from_bytes(self._begun[1:MESSAGE_HEAD], "big")
        if flag > 1:
            raise BrokenCall(GrpcStatus.INTERNAL, "the message has no head of gRPC's")
        if size > most:
            said = f"the message has {size} bytes, at most {most} are read; send fewer rows a call"
            raise BrokenCall(GrpcStatus.RESOURCE_EXHAUSTED, said)
        self._wanted = MESSAGE_HEAD + size
        return True

    def finish(self) -> None:
        """The peer has sent all."""
        self.ended = True
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done() and (self.messages or self.ended or self.closed):
            self._waiter.set_result(None)

    def _make_room(self) -> None:
        """Let the peer send on: somebody reads."""
        if self.room < WINDOW // 2 and not self.ended:
            self.connection.write(grpc_frames.window_update(self.number, WINDOW - self.room))
            self.room = WINDOW

    def send(self, message: bytes) -> None:
        """Answer with *message*; more may follow."""
        if not self.closed:
            self.unsent += grpc_frames.message_frame(message)
            self.connection.write(self.flushed())

    def reply(self, message: bytes, trailing: bytes | None = None) -> bytes:
        """What has to be written to answer with *message* alone, and be done. *trailing*: as :func:`grpc_frames.header_block` makes it."""
        end = grpc_frames.OK_BLOCK + (self._trailing if trailing is None else trailing)
        size, connection = len(message) + MESSAGE_HEAD, self.connection
        if self._head_sent or not self.ended or size > min(self.window, connection.window, connection.most_frame):
            self.unsent += grpc_frames.message_frame(message)
            self.end = end
            return self.flushed()
        connection.window -= size
        connection.closed(self)
        return b"".join(
            (
                _pack(_ANSWER_SIZE, _ANSWER_HEAD, self.number),
                grpc_frames.ANSWER_BLOCK,
                _pack(size << 8, 0, self.number),
                grpc_frames.message_frame(message),
                _pack(len(end) << 8 | _HEADERS, _END_HEAD, self.number),
                end,
            )
        )

    def done(self) -> None:
        """The answer is complete."""
        if not self.closed:
            self.end = grpc_frames.OK_BLOCK + self._trailing
            self.connection.write(self.flushed())

    def fail(self, status: GrpcStatus, message: str) -> None:
        """End it without an answer, or without the rest of one."""
        if not self.closed:
            self.unsent = b""
            self.end = grpc_frames.failure_block(status, message) + self._trailing
            self.connection.write(self.flushed())

    def flushed(self) -> bytes:
        """The frames that may be sent now."""
        parts = []
        if not self._head_sent:
            self._head_sent = True
            parts.append(_frame(Frame.HEADERS, _ANSWER_HEAD, self.number, grpc_frames.ANSWER_BLOCK))
        while self.unsent:
            size = min(len(self.unsent), self.connection.most_frame, self.window, self.connection.window)
            if size <= 0:
                return b"".join(parts)
            parts.append(_frame(Frame.DATA, 0, self.number, self.unsent[:size]))
            self.unsent = self.unsent[size:]
            self.window -= size
            self.connection.window -= size
        if self.end is not None:
            parts.append(_frame(Frame.HEADERS, _END_HEAD, self.number, self.end))
            if not self.ended:  # who still sends is told that nobody reads
                parts.append(grpc_frames.reset(self.number, Http2Error.NO_ERROR))
            self.connection.closed(self)
        return b"".join(parts)

    def drop(self) -> None:
        """Nobody waits for the answer any more."""
        self.closed = True
        self._begun.clear()
        self.messages.clear()
        self._wake()
        if self.task is not None and not self.task.done():
            self.task.cancel()


_frame = grpc_frames.frame


class GrpcConnections:
    """All connections of one listener. Used on one event loop."""

    def __init__(self, limits: GrpcLimits, handler: CallHandler) -> None:
        self.limits = limits
        self.handler = handler
        self.inside: set[GrpcConnection] = set()
        self.calls = 0
        self.leaving = False

    def protocol(self) -> "GrpcConnection":
        """A connection of these."""
        return GrpcConnection(self)

    def enter(self, connection: "GrpcConnection") -> bool:
        """Take *connection* in, in place of a silent one where there is no room. False: all others are busy."""
        if len(self.inside) >= self.limits.connections.connections:
            silent = min((one for one in self.inside if not one.calls), key=lambda one: one.since, default=None)
            if silent is None:
                return False
            silent.cut()
        self.inside.add(connection)
        return True

    def sweep(self) -> None:
        """End the connections whose time is over."""
        for connection in list(self.inside):
            connection.check()

    async def leave(self, seconds: float) -> None:
        """End all once their calls are answered, at most *seconds* from now."""
        self.leaving = True
        until = asyncio.get_running_loop().time() + seconds
        for connection in list(self.inside):
            connection.go_away()
        while self.inside and asyncio.get_running_loop().time() < until:
            await asyncio.sleep(0.01)
        for connection in list(self.inside):
            connection.cut()


class GrpcConnection(asyncio.Protocol):
    """One connection."""

    def __init__(self, crowd: GrpcConnections) -> None:
        self._crowd = crowd
        self._limits = crowd.limits
        self._blocks = BlockReader(crowd.limits.connections.header_bytes)
        self._buffer = b""
        self._preface = True
        self._block: tuple[int, int, bytearray] | None = None
        """Stream, flags and bytes of headers that are not all there."""
        self._fresh: list[GrpcCall] = []
        """Calls whose headers came in what is being read."""
        self._out: list[bytes] | None = None
        """What is to be written once all is read; None while nothing is."""
        self._last = 0
        self._peers_window = WINDOW
        """Bytes of an answer that the peer takes before it says more."""
        self._idle_frames = 0
        self._leaving_since: float | None = None
        self._final = False
        self._stuck: tuple[int, float] = (0, 0.0)
        self.calls: dict[int, GrpcCall] = {}
        self.most_frame = MOST_FRAME
        self.window = WINDOW
        """Bytes that the peer takes, of all answers together."""
        self._room = WINDOW
        self.since = self.began = 0.0
        self.host = ""
        """The peer's address."""
        self.loop: asyncio.AbstractEventLoop
        self.transport: Any = None

    def connection_made(self, transport: Any) -> None:
        """See asyncio."""
        self.loop = asyncio.get_running_loop()
        self.transport = transport
        self.since = self.began = self.loop.time()
        address = transport.get_extra_info("peername")
        self.host = address[0] if address else ""
        if not self._crowd.enter(self):
            transport.abort()
            return
        most = self._limits.connections.header_bytes
        self.transport.write(grpc_frames.settings({3: STREAMS, 4: WINDOW, 6: most}))

    def connection_lost(self, _: Exception | None) -> None:
        """See asyncio."""
        self._crowd.inside.discard(self)
        for call in list(self.calls.values()):
            self.closed(call)
            call.drop()

    def write(self, frames: bytes) -> None:
        """Send *frames*, together with what else is said while something is read."""
        if not frames or self.transport.is_closing():
            return
        if self._out is not None:
            self._out.append(frames)
            return
        self.transport.write(frames)
        if self.transport.get_write_buffer_size() > UNSENT_BYTES:
            self.cut()

    def data_received(self, data: bytes) -> None:
        """See asyncio."""
        self._out = []
        try:
            self._read(self._buffer + data if self._buffer else data)
        except BrokenProtocol as error:
            self._end(error.code, error.reason)
        finally:
            out, self._out = self._out, None
            self.write(b"".join(out))
        fresh, self._fresh = self._fresh, []
        for call in fresh:
            self._begin(call)

    def _read(self, data: bytes) -> None:
        position, size = 0, len(data)
        if self._preface:
            if not data.startswith(PREFACE[: len(data)]):
                raise BrokenProtocol(Http2Error.PROTOCOL_ERROR, "this port speaks HTTP/2")
            if size < len(PREFACE):
                self._buffer = data
                return
            self._preface, position = False, len(PREFACE)
        while size - position >= FRAME_HEAD and not self.transport.is_closing():
            long, flags, stream = _unpack(data, position)
            begin = position + FRAME_HEAD
            position = begin + (long >> 8)
            if long >> 8 > MOST_FRAME:
                raise BrokenProtocol(Http2Error.FRAME_SIZE_ERROR, "the frame is too long")
            if position > size:
                position = begin - FRAME_HEAD
                break
            self._take(long & 255, flags, stream & MOST_WINDOW, data[begin:position])
        if position or not self._buffer:
            self.since = self.loop.time()
        self._buffer = data[position:]

    def _take(self, kind: int, flags: int, stream: int, payload: bytes) -> None:
        """One frame. Raises BrokenProtocol."""
        if self._block is not None and kind != _CONTINUATION:
            raise BrokenProtocol(Http2Error.PROTOCOL_ERROR, "headers are interrupted")
        if kind == _DATA:
            self._data(flags, stream, payload)
        elif kind == _HEADERS:
            self._headers(flags, stream, payload)
        else:
            self._idle("too many frames that are no calls")
            take = self._OTHERS.get(kind)
            if take is not None:  # what is not known is to be passed over
                take(self, flags, stream, payload)

    def _data(self, flags: int, stream: int, payload: bytes) -> None:
        call = self.calls.get(stream)
        if stream > self._last or not stream:
            raise BrokenProtocol(Http2Error.PROTOCOL_ERROR, "data of a stream that was never opened")
        self._count(len(payload))
        if call is None:
            self._idle("too much for calls that are over")
            return
        if call.ended:
            raise BrokenProtocol(Http2Error.STREAM_CLOSED, "data behind the end of a stream")
        call.room -= len(payload)
        if call.room < 0:
            raise BrokenProtocol(Http2Error.FLOW_CONTROL_ERROR, "more came than was allowed")
        if len(payload) < MESSAGE_HEAD and not flags & END_STREAM:
            self._idle("data in crumbs")
        try:
            call.take(_unpadded(flags, payload), self._limits.message_bytes)
        except BrokenCall as error:
            call.fail(error.status, error.message)
            call.drop()
            return
        if flags & END_STREAM:
            call.finish()

    def _count(self, size: int) -> None:
        """*size* bytes came of what all calls may send together."""
        self._room -= size
        if self._room < 0:
            raise BrokenProtocol(Http2Error.FLOW_CONTROL_ERROR, "more came than was allowed")
        if self._room < WINDOW // 2:
            self.write(grpc_frames.window_update(0, WINDOW - self._room))
            self._room = WINDOW

    def _idle(self, reason: str) -> None:
        """A frame came that is no part of a call which is answered. Raises BrokenProtocol where there are too many."""
        self._idle_frames += 1
        if self._idle_frames > IDLE_FRAMES:
            raise BrokenProtocol(Http2Error.ENHANCE_YOUR_CALM, reason)

    def _headers(self, flags: int, stream: int, payload: bytes) -> None:
        block = _unpadded(flags, payload)
        if flags & PRIORITIZED:
            if len(block) < 5:
                raise BrokenProtocol(Http2Error.FRAME_SIZE_ERROR, "the headers are cut off")
            block = block[5:]
        if flags & END_HEADERS:
            self._open(stream, flags, block)
        else:
            self._block = (stream, flags, bytearray(block))

    def _continuation(self, flags: int, stream: int, payload: bytes) -> None:
        if self._block is None or self._block[0] != stream:
            raise BrokenProtocol(Http2Error.PROTOCOL_ERROR, "headers go on that never began")
        number, before, block = self._block
        block += payload
        if len(block) > self._limits.connections.header_bytes:
            raise BrokenProtocol(Http2Error.ENHANCE_YOUR_CALM, "the headers are too large")
        if flags & END_HEADERS:
            self._block = None
            self._open(number, before, bytes(block))

    def _open(self, stream: int, flags: int, block: bytes) -> None:
        """A call begins, or its headers at the end came."""
        if not stream % 2 or (stream <= self._last and stream not in self.calls and not self._over(stream)):
            raise BrokenProtocol(Http2Error.PROTOCOL_ERROR, "a stream has no such number")
        broken: BrokenCall | None = None
        head = _NOTHING
        try:
            head = self._blocks.read(block)
        except BrokenCall as error:
            broken = error
        if stream <= self._last:
            self._trailers(stream, flags)
            return
        self._last = stream
        if self._final or len(self.calls) >= STREAMS:
            self._idle("too many calls at once")
            self.write(grpc_frames.reset(stream, Http2Error.REFUSED_STREAM))
            return
        call = GrpcCall(self, stream, head, self._peers_window)
        self.calls[stream] = call
        self._crowd.calls += 1
        if flags & END_STREAM:
            call.finish()
        if broken is None:
            broken = self._refusal(head)
        if broken is not None:
            call.fail(broken.status, broken.message)
            self._idle("too many calls that cannot be")
            return
        if head.seconds is not None:
            call.deadline = self.loop.time() + head.seconds
        self._fresh.append(call)

    def _over(self, stream: int) -> bool:
        """True for a stream that was open and is not any more: what comes of it late is passed over."""
        self._idle("too much for calls that are over")
        return stream <= self._last

    def _trailers(self, stream: int, flags: int) -> None:
        call = self.calls.get(stream)
        if call is None:
            return
        if not flags & END_STREAM or call.ended:
            raise BrokenProtocol(Http2Error.PROTOCOL_ERROR, "headers in the middle of a stream")
        call.finish()

    def _refusal(self, head: CallHead) -> BrokenCall | None:
        if not self._crowd.handler.known(head.path):
            return BrokenCall(GrpcStatus.UNIMPLEMENTED, "there is no such method")
        if self._crowd.calls > self._limits.calls:
            return BrokenCall(GrpcStatus.RESOURCE_EXHAUSTED, "too many calls at once; try again")
        return None

    def _begin(self, call: GrpcCall) -> None:
        """Answer *call*, of which all is read that came with its headers."""
        if call.closed:
            return
        if call.whole is None or not self._crowd.handler.hot(call):
            self.start(call)

    def start(self, call: GrpcCall) -> None:
        """Answer *call* in a task of its own."""
        if call.closed:
            return
        call.task = self.loop.create_task(self._answered(call))
        if call.deadline is not None:
            self.loop.call_at(call.deadline, self._expire, call)

    async def _answered(self, call: GrpcCall) -> None:
        with contextlib.suppress(Aborted, asyncio.CancelledError):
            await self._crowd.handler.answer(call)
            self.answered()

    def _expire(self, call: GrpcCall) -> None:
        if not call.closed:
            call.fail(GrpcStatus.DEADLINE_EXCEEDED, "the caller's deadline is over")
            call.drop()

    def closed(self, call: GrpcCall) -> None:
        """*call* is answered, or nobody waits for it."""
        if not call.closed:
            call.closed = True
        if self.calls.pop(call.number, None) is not None:
            self._crowd.calls -= 1
            self.since = self.loop.time()

    def answered(self) -> None:
        """A call was answered that was worth it."""
        self._idle_frames = 0

    def _reset(self, _: int, stream: int, payload: bytes) -> None:
        if len(payload) != 4 or not stream or stream > self._last:
            raise BrokenProtocol(Http2Error.PROTOCOL_ERROR, "the end of a stream that never began")
        call = self.calls.get(stream)
        if call is not None:
            self.closed(call)
            call.drop()

    def _settings(self, flags: int, stream: int, payload: bytes) -> None:
        if stream or len(payload) % 6 or (flags & ACK and payload):
            raise BrokenProtocol(Http2Error.FRAME_SIZE_ERROR, "settings that are none")
        if flags & ACK:
            return
        for place in range(0, len(payload), 6):
            self._setting(
                int.from_bytes(payload[place : place + 2], "big"), int.from_bytes(payload[place + 2 : place + 6], "big")
            )
        self.write(grpc_frames.frame(Frame.SETTINGS, ACK, 0))
        self._flush(list(self.calls.values()))

    def _setting(self, name: int, value: int) -> None:
        if name == 4:
            if value > MOST_WINDOW:
                raise BrokenProtocol(Http2Error.FLOW_CONTROL_ERROR, "the window is too large")
            for call in self.calls.values():
                call.window += value - self._peers_window
            self._peers_window = value
        elif name == 5 and not MOST_FRAME <= value < 2**24:
            raise BrokenProtocol(Http2Error.PROTOCOL_ERROR, "frames have no such size")

    def _ping(self, flags: int, stream: int, payload: bytes) -> None:
        if stream or len(payload) != 8:
            raise BrokenProtocol(Http2Error.FRAME_SIZE_ERROR, "a ping that is none")
        if not flags & ACK:
            self.write(grpc_frames.frame(Frame.PING, ACK, 0, payload))
        elif self._leaving_since is not None:
            self._finish()

    def _window_update(self, _: int, stream: int, payload: bytes) -> None:
        more = int.from_bytes(payload, "big") & MOST_WINDOW
        if len(payload) != 4 or not more:
            raise BrokenProtocol(Http2Error.PROTOCOL_ERROR, "a window that does not grow")
        if stream:
            call = self.calls.get(stream)
            if call is None:
                return
            call.window += more
            if call.window > MOST_WINDOW:
                raise BrokenProtocol(Http2Error.FLOW_CONTROL_ERROR, "the window is too large")
            self._flush([call])
            return
        self.window += more
        if self.window > MOST_WINDOW:
            raise BrokenProtocol(Http2Error.FLOW_CONTROL_ERROR, "the window is too large")
        self._flush(list(self.calls.values()))

    def _flush(self, calls: list[GrpcCall]) -> None:
        for call in calls:
            if call.unsent and not call.closed:
                self.write(call.flushed())

    def _pushed(self, _: int, __: int, ___: bytes) -> None:
        raise BrokenProtocol(Http2Error.PROTOCOL_ERROR, "clients promise nothing")

    def _passed_over(self, _: int, __: int, ___: bytes) -> None:
        """Priorities say nothing here; that a client goes away is seen when it does."""

    _OTHERS: dict[int, Callable[["GrpcConnection", int, int, bytes], None]] = {
        Frame.PRIORITY: _passed_over,
        Frame.RST_STREAM: _reset,
        Frame.SETTINGS: _settings,
        Frame.PUSH_PROMISE: _pushed,
        Frame.PING: _ping,
        Frame.GOAWAY: _passed_over,
        Frame.WINDOW_UPDATE: _window_update,
        Frame.CONTINUATION: _continuation,
    }

    def check(self) -> None:
        """End it where its time is over."""
        now, limits = self.loop.time(), self._limits.connections
        if self._unread(now):
            self.cut()
        elif self._leaving_since is not None:
            self._check_leaving(now)
        elif (self._preface or self._block is not None or self._buffer) and now - self.since > limits.header_seconds:
            self.cut()
        elif not self.calls and now - self.since > limits.idle_seconds:
            self._end(Http2Error.NO_ERROR, "idle")
        elif now - self.began > self._limits.age_seconds:
            self.go_away()

    def _check_leaving(self, now: float) -> None:
        gone = now - (self._leaving_since or now)
        if not self._final and gone > GRACE_SECONDS:
            self._finish()
        elif self._final and not self.calls:
            self.transport.close()
        elif gone > self._limits.grace_seconds:
            self.cut()

    def _unread(self, now: float) -> bool:
        """True where the peer has taken nothing of what waits for it for as long as it may."""
        unsent = self.transport.get_write_buffer_size() + sum(len(call.unsent) for call in self.calls.values())
        if not unsent or unsent != self._stuck[0]:
            self._stuck = (unsent, now)
        return now - self._stuck[1] > self._limits.connections.write_seconds

    def go_away(self) -> None:
        """Ask the peer to connect anew; calls that are on their way are answered."""
        if self._leaving_since is None and not self.transport.is_closing():
            self._leaving_since = self.loop.time()
            # What was sent before the peer knows comes before its answer to the ping.
            ping = grpc_frames.frame(Frame.PING, 0, 0, b"leaving!")
            self.write(grpc_frames.goaway(MOST_WINDOW, Http2Error.NO_ERROR) + ping)

    def _finish(self) -> None:
        if not self._final:
            self._final = True
            self.write(grpc_frames.goaway(self._last, Http2Error.NO_ERROR))
        if not self.calls:
            self.loop.call_soon(self._close_idle)

    def _close_idle(self) -> None:
        if not self.calls:
            self.transport.close()

    def _end(self, code: Http2Error, reason: str) -> None:
        """Say why, and end it."""
        self.write(grpc_frames.goaway(self._last, code, reason))
        out, self._out = self._out, None
        self.write(b"".join(out or ()))
        self._out = None if out is None else []
        self.transport.close()

    def cut(self) -> None:
        """End it at once."""
        self._crowd.inside.discard(self)
        self.transport.abort()


_NOTHING = CallHead("", (), {}, None, "identity")


def _unpadded(flags: int, payload: bytes) -> bytes:
    if not flags & PADDED:
        return payload
    if not payload or payload[0] >= len(payload):
        raise BrokenProtocol(Http2Error.PROTOCOL_ERROR, "more padding than there is")
    return payload[1 : len(payload) - payload[0]]
