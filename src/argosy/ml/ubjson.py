"""Reads the UBJSON (https://ubjson.org, draft 12) that XGBoost saves a model in: what the JSON of that model says, typed arrays as NumPy's.

XGBoost writes every array of numbers with its type and count, so that nothing is made for each number: a model is read in the time of its
trees, however many nodes they have, and in the memory of its file.
"""

import struct
from typing import Any

import numpy as np

_NUMBERS = {"i": ">i1", "U": ">u1", "I": ">i2", "l": ">i4", "L": ">i8", "d": ">f4", "D": ">f8"}
_TYPES = {ord(sign): np.dtype(kind) for sign, kind in _NUMBERS.items()}
_CONSTANTS = {ord("T"): True, ord("F"): False, ord("Z"): None}
_OBJECT, _OBJECT_END, _ARRAY, _ARRAY_END, _STRING = b"{}[]S"
_TYPE, _COUNT = b"$#"


class Malformed(ValueError):
    """What is no UBJSON, or of a form that XGBoost does not write."""


def loads(content: bytes) -> Any:
    """The document of *content*. Raises Malformed."""
    reader = _Reader(content)
    try:
        found = reader.value(reader.sign())
    except (LookupError, struct.error, ValueError) as error:
        raise Malformed(f"no UBJSON, at byte {reader.at}: {error}") from None
    return found


class _Reader:
    """Reads from front to back."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.at = 0

    def sign(self) -> int:
        """The next byte, which says what follows."""
        self.at += 1
        return self._content[self.at - 1]

    def value(self, sign: int) -> Any:
        """The value that *sign* begins."""
        if sign == _ARRAY:
            return self._array()
        if sign == _OBJECT:
            return self._object()
        if sign == _STRING:
            return self._text(self.sign())
        if sign in _TYPES:
            return self._numbers(_TYPES[sign], 1)[0].item()
        if sign in _CONSTANTS:
            return _CONSTANTS[sign]
        raise Malformed(f"{chr(sign)!r} begins nothing that is known")

    def _object(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        while (sign := self.sign()) != _OBJECT_END:
            name = self._text(sign)
            found[name] = self.value(self.sign())
        return found

    def _array(self) -> Any:
        sign = self.sign()
        if sign == _TYPE:
            kind = _TYPES[self.sign()]
            if self.sign() != _COUNT:
                raise Malformed("an array has a type and no count")
            return self._numbers(kind, self._count(self.sign()))
        if sign == _COUNT:
            return [self.value(self.sign()) for _ in range(self._count(self.sign()))]
        found = []
        while sign != _ARRAY_END:
            found.append(self.value(sign))
            sign = self.sign()
        return found

    def _text(self, sign: int) -> str:
        length = self._count(sign)
        begin, self.at = self.at, self.at + length
        return self._content[begin : self.at].decode()

    def _count(self, sign: int) -> int:
        if sign != _LONG:
            raise Malformed(f"a count that begins with {chr(sign)!r}")
        begin, self.at = self.at, self.at + 8
        count: int = _LONG_COUNT.unpack_from(self._content, begin)[0]
        if not 0 <= count <= len(self._content):
            raise Malformed(f"{count:,} of something")
        return count

    def _numbers(self, kind: np.dtype[Any], count: int) -> Any:
        begin, self.at = self.at, self.at + count * kind.itemsize
        return np.frombuffer(self._content, kind, count, begin)


_LONG, _LONG_COUNT = ord("L"), struct.Struct(">q")
