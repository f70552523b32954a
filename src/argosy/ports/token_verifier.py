"""Port: proves tokens that identity providers issued."""

from dataclasses import dataclass
from typing import Protocol


class NotAuthentic(Exception):
    """A token that proves nothing. The message is for the log; callers learn only that it is not taken, or has expired."""

    def __init__(self, message: str, *, expired: bool = False) -> None:
        super().__init__(message)
        self.expired = expired


@dataclass(frozen=True, slots=True)
class TokenClaims:
    """What a proven token says."""

    principal: str
    """``<issuer's name>:<subject>``."""
    issuer: str
    """The name of the issuer in the rules."""
    models: frozenset[str]
    expires: float
    """Seconds since 1970 from which on it proves nothing."""


class TokenVerifier(Protocol):
    """Proves tokens."""

    def verify(self, token: str) -> TokenClaims:
        """What *token* says. May fetch the issuer's keys, so it belongs in a thread.

        Raises NotAuthentic; TryAgain where the issuer's keys cannot be had.
        """
