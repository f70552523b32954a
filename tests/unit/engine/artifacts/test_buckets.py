"""Every bucket keeps the same promises: this machine's own, S3 as a small server in this process speaks it, and a real gateway."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from argosy.engine.artifacts.buckets import Bucket, OwnBucket
from argosy.engine.artifacts.failures import ArtifactFailure, ArtifactMissing
from argosy.engine.artifacts.s3 import S3Bucket
from argosy.engine.manifest.artifact_model import S3Artifact
from kit.s3_gateway import GATEWAY, s3_gateway
from kit.s3_server import KEYS, s3_server


def _location(endpoint: str, bucket: str = "artifacts", **more: object) -> S3Artifact:
    selectors = {f"{which}KeySecret": {"name": "store", "key": which} for which in ("access", "secret")}
    return S3Artifact({"endpoint": endpoint, "bucket": bucket, "insecure": True, **selectors, **more})


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[str]:
    """The endpoint of a real S3 gateway."""
    if GATEWAY is None:
        pytest.skip("versitygw, an S3 gateway, is not on PATH")
    with s3_gateway(tmp_path) as endpoint:
        yield endpoint


@pytest.fixture(params=["own", "served", "gateway"])
def bucket(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bucket]:
    """One bucket of each kind, empty."""
    if request.param == "own":
        yield OwnBucket(tmp_path / "bucket")
        return
    secrets = {"store": KEYS}
    if request.param == "gateway":
        yield S3Bucket(_location(request.getfixturevalue("gateway"), createBucketIfNotPresent={}), secrets)
        return
    with s3_server() as endpoint:
        yield S3Bucket(_location(endpoint, createBucketIfNotPresent={}), secrets)


def _folder(path: Path) -> Path:
    (path / "sub").mkdir(parents=True)
    (path / "sub" / "f").write_text("one", encoding="utf-8")
    (path / "g").write_text("two", encoding="utf-8")
    return path


def _file(path: Path, content: str) -> Path:
    path.write_text(content, encoding="utf-8")
    return path


def test_a_file_comes_back(bucket: Bucket, tmp_path: Path) -> None:
    """What was put under a key is got by it; what is put there again takes its place."""
    bucket.put("a/b/it.txt", _file(tmp_path / "it", "first"))
    bucket.put("a/b/it.txt", _file(tmp_path / "it", "second"))
    bucket.get("a/b/it.txt", tmp_path / "got")
    assert (tmp_path / "got").read_text(encoding="utf-8") == "second"


def test_a_folder_comes_back(bucket: Bucket, tmp_path: Path) -> None:
    """Each file of a folder has a key of its own, and the common beginning of keys is a folder."""
    bucket.put("runs/folder", _folder(tmp_path / "folder"))
    bucket.get("runs/folder", tmp_path / "got")
    bucket.get("runs/folder/sub/f", tmp_path / "one")
    assert (tmp_path / "got" / "sub" / "f").read_text(encoding="utf-8") == "one"
    assert (tmp_path / "one").read_text(encoding="utf-8") == "one"


def test_a_missing_key_is_told_apart(bucket: Bucket, tmp_path: Path) -> None:
    """An optional input may be missing, but not for any other reason."""
    bucket.put("there", _file(tmp_path / "it", "x"))
    with pytest.raises(ArtifactMissing, match=r"The specified key does not exist\."):
        bucket.get("not-there", tmp_path / "got")


def test_deleted_keys_are_gone(bucket: Bucket, tmp_path: Path) -> None:
    """A key, or all below one that ends in a slash; deleting what is not there changes nothing."""
    bucket.put("a", _file(tmp_path / "it", "x"))
    bucket.put("folder", _folder(tmp_path / "folder"))
    for key in ("a", "folder/", "never-there"):
        bucket.delete(key)
    for key in ("a", "folder", "folder/g"):
        with pytest.raises(ArtifactMissing):
            bucket.get(key, tmp_path / "got")


@pytest.mark.parametrize("key", ["../out", "a/../../out", "/", "a\0b"])
def test_no_key_leads_out_of_the_own_bucket(key: str, tmp_path: Path) -> None:
    """A key is a path inside the bucket's folder."""
    with pytest.raises(ArtifactFailure, match="is not a plain path"):
        OwnBucket(tmp_path / "bucket").put(key, _file(tmp_path / "it", "x"))


def test_a_key_below_another_is_refused(tmp_path: Path) -> None:
    """A file system cannot have a file below a file."""
    own = OwnBucket(tmp_path / "bucket")
    own.put("a", _file(tmp_path / "it", "x"))
    with pytest.raises(ArtifactFailure, match="lies below another key"):
        own.put("a/b", _file(tmp_path / "it", "x"))


def test_keys_that_leave_their_folder_write_nothing(tmp_path: Path) -> None:
    """A bucket may hold any key; what it holds is not trusted."""
    with s3_server({"artifacts": {"folder/../../out": b"gone"}}) as endpoint:
        bucket = S3Bucket(_location(endpoint), {"store": KEYS})
        with pytest.raises(ArtifactFailure, match="is not a plain path"):
            bucket.get("folder", tmp_path / "got")
    assert not (tmp_path / "out").exists()


def test_no_bucket_of_that_name(tmp_path: Path) -> None:
    """The server's reason is passed on."""
    with s3_server() as endpoint:
        bucket = S3Bucket(_location(endpoint, "nowhere"), {"store": KEYS})
        with pytest.raises(ArtifactFailure, match=re.escape("in the bucket 'nowhere'")):
            bucket.put("a", _file(tmp_path / "it", "x"))


def test_a_secret_that_is_not_known_is_named(tmp_path: Path) -> None:
    """The selector is told, never a value."""
    with pytest.raises(ArtifactFailure, match="Secret 'store' has no key 'access' on this machine"):
        S3Bucket(_location("127.0.0.1:1"), {})
