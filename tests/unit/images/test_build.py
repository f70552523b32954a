"""What builds images, and what is written down of them."""

import hashlib
import importlib.util
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

from argosy.templates import images

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def build() -> ModuleType:
    """The script, which is no part of the package."""
    spec = importlib.util.spec_from_file_location("images_build", ROOT / "images" / "build.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Puts a program on a path that has no others."""
    monkeypatch.setenv("PATH", str(tmp_path))

    def make(name: str, script: str) -> None:
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)

    return make


def archive(file: Path, content: bytes, digest: str) -> Path:
    """An OCI archive whose index names the manifest *content* by *digest*."""
    index = json.dumps({"manifests": [{"digest": digest}]}).encode()
    with tarfile.open(file, "w") as made:
        for name, data in {"index.json": index, "blobs/" + digest.replace(":", "/"): content}.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            made.addfile(entry, io.BytesIO(data))
    return file


def test_a_client_without_its_daemon_is_passed_over(build: ModuleType, program: Callable[[str, str], None]) -> None:
    """docker is on the path and cannot build; buildah can."""
    program("docker", "echo cannot connect >&2; exit 1")
    program("buildah", "exit 0")
    assert build._engine(None).name == "buildah"


def test_nothing_that_builds(build: ModuleType, program: Callable[[str, str], None]) -> None:
    """Each is named with the reason."""
    program("podman", "echo no such storage >&2; exit 125")
    with pytest.raises(build.Failed) as failure:
        build._engine(None)
    told = str(failure.value)
    assert "docker is not installed" in told
    assert "no such storage" in told
    assert "buildah is not installed" in told


def test_options_of_the_engine(
    build: ModuleType, program: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They come from its own variable, and before the verb."""
    program("buildah", 'test "$1 $2 $3" = "--root /x info"')
    monkeypatch.setenv("BUILDAH_OPTIONS", "--root /x")
    assert build._engine("buildah").options == ("--root", "/x")


def test_an_archive_is_what_it_says(build: ModuleType, tmp_path: Path) -> None:
    """Digest and bytes of the layers."""
    content = json.dumps({"layers": [{"size": 3}, {"size": 4}]}).encode()
    digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
    assert build._read(archive(tmp_path / "a.tar", content, digest)) == build.Image(digest, 7)
    with pytest.raises(build.Failed, match="is not what it says"):
        build._read(archive(tmp_path / "b.tar", content, "sha256:" + "0" * 64))


def test_the_lock_keeps_images_of_the_same_place(
    build: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A target built again is replaced, the others stay; those of another registry go."""
    lock = tmp_path / "images.lock"
    monkeypatch.setattr(build, "LOCK", lock)
    build._write_lock("argosy", {"data": build.Image("sha256:1", 1), "train": build.Image("sha256:2", 2)})
    build._write_lock("argosy", {"data": build.Image("sha256:3", 3)})
    assert {name: image["digest"] for name, image in json.loads(lock.read_text())["images"].items()} == {
        "data": "sha256:3",
        "train": "sha256:2",
    }
    build._write_lock("registry.example.com/argosy", {"data": build.Image("sha256:4", 4)})
    assert json.loads(lock.read_text()) == {
        "repository": "registry.example.com/argosy",
        "images": {"data": {"digest": "sha256:4", "bytes": 4}},
    }


def test_what_was_built_stays_pinned_when_a_later_image_fails(
    build: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The disk fills up at the second of three: the first one's digest is in the lock."""
    lock = tmp_path / "images.lock"
    monkeypatch.setattr(build, "LOCK", lock)
    monkeypatch.setattr(sys, "argv", ["build.py", "--archives", str(tmp_path), "data", "train", "serve"])
    monkeypatch.setattr(build, "_engine", lambda wanted: wanted)

    def one(engine: object, target: str, arguments: object) -> object:
        if target == "train":
            raise build.Failed("no space left on device")
        return build.Image("sha256:1", 1)

    monkeypatch.setattr(build, "_one", one)
    with pytest.raises(SystemExit, match="no space left on device"):
        build.main()
    assert json.loads(lock.read_text())["images"] == {"data": {"digest": "sha256:1", "bytes": 1}}


def test_imported_images_have_the_names_that_manifests_pin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """containerd makes <base name>@<digest> of an archive; Kubernetes asks for docker.io/ and what the lock says."""
    folder = tmp_path / "archives"
    folder.mkdir()
    (folder / "train.tar").touch()
    (folder / "data.tar").touch()
    shutil.copy(ROOT / "images" / "import.sh", folder)
    client = tmp_path / "bin" / "ctr"
    client.parent.mkdir()
    client.write_text('#!/bin/sh\necho "$@"\n', encoding="utf-8")
    client.chmod(0o755)
    monkeypatch.setenv("PATH", f"{client.parent}:{os.environ['PATH']}")
    said = subprocess.run([folder / "import.sh", "--address", "/a"], check=True, capture_output=True, text=True).stdout
    (tmp_path / "images").mkdir()
    lock = {"repository": "argosy", "images": {name: {"digest": f"sha256:{'a' * 64}"} for name in ("data", "train")}}
    (tmp_path / "images" / "images.lock").write_text(json.dumps(lock), encoding="utf-8")
    for line, target in zip(said.splitlines(), ("data", "train"), strict=True):
        pinned = f"docker.io/{images.of(target, tmp_path)}"
        assert line.startswith("--address /a --namespace k8s.io images import --digests --base-name ")
        assert line.split()[-2:] == [pinned.partition("@")[0], f"{target}.tar"]
