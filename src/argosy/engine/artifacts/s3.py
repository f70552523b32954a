"""Buckets behind the S3 interface, through a client that is imported when the first one is opened."""

import contextlib
import functools
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from argosy import network
from argosy.engine.artifacts import buckets
from argosy.engine.artifacts.failures import ArtifactFailure, ArtifactMissing
from argosy.engine.artifacts.secrets import Secrets, one
from argosy.engine.manifest.artifact_model import S3Artifact
from argosy.engine.state import trees

OWNED = ("BucketAlreadyOwnedByYou", "BucketAlreadyExists")
STYLES = {"path": "path", "virtual-hosted": "virtual"}


class S3Bucket:
    """The bucket of the ``s3`` *location*. Raises ArtifactFailure where a key to it is not among *secrets*."""

    def __init__(self, location: S3Artifact, secrets: Secrets) -> None:
        self._bucket = location.bucket
        self._makes_bucket = location.makes_bucket is not None
        self._client = _client(location, secrets)

    def get(self, key: str, target: Path) -> None:
        """As the protocol has it."""
        with _in_words(f"load {key!r} of the bucket {self._bucket!r}"):
            try:
                body = self._client.get_object(Bucket=self._bucket, Key=key)["Body"]
            except self._client.exceptions.NoSuchKey:
                self._get_folder(key, target)
                return
            trees.save(body, target)

    def _get_folder(self, key: str, target: Path) -> None:
        prefix = f"{key.rstrip('/')}/"
        found = list(self._below(prefix))
        if not found:
            raise ArtifactMissing(buckets.NO_KEY)
        target.mkdir()
        for name in found:
            if name == prefix:
                continue
            path = target / buckets.plain(name.removeprefix(prefix))
            if name.endswith("/"):
                path.mkdir(parents=True, exist_ok=True)
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                self._download(name, path)

    def _download(self, key: str, target: Path) -> None:
        goes_on = trees.checker()
        self._client.download_file(self._bucket, key, str(target), Callback=lambda _: goes_on())

    def put(self, key: str, source: Path) -> None:
        """As the protocol has it."""
        with _in_words(f"save {key!r} in the bucket {self._bucket!r}"):
            if self._makes_bucket:
                self._make_bucket()
            if not source.is_dir():
                self._upload(source, key)
                return
            for entry in filter(Path.is_file, trees.walk(source)):
                name = f"{key.rstrip('/')}/{entry.relative_to(source).as_posix()}"
                self._upload(entry, name)

    def _upload(self, source: Path, key: str) -> None:
        goes_on = trees.checker()
        self._client.upload_file(str(source), self._bucket, key, Callback=lambda _: goes_on())

    def delete(self, key: str) -> None:
        """As the protocol has it."""
        with _in_words(f"delete {key!r} of the bucket {self._bucket!r}"):
            for name in list(self._below(key)) if key.endswith("/") else [key]:
                self._client.delete_object(Bucket=self._bucket, Key=name)

    def keys(self, prefix: str) -> list[str]:
        """As the protocol has it."""
        with _in_words(f"list {prefix!r} of the bucket {self._bucket!r}"):
            return [name for name in self._below(prefix) if not name.endswith("/")]

    def _below(self, prefix: str) -> Iterator[str]:
        for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix):
            for entry in page.get("Contents") or []:
                yield entry["Key"]

    def _make_bucket(self) -> None:
        s3_client = _library()
        try:
            self._client.create_bucket(Bucket=self._bucket)
        except s3_client.ClientError as error:
            if s3_client.code(error) not in OWNED:
                raise


def _library() -> Any:
    """The S3 client's module, which takes a third of a second to load. Raises ArtifactFailure where it is not installed."""
    try:
        from argosy import s3_client
    except ImportError:
        from argosy import extras

        raise ArtifactFailure(f"artifacts in S3 need boto3; install it with {extras.advice('s3')}") from None
    return s3_client


_opening = threading.Lock()


@functools.cache
def _session() -> Any:
    """The session that all clients share. Not to be used by two threads at once."""
    return _library().session()


def _client(location: S3Artifact, secrets: Secrets) -> Any:
    s3_client = _library()
    scheme = "http" if location.insecure else "https"
    keys = {
        "aws_access_key_id": one(location.access_key_secret, secrets),
        "aws_secret_access_key": one(location.secret_key_secret, secrets),
        "aws_session_token": one(location.session_token_secret, secrets),
    }
    with _opening:
        return s3_client.connect(
            _session(),
            addressing_style=STYLES.get(location.addressing_style, "auto"),
            endpoint_url=f"{scheme}://{location.endpoint}",
            region_name=location.region or "us-east-1",
            **{name: value for name, value in keys.items() if value},
        )


@contextlib.contextmanager
def _in_words(what: str) -> Iterator[None]:
    """Turn the client's errors into ArtifactFailure."""
    s3_client = _library()
    try:
        yield
    except s3_client.ClientError as error:
        kind = ArtifactMissing if s3_client.is_missing(error) else ArtifactFailure
        raise kind(f"cannot {what}: {s3_client.words(error)}") from None
    except s3_client.FAILURES as error:
        raise ArtifactFailure(f"cannot {what}: {network.fault('the bucket', error) or error}") from None
