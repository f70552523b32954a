"""The ports to whoever vouches for a folder, and to whoever checks that."""

from pathlib import Path
from typing import Protocol

from argosy import errors


class Tampered(errors.Rejected):
    """The files of a folder are not those that were signed."""


class Signer(Protocol):
    """Holds a private key."""

    def sign(self, folder: Path, signature: Path) -> None:
        """Write the file *signature* for all of *folder*. Raises Misconfigured where the key cannot be used."""


class Verifier(Protocol):
    """Holds the public key."""

    def verify(self, folder: Path, signature: Path) -> None:
        """Return if *signature* is by our key and for exactly the files of *folder*.

        Raises Tampered where the files are others, Rejected where the signature is none or by somebody else, each with what is wrong;
        Misconfigured where our own key cannot be used.
        """
