"""One call of gRPC on a connection: what came of it, and its answer, of which as much is sent as the peer takes."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any, NoReturn, Protocol, Self

from argosy.serving import grpc_frames
from argosy.serving.grpc_frames import (
    END_HEADERS,
    END_STREAM,
    MESSAGE_HEAD,
    WINDOW,
    BrokenCall,
    Frame,
    GrpcStatus,
    Http2Error,
)
from argosy.serving.grpc_heads import CallHead
from argosy.serving.request_spans import RequestTrace

PIECE_BYTES = 64 * 1024
"""Of an answer, before others have a turn."""
TAKEN_SECONDS = 0.02
"""Between two looks at whether the peer takes what a stream of answers has sent."""
_HEADERS = int(Frame.HEADERS)
_pack, _frame = grpc_frames.HEAD.pack, grpc_frames.frame
_ANSWER_SIZE = len(grpc_frames.ANSWER_BLOCK) << 8 | _HEADERS
_ANSWER_HEAD, _END_HEAD = END_HEADERS, END_HEADERS | END_STREAM


class Aborted(Exception):
    """Ends a call with the status that was said."""


class CallConnection(Protocol):
    """What a call asks of its connection."""

    loop: asyncio.AbstractEventLoop
    host: str
    """The peer's address."""
    window: int
    """Bytes that the peer takes, of all answers together."""
    most_frame: int
    paused: bool
    """True while what was written last is not taken yet."""

    @property
    def leaving(self) -> bool:
        """True once the peer was asked to go elsewhere."""

    def write(self, frames: bytes) -> None:
        """Send *frames*."""

    def start(self, call: "GrpcCall") -> None:
        """Answer *call* in a task of its own."""

    def answered(self) -> None:
        """A call was answered that was worth it."""

    def closed(self, call: "GrpcCall") -> None:
        """*call* is answered, or nobody waits for it."""

    def goes_on(self) -> None:
        """More of an answer may be sent, once others had their turn."""

    def cut(self) -> None:
        """End it at once."""


class PackedMessage(bytes):
    """A message as it came, compressed."""


