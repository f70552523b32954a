"""The connection to a bucket, and what its refusals mean.

Keys, region and a gateway's address come from where every S3 tool takes them: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION and
AWS_ENDPOINT_URL, a profile, or the pod's own identity.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

from argosy import errors, network, s3_client
from argosy.adapters.s3 import addresses

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


def connect() -> Any:
    """A client. Asks nothing yet. Raises Misconfigured where the surroundings make no sense."""
    with reported("connect to the object store"):
        return s3_client.connect()


def is_absent(store: Any, bucket: str, error: s3_client.ClientError) -> bool:
    """True where *error* of *store* says that there is no such object. Raises Misconfigured where there is no *bucket*.

    The answer to a question about an object has no text where there is none: without its bucket it is the same.
    """
    if not s3_client.is_missing(error):
        return False
    if s3_client.code(error) != "NoSuchKey":
        _demand_bucket(store, bucket)
    return True


def _demand_bucket(store: Any, bucket: str) -> None:
    try:
        store.head_bucket(Bucket=bucket)
    except s3_client.ClientError as error:
        if not s3_client.is_missing(error):
            raise
        raise errors.Misconfigured(
            f"there is no bucket {addresses.SCHEME}{bucket}, so nobody knows what would be in it; mend its name, or make it"
        ) from error


@contextlib.contextmanager
def reported(doing: str) -> Iterator[None]:
    """Turn what the store and the network say while *doing* into what Argosy says. The client's words name no secret."""
    try:
        yield
    except s3_client.ClientError as error:
        words = f"cannot {doing}: {s3_client.words(error)}"
        if s3_client.code(error) in SOMEBODY_HAS_TO_ACT:
            raise errors.Misconfigured(
                f"{words}; the bucket and the keys come from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_ENDPOINT_URL"
            ) from error
        raise errors.TryAgain(words) from error
    except s3_client.NO_KEYS as error:
        raise errors.Misconfigured(
            f"cannot {doing}: {error}; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (on a cluster: the Secret of the step's class)"
        ) from error
    except ValueError as error:  # an address that is none
        raise errors.Misconfigured(f"cannot {doing}: {error}; AWS_ENDPOINT_URL is the gateway's address") from error
    except s3_client.FAILURES as error:
        if fault := network.fault("the object store (AWS_ENDPOINT_URL)", error):
            raise fault from error
        raise errors.TryAgain(f"cannot {doing}: {error}") from error
