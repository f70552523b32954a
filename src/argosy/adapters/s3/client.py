"""The connection to a bucket, and what its refusals mean.

Keys, region and a gateway's address come from where every S3 tool takes them: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and
AWS_ENDPOINT_URL, a profile, or the pod's own identity.
"""

import contextlib
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import boto3
from boto3.exceptions import Boto3Error
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError, PartialCredentialsError

from argosy import errors

SCHEME = "s3://"
BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
CONNECTING, READING = 5, 60
"""Seconds for a connection, and between two pieces of an answer."""
ATTEMPTS = 4
MISSING = {"404", "NoSuchKey", "NotFound"}
SOMEBODY_HAS_TO_ACT = {
    "403",
    "AccessDenied",
    "AllAccessDisabled",
    "ExpiredToken",
    "InvalidAccessKeyId",
    "InvalidBucketName",
    "NoSuchBucket",
    "SignatureDoesNotMatch",
}


def split(uri: str, setting: str) -> tuple[str, str]:
    """The bucket and the key in *uri*, the key without slashes at its ends. Raises Misconfigured, which names *setting*."""
    parts = urlsplit(uri)
    key = parts.path.strip("/")
    if parts.scheme != "s3" or not BUCKET.fullmatch(parts.netloc) or ".." in key.split("/"):
        raise errors.Misconfigured(f"{setting} is {uri!r}; expected s3://<bucket>/<prefix>")
    return parts.netloc, key


def connect() -> Any:
    """A client. Asks nothing yet. Raises Misconfigured where the surroundings make no sense."""
    with reported("connect to the object store"):
        return boto3.session.Session().client(
            "s3",
            config=Config(
                connect_timeout=CONNECTING,
                read_timeout=READING,
                retries={"max_attempts": ATTEMPTS, "mode": "standard"},
                # Gateways of others do not know the checksums that AWS has added.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )


@contextlib.contextmanager
def reported(doing: str) -> Iterator[None]:
    """Turn what the store and the network say while *doing* into what Argosy says. The client's words name no secret."""
    try:
        yield
    except ClientError as error:
        given = error.response.get("Error") or {}
        words = f"cannot {doing}: {given.get('Code')}: {given.get('Message')}"
        if given.get("Code") in SOMEBODY_HAS_TO_ACT:
            raise errors.Misconfigured(
                f"{words}; the bucket and the keys come from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_ENDPOINT_URL"
            ) from error
        raise errors.TryAgain(words) from error
    except (NoCredentialsError, PartialCredentialsError) as error:
        raise errors.Misconfigured(
            f"cannot {doing}: {error}; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (on a cluster: the Secret of the step's class)"
        ) from error
    except ValueError as error:  # an address that is none
        raise errors.Misconfigured(f"cannot {doing}: {error}; AWS_ENDPOINT_URL is the gateway's address") from error
    except (BotoCoreError, Boto3Error) as error:
        raise errors.TryAgain(f"cannot {doing}: {error}") from error


def missing(error: ClientError) -> bool:
    """Whether *error* says that there is no such object."""
    return str((error.response.get("Error") or {}).get("Code")) in MISSING
