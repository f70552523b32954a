"""The file format of an open segment: a magic word, a mark, then frames of (mark, length, CRC-32, payload).

The first payload says what the segment is about, each later one has the records of some requests. A writer that is killed leaves whole
frames and at most one torn one; a disk may spoil bytes anywhere. A reader notices both by length and checksum, and goes on with the next
whole frame: it looks for the mark, which is the segment's own and made by chance, so that nothing that a caller sends holds it. What the
payloads mean is not known here.

The form of earlier releases, whose frames have no mark and hold lines of JSON, is read as well.
"""

import re
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

MAGIC, LINES_MAGIC = b"ARGOSYP3", b"ARGOSYP2"
"""The first bytes of a segment, and of one with lines, as earlier releases wrote them."""
MARK_BYTES = 8
_HEAD = struct.Struct("<II")
LONGEST = 1 << 28
"""Bytes of a payload; a longer length is damage, not a frame."""
_LENGTH_ENDS = re.compile(rb"[\x00-\x10]")
"""The last byte of a length that may be one. JSON has no such byte but the ends of its lines, so a frame is found again by a glance."""


def is_one(data: bytes) -> bool:
    """True where *data*, which may be torn anywhere, begins as a segment does."""
    return any(magic.startswith(data[: len(magic)]) for magic in (MAGIC, LINES_MAGIC))


def opening(mark: bytes) -> bytes:
    """The first bytes of a segment whose frames have *mark*."""
    return MAGIC + mark


def frame(payload: bytes, mark: bytes = b"") -> bytes:
    """*payload*, which has a byte at least, as a frame; one of lines has no *mark*."""
    return b"%b%b%b" % (mark, _HEAD.pack(len(payload), zlib.crc32(payload)), payload)


@dataclass(frozen=True, slots=True)
class SegmentContent:
    """The content of a segment: its whole payloads, and in how many places bytes before, between or after them had to be left out."""

    payloads: list[bytes]
    damaged: int
    headed: bool = True
    """Whether the first payload is the first of the segment. Without it nobody knows what the others are about."""
    lines: bool = False
    """Whether payloads are lines of JSON."""
    begun_only: bool = False
    """Whether nothing is there but the torn beginning that a kill leaves."""


def read(data: bytes) -> SegmentContent:
    """The payloads of the segment *data*; what is torn or damaged costs the frames that it is in."""
    if data.startswith(LINES_MAGIC):
        return _read(data, len(LINES_MAGIC), b"")
    if not data.startswith(MAGIC):
        return SegmentContent([], damaged=int(bool(data)), headed=False, begun_only=is_one(data))
    begins = len(MAGIC) + MARK_BYTES
    if len(data) < begins + MARK_BYTES:
        return SegmentContent([], damaged=int(len(data) not in {len(MAGIC), begins}), begun_only=True)
    # It stands there twice, so that a byte of it that is spoiled costs one frame at most, and not all. A disk's zeros are none.
    marks = dict.fromkeys((data[len(MAGIC) : begins], data[begins : begins + MARK_BYTES]))
    found = [_read(data, begins, mark) for mark in marks if any(mark)]
    return max(found, key=lambda content: len(content.payloads), default=SegmentContent([], 1, headed=False))


def _read(data: bytes, begins: int, mark: bytes) -> SegmentContent:
    payloads: list[bytes] = []
    damaged, headed, position = 0, True, begins
    while position < len(data):
        payload = _payload(data, position, mark)
        if payload is None:
            damaged += 1
            headed = headed and bool(payloads)
            position = _next(data, position + 1, mark)
        else:
            payloads.append(payload)
            position += len(mark) + _HEAD.size + len(payload)
    begun_only = not payloads and _is_torn(data, begins, mark)
    return SegmentContent(payloads, damaged, headed, lines=not mark, begun_only=begun_only)


def _is_torn(data: bytes, position: int, mark: bytes) -> bool:
    """True where *data* ends within the frame at *position*, or before it."""
    start = position + len(mark) + _HEAD.size
    if start > len(data):
        return True
    length, _ = _HEAD.unpack_from(data, position + len(mark))
    return data.startswith(mark, position) and len(data) - start < length <= LONGEST


def _payload(data: bytes, position: int, mark: bytes) -> bytes | None:
    """The payload of the frame at *position*; None where there is no whole one. None is empty: a disk's zeros are no frame."""
    start = position + len(mark) + _HEAD.size
    if start > len(data) or not data.startswith(mark, position):
        return None
    length, checksum = _HEAD.unpack_from(data, position + len(mark))
    if not 0 < length <= min(LONGEST, len(data) - start):
        return None
    payload = data[start : start + length]
    return payload if zlib.crc32(payload) == checksum else None


def _next(data: bytes, position: int, mark: bytes) -> int:
    """Where the next whole frame begins, from *position* on; the end where there is none."""
    places = _marked(data, position, mark) if mark else _of_lines(data, position)
    return next((place for place in places if _payload(data, place, mark) is not None), len(data))


def _marked(data: bytes, position: int, mark: bytes) -> Iterator[int]:
    """Where a frame may begin: there is the mark."""
    while (position := data.find(mark, position)) >= 0:
        yield position
        position += 1


def _of_lines(data: bytes, position: int) -> Iterator[int]:
    """Where a frame of lines may begin: its length is possible, and what it holds is lines. All checksums would take hours."""
    for found in _LENGTH_ENDS.finditer(data, position + 3):
        place = found.start() - 3
        (length,) = struct.unpack_from("<I", data, place)
        start = place + _HEAD.size
        if 0 < length <= len(data) - start and data[start] == ord("{") and data[start + length - 1] == ord("\n"):
            yield place
