"""The file format of an open segment: a magic word, then frames of (length, CRC-32, payload).

The first payload says what the segment is about, each later one is some lines of JSON, one a request. A writer that is killed leaves whole
frames and at most one torn one; a disk may spoil bytes anywhere. A reader notices both by length and checksum, and goes on with the next
whole frame. Which lines these are is not known here.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

MAGIC = b"ARGOSYP2"
_HEAD = struct.Struct("<II")
LONGEST = 1 << 28
"""Bytes of a payload; a longer length is damage, not a frame."""
_LENGTH_ENDS = re.compile(rb"[\x00-\x10]")
"""The last byte of a length that may be one. JSON has no such byte but the ends of its lines, so a frame is found again by a glance."""


def frame(payload: bytes) -> bytes:
    """*payload*, which has a byte at least, as a frame."""
    return _HEAD.pack(len(payload), zlib.crc32(payload)) + payload


@dataclass(frozen=True, slots=True)
class SegmentContent:
    """The content of a segment: its whole payloads, and in how many places bytes before, between or after them had to be left out."""

    payloads: list[bytes]
    damaged: int
    headed: bool = True
    """Whether the first payload is the first of the segment. Without it nobody knows what the others are about."""


def read(data: bytes) -> SegmentContent:
    """The payloads of the segment *data*; what is torn or damaged costs the frames that it is in."""
    if not data.startswith(MAGIC):
        return SegmentContent([], damaged=int(bool(data)), headed=False)
    payloads: list[bytes] = []
    damaged, headed, position = 0, True, len(MAGIC)
    while position < len(data):
        payload = _payload(data, position)
        if payload is None:
            damaged += 1
            headed = headed and bool(payloads)
            position = _next(data, position + 1)
        else:
            payloads.append(payload)
            position += _HEAD.size + len(payload)
    return SegmentContent(payloads, damaged, headed)


def _payload(data: bytes, position: int) -> bytes | None:
    """The payload of the frame at *position*; None where there is no whole one. None is empty: a disk's zeros are no frame."""
    start = position + _HEAD.size
    if start > len(data):
        return None
    length, checksum = _HEAD.unpack_from(data, position)
    if not 0 < length <= min(LONGEST, len(data) - start):
        return None
    payload = data[start : start + length]
    return payload if zlib.crc32(payload) == checksum else None


def _next(data: bytes, position: int) -> int:
    """Where the next whole frame of lines begins, from *position* on; the end where there is none."""
    return next((place for place in _candidates(data, position) if _payload(data, place) is not None), len(data))


def _candidates(data: bytes, position: int) -> Iterator[int]:
    """Where a frame may begin: its length is possible, and what it holds is lines. To ask for checksums everywhere would take hours."""
    for found in _LENGTH_ENDS.finditer(data, position + 3):
        place = found.start() - 3
        (length,) = struct.unpack_from("<I", data, place)
        start = place + _HEAD.size
        if 0 < length <= len(data) - start and data[start] == ord("{") and data[start + length - 1] == ord("\n"):
            yield place
