"""Addresses of buckets and gateways. The store's client is not loaded for them."""

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from argosy import errors

SCHEME = "s3://"
BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
GATEWAYS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
"""Variables that name a gateway in place of AWS."""


def split(uri: str, setting: str) -> tuple[str, str]:
    """The bucket and the key in *uri*, the key without slashes at its ends. Raises Misconfigured, which names *setting*."""
    parts = urlsplit(uri)
    key = parts.path.strip("/")
    if parts.scheme != "s3" or not BUCKET.fullmatch(parts.netloc) or ".." in key.split("/"):
        raise errors.Misconfigured(f"{setting} is {uri!r}; expected s3://<bucket>/<prefix>")
    return parts.netloc, key


def demand_gateway(environment: Mapping[str, str]) -> None:
    """Raises Misconfigured where *environment* names a gateway by what is no address."""
    for name in GATEWAYS:
        said = environment.get(name)
        if said and not (urlsplit(said).scheme in {"http", "https"} and urlsplit(said).hostname):
            raise errors.Misconfigured(
                f"{name} is {said!r}; expected the gateway's address, such as https://s3.example.com"
            )
