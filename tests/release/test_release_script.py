"""What a release is made of, and what keeps one from being made."""

import gzip
import importlib.util
import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from types import ModuleType

import pytest

DOCKER = """#!/bin/sh
echo "$@" >> "$CALLS"
if [ "$3" = inspect ]; then echo sha256:$(printf '%064d' 7); fi
"""


@pytest.fixture(scope="module")
def release(root: Path) -> ModuleType:
    """The script, which is no part of the package."""
    spec = importlib.util.spec_from_file_location("release_script", root / ".ci" / "release.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A checkout whose version is 1.2.3 everywhere."""
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "1.2.3"\n')
    for chart in ("inference", "platform"):
        folder = tmp_path / "charts" / chart
        folder.mkdir(parents=True)
        (folder / "Chart.yaml").write_text(f'name: {chart}\nversion: 1.2.3\nappVersion: "1.2.3"\n')
    return tmp_path


def test_one_version(release: ModuleType, sources: Path) -> None:
    """What pyproject.toml says; a tag of another one, or a chart of another one, is said with the file."""
    assert release.version_of(sources, None) == release.version_of(sources, "v1.2.3") == "1.2.3"
    with pytest.raises(release.Failed, match=r"the tag is v1\.2\.4, pyproject\.toml says 1\.2\.3"):
        release.version_of(sources, "v1.2.4")
    chart = sources / "charts" / "platform" / "Chart.yaml"
    chart.write_text(chart.read_text().replace('appVersion: "1.2.3"', 'appVersion: "1.2.2"'))
    with pytest.raises(release.Failed, match=r"charts/platform/Chart\.yaml has appVersion 1\.2\.2"):
        release.version_of(sources, None)


def test_the_version_of_this_checkout(release: ModuleType, root: Path) -> None:
    """Is one, today."""
    assert release.version_of(root, None)


def test_notes(release: ModuleType) -> None:
    """The section of the version and no other; none, and one that says nothing, are refused."""
    changes = "# Changes\n\n## Unreleased\n\n- new\n\n## 1.2.3 - 2026-12-01\n\n### Added\n\n- this\n\n## 1.2\n"
    assert release.notes_of(changes, "1.2.3") == "### Added\n\n- this\n"
    assert release.notes_of(changes, "Unreleased") == "- new\n"
    with pytest.raises(release.Failed, match=r"no section '1\.2\.4'"):
        release.notes_of(changes, "1.2.4")
    with pytest.raises(release.Failed, match=r"the section '1\.2' of CHANGELOG\.md is empty"):
        release.notes_of(changes, "1.2")


def test_a_chart_is_the_same_bytes(release: ModuleType, sources: Path) -> None:
    """Whoever packages it, whenever; in the folder that Helm looks in, without what the chart's own list leaves out."""
    chart = sources / "charts" / "inference"
    (chart / "notes.md").write_text("left out")
    (chart / ".helmignore").write_text("notes.md\n")
    first = release.packaged(chart, 1_700_000_000)
    os.utime(chart / "Chart.yaml", (1, 1))
    assert release.packaged(chart, 1_700_000_000) == first
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(first))) as archive:
        assert archive.getnames() == ["inference/.helmignore", "inference/Chart.yaml"]
        assert {(entry.uid, entry.uname, entry.mtime) for entry in archive} == {(0, "", 1_700_000_000)}


def test_images_that_no_registry_has(release: ModuleType, tmp_path: Path) -> None:
    """A rehearsal goes without; a release names what everybody can pull."""
    lock = tmp_path / "images.lock"
    release._images(lock, tmp_path, required=False)
    with pytest.raises(release.Failed, match="push the images first"):
        release._images(lock, tmp_path, required=True)
    lock.write_text(json.dumps({"repository": "argosy", "images": {}}))
    with pytest.raises(release.Failed, match="that no registry has"):
        release._images(lock, tmp_path, required=True)


def test_images_of_two_architectures(root: Path, tmp_path: Path) -> None:
    """Each is one name for both, by a digest that the lock then has; locks of different images are refused."""
    program, calls = tmp_path / "docker", tmp_path / "calls"
    program.write_text(DOCKER)
    program.chmod(0o755)
    place = tmp_path / "images"
    place.mkdir()
    (place / "join.py").write_text((root / "images" / "join.py").read_text())
    locks = []
    for number in (1, 2):
        image = {"digest": f"sha256:{number:064}", "bytes": number}
        locks.append(tmp_path / f"{number}.lock")
        locks[-1].write_text(json.dumps({"repository": "ghcr.io/o/argosy", "images": {"serve": image}}))
    command = [sys.executable, place / "join.py", "--tag", "v1", *locks]
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "CALLS": str(calls)}
    subprocess.run(command, check=True, env=environment, capture_output=True)
    made = json.loads((place / "images.lock").read_text())
    assert made == {"repository": "ghcr.io/o/argosy", "images": {"serve": {"digest": f"sha256:{7:064}", "bytes": 2}}}
    created, _ = calls.read_text().splitlines()
    name = "ghcr.io/o/argosy/serve"
    assert created == f"buildx imagetools create --tag {name}:v1 {name}@sha256:{1:064} {name}@sha256:{2:064}"
    locks[1].write_text(json.dumps({"repository": "ghcr.io/o/argosy", "images": {}}))
    done = subprocess.run(command, check=False, env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert "not of the same images" in done.stderr
