"""The ports to whoever vouches for a folder, and to whoever checks that."""

from pathlib import Path
from typing import Protocol


class Signer(Protocol):
    """Holds a private key."""

    def sign(self, folder: Path, signature: Path) -> None:
        """Write the file *signature* for all of *folder*. Raises Misconfigured where the key cannot be used."""


class Verifier(Protocol):
    """Holds the public key."""

    def verify(self, folder: Path, signature: Path) -> None:
        """Return if *signature* is by our key and for exactly the files of *folder*.

        Raises Rejected, with what is wrong, where it is not; Misconfigured where our own key cannot be used.
        """
