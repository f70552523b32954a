"""The bytes of Feast's online stores: keys (layout 3), values and times, without Feast.

Feast takes seconds to import and milliseconds to answer, in a server that has less of either. Tests hold every byte against Feast's own.
"""

import math
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from argosy.ports.features import Value

STRING, INT64 = 2, 4
"""Feast's numbers for the types that a join key may have (``ValueType`` in its Value.proto)."""

KEYS: dict[str, tuple[int, Callable[[Any], bytes]]] = {
    "STRING": (STRING, lambda value: str(value).encode()),
    "INT64": (INT64, lambda value: struct.pack("<q", value)),
}

STRING_FIELD, DOUBLE_FIELD = 2, 5
"""Fields of Feast's ``Value`` message that a feature can be."""
_NUMBER, NUMBER_TAG = struct.Struct("<Bd"), DOUBLE_FIELD << 3 | 1
"""A message that is a number: its tag, and eight bytes."""
TEXT_TAG = STRING_FIELD << 3 | 2
"""The first byte of a message that is a text; then come its length and the text."""


def encode_key(types: Sequence[tuple[str, str]], join_keys: Mapping[str, Any]) -> bytes:
    """The key of an entity. *types*: join key and its type, sorted by name.

    Raises KeyError where one is absent, TypeError, ValueError or struct.error where one is not of its type.
    """
    parts = [struct.pack("<I", len(types))]
    for name, _ in types:
        encoded = name.encode()
        parts.append(struct.pack("<II", STRING, len(encoded)) + encoded)
    for name, kind in types:
        number, encode = KEYS[kind]
        value = encode(join_keys[name])
        parts.append(struct.pack("<II", number, len(value)) + value)
    return b"".join(parts)


def encode(value: Value) -> bytes:
    """*value* as a message; a missing one is the empty message."""
    if value is None:
        return b""
    if isinstance(value, str):
        content = value.encode()
        return bytes([TEXT_TAG]) + _encode_varint(len(content)) + content
    return _NUMBER.pack(NUMBER_TAG, value)


def decode(message: bytes) -> Value:
    """The value in *message*, Feast's ``Value`` in protobuf; None for a missing value. Raises ValueError for a kind that no feature is."""
    if len(message) == _NUMBER.size and message[0] == NUMBER_TAG:
        # What most are, and what a hundred rows have thousands of.
        number: float = _NUMBER.unpack(message)[1]
        return None if math.isnan(number) else number
    if len(message) > 1 and message[0] == TEXT_TAG and message[1] == len(message) - 2 < 0x80:
        return message[2:].decode()
    value: Value = None
    for field, content in _fields(message):
        if field == STRING_FIELD:
            value = content.decode()
        elif field == DOUBLE_FIELD:
            value = struct.unpack("<d", content)[0]
        else:
            raise ValueError(f"a value of kind {field} is no feature")
    return None if isinstance(value, float) and math.isnan(value) else value


def decode_all(messages: Iterable[bytes]) -> list[Value]:
    """Each of *messages* as :func:`decode` has it, in less time: most are numbers, and a call for each is most of what they cost."""
    size, unpack = _NUMBER.size, _NUMBER.unpack
    return [
        (None if (number := unpack(message)[1]) != number else number)  # not a number is not equal to itself
        if len(message) == size and message[0] == NUMBER_TAG
        else decode(message)
        for message in messages
    ]


def encode_time(seconds: int) -> bytes:
    """A moment, *seconds* after 1970 began, as a message."""
    # A negative number takes ten bytes, as one of 64 bits without a sign.
    return bytes([1 << 3]) + _encode_varint(seconds & 2**64 - 1) if seconds else b""


def _fields(message: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    while position < len(message):
        tag, position = _decode_varint(message, position)
        wire, size = tag & 7, 8
        if wire == 2:
            size, position = _decode_varint(message, position)
        elif wire != 1:
            raise ValueError(f"a value of kind {tag >> 3} is no feature")
        yield tag >> 3, message[position : position + size]
        position += size


def _encode_varint(value: int) -> bytes:
    encoded = bytearray()
    while value >= 0x80:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def _decode_varint(message: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = message[position]
        position += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:
            return value, position
