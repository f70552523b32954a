"""The port to what makes keys. A key that exists is replaced by a rotation only, and then counts beside the new one until it is retired."""

import datetime
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from argosy.domain.signing_keys import PublicKey


class KeyMaker(Protocol):
    """Makes keys that are files. Safe to ask twice, also at once."""

    def ensure_signing_pair(self, private: Path, public: Path) -> None:
        """Make a key to sign with at *private*, which only its owner may read, and its public half at *public*, where there is none yet."""

    def ensure_secret(self, path: Path) -> None:
        """Make a random secret at *path*, which only its owner may read, where there is none yet."""

    def public_half(self, private: bytes) -> PublicKey:
        """The public half of the key *private* (PEM). Raises Misconfigured where that is none."""

    def public_keys(self, path: Path) -> list[PublicKey]:
        """The keys in the file *path*, in its order. Raises Misconfigured where it cannot be read, or holds none."""

    def put_public_keys(self, path: Path, keys: Sequence[PublicKey]) -> None:
        """Make *keys* the content of the file *path*, all at once."""

    def prepare_signing_key(self, private: Path, public: Path, expires: datetime.date | None) -> PublicKey:
        """Make a key at *private*, where there is none, whose public half then counts beside those in the file *public*; that half.

        *expires*: until when the others count; None: until they are retired.
        """

    def rotation_was_cut_off(self, private: Path) -> bool:
        """True where :meth:`rotate_signing_pair` of *private* was begun and not finished; asking again finishes it."""

    def rotate_signing_pair(self, private: Path, public: Path, expires: datetime.date | None) -> PublicKey:
        """Put a new key in the place of *private*; its public half counts beside those in the file *public*. Returns that half.

        One that was killed is finished by asking again: at no moment is something signed that *public* does not know. *expires*: as above.
        """