class GrpcCall:
    """One call. It is the context of grpcio's handlers, as far as they are used here."""

    __slots__ = (
        "_at",
        "_begun",
        "_block",
        "_head_sent",
        "_most",
        "_packed",
        "_trailing",
        "_unsent",
        "_waiter",
        "_wanted",
        "admitted",
        "closed",
        "connection",
        "deadline",
        "end",
        "ended",
        "grows",
        "head",
        "judged",
        "messages",
        "number",
        "received",
        "room",
        "task",
        "timer",
        "trace",
        "traced",
        "window",
    )

    def __init__(self, connection: CallConnection, number: int, head: CallHead, window: int, most: int) -> None:
        """*window*: bytes that the peer takes. *most*: bytes in a message that is read."""
        self.connection = connection
        self.number = number
        self.head = head
        self.window = window
        self.room = WINDOW
        """Bytes that the peer may send."""
        self.received = 0
        """Bytes of data that came."""
        self.messages: deque[bytes] = deque()
        self.ended = False
        """True once the peer has sent all."""
        self.closed = False
        self.judged = False
        """True where it was found as it was read that there is time for it."""
        self.admitted = False
        """True where the caller was asked who it is, and was counted."""
        self.trace: RequestTrace | None = None
        """What notes its stages; None where it is not recorded."""
        self.traced = False
        """True where it is known whether it is recorded."""
        self.grows: Callable[[], None] | None = None
        """Told, once, that half of what a peer may send unasked has come, before it may send on."""
        self.task: asyncio.Task[None] | None = None
        self.deadline: float | None = None
        self.timer: asyncio.TimerHandle | None = None
        """Of the deadline."""
        self.end: bytes | None = None
        """What comes behind the answer."""
        self._block = grpc_frames.ANSWER_BLOCK
        self._unsent = b""
        self._at = 0
        """What is sent of it."""
        self._begun = bytearray()
        self._wanted = 0
        self._most = most
        self._packed = False
        self._waiter: asyncio.Future[None] | None = None
        self._trailing = b""
        self._head_sent = False

    @property
    def whole(self) -> bytes | None:
        """The message, where it is the only one, all of it is there, and as it is."""
        alone = self.ended and len(self.messages) == 1 and not self._begun and not self._packed
        return self.messages[0] if alone else None

    @property
    def unsent(self) -> int:
        """Bytes of the answer that the peer has not taken."""
        return len(self._unsent) - self._at

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        """What the caller brought."""
        return self.head.metadata

    def time_remaining(self) -> float | None:
        """Seconds that the caller still waits; None where it said nothing of it."""
        return None if self.deadline is None else self.deadline - self.connection.loop.time()

    def set_trailing_metadata(self, fields: Any) -> None:
        """What stands behind the answer."""
        self._trailing = grpc_frames.header_block(fields)

    async def abort(self, status: Any, message: str, fields: Any = ()) -> NoReturn:
        """End the call with *status*. Raises Aborted."""
        self.set_trailing_metadata(fields)
        self.fail(status, message)
        raise Aborted

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        """The next message. Raises StopAsyncIteration, or BrokenCall where it is not compressed as it says."""
        while not self.messages:
            if self.ended or self.closed:
                raise StopAsyncIteration
            self._waiter = self.connection.loop.create_future()
            self._make_room()
            try:
                await self._waiter
            finally:
                self._waiter = None
        message = self.messages.popleft()
        # Not before somebody reads it, who knows whose it is: to unpack it is work.
        return grpc_frames.plain(message, self.head.encoding, self._most) if type(message) is PackedMessage else message

    def take(self, data: bytes) -> None:
        """*data* came. Raises BrokenCall where it is no message, or one that is too long."""
        if not self._begun and len(data) <= self._most and (message := grpc_frames.whole_message(data)) is not None:
            self.messages.append(message)
            self._wake()
            return
        self._begun += data
        while self._wanted or self._open():
            if len(self._begun) < self._wanted:
                break
            self.messages.append(self._taken())
        self._wake()
        if self._waiter is not None:
            self._make_room()

    def _taken(self) -> bytes:
        """The message that is there, taken from what came."""
        message = bytes(self._begun[MESSAGE_HEAD : self._wanted])
        if self._begun[0]:
            self._packed, message = True, PackedMessage(message)
        del self._begun[: self._wanted]
        self._wanted = 0
        return message

    def _open(self) -> bool:
        """Read the length of the message that begins; False where it is not there yet."""
        if len(self._begun) < MESSAGE_HEAD:
            return False
        flag, size = self._begun[0], int.from_bytes(self._begun[1:MESSAGE_HEAD], "big")
        if flag > 1:
            raise BrokenCall(GrpcStatus.INTERNAL, "the message has no head of gRPC's")
        if size > self._most:
            said = f"the message has {size} bytes, at most {self._most} are read; send fewer rows a call"
            raise BrokenCall(GrpcStatus.RESOURCE_EXHAUSTED, said)
        self._wanted = MESSAGE_HEAD + size
        return True

    def finish(self) -> bool:
        """The peer has sent all. False where it said that it would send more, or less."""
        self.ended = True
        self._wake()
        return self.head.length is None or self.head.length == self.received

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done() and (self.messages or self.ended or self.closed):
            self._waiter.set_result(None)

    def _make_room(self) -> None:
        """Let the peer send on: somebody reads."""
        if self.room < WINDOW // 2 and not self.ended:
            if self.grows is not None:
                grows, self.grows = self.grows, None
                grows()
            self.connection.write(grpc_frames.window_update(self.number, WINDOW - self.room))
            self.room = WINDOW

    def send(self, message: bytes) -> None:
        """Answer with *message*; more may follow."""
        if not self.closed:
            self._add(grpc_frames.message_frame(message))
            self.connection.write(self.flushed())

    async def taken(self) -> None:
        """Wait until the peer has taken nearly all that was sent: who asks on and takes nothing must not make this side keep it."""
        while self.unsent > PIECE_BYTES and not self.closed:
            await asyncio.sleep(TAKEN_SECONDS)

    def _add(self, data: bytes) -> None:
        self._unsent, self._at = self._unsent[self._at :] + data, 0

    def reply(self, message: bytes, trailing: bytes | None = None) -> bytes:
        """What has to be written to answer with *message* alone, and be done. *trailing*: as :func:`grpc_frames.header_block` makes it."""
        end = grpc_frames.OK_BLOCK + (self._trailing if trailing is None else trailing)
        size, connection = len(message) + MESSAGE_HEAD, self.connection
        at_once = not (self._head_sent or connection.paused) and self.ended
        if not at_once or size > min(self.window, connection.window, connection.most_frame):
            self._add(grpc_frames.message_frame(message))
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
            self._unsent, self._at = b"", 0
            self.end = grpc_frames.failure_block(status, message) + self._trailing
            self.connection.write(self.flushed())

    def refuse(self, status: int, message: str, *, body: bool) -> None:
        """End it, which is no call of gRPC, with HTTP's *status* and, where that may have one, a *body*."""
        self._block = grpc_frames.other_block(status)
        self._unsent = message.encode() if body else b""
        self.end = grpc_frames.failure_block(GrpcStatus.INTERNAL, message)
        self.connection.write(self.flushed())

    def flushed(self) -> bytes:
        """The frames that may be sent now."""
        parts = []
        if not self._head_sent:
            self._head_sent = True
            parts.append(_frame(Frame.HEADERS, _ANSWER_HEAD, self.number, self._block))
        if self.unsent:
            parts += self._pieces()
        if self.unsent:
            return b"".join(parts)
        if self.end is not None:
            parts.append(_frame(Frame.HEADERS, _END_HEAD, self.number, self.end))
            if not self.ended:  # who still sends is told that nobody reads
                parts.append(grpc_frames.reset(self.number, Http2Error.NO_ERROR))
            self.connection.closed(self)
        return b"".join(parts)

    def _pieces(self) -> list[bytes]:
        """Frames of the answer, as many as may be sent."""
        connection = self.connection
        allowed = min(self.unsent, self.window, connection.window)
        if connection.paused or allowed <= 0:
            return []
        until = self._at + min(allowed, PIECE_BYTES)
        parts = []
        for begin in range(self._at, until, connection.most_frame):
            piece = self._unsent[begin : min(begin + connection.most_frame, until)]
            parts.append(_frame(Frame.DATA, 0, self.number, piece))
        sent, self._at = until - self._at, until
        self.window -= sent
        connection.window -= sent
        if sent < allowed:
            connection.goes_on()
        return parts

    def drop(self) -> None:
        """Nobody waits for the answer any more."""
        self.closed = True
        self._begun.clear()
        self.messages.clear()
        self._wake()
        if self.task is not None and not self.task.done():
            self.task.cancel()
