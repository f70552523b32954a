"""Tables in a bucket (``s3://<bucket>/<prefix>``): read in pieces, each of the version that was asked for; kept by a conditional put."""

import contextlib
import functools
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from argosy import errors, s3_client, scratch
from argosy.adapters.s3 import addresses, client
from argosy.adapters.s3.bucket_objects import CONFLICT, THERE

READ_AHEAD = 4 * 2**20
"""Bytes of a piece: a request costs as much time as a few of them."""
_NOT_THIS_ONE = {404, 412, 416}
"""Status of a piece whose object is gone, is another version, or is shorter now."""


class S3Tables:
    """Objects under one prefix, or one object. See :class:`argosy.ports.table_files.TableFiles`."""

    def __init__(self, uri: str, setting: str) -> None:
        """*uri*: ``s3://<bucket>/<prefix or key>``. Raises Misconfigured, which names *setting*, where it is none."""
        self._bucket, self._place = addresses.split(uri, setting)
        self._setting = setting
        self._prefix = f"{self._place}/" if self._place else ""
        self._last = self._place.rpartition("/")[2]
        self._client = client.connect()

    def __getstate__(self) -> dict[str, Any]:
        """Without the client, which no other process can have."""
        return {**self.__dict__, "_client": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._client = client.connect()

    @property
    def uri(self) -> str:
        """See the port."""
        return f"{addresses.SCHEME}{self._bucket}/{self._place}"

    @functools.cached_property
    def _is_one(self) -> bool:
        """Whether the place is an object, and not what objects lie below."""
        return bool(self._place) and self._head(self._place) is not None

    def below(self, folder: str) -> "S3Tables":
        """See the port."""
        return S3Tables(f"{addresses.SCHEME}{self._bucket}/{self._prefix}{folder}", self._setting)

    def names(self) -> list[str]:
        """See the port."""
        if self._is_one:
            return [self._last]
        with client.reported(f"list {self.uri}"):
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix)
            keys = [found["Key"] for page in pages for found in page.get("Contents", ())]
        if not keys:
            raise errors.Misconfigured(f"{self.uri}: there is no such object, nor any below it")
        return sorted(key.removeprefix(self._prefix) for key in keys if not key.endswith("/"))

    def version(self, name: str) -> str | None:
        """See the port: the object's ETag."""
        return self._head(self._key(name))

    def fingerprint(self, name: str) -> str:
        """See the port. A store gives equal content that was put in one piece the same ETag, and other content another."""
        found = self.version(name)
        if found is None:
            raise errors.TryAgain(f"{self._address(name)} is gone since it was listed; begin again")
        return f"etag:{found}"

    def open(self, name: str, version: str | None) -> BinaryIO:
        """See the port."""
        found = self._head(self._key(name)) if version is None else version
        pieces = _Pieces(self._client, self._bucket, self._key(name), found)
        return io.BufferedReader(pieces, READ_AHEAD)

    @contextlib.contextmanager
    def draft(self, name: str) -> Iterator[Path]:
        """See the port."""
        with scratch.folder("table") as folder:
            yield folder / Path(name).name

    def keep(self, name: str, draft: Path, over: str | None) -> bool:
        """See the port."""
        condition = {"IfNoneMatch": "*"} if over is None else {"IfMatch": over}
        with client.reported(f"write {self._address(name)}"):
            try:
                with draft.open("rb") as stream:
                    self._client.put_object(Bucket=self._bucket, Key=self._key(name), Body=stream, **condition)
            except s3_client.ClientError as error:
                # 404: what it was to take the place of is gone.
                if _status(error) not in {CONFLICT, THERE, 404} or s3_client.code(error) == "NoSuchBucket":
                    raise
                return False
        return True

    def get(self, name: str) -> bytes | None:
        """See the port."""
        with client.reported(f"read {self._address(name)}"):
            try:
                found = self._client.get_object(Bucket=self._bucket, Key=self._key(name))
                content: bytes = found["Body"].read()
            except s3_client.ClientError as error:
                if s3_client.code(error) != "NoSuchKey":
                    raise
                return None
        return content

    def put(self, name: str, content: bytes) -> None:
        """See the port."""
        with client.reported(f"write {self._address(name)}"):
            self._client.put_object(Bucket=self._bucket, Key=self._key(name), Body=content)

    def remove(self, name: str) -> None:
        """See the port."""
        with client.reported(f"remove {self._address(name)}"):
            self._client.delete_object(Bucket=self._bucket, Key=self._key(name))

    def _key(self, name: str) -> str:
        """The key of *name*. One object is told from a folder of its name by asking, as whoever opens it need not have listed it."""
        return self._place if name == self._last and self._is_one else self._prefix + name

    def _head(self, key: str) -> str | None:
        with client.reported(f"read {addresses.SCHEME}{self._bucket}/{key}"):
            try:
                return _tag(self._client.head_object(Bucket=self._bucket, Key=key), f"s3://{self._bucket}/{key}")
            except s3_client.ClientError as error:
                if not client.is_absent(self._client, self._bucket, error):
                    raise
                return None

    def _address(self, name: str) -> str:
        return f"{addresses.SCHEME}{self._bucket}/{self._key(name)}"


def _tag(found: Mapping[str, Any], address: str) -> str:
    """The ETag of the object *found* at *address*. Raises Misconfigured where it has none: nobody could tell one version from another."""
    if (tag := found.get("ETag")) is None:
        raise errors.Misconfigured(
            f"{address} has no ETag, as files have that were put into the folder behind an S3 gateway: put it there through the gateway, "
            "or name the folder itself"
        )
    return str(tag)


class _Pieces(io.RawIOBase):
    """One version of an object, a piece at a time."""

    def __init__(self, store: Any, bucket: str, key: str, version: str | None) -> None:
        self._store, self._bucket, self._key = store, bucket, key
        self._address = f"{addresses.SCHEME}{bucket}/{key}"
        self._at = 0
        found = self._asked("head_object", version)
        self._version, self._size = _tag(found, self._address), found["ContentLength"]

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = max(0, offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence])
        return self._at

    def readinto(self, buffer: Any) -> int:
        count = min(len(buffer), self._size - self._at)
        if count <= 0:
            return 0
        piece = f"bytes={self._at}-{self._at + count - 1}"
        with client.reported(f"read {self._address}"):
            content = self._asked("get_object", self._version, Range=piece)["Body"].read()
        buffer[: len(content)] = content
        self._at += len(content)
        return len(content)

    def _asked(self, verb: str, version: str | None, **more: str) -> Any:
        condition = {} if version is None else {"IfMatch": version}
        with client.reported(f"read {self._address}"):
            try:
                return getattr(self._store, verb)(Bucket=self._bucket, Key=self._key, **condition, **more)
            except s3_client.ClientError as error:
                if _status(error) not in _NOT_THIS_ONE:
                    raise
                raise errors.TryAgain(
                    f"{self._address} was changed since it was looked at; begin again, and what is done is left"
                ) from error


def _status(error: s3_client.ClientError) -> int | None:
    status: int | None = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return status
