"""The port to objects: small pieces of content by key, below one root.

For what many processes share and nobody edits: shipped predictions, counts, looks, notices. A key is parts with slashes between
(``looks/toy/latest.json``); no key is the folder of another. Whether the root is a folder or a bucket is an adapter's.
"""

import re
from collections.abc import Iterator
from typing import Protocol

from argosy import errors

_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._=+@-]{0,249}")


class Objects(Protocol):
    """Objects below one root.

    Each verb raises TryAgain when the store fails, LocalDisk where a disk of this machine takes no more, and Misconfigured where
    somebody has to act first: a key that is none (see :func:`demand_key`), no bucket, no right.
    """

    def put(self, key: str, content: bytes) -> None:
        """Keep *content* at *key*, in place of what is there; a reader sees the old or the new, whole."""

    def put_new(self, key: str, content: bytes) -> bool:
        """Keep *content* at *key* unless something is there; False where something is. Of several at once, one gets True.

        A store that took the content and whose answer was lost says False when it is asked again: True is certain, False may mean
        that it was this caller.
        """

    def replace(self, key: str, before: bytes, content: bytes) -> bool:
        """Keep *content* at *key* in place of *before*; False, and nothing is changed, where anything else is there by now.

        Of several at once that replace the same content one gets True.
        """

    def get(self, key: str) -> bytes | None:
        """The content at *key*; None where there is none."""

    def keys(self, prefix: str = "") -> Iterator[str]:
        """The keys that begin with *prefix*, sorted. Objects that come or go meanwhile may be missed or named."""

    def folders(self, prefix: str = "") -> list[str]:
        """The first parts of the keys that lie deeper below the folder *prefix* (empty, or ending in a slash), sorted, each once."""

    def delete(self, key: str) -> None:
        """Remove what is at *key*; nothing there is no error."""


def demand_key(key: str) -> None:
    """Raise Misconfigured where *key* is none: it would lead out of the root, or not be the same in every store."""
    if not all(map(_PART.fullmatch, key.split("/"))) or len(key) > 900:
        raise errors.Misconfigured(
            f"{key!r} is no key of an object: expected parts of letters, digits and ._=+@- with slashes between"
        )
