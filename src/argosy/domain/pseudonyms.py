"""Pseudonyms of ids: a keyed hash, so that records of one entity can be joined and nobody without the key can tell whose they are."""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from json.encoder import encode_basestring

_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode
"""Made once: ``json.dumps`` makes one for each call that says how it wants the text, which takes twice as long as the text."""


def hashed(entity: Mapping[str, str | int], key: bytes) -> str:
    """The join keys *entity* under the secret *key*: 64 hexadecimal digits. The same person has the same hash in every log.

    HMAC with SHA-256 over :func:`text`.
    """
    return hmac.digest(key, text(entity).encode(), hashlib.sha256).hex()


def hashed_columns(columns: Mapping[str, Sequence[str | int | None]], key: bytes) -> list[str | None]:
    """:func:`hashed` of each row of *columns*, a column a join key and one at least; None where a row lacks one of them."""
    parts = [(f"{',' if place else '{'}{_encode(name)}:", columns[name]) for place, name in enumerate(sorted(columns))]
    written = [[None if one is None else f"{before}{_value(one)}" for one in values] for before, values in parts]
    texts = written[0] if len(written) == 1 else [_joined(row) for row in zip(*written, strict=True)]
    # A hash of the key's block is begun once: HMAC begins it anew for each text, which takes as long as the text.
    block = (hashlib.sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
    inner, outer = (hashlib.sha256(block.translate(pad)) for pad in (_INNER, _OUTER))
    return [None if one is None else _digest(inner.copy(), outer.copy(), f"{one}}}".encode()) for one in texts]


_BLOCK = 64
"""Bytes of a block of SHA-256."""
_INNER, _OUTER = (bytes(byte ^ pad for byte in range(256)) for pad in (0x36, 0x5C))
"""What HMAC (RFC 2104) makes of each byte of the key."""


def _digest(inner: "hashlib._Hash", outer: "hashlib._Hash", content: bytes) -> str:
    inner.update(content)
    outer.update(inner.digest())
    return outer.hexdigest()


def _value(one: str | int) -> str:
    return encode_basestring(one) if isinstance(one, str) else str(one)


def _joined(row: Sequence[str | None]) -> str | None:
    return None if None in row else "".join(filter(None, row))


def text(entity: Mapping[str, str | int]) -> str:
    """The text of *entity* that is hashed: JSON, keys sorted, no blanks. A number and the same digits as a string are two ids."""
    return _encode(entity)
