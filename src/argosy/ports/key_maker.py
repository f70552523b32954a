"""The port to what makes keys. A key that exists is never replaced: what was signed with it must stay verifiable."""

from pathlib import Path
from typing import Protocol


class KeyMaker(Protocol):
    """Makes keys that are files. Safe to ask twice, also at once."""

    def ensure_signing_pair(self, private: Path, public: Path) -> None:
        """Make a key to sign with at *private*, which only its owner may read, and its public half at *public*, where there is none yet."""

    def ensure_secret(self, path: Path) -> None:
        """Make a random secret at *path*, which only its owner may read, where there is none yet."""
