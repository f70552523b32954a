"""What the headers of a call say, and which of them are no call: HTTP/2's rules for a request, then gRPC's.

A client sends the same headers call after call, and HPACK makes of them the same few bytes. So what a block says is kept with its bytes,
for as long as the table that these refer to does not change. Keys are among what is kept: a client sends its own spelled out, each time,
and to decode that anew for each call costs a fifth of a prediction.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from argosy.serving.access.gatekeeper import by_name
from argosy.serving.grpc_frames import BrokenCall, BrokenProtocol, BrokenStream, GrpcStatus, Http2Error, OtherRequest
from argosy.serving.header_decoder import FIELD_BYTES, Fields, HeaderDecoder, UnreadableHeaders

MOST_BLOCKS = 64
"""Header blocks that are kept for each connection."""
MOST_KEPT_BYTES = 32 * 1024
"""Of all that they say, as HTTP/2 counts it: a block of a few bytes may say as much as all headers of a call may have."""
MOST_SECONDS = 86_400.0
"""That a caller is taken to wait, whatever it says."""


@dataclass(frozen=True, slots=True)
class CallHead:
    """What the headers of a call say."""

    path: str
    metadata: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    """The same by name."""
    seconds: float | None
    """The time that the caller waits; None: any."""
    encoding: str
    """Of messages that say that they are compressed."""
    length: int | None = None
    """Bytes of all data that come, where that was said."""


NOTHING = CallHead("", (), {}, None, "identity")
"""Of what is no call."""


class BlockReader:
    """Reads the header blocks of one connection."""

    def __init__(self, most_bytes: int) -> None:
        """*most_bytes*: of all headers of a call, as HTTP/2 counts them."""
        self._decoder = HeaderDecoder(most_bytes)
        self._kept: dict[bytes, tuple[CallHead, int]] = {}
        """What blocks say, and the bytes that it takes to remember it, the oldest first."""
        self._kept_bytes = 0

    def head(self, block: bytes) -> CallHead:
        """What *block* says. Raises BrokenProtocol, BrokenStream where it is no request, OtherRequest or BrokenCall where it is none of
        gRPC's."""
        kept = self._kept.get(block)
        if kept is not None:
            return kept[0]
        fields, changed = self._fields(block)
        found = _head(fields)
        if not changed:
            self._keep(block, found, len(block) + sum(len(name) + len(value) + FIELD_BYTES for name, value in fields))
        return found

    def _keep(self, block: bytes, found: CallHead, size: int) -> None:
        """Keep that *block* says what was *found*, *size* bytes with the block, in the place of the oldest where there is no room: a client
        that says something else in each call must not keep out what it says again and again later."""
        if size > MOST_KEPT_BYTES:
            return
        while len(self._kept) >= MOST_BLOCKS or self._kept_bytes + size > MOST_KEPT_BYTES:
            self._kept_bytes -= self._kept.pop(next(iter(self._kept)))[1]
        self._kept[block] = found, size
        self._kept_bytes += size

    def trailers(self, block: bytes) -> None:
        """Read what stands behind a call's data, which says nothing to anybody here. Raises as :meth:`head`."""
        fields, _ = self._fields(block)
        if _pseudo(fields):
            raise BrokenStream(Http2Error.PROTOCOL_ERROR)

    def _fields(self, block: bytes) -> tuple[Fields, bool]:
        """The fields of *block*, and whether it may have changed what later ones refer to."""
        try:
            fields, changed = self._decoder.fields(block)
        except UnreadableHeaders as error:
            raise BrokenProtocol(Http2Error.COMPRESSION_ERROR, "the headers cannot be read") from error
        if changed:
            self._kept.clear()
            self._kept_bytes = 0
        return fields, changed


_NAME = re.compile(rb":?[!#$%&'*+\-.^_`|~0-9a-z]+")
_NO_VALUE = re.compile(rb"[\0\r\n]")
_OF_ONE_HOP = frozenset({b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"})
_PSEUDO = frozenset({b":method", b":scheme", b":path", b":authority"})
_NEEDED = _PSEUDO - {b":authority"}


def _pseudo(fields: Fields) -> dict[bytes, bytes]:
    """The fields that say what is asked for. Raises BrokenStream where HTTP/2 knows no such request."""
    found: dict[bytes, bytes] = {}
    plain = False
    for name, value in fields:
        broken = not _NAME.fullmatch(name) or _NO_VALUE.search(value) is not None
        if name.startswith(b":"):
            broken = broken or plain or name in found or name not in _PSEUDO
            found[name] = value
        else:
            plain = True
            broken = broken or name in _OF_ONE_HOP or (name == b"te" and value != b"trailers")
        if broken:
            raise BrokenStream(Http2Error.PROTOCOL_ERROR)
    return found


def _head(fields: Fields) -> CallHead:
    asked = _pseudo(fields)
    if not all(asked.get(name) for name in _NEEDED):
        raise BrokenStream(Http2Error.PROTOCOL_ERROR)
    metadata = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in fields if name[:1] != b":")
    given = dict(metadata)
    length = _length(given.get("content-length"))
    if asked[b":method"] != b"POST":
        raise OtherRequest(405, body=asked[b":method"] != b"HEAD")
    if not _GRPC.match(given.get("content-type", "")):
        raise OtherRequest(415)
    headers = by_name((name, value) for name, value in metadata if not name.endswith("-bin"))
    path, encoding = asked[b":path"].decode("latin-1"), given.get("grpc-encoding", "identity")
    return CallHead(path, metadata, headers, _seconds(given.get("grpc-timeout")), encoding, length)


_GRPC = re.compile(r"application/grpc(?:[+;]|$)")
_TIMEOUT = re.compile(r"([0-9]{1,8})([HMSmun])")
_UNITS = {"H": 3600.0, "M": 60.0, "S": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}


def _seconds(said: str | None) -> float | None:
    if said is None:
        return None
    found = _TIMEOUT.fullmatch(said)
    if found is None:
        raise BrokenCall(GrpcStatus.INVALID_ARGUMENT, "grpc-timeout is no time")
    return min(int(found[1]) * _UNITS[found[2]], MOST_SECONDS)


def _length(said: str | None) -> int | None:
    if said is None:
        return None
    if not (said.isascii() and said.isdecimal() and len(said) < 16):
        raise BrokenStream(Http2Error.PROTOCOL_ERROR)
    return int(said)
