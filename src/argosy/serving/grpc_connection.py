"""A caller's connection for gRPC: HTTP/2 on asyncio, within limits. What a call is answered is decided elsewhere (:class:`CallHandler`).

grpcio's own server takes, for a call that does nothing, more of a core than a whole prediction takes over HTTP. Here a call that came
whole is handed on where it is read, and costs what a request over HTTP costs (``tests/bench/serving_grpc.py``). Everything that a peer can
make this side keep has a bound: streams, bytes not read yet, headers, answers that nobody takes, and frames that ask for work and are no
calls.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from argosy.serving import grpc_frames, grpc_heads
from argosy.serving.connections import ConnectionLimits, PartialSweep
from argosy.serving.grpc_call import Aborted, GrpcCall
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
    BrokenCall,
    BrokenProtocol,
    BrokenStream,
    Frame,
    GrpcStatus,
    Http2Error,
    OtherRequest,
)
from argosy.serving.grpc_heads import BlockReader

STREAMS = 128
"""Calls at once on one connection."""
IDLE_FRAMES = 1_000
"""Frames that are no part of a call which is answered: more between two of them are an attack, whatever they say."""
UNSENT_BYTES = 8 * 2**20
"""Of answers that a connection's peer does not take; beyond it, it is cut."""
GRACE_SECONDS = 1.0
"""For calls that were on their way when a peer was told to go elsewhere."""
OPEN_SHARE = 8
"""Of so many places one is for calls that need no key: who has none cannot hold the places of who has one."""
MOST_CUT = 1_024
"""Streams that are remembered as ended here before the peer had sent all: what comes of them late is passed over."""
_DATA, _HEADERS, _CONTINUATION = int(Frame.DATA), int(Frame.HEADERS), int(Frame.CONTINUATION)
_unpack = grpc_frames.HEAD.unpack_from
_log = logging.getLogger("argosy.serving")


class CallHandler(Protocol):
    """What answers calls."""

    def most_bytes(self, path: str) -> int | None:
        """The bytes that a message of the method of that *path* may have; None where there is no such method."""

    def keyed(self, path: str) -> bool:
        """Whether who calls the method of that *path* has to say who it is, before anything of its message is read."""

    def hot(self, call: "GrpcCall") -> bool:
        """Take *call*, which is there with its one message, to be answered at once or started; False to have it started here."""

    async def answer(self, call: "GrpcCall") -> None:
        """Answer *call*, or raise Aborted once it was said how it ends."""


@dataclass(frozen=True)
class GrpcLimits:
    """Limits on calls and their connections."""

    connections: ConnectionLimits
    calls: int
    """Calls at once, on all connections."""
    age_seconds: float
    """After which a caller is asked to connect anew."""
    grace_seconds: float
    """For its calls to end, from then on."""


