"""All objects hold the contract, whether they lie in a folder, in a bucket or in memory; what only one of them can do is below."""

import multiprocessing
import os
import re
import threading
from collections.abc import Iterator
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from argosy import errors
from argosy.adapters.file_objects import INCOMING, FileObjects
from argosy.adapters.memory_objects import MemoryObjects
from argosy.adapters.s3.bucket_objects import S3Objects
from argosy.testing.objects_contract import ObjectsContract
from kit.s3_gateway import GATEWAY, s3_gateway
from kit.s3_server import KEYS, Buckets, s3_server


def _lead_to(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{endpoint}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEYS["access"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEYS["secret"])
    monkeypatch.setenv("AWS_REGION", "us-east-1")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The root of files; its name needs quoting in a URI."""
    return tmp_path / "the store"


@pytest.fixture
def buckets() -> Buckets:
    """What the object store holds: bucket to key to content."""
    return {"monitoring": {}}


@pytest.fixture
def bucket(buckets: Buckets, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URI of a prefix in a bucket, with the surroundings that lead there."""
    with s3_server(buckets) as endpoint:
        _lead_to(endpoint, monkeypatch)
        yield "s3://monitoring/team/loop"


class TestMemoryObjects(ObjectsContract):
    """This process."""

    @pytest.fixture
    def objects(self) -> MemoryObjects:
        """None yet."""
        return MemoryObjects()


class TestFileObjects(ObjectsContract):
    """A folder of this machine."""

    @pytest.fixture
    def objects(self, root: Path) -> FileObjects:
        """Below a folder that does not exist yet."""
        return FileObjects(f"file://{root}", "ARGOSY_MONITORING_URI")


class TestS3Objects(ObjectsContract):
    """A bucket, as a small server in this process has it."""

    @pytest.fixture
    def objects(self, bucket: str) -> S3Objects:
        """An empty prefix."""
        return S3Objects(bucket, "ARGOSY_MONITORING_URI")


@pytest.mark.skipif(GATEWAY is None, reason="versitygw, an S3 gateway, is not on PATH")
class TestObjectsOfAGateway(ObjectsContract):
    """A bucket of a real gateway."""

    @pytest.fixture
    def objects(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Objects]:
        """The whole of an empty bucket."""
        with s3_gateway(tmp_path, "monitoring") as endpoint:
            _lead_to(endpoint, monkeypatch)
            yield S3Objects("s3://monitoring", "ARGOSY_MONITORING_URI")


@pytest.mark.parametrize("uri", ["gs://bucket/x", "file://host/x", "relative", ""])
def test_other_places_are_refused(uri: str) -> None:
    """The setting is named, with what it should look like."""
    with pytest.raises(
        errors.Misconfigured, match=r"ARGOSY_MONITORING_URI is .*; expected file:///absolute/path or s3://"
    ):
        FileObjects(uri, "ARGOSY_MONITORING_URI")


def test_a_file_is_nobody_elses_business_until_it_is_whole(root: Path) -> None:
    """Nothing half-written is left, and a folder that was emptied is gone."""
    objects = FileObjects(f"file://{root}", "ARGOSY_MONITORING_URI")
    objects.put("a/b/c", b"x")
    objects.put_new("a/b/c", b"y")
    assert [path.name for path in root.rglob("*") if path.is_file()] == ["c"]
    objects.delete("a/b/c")
    assert [path.name for path in root.iterdir()] == [INCOMING]


def test_a_folder_that_goes_while_it_is_written_to(root: Path) -> None:
    """Who deletes the last object of a folder does not take the next one's place away."""
    objects = FileObjects(f"file://{root}", "ARGOSY_MONITORING_URI")
    stop = threading.Event()

    def empty() -> None:
        while not stop.is_set():
            objects.delete("a/b/first")

    other = threading.Thread(target=empty)
    other.start()
    try:
        for number in range(50):
            objects.put("a/b/first", b"")
            objects.put(f"a/b/{number}", b"")
            objects.delete(f"a/b/{number}")
    finally:
        stop.set()
        other.join()


def _claim(root: Path, barrier: Barrier, rounds: int) -> None:
    objects = FileObjects(f"file://{root}", "ARGOSY_MONITORING_URI")
    won = []
    for number in range(rounds):
        barrier.wait()
        won.append(objects.put_new(f"claims/{number}", str(os.getpid()).encode()))
    (root / f"won-{os.getpid()}").write_text("".join("01"[each] for each in won))


def test_two_processes_claim(root: Path) -> None:
    """Each claim is one process's and no other's."""
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(2, timeout=30)
    processes = [context.Process(target=_claim, args=(root, barrier, 30)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0]
    first, second = (path.read_text() for path in root.glob("won-*"))
    assert [a + b for a, b in zip(map(int, first), map(int, second), strict=True)] == [1] * 30


def test_a_disk_that_is_full_is_said(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As what it is, and nothing of the object is there."""
    objects = FileObjects(f"file://{root}", "ARGOSY_MONITORING_URI")

    def full(path: Path, content: bytes) -> int:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(errors.LocalDisk, match="free space there"):
        objects.put("a", b"x")
    assert objects.get("a") is None


def test_a_store_that_is_down_is_tried_again(buckets: Buckets, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every verb says so, with the object's address."""
    with s3_server(buckets) as endpoint:
        _lead_to(endpoint, monkeypatch)
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    objects = S3Objects("s3://monitoring/team", "ARGOSY_MONITORING_URI")
    acts = [
        lambda: objects.put("k", b""),
        lambda: objects.put_new("k", b""),
        lambda: objects.get("k"),
        lambda: list(objects.keys("k")),
        lambda: objects.folders("k/"),
        lambda: objects.delete("k"),
    ]
    for act in acts:
        with pytest.raises(errors.TryAgain, match=re.escape("s3://monitoring/team/k")):
            act()


@pytest.mark.parametrize(
    ("there", "expected"), [pytest.param(True, False, id="there-now"), pytest.param(False, None, id="not-yet")]
)
def test_a_put_under_way_elsewhere(bucket: str, buckets: Buckets, *, there: bool, expected: bool | None) -> None:
    """Amazon answers 409 while another conditional put of the key is under way: whether that one succeeds is not known yet."""
    objects = S3Objects(bucket, "ARGOSY_MONITORING_URI")
    if there:
        buckets["monitoring"]["team/loop/k"] = b"theirs"
    refusal = ClientError(
        {"Error": {"Code": "ConditionalRequestConflict"}, "ResponseMetadata": {"HTTPStatusCode": 409}}, "PutObject"
    )
    refused = lambda **_: (_ for _ in ()).throw(refusal)  # noqa: E731 - said where it is used
    objects._client.meta.events.register("before-send.s3.PutObject", refused)
    if expected is None:
        with pytest.raises(errors.TryAgain, match="another process is writing it"):
            objects.put_new("k", b"ours")
    else:
        assert objects.put_new("k", b"ours") is expected


def test_a_list_has_as_many_as_there_are(bucket: str, buckets: Buckets) -> None:
    """More than a bucket names in one answer."""
    names = [f"many/{number:04d}" for number in range(2203)]
    buckets["monitoring"] = {f"team/loop/{name}": b"" for name in names}
    objects = S3Objects(bucket, "ARGOSY_MONITORING_URI")
    assert list(objects.keys()) == names
    assert objects.folders() == ["many"]


def test_a_bucket_that_is_not_there(bucket: str) -> None:
    """Somebody has to act: this is no object that is missing."""
    objects = S3Objects(bucket.replace("monitoring", "nowhere"), "ARGOSY_MONITORING_URI")
    for act in (lambda: objects.get("k"), lambda: list(objects.keys())):
        with pytest.raises(errors.Misconfigured, match="NoSuchBucket"):
            act()
