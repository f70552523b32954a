"""Every model store holds the contract; what only a folder of this machine, or only a bucket, can do is below."""

import contextlib
import datetime
import json
import multiprocessing
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from argosy import errors, scratch
from argosy.adapters.file_artifacts import FileArtifacts
from argosy.adapters.s3 import sources
from argosy.adapters.s3.artifacts import S3Artifacts
from argosy.argo import Phase
from argosy.domain.source_settings import Column, Source
from argosy.engine import api
from argosy.engine.options import Place, RunOptions
from argosy.templates.container_templates import RETRYABLE
from argosy.testing.artifacts_contract import ArtifactsContract, make_folder
from kit.s3_gateway import GATEWAY, s3_gateway
from kit.s3_server import KEYS, Buckets, s3_server


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """The root of a file store; its name needs quoting in a URI."""
    return tmp_path / "the store"


class TestFileArtifacts(ArtifactsContract):
    """A folder of this machine."""

    @pytest.fixture
    def artifacts(self, store: Path) -> FileArtifacts:
        """A store that does not exist yet."""
        return FileArtifacts(f"file://{store}")


def test_only_its_own_uris(store: Path, tmp_path: Path) -> None:
    """A version file that names a folder elsewhere on the machine gets nothing."""
    outside = make_folder(tmp_path / "outside", secret="s")
    for uri in (f"file://{outside}", f"file://{store}/../outside"):
        with pytest.raises(errors.Misconfigured, match="not in the model store"):
            FileArtifacts(f"file://{store}").get(uri, tmp_path / "back")


def test_a_store_that_moved(store: Path, tmp_path: Path) -> None:
    """Versions in git name the place where the store lay: what is asked for there is found here, and nothing beside it."""
    uri = FileArtifacts(f"file://{store}").put(make_folder(tmp_path / "made", a="1"), "models/toy/0123")
    store.rename(moved := tmp_path / "elsewhere")
    artifacts = FileArtifacts(f"file://{moved}")
    artifacts.get(uri, tmp_path / "back")
    assert (tmp_path / "back" / "a").read_text(encoding="utf-8") == "1"
    for other in (f"file://{store}/models/toy/other", f"file://{store}/models/toy/../toy/0123", f"file://{store}/0123"):
        with pytest.raises(errors.Misconfigured, match="not in the model store"):
            artifacts.get(other, tmp_path / "none")


@pytest.mark.parametrize("uri", ["s3://bucket/x", "file://host/x", "relative", ""])
def test_other_places_are_refused(uri: str) -> None:
    """What is not a folder of this machine is said at once."""
    with pytest.raises(errors.Misconfigured, match="file:///absolute/path"):
        FileArtifacts(uri)


def test_nothing_half_written_is_left(store: Path, tmp_path: Path) -> None:
    """Scratch copies are removed on both sides."""
    artifacts = FileArtifacts(f"file://{store}")
    artifacts.get(artifacts.put(make_folder(tmp_path / "a", model="m"), "models/m/aa"), tmp_path / "x" / "back")
    assert list((store / ".incoming").iterdir()) == []
    assert [path.name for path in (tmp_path / "x").iterdir()] == ["back"]


def _put(root: Path, folder: Path, barrier: Barrier, rounds: int) -> None:
    artifacts = FileArtifacts(f"file://{root}")
    for number in range(rounds):
        barrier.wait()
        artifacts.put(folder, f"models/m/{number}")