class GrpcConnections:
    """All connections of one listener. Used on one event loop."""

    def __init__(self, limits: GrpcLimits, handler: CallHandler) -> None:
        self.limits = limits
        self.handler = handler
        self.inside: set[GrpcConnection] = set()
        self._swept = PartialSweep[GrpcConnection]()
        self.calls = 0
        self.open_calls: set[GrpcCall] = set()
        """Those of them that need no key."""
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
        """End those connections whose time is over, of the next part of all."""
        for connection in self._swept.part(self.inside):
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
        self._cut: dict[int, None] = {}
        self._going_on = False
        self._stuck: tuple[int, float] = (0, 0.0)
        self.calls: dict[int, GrpcCall] = {}
        self.most_frame = MOST_FRAME
        self.window = WINDOW
        """Bytes that the peer takes, of all answers together."""
        self._room = WINDOW
        self.paused = False
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
        if stream > self._last or not stream:
            raise BrokenProtocol(Http2Error.PROTOCOL_ERROR, "data of a stream that was never opened")
        self._count(len(payload))
        content = _unpadded(flags, payload)
        call = self.calls.get(stream)
        if call is None:
            self._late(flags, stream)
            return
        if call.ended:
            self._end_stream(stream, Http2Error.STREAM_CLOSED)
            return
        call.room -= len(payload)
        call.received += len(content)
        if call.room < 0:
            raise BrokenProtocol(Http2Error.FLOW_CONTROL_ERROR, "more came than was allowed")
        if len(payload) < MESSAGE_HEAD and not flags & END_STREAM:
            self._idle("data in crumbs")
        try:
            call.take(content)
        except BrokenCall as error:
            call.fail(error.status, error.message)
            call.drop()
            return
        if flags & END_STREAM and not call.finish():
            self._end_stream(stream, Http2Error.PROTOCOL_ERROR)

    def _late(self, flags: int, stream: int) -> None:
        """Something came of a stream that is over. The peer may not know it yet, where it was ended here."""
        self._idle("too much for calls that are over")
        if stream not in self._cut:
            self.write(grpc_frames.reset(stream, Http2Error.STREAM_CLOSED))
        elif flags & END_STREAM:
            del self._cut[stream]

    def _end_stream(self, stream: int, code: Http2Error) -> None:
        """End *stream* for want of sense; the connection goes on."""
        self._idle("too many streams that make no sense")
        self.write(grpc_frames.reset(stream, code))
        call = self.calls.get(stream)
        if call is not None:
            self.closed(call)
            call.drop()

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
            self._refuse_circle(stream, block)
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
        if not stream % 2:
            raise BrokenProtocol(Http2Error.PROTOCOL_ERROR, "a stream has no such number")
        if stream <= self._last:
            self._trailers(stream, flags, block)
            return
        broken: Exception | None = None
        keyed, head = True, grpc_heads.NOTHING
        try:
            head = self._blocks.head(block)
        except (BrokenCall, BrokenStream, OtherRequest) as error:
            broken = error
        self._last = stream
        if self._final or len(self.calls) >= STREAMS or isinstance(broken, BrokenStream):
            code = broken.code if isinstance(broken, BrokenStream) else Http2Error.REFUSED_STREAM
            if not flags & END_STREAM:
                self._remember_cut(stream)
            self._end_stream(stream, code)
            return
        most = self._crowd.handler.most_bytes(head.path)
        if broken is None:
            keyed = self._crowd.handler.keyed(head.path)
            broken = self._refusal(most, keyed=keyed)
        call = GrpcCall(self, stream, head, self._peers_window, most or 0)
        if broken is None and not keyed:
            self._crowd.open_calls.add(call)
        self._take_up(call, flags, broken)

    def _take_up(self, call: GrpcCall, flags: int, broken: Exception | None) -> None:
        """*call* is one of this connection's, and is answered unless it is *broken*."""
        self.calls[call.number] = call
        self._crowd.calls += 1
        if flags & END_STREAM and not call.finish():
            self._end_stream(call.number, Http2Error.PROTOCOL_ERROR)
            return
        if broken is not None:
            if isinstance(broken, OtherRequest):
                call.refuse(broken.status, "this port answers gRPC; HTTP has another one\n", body=broken.body)
            elif isinstance(broken, BrokenCall):
                call.fail(broken.status, broken.message)
            self._idle("too many calls that cannot be")
            return
        if call.head.seconds is not None:
            call.deadline = self.loop.time() + call.head.seconds
        self._fresh.append(call)

    def _trailers(self, stream: int, flags: int, block: bytes) -> None:
        """Headers came of a stream that is, or was, open."""
        call = self.calls.get(stream)
        if stream not in self._cut if call is None else call.ended:
            raise BrokenProtocol(Http2Error.STREAM_CLOSED, "headers of a stream that is over")
        if not flags & END_STREAM:
            raise BrokenProtocol(Http2Error.PROTOCOL_ERROR, "headers in the middle of a stream")
        try:
            self._blocks.trailers(block)
        except BrokenStream as error:
            self._end_stream(stream, error.code)
            return
        if call is None:
            self._late(flags, stream)
        elif not call.finish():
            self._end_stream(stream, Http2Error.PROTOCOL_ERROR)

    def _refuse_circle(self, stream: int, says: bytes) -> None:
        """Raises BrokenProtocol where *stream* depends on itself by what a priority *says*, which says nothing else here."""
        if int.from_bytes(says[:4], "big") & MOST_WINDOW == stream:
            raise BrokenProtocol(Http2Error.PROTOCOL_ERROR, "a stream depends on itself")

    def _refusal(self, most: int | None, *, keyed: bool) -> BrokenCall | None:
        if most is None:
            return BrokenCall(GrpcStatus.UNIMPLEMENTED, "there is no such method")
        crowd, places = self._crowd, self._limits.calls
        if crowd.calls >= places or (not keyed and len(crowd.open_calls) >= max(1, places // OPEN_SHARE)):
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
            call.timer = self.loop.call_at(call.deadline, self._expire, call)

    async def _answered(self, call: GrpcCall) -> None:
        try:
            await self._crowd.handler.answer(call)
        except (Aborted, asyncio.CancelledError):
            return  # a refusal was said already, or nobody waits any more: neither is a fault
        except BrokenCall as error:
            call.fail(error.status, error.message)
            return
        except Exception:  # noqa: BLE001 - the caller hears of it, and the connection's other calls go on
            _log.exception("a call of %s failed", call.head.path)
            call.fail(GrpcStatus.INTERNAL, "the server failed; its log says why")
            return
        self.answered()

    def _expire(self, call: GrpcCall) -> None:
        if not call.closed:
            call.fail(GrpcStatus.DEADLINE_EXCEEDED, "the caller's deadline is over")
            call.drop()

    def closed(self, call: GrpcCall) -> None:
        """*call* is answered, or nobody waits for it."""
        call.closed = True
        if call.timer is not None:
            call.timer.cancel()
            call.timer = None
        if self.calls.pop(call.number, None) is not None:
            self._crowd.calls -= 1
            self._crowd.open_calls.discard(call)
            self.since = self.loop.time()
            if not call.ended:
                self._remember_cut(call.number)

    def _remember_cut(self, stream: int) -> None:
        if len(self._cut) >= MOST_CUT:
            del self._cut[next(iter(self._cut))]
        self._cut[stream] = None

    def answered(self) -> None:
        """A call was answered that was worth it."""
        self._idle_frames = 0

    def _reset(self, _: int, stream: int, payload: bytes) -> None:
        if len(payload) != 4:
            raise BrokenProtocol(Http2Error.FRAME_SIZE_ERROR, "the end of a stream that is none")
        if not stream or stream > self._last:
            raise BrokenProtocol(Http2Error.PROTOCOL_ERROR, "the end of a stream that never began")
        call = self.calls.get(stream)
        if call is not None:
            self.closed(call)
            call.drop()
        self._cut.pop(stream, None)

    def _settings(self, flags: int, stream: int, payload: bytes) -> None:
        _refuse_of_stream(stream)
        if len(payload) % 6 or (flags & ACK and payload):
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
                if call.window > MOST_WINDOW:
                    raise BrokenProtocol(Http2Error.FLOW_CONTROL_ERROR, "the window is too large")
            self._peers_window = value
        elif name == 2 and value > 1:
            raise BrokenProtocol(Http2Error.PROTOCOL_ERROR, "a setting is neither on nor off")
        elif name == 5 and not MOST_FRAME <= value < 2**24:
            raise BrokenProtocol(Http2Error.PROTOCOL_ERROR, "frames have no such size")

    def _ping(self, flags: int, stream: int, payload: bytes) -> None:
        _refuse_of_stream(stream)
        if len(payload) != 8:
            raise BrokenProtocol(Http2Error.FRAME_SIZE_ERROR, "a ping that is none")
        if not flags & ACK:
            self.write(grpc_frames.frame(Frame.PING, ACK, 0, payload))
        elif self._leaving_since is not None:
            self._finish()

    def _window_update(self, _: int, stream: int, payload: bytes) -> None:
        if len(payload) != 4:
            raise BrokenProtocol(Http2Error.FRAME_SIZE_ERROR, "a window that has no size")
        more = int.from_bytes(payload, "big") & MOST_WINDOW
        if not more:
            raise BrokenProtocol(Http2Error.PROTOCOL_ERROR, "a window that does not grow")
        if stream:
            self._widen(stream, more)
            return
        self.window += more
        if self.window > MOST_WINDOW:
            raise BrokenProtocol(Http2Error.FLOW_CONTROL_ERROR, "the window is too large")
        self._flush(list(self.calls.values()))

    def _widen(self, stream: int, more: int) -> None:
        """The peer takes *more* bytes of the answer on *stream*."""
        if stream > self._last:
            raise BrokenProtocol(Http2Error.PROTOCOL_ERROR, "a window of a stream that was never opened")
        call = self.calls.get(stream)
        if call is None:
            return
        call.window += more
        if call.window > MOST_WINDOW:
            self._end_stream(stream, Http2Error.FLOW_CONTROL_ERROR)
        else:
            self._flush([call])

    def _flush(self, calls: list[GrpcCall]) -> None:
        for call in calls:
            if call.unsent and not call.closed:
                self.write(call.flushed())

    def goes_on(self) -> None:
        """More of an answer may be sent, once others had their turn."""
        if not self._going_on:
            self._going_on = True
            self.loop.call_soon(self._go_on)

    def _go_on(self) -> None:
        self._going_on = False
        self._flush(list(self.calls.values()))

    def pause_writing(self) -> None:
        """See asyncio."""
        self.paused = True

    def resume_writing(self) -> None:
        """See asyncio."""
        self.paused = False
        self.goes_on()

    def _pushed(self, _: int, __: int, ___: bytes) -> None:
        raise BrokenProtocol(Http2Error.PROTOCOL_ERROR, "clients promise nothing")

    def _priority(self, _: int, stream: int, payload: bytes) -> None:
        """It says nothing here."""
        if not stream:
            raise BrokenProtocol(Http2Error.PROTOCOL_ERROR, "a priority of no stream")
        if len(payload) != 5:
            raise BrokenProtocol(Http2Error.FRAME_SIZE_ERROR, "a priority that is none")
        self._refuse_circle(stream, payload)

    def _goes_away(self, _: int, stream: int, payload: bytes) -> None:
        """That a client goes is seen when it does."""
        _refuse_of_stream(stream)
        if len(payload) < 8:
            raise BrokenProtocol(Http2Error.FRAME_SIZE_ERROR, "a farewell that is none")

    _OTHERS: dict[int, Callable[["GrpcConnection", int, int, bytes], None]] = {
        Frame.PRIORITY: _priority,
        Frame.RST_STREAM: _reset,
        Frame.SETTINGS: _settings,
        Frame.PUSH_PROMISE: _pushed,
        Frame.PING: _ping,
        Frame.GOAWAY: _goes_away,
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
        unsent = self.transport.get_write_buffer_size() + sum(call.unsent for call in self.calls.values())
        if not unsent or unsent != self._stuck[0]:
            self._stuck = (unsent, now)
        return now - self._stuck[1] > self._limits.connections.write_seconds

    @property
    def leaving(self) -> bool:
        """True once the peer was asked to go elsewhere."""
        return self._leaving_since is not None

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


def _refuse_of_stream(stream: int) -> None:
    """Raises BrokenProtocol where a frame that is about the connection names a *stream*."""
    if stream:
        raise BrokenProtocol(Http2Error.PROTOCOL_ERROR, "a frame of the connection that names a stream")


def _unpadded(flags: int, payload: bytes) -> bytes:
    if not flags & PADDED:
        return payload
    if not payload or payload[0] >= len(payload):
        raise BrokenProtocol(Http2Error.PROTOCOL_ERROR, "more padding than there is")
    return payload[1 : len(payload) - payload[0]]
