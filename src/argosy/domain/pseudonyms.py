"""Pseudonyms of ids: a keyed hash, so that records of one entity can be joined and nobody without the key can tell whose they are."""

import hashlib
import hmac
import json
from collections.abc import Mapping

_encode = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode
"""Made once: ``json.dumps`` makes one for each call that says how it wants the text, which takes twice as long as the text."""


def hashed(entity: Mapping[str, str | int], key: bytes) -> str:
    """The join keys *entity* under the secret *key*: 64 hexadecimal digits. The same person has the same hash in every log.

    HMAC with SHA-256 over :func:`text`.
    """
    return hmac.digest(key, text(entity).encode(), hashlib.sha256).hex()


def text(entity: Mapping[str, str | int]) -> str:
    """The text of *entity* that is hashed: JSON, keys sorted, no blanks. A number and the same digits as a string are two ids."""
    return _encode(entity)
