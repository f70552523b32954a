"""The file format of an open segment: a magic word, then frames of (length, CRC-32, payload).

The first payload says what the segment is about, each later one is some lines of JSON, one a request. A writer that is killed leaves whole
frames and at most one torn one, which a reader notices by its length or checksum. Which lines these are is not known here.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

MAGIC = b"ARGOSYP2"
_HEAD = struct.Struct("<II")
LONGEST = 1 << 28
"""Bytes of a payload; a longer length is damage, not a frame."""


def frame(payload: bytes) -> bytes:
    """*payload* as a frame."""
    return _HEAD.pack(len(payload), zlib.crc32(payload)) + payload


@dataclass(frozen=True, slots=True)
class SegmentContent:
    """The content of a segment: its whole payloads, and whether bytes after them had to be left out."""

    payloads: list[bytes]
    damaged: bool


def read(data: bytes) -> SegmentContent:
    """The payloads of the segment *data*, up to the first frame that is torn or damaged."""
    if not data.startswith(MAGIC):
        return SegmentContent([], damaged=bool(data))
    payloads = list(_payloads(data))
    used = len(MAGIC) + sum(_HEAD.size + len(payload) for payload in payloads)
    return SegmentContent(payloads, damaged=used < len(data))


def _payloads(data: bytes) -> Iterator[bytes]:
    position = len(MAGIC)
    while position + _HEAD.size <= len(data):
        length, checksum = _HEAD.unpack_from(data, position)
        start = position + _HEAD.size
        payload = data[start : start + length]
        if length > LONGEST or len(payload) < length or zlib.crc32(payload) != checksum:
            return
        yield payload
        position = start + length
