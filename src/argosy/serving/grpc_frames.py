"""HTTP/2 as far as gRPC needs it: frames, headers to send, messages in their frames of five bytes. Bytes in, values out; no connection
is known here. What headers say that come: :mod:`argosy.serving.grpc_heads`.
"""

import struct
import zlib
from collections.abc import Iterable, Mapping
from enum import IntEnum
from urllib.parse import quote

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
FRAME_HEAD, MESSAGE_HEAD = 9, 5
MOST_FRAME = 16_384
"""Bytes in a frame that every peer takes, and that a server takes which says nothing else."""
WINDOW = 65_535
"""Bytes that a stream, or a connection, may have under way until somebody says more."""
MOST_WINDOW = 2**31 - 1


class Frame(IntEnum):
    """Types of frames."""

    DATA = 0
    HEADERS = 1
    PRIORITY = 2
    RST_STREAM = 3
    SETTINGS = 4
    PUSH_PROMISE = 5
    PING = 6
    GOAWAY = 7
    WINDOW_UPDATE = 8
    CONTINUATION = 9


ACK = END_STREAM = 0x1
END_HEADERS, PADDED, PRIORITIZED = 0x4, 0x8, 0x20


class Http2Error(IntEnum):
    """Why a stream or a connection is ended."""

    NO_ERROR = 0
    PROTOCOL_ERROR = 1
    INTERNAL_ERROR = 2
    FLOW_CONTROL_ERROR = 3
    STREAM_CLOSED = 5
    FRAME_SIZE_ERROR = 6
    REFUSED_STREAM = 7
    CANCEL = 8
    COMPRESSION_ERROR = 9
    ENHANCE_YOUR_CALM = 11


class GrpcStatus(IntEnum):
    """How a call ended."""

    OK = 0
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    PERMISSION_DENIED = 7
    RESOURCE_EXHAUSTED = 8
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    UNAUTHENTICATED = 16


class BrokenProtocol(Exception):
    """The peer broke the protocol, or asks too much: its connection ends."""

    def __init__(self, code: Http2Error, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class BrokenCall(Exception):
    """A call cannot be answered; its connection goes on."""

    def __init__(self, status: GrpcStatus, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class BrokenStream(Exception):
    """What came on a stream is no request of HTTP/2; its connection goes on."""

    def __init__(self, code: Http2Error) -> None:
        super().__init__(code.name)
        self.code = code


class OtherRequest(Exception):
    """A request of HTTP/2 that is no call of gRPC, and is told so by HTTP's status: who does not know gRPC would take any for a success."""

    def __init__(self, status: int, *, body: bool = True) -> None:
        super().__init__(status)
        self.status = status
        self.body = body
        """Whether its answer may have one."""


HEAD = struct.Struct(">IBI")
"""Of a frame: its length and, in the last byte, its type; flags; its stream."""


def frame(kind: int, flags: int, stream: int, payload: bytes = b"") -> bytes:
    """A frame."""
    return HEAD.pack(len(payload) << 8 | kind, flags, stream) + payload


def settings(values: Mapping[int, int]) -> bytes:
    """The frame that announces *values*."""
    return frame(
        Frame.SETTINGS,
        0,
        0,
        b"".join(key.to_bytes(2, "big") + value.to_bytes(4, "big") for key, value in values.items()),
    )


def goaway(last: int, code: Http2Error, reason: str = "") -> bytes:
    """The frame that says that no stream above *last* is answered."""
    return frame(Frame.GOAWAY, 0, 0, last.to_bytes(4, "big") + code.to_bytes(4, "big") + reason.encode())


def reset(stream: int, code: Http2Error) -> bytes:
    """The frame that ends *stream*."""
    return frame(Frame.RST_STREAM, 0, stream, code.to_bytes(4, "big"))


def window_update(stream: int, more: int) -> bytes:
    """The frame that allows *more* bytes."""
    return frame(Frame.WINDOW_UPDATE, 0, stream, more.to_bytes(4, "big"))


def header_block(fields: Iterable[tuple[str, str]]) -> bytes:
    """*fields* as they are, which changes no table."""
    return b"".join(b"\0" + _text(name) + _text(value) for name, value in fields)


def _text(text: str) -> bytes:
    sent = text.encode("latin-1", "replace")
    if not (text.isascii() and text.isprintable()):
        # Metadata is printable ASCII; what is not has no meaning that the two sides agree on.
        sent = bytes(byte if 32 <= byte < 127 else 63 for byte in sent)
    if len(sent) < 127:
        return b"%c%b" % (len(sent), sent)
    rest, number = len(sent) - 127, bytearray([127])
    while rest > 127:
        number.append(rest & 127 | 128)
        rest >>= 7
    return bytes(number) + bytes([rest]) + sent


ANSWER_BLOCK = b"\x88" + header_block(
    [("content-type", "application/grpc"), ("grpc-accept-encoding", "identity,deflate,gzip")]
)
"""Headers of each answer: status 200, whatever came of the call."""
OK_BLOCK = header_block([("grpc-status", "0")])


def failure_block(status: GrpcStatus, message: str) -> bytes:
    """The end of a call that has no answer."""
    said = quote(message[:2_000], safe=_PLAIN)
    return header_block([("grpc-status", str(int(status))), ("grpc-message", said)])


_PLAIN = "".join(map(chr, range(0x20, 0x7F))).replace("%", "")


def other_block(status: int) -> bytes:
    """Headers of the answer to a request that is no call."""
    # HPACK's static table has the name of the status eighth.
    return b"\x08" + _text(str(status)) + header_block([("content-type", "text/plain; charset=utf-8")])


def message_frame(message: bytes) -> bytes:
    """*message* as gRPC sends it."""
    return b"\0" + len(message).to_bytes(4, "big") + message


def whole_message(data: bytes) -> bytes | None:
    """The message that *data* is, where it is one and no more, as it is."""
    if len(data) < MESSAGE_HEAD or data[0] or int.from_bytes(data[1:MESSAGE_HEAD], "big") != len(data) - MESSAGE_HEAD:
        return None
    return data[MESSAGE_HEAD:]


def plain(message: bytes, encoding: str, most: int) -> bytes:
    """*message*, which is compressed, as it was. Raises BrokenCall where it is not, or would have more than *most* bytes."""
    if encoding not in _BITS:
        raise BrokenCall(GrpcStatus.UNIMPLEMENTED, "messages are read as they are, or compressed by gzip or deflate")
    inflating = zlib.decompressobj(_BITS[encoding])
    try:
        found = inflating.decompress(message, most + 1)
    except zlib.error:
        raise BrokenCall(GrpcStatus.INTERNAL, f"the message is not compressed by {encoding}, as it says") from None
    if len(found) > most:
        raise BrokenCall(GrpcStatus.RESOURCE_EXHAUSTED, f"the message has more than {most} bytes once it is unpacked")
    if not inflating.eof:
        raise BrokenCall(GrpcStatus.INTERNAL, "the compressed message is cut off")
    return found


_BITS = {"gzip": 31, "deflate": 15}
