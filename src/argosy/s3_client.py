"""A client of object stores that speak S3, and how it says that something went wrong. Who asks makes of that what its own callers know.

The only place that names boto3 and what it brings.
"""

from typing import Any

import boto3
from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

__all__ = ["FAILURES", "NO_KEYS", "ClientError", "code", "connect", "is_missing", "session", "words"]

CONNECTING, READING = 5, 60
"""Seconds for a connection, and between two pieces of an answer."""
ATTEMPTS = 4
MISSING = {"404", "NoSuchKey", "NotFound"}
NO_KEYS = (NoCredentialsError, PartialCredentialsError)
FAILURES = (BotoCoreError, Boto3Error)
"""Exceptions where no store answered, or there are no keys; an answer of a store is a ClientError."""


def session() -> Any:
    """A session of boto3, which clients may share: the user's profile and keys. Not to be used by two threads at once."""
    return boto3.session.Session()


def connect(shared: Any = None, *, addressing_style: str = "auto", **given: Any) -> Any:
    """A client, of the *shared* session or one of its own, by what is *given* or else by the surroundings. Asks nothing yet.

    Raises ValueError where an address is none.
    """
    return (shared or session()).client(
        "s3",
        config=Config(
            connect_timeout=CONNECTING,
            read_timeout=READING,
            retries={"max_attempts": ATTEMPTS, "mode": "standard"},
            s3={"addressing_style": addressing_style},
            # Gateways of others do not know the checksums that AWS has added.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
        **given,
    )


def code(error: ClientError) -> str:
    """The store's short name for what it refuses."""
    return str((error.response.get("Error") or {}).get("Code"))


def words(error: ClientError) -> str:
    """The store's message. It names no secret."""
    return f"{code(error)}: {(error.response.get('Error') or {}).get('Message')}"


def is_missing(error: ClientError) -> bool:
    """True where the store says that there is no such object."""
    return code(error) in MISSING
