"""Objects in a bucket (``s3://<bucket>/<prefix>``): each is one object, put whole, and new by a conditional put."""

from collections.abc import Iterator
from typing import Any

from argosy import errors, s3_client
from argosy.adapters.s3 import addresses, client
from argosy.ports.objects import demand_key

CONFLICT, THERE = 409, 412
"""Status of a conditional put: another one is under way; something is there, or something else."""


class S3Objects:
    """Objects under one prefix. See :class:`argosy.ports.objects.Objects`."""

    def __init__(self, uri: str, setting: str) -> None:
        """*uri*: ``s3://<bucket>/<prefix>``. Raises Misconfigured, which names *setting*, where it is none."""
        self._bucket, prefix = addresses.split(uri, setting)
        self._prefix = f"{prefix}/" if prefix else ""
        self._client = client.connect()

    def put(self, key: str, content: bytes) -> None:
        """See the port."""
        demand_key(key)
        with self._reported("write", key):
            self._client.put_object(Bucket=self._bucket, Key=self._prefix + key, Body=content)

    def put_new(self, key: str, content: bytes) -> bool:
        """See the port."""
        demand_key(key)
        with self._reported("write", key):
            try:
                self._client.put_object(Bucket=self._bucket, Key=self._prefix + key, Body=content, IfNoneMatch="*")
            except s3_client.ClientError as error:
                status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
                if status == CONFLICT and self.get(key) is None:
                    raise errors.TryAgain(f"cannot write {self._uri(key)}: another process is writing it") from error
                if status not in {CONFLICT, THERE}:
                    raise
                return False
        return True

    def replace(self, key: str, before: bytes, content: bytes) -> bool:
        """See the port."""
        demand_key(key)
        with self._reported("write", key):
            try:
                found = self._client.get_object(Bucket=self._bucket, Key=self._prefix + key)
                if found["Body"].read() != before:
                    return False
                self._client.put_object(
                    Bucket=self._bucket, Key=self._prefix + key, Body=content, IfMatch=found["ETag"]
                )
            except s3_client.ClientError as error:
                status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
                if status not in {CONFLICT, THERE} and s3_client.code(error) != "NoSuchKey":
                    raise
                return False
        return True

    def get(self, key: str) -> bytes | None:
        """See the port."""
        demand_key(key)
        with self._reported("read", key):
            try:
                content: bytes = self._client.get_object(Bucket=self._bucket, Key=self._prefix + key)["Body"].read()
            except s3_client.ClientError as error:
                if s3_client.code(error) != "NoSuchKey":
                    raise
                return None
        return content

    def keys(self, prefix: str = "") -> Iterator[str]:
        """See the port."""
        for page in self._pages(prefix):
            for found in page.get("Contents", ()):
                yield found["Key"].removeprefix(self._prefix)

    def folders(self, prefix: str = "") -> list[str]:
        """See the port."""
        pages = self._pages(prefix, Delimiter="/")
        below = {found["Prefix"] for page in pages for found in page.get("CommonPrefixes", ())}
        return sorted(folder.removeprefix(self._prefix + prefix).removesuffix("/") for folder in below)

    def delete(self, key: str) -> None:
        """See the port."""
        demand_key(key)
        with self._reported("remove", key):
            self._client.delete_object(Bucket=self._bucket, Key=self._prefix + key)

    def _pages(self, prefix: str, **more: str) -> Iterator[dict[str, Any]]:
        with self._reported("list", prefix):
            pages = self._client.get_paginator("list_objects_v2")
            yield from pages.paginate(Bucket=self._bucket, Prefix=self._prefix + prefix, **more)

    def _reported(self, doing: str, key: str) -> Any:
        return client.reported(f"{doing} {self._uri(key)}")

    def _uri(self, key: str) -> str:
        return f"{addresses.SCHEME}{self._bucket}/{self._prefix}{key}"
