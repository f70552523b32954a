"""The model store in a bucket (``s3://<bucket>/<prefix>``).

A bucket has no rename. What makes a folder whole is its record, written last, outside the folder: the paths and digests of what was put.
A reader goes by the record alone, so it never sees half a folder, and notices a file that was changed behind the store's back. The folder
itself holds nothing but its files, so that other tools (KServe's storage initializer) read it as it is.
"""

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from argosy import errors, s3_client
from argosy.adapters.s3 import addresses, client
from argosy.files import stored_folder
from argosy.files.stored_folder import Digests
from argosy.ports.artifacts import StoredFolder

RECORDS = ".records"


class S3Artifacts:
    """Folders under one prefix. See :class:`argosy.ports.artifacts.Artifacts`."""

    def __init__(self, uri: str) -> None:
        """*uri*: ``s3://<bucket>/<prefix>``. Raises Misconfigured where it is none."""
        self._bucket, self._prefix = addresses.split(uri, "ARGOSY_STORE_URI")
        self._client = client.connect()

    def put(self, folder: Path, name: str) -> str:
        stored_folder.demand_name(name)
        ours, uri = stored_folder.digests(folder), self._uri(name)
        with client.reported(f"store {folder.name} at {uri}"):
            theirs = self._renewed(name)
            if theirs is None:
                for path in sorted(ours):
                    self._client.upload_file(str(folder / path), self._bucket, self._key(name, path))
                theirs = self._recorded(name, ours)
        stored_folder.demand_same(ours, theirs, uri)
        return uri

    def get(self, uri: str, into: Path) -> None:
        name = uri.removeprefix(f"{self._uri('')}").removesuffix("/")
        if not uri.startswith(self._uri("")) or not stored_folder.is_name(name):
            raise errors.Misconfigured(f"{uri} is not in the model store {self._uri('')}; set ARGOSY_STORE_URI")
        with client.reported(f"read {uri}"):
            record = self._record(name)
            if record is None:
                raise errors.Misconfigured(f"the model store has nothing at {uri}")
            into.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=f".{into.name}.", dir=into.parent) as scratch:
                copy = Path(scratch) / "copy"
                copy.mkdir()
                for path, digest in record.items():
                    self._download(name, path, copy, digest)
                if into.is_dir():
                    into.rmdir()  # it may be there, but only empty
                copy.rename(into)

    def folders(self, prefix: str) -> Iterator[StoredFolder]:
        """See the port. By the records: what has none was never whole."""
        stored_folder.demand_name(prefix.rstrip("/"))
        start = "/".join(part for part in (self._prefix, RECORDS, prefix) if part)
        with client.reported(f"list {self._uri('')}"):
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=start)
            for each in (each for page in pages for each in page.get("Contents", ())):
                name = f"{prefix}{each['Key'].removeprefix(start).removesuffix('.json')}"
                if stored_folder.is_name(name):
                    yield StoredFolder(name, self._uri(name), each["LastModified"])

    def read(self, name: str, path: str) -> bytes | None:
        stored_folder.demand_name(name)
        with client.reported(f"read {self._uri(name)}"):
            try:
                found = self._client.get_object(Bucket=self._bucket, Key=self._key(name, path))
                body: bytes = found["Body"].read()
            except s3_client.ClientError as error:
                if s3_client.is_missing(error):
                    return None
                raise
            return body

    def remove(self, name: str) -> None:
        """See the port. The record goes first: without it nobody reads the rest."""
        stored_folder.demand_name(name)
        with client.reported(f"remove {self._uri(name)}"):
            self._client.delete_object(Bucket=self._bucket, Key=self._record_key(name))
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=f"{self._key(name, '')}/"
            )
            for each in [each["Key"] for page in pages for each in page.get("Contents", ())]:
                self._client.delete_object(Bucket=self._bucket, Key=each)

    def _download(self, name: str, path: str, copy: Path, digest: str) -> None:
        target = copy / path
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._client.download_file(self._bucket, self._key(name, path), str(target))
        except s3_client.ClientError as error:
            if not s3_client.is_missing(error):
                raise
            shutil.rmtree(copy)
            raise errors.Misconfigured(
                f"{self._uri(name)} is not whole: {path} was deleted after it was stored; restore it from the bucket's versions"
            ) from error
        if stored_folder.digest(target) != digest:
            raise errors.Misconfigured(
                f"{self._uri(name)} is not what was stored: {path} was changed in the bucket; restore it from the bucket's versions"
            )

    def _record(self, name: str) -> Digests | None:
        """The digests of the folder at *name*, written last; None where there is none, or not all of it."""
        found = self._written(name)
        return _parsed(found[0], self._uri(name)) if found else None

    def _renewed(self, name: str) -> Digests | None:
        """As :meth:`_record`, which is written once more as it is, so that its time is now."""
        found = self._written(name)
        if found is None:
            return None
        body, tag = found
        try:
            self._client.put_object(Bucket=self._bucket, Key=self._record_key(name), Body=body, IfMatch=tag)
        except s3_client.ClientError as error:
            # Removed meanwhile, and its files with it, or renewed by another process.
            if not (s3_client.is_missing(error) or _lost_a_race(error)):
                raise
            return self._record(name)
        return _parsed(body, self._uri(name))

    def _written(self, name: str) -> tuple[bytes, str] | None:
        """The record of the folder at *name*, and the tag of this writing of it; None where there is none."""
        try:
            found = self._client.get_object(Bucket=self._bucket, Key=self._record_key(name))
            return found["Body"].read(), found["ETag"]
        except s3_client.ClientError as error:
            if s3_client.is_missing(error):
                return None
            raise

    def _recorded(self, name: str, ours: Digests) -> Digests:
        """Write the record, unless another process was first; returns the one that counts."""
        body = json.dumps({"files": ours}, sort_keys=True).encode()
        try:
            self._client.put_object(Bucket=self._bucket, Key=self._record_key(name), Body=body, IfNoneMatch="*")
        except s3_client.ClientError as error:
            if not _lost_a_race(error):
                raise
            return self._record(name) or ours
        return ours

    def _uri(self, name: str) -> str:
        return f"{addresses.SCHEME}{self._bucket}/{self._key(name, '')}{'/' if name else ''}"

    def _key(self, name: str, path: str) -> str:
        parts = [part for part in (self._prefix, name, path) if part]
        return "/".join(parts) if name else f"{self._prefix}/".lstrip("/")

    def _record_key(self, name: str) -> str:
        return "/".join(part for part in (self._prefix, RECORDS, f"{name}.json") if part)


def _lost_a_race(error: s3_client.ClientError) -> bool:
    """True where a put on a condition was refused: another process was first."""
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") in {409, 412}


def _parsed(body: bytes, uri: str) -> Digests:
    try:
        files: Any = json.loads(body)["files"]
        if all(isinstance(digest, str) and _is_inside(path) for path, digest in files.items()):
            return dict(files)
    except (ValueError, LookupError, TypeError, AttributeError):
        pass
    raise errors.Misconfigured(f"the record of {uri} in the bucket is none; restore it from the bucket's versions")


def _is_inside(path: str) -> bool:
    return bool(path) and not path.startswith("/") and ".." not in path.split("/")