def test_two_processes_at_once(store: Path, tmp_path: Path) -> None:
    """Two processes that put the same folder at the same moment both succeed."""
    folder = make_folder(tmp_path / "a", model="m" * 100_000, sub__part="p")
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(2, timeout=30)
    processes = [context.Process(target=_put, args=(store, folder, barrier, 50)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0]
    assert len(list((store / "models" / "m").iterdir())) == 50


@pytest.fixture
def buckets() -> Buckets:
    """What the object store holds: bucket to key to content."""
    return {"models": {}}


@pytest.fixture
def bucket(buckets: Buckets, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URI of a store in a bucket, with the surroundings that lead there."""
    with s3_server(buckets) as endpoint:
        _leads_to(endpoint, monkeypatch)
        yield "s3://models/team/store"


def _leads_to(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{endpoint}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEYS["access"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEYS["secret"])
    monkeypatch.setenv("AWS_REGION", "us-east-1")


class TestS3Artifacts(ArtifactsContract):
    """A bucket."""

    @pytest.fixture
    def artifacts(self, bucket: str) -> S3Artifacts:
        """An empty store."""
        return S3Artifacts(bucket)


@pytest.mark.skipif(GATEWAY is None, reason="versitygw, an S3 gateway, is not on PATH")
class TestS3ArtifactsOfAGateway(ArtifactsContract):
    """A bucket of a server that nobody here wrote."""

    @pytest.fixture
    def artifacts(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Artifacts]:
        """An empty store."""
        with s3_gateway(tmp_path, "models") as endpoint:
            _leads_to(endpoint, monkeypatch)
            yield S3Artifacts("s3://models/team")


def test_a_folder_in_a_bucket_is_its_files_alone(bucket: str, buckets: Buckets, tmp_path: Path) -> None:
    """Tools that read a prefix as it is (KServe's storage initializer) find the bundle and nothing beside it."""
    uri = S3Artifacts(bucket).put(make_folder(tmp_path / "a", model="m", sub__part="p"), "models/m/aa")
    S3Artifacts(bucket).put(make_folder(tmp_path / "b", model="n"), "models/m/aab")
    prefix = uri.removeprefix("s3://models/")
    assert sorted(key for key in buckets["models"] if key.startswith(prefix)) == [f"{prefix}model", f"{prefix}sub/part"]


def test_half_a_folder_is_nothing(bucket: str, buckets: Buckets, tmp_path: Path) -> None:
    """What was put without its record, by a process that was killed, is not there; putting again completes it."""
    store, folder = S3Artifacts(bucket), make_folder(tmp_path / "a", model="m", sub__part="p")
    uri = store.put(folder, "models/m/aa")
    del buckets["models"]["team/store/.records/models/m/aa.json"], buckets["models"]["team/store/models/m/aa/sub/part"]
    with pytest.raises(errors.Misconfigured, match="nothing at"):
        store.get(uri, tmp_path / "back")
    store.put(folder, "models/m/aa")
    store.get(uri, tmp_path / "back")
    assert (tmp_path / "back" / "sub" / "part").read_text() == "p"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param({"team/store/models/m/aa/model": b"evil"}, "model was changed", id="changed"),
        pytest.param({"team/store/models/m/aa/model": None}, "model was deleted", id="deleted"),
        pytest.param({"team/store/.records/models/m/aa.json": b"[]"}, "record of .* is none", id="no-record"),
        pytest.param(
            {"team/store/.records/models/m/aa.json": json.dumps({"files": {"../x": "sha256:0"}}).encode()},
            "record of .* is none",
            id="leads-out",
        ),
    ],
)
def test_what_was_changed_behind_its_back(
    bucket: str, buckets: Buckets, tmp_path: Path, change: dict[str, bytes | None], message: str
) -> None:
    """Somebody with a key to the bucket cannot slip in another file: it is named, and nothing is left on this machine."""
    store = S3Artifacts(bucket)
    uri = store.put(make_folder(tmp_path / "a", model="m"), "models/m/aa")
    for key, content in change.items():
        if content is None:
            del buckets["models"][key]
        else:
            buckets["models"][key] = content
    with pytest.raises(errors.Misconfigured, match=message):
        store.get(uri, tmp_path / "x" / "back")
    assert not (tmp_path / "x" / "back").exists()


def test_a_bucket_gives_only_its_own_uris(bucket: str, tmp_path: Path) -> None:
    """A version file that names another prefix gets nothing."""
    for uri in ("s3://models/other/models/m/aa", "s3://models/team/store/../other", "file:///etc"):
        with pytest.raises(errors.Misconfigured, match="not in the model store"):
            S3Artifacts(bucket).get(uri, tmp_path / "back")


def test_a_bucket_that_is_not_there(bucket: str, tmp_path: Path) -> None:
    """Trying again would not help; the settings to look at are named."""
    with pytest.raises(errors.Misconfigured, match=r"NoSuchBucket.*AWS_ENDPOINT_URL"):
        S3Artifacts("s3://nobody/x").put(make_folder(tmp_path / "a", model="m"), "models/m/aa")


def test_a_store_that_is_down(monkeypatch: pytest.MonkeyPatch, bucket: str, tmp_path: Path) -> None:
    """A gateway that does not answer may be back for the next attempt."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setattr("argosy.s3_client.ATTEMPTS", 1)
    with pytest.raises(errors.TryAgain, match=r"cannot store .* at s3://models/team/store"):
        S3Artifacts(bucket).put(make_folder(tmp_path / "a", model="m"), "models/m/aa")


STEP = """
import sys
from pathlib import Path
from argosy import errors
from argosy.adapters.s3 import client
from argosy.steps import main, spec

client.ATTEMPTS = 1  # nobody waits for the client's own patience here

def body(step):
    from argosy.adapters.s3.artifacts import S3Artifacts
    try:
        S3Artifacts("s3://models/team").put(Path(sys.argv[1]), "models/m/aa")
    except errors.TryAgain:
        Path(sys.argv[2]).touch()
        raise

main.main(spec.StepSpec(name="register", summary="", family="promote"), body, [])
"""
MANIFEST = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: wf}
spec:
  entrypoint: register
  templates:
    - name: register
      retryStrategy: {limit: 5, expression: 'EXPRESSION', backoff: {duration: 200ms, factor: 3}}
      container: {image: any, command: [python, STEP, FOLDER, TRIED], env: [ENV]}
"""


def test_a_store_that_comes_back(tmp_path: Path, buckets: Buckets) -> None:
    """The step ends 75, is tried again by the manifest's own rule, and nothing is lost: the folder is there, whole."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder, tried = make_folder(tmp_path / "bundle", model="m", sub__part="p"), tmp_path / "tried"
    (tmp_path / "step.py").write_text(STEP, encoding="utf-8")
    given = {
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        "AWS_ACCESS_KEY_ID": KEYS["access"],
        "AWS_SECRET_ACCESS_KEY": KEYS["secret"],
        "AWS_REGION": "us-east-1",
    }
    places = {"EXPRESSION": RETRYABLE, "STEP": tmp_path / "step.py", "FOLDER": folder, "TRIED": tried}
    places["ENV"] = ", ".join(f"{{name: {name}, value: '{value}'}}" for name, value in given.items())  # type: ignore[assignment]
    text = MANIFEST
    for word, value in places.items():
        text = text.replace(word, str(value), 1)
    manifest = tmp_path / "wf.yaml"
    manifest.write_text(text, encoding="utf-8")
    options = RunOptions(
        home=tmp_path / "home",
        process_images=("*",),
        working_folder=tmp_path,
        allowed=(Place(tmp_path, writable=True),),
    )
    with ThreadPoolExecutor(1) as aside, contextlib.ExitStack() as serving:
        running = aside.submit(lambda: api.run(api.prepare(api.load([manifest]), options), options))
        while not tried.exists() and not running.done():
            time.sleep(0.02)
        serving.enter_context(s3_server(buckets, port))
        result = running.result(timeout=60)
    assert (result.phase, result.exit_code) == (Phase.SUCCEEDED, 0)
    assert result.nodes["$(0)"].message == "main: Error (exit code 75)"
    logs = [path.read_text(encoding="utf-8") for path in (tmp_path / "home" / "runs").rglob("main.log")]
    assert any(log.startswith("error: cannot store bundle at s3://models/team/models/m/aa/: ") for log in logs)
    assert {key for key in buckets["models"] if "/.records/" not in key} == {
        "team/models/m/aa/model",
        "team/models/m/aa/sub/part",
    }


@pytest.mark.parametrize(
    ("given", "message"),
    [
        pytest.param(
            {"AWS_SESSION_TOKEN": "old"}, r"ExpiredToken: it expired; .* come from AWS_ACCESS_KEY_ID", id="expired"
        ),
        pytest.param({}, "AccessDenied: no; .* come from AWS_ACCESS_KEY_ID", id="no-right"),
    ],
)
def test_keys_that_do_not_help_any_more(
    bucket: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, given: dict[str, str], message: str
) -> None:
    """Trying again with the same ones would not help: somebody has to give others, and is told where."""
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    store = S3Artifacts(bucket)
    code, words = ("ExpiredToken", "it expired") if given else ("AccessDenied", "no")
    refusal = ClientError({"Error": {"Code": code, "Message": words}}, "GetObject")
    store._client.meta.events.register("before-send.s3", lambda **_: (_ for _ in ()).throw(refusal))
    with pytest.raises(errors.Misconfigured, match=message):
        store.put(make_folder(tmp_path / "a", model="m"), "models/m/aa")


def test_no_keys_at_all(bucket: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What a pod whose Secret is missing says: which settings, and that they are the Secret's."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(errors.Misconfigured, match=r"set AWS_ACCESS_KEY_ID .*the Secret of the step's class"):
        S3Artifacts(bucket).put(make_folder(tmp_path / "a", model="m"), "models/m/aa")


@pytest.mark.parametrize("uri", ["s3://", "s3:///x", "s3://UPPER/x", "s3://models/../x"])
def test_addresses_that_are_none(uri: str) -> None:
    """The setting is named, with what it should look like."""
    with pytest.raises(errors.Misconfigured, match=r"ARGOSY_STORE_URI is .* expected s3://<bucket>/<prefix>"):
        S3Artifacts(uri)


def test_sources_in_a_bucket(bucket: str, buckets: Buckets, tmp_path: Path) -> None:
    """The files that a model names are copied; one that is not there is named as people would look for it."""
    buckets["models"] |= {"raw/2026/rows.csv": b"a\n1\n", "raw/2026/other.csv": b"x"}
    sources.fetch("s3://models/raw/2026/", ["rows.csv"], tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"rows.csv": b"a\n1\n"}
    with pytest.raises(errors.Misconfigured, match=r"there is no object s3://models/raw/2026/more.csv"):
        sources.fetch("s3://models/raw/2026", ["more.csv"], tmp_path)


def test_a_bucket_that_is_not_there_holds_no_absent_file(bucket: str, buckets: Buckets, tmp_path: Path) -> None:
    """A file may be left out where that was said; a slip in the bucket's name is not that."""
    sources.fetch("s3://models/raw", ["labels.csv"], tmp_path, optional=True)
    with pytest.raises(errors.Misconfigured, match=r"there is no bucket s3://modles.*mend its name"):
        sources.fetch("s3://modles/raw", ["labels.csv"], tmp_path, optional=True)


def folder_source(name: str) -> Source:
    """A source whose partitions lie in the folder *name*."""
    moment = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    return Source(
        name=name,
        folder=name,
        entity=["id"],
        columns=[Column(name="id", type="string", meaning="Who.")],
        observed_at=moment,
    )


def test_a_folder_of_a_bucket(bucket: str, buckets: Buckets, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All below it, as it lies there, and nothing beside it; where the disk has no room for it that is said before it is full."""
    assert bucket
    buckets["models"] |= {
        "raw/calls/day=1/a.csv": b"a", "raw/calls/day=2/a.csv": b"bb", "raw/calls/": b"", "raw/callsmore/a.csv": b"no",
    }  # fmt: skip
    calls, none = folder_source("calls"), folder_source("none")
    sources.fetch_folder("s3://models/raw/", calls, tmp_path)
    found = {path.relative_to(tmp_path).as_posix(): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert found == {"calls/day=1/a.csv": b"a", "calls/day=2/a.csv": b"bb"}
    with pytest.raises(errors.Misconfigured, match="no objects below s3://models/raw/none/"):
        sources.fetch_folder("s3://models/raw", none, tmp_path)
    buckets["models"]["raw/calls/../../a.csv"] = b"out"
    with pytest.raises(errors.Misconfigured, match="rename the object"):
        sources.fetch_folder("s3://models/raw", calls, tmp_path)
    del buckets["models"]["raw/calls/../../a.csv"]
    monkeypatch.setattr(scratch, "RESERVE", 2**62)
    for attempt in (
        lambda: sources.fetch_folder("s3://models/raw", calls, tmp_path),
        lambda: sources.fetch("s3://models/raw", ["calls/day=1/a.csv"], tmp_path),
    ):
        with pytest.raises(
            errors.LocalDisk, match=r"s3://models/raw/calls/.* has 0 MB, and .* has room for 0 MB: make room"
        ):
            attempt()
