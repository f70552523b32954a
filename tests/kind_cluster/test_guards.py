"""Which clusters are touched: one that is marked, or named; and only a marked one is ever removed."""

import json
import subprocess
from pathlib import Path

import pytest

from argosy import errors
from argosy_kind import install, pins, remove, up
from argosy_kind.pins import FOLDER
from kind_cluster.conftest import FakeCluster, namespace

SCRIPT = FOLDER / "cluster.sh"
UNMARKED = namespace("kube-system", {})


def said(capsys: pytest.CaptureFixture[str]) -> str:
    """The one line of error."""
    err = capsys.readouterr().err
    assert err.count("\n") == 1, err
    return err


def test_a_cluster_that_nobody_marked_has_to_be_named(
    fake_cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever's KUBECONFIG still points at production installs nothing there."""
    fake_cluster.answers("get namespace kube-system", UNMARKED)
    assert install.main([]) == errors.UsageError.exit_code
    assert (
        "context 'somewhere' is not marked as a cluster to throw away; where you mean it, say so: --context somewhere"
        in said(capsys)
    )
    assert not any("apply" in line for line in fake_cluster.asked())


def test_a_named_cluster_is_installed_into(fake_cluster: FakeCluster, capsys: pytest.CaptureFixture[str]) -> None:
    """It goes on to the parts."""
    fake_cluster.answers("get namespace kube-system", UNMARKED)
    assert install.main(["--context", "somewhere", "--only", "argo-workflows"]) == errors.Misconfigured.exit_code
    assert "argo-workflows: pins.yaml has no checksum" in capsys.readouterr().err


@pytest.mark.parametrize("main", [install.main, remove.main])
def test_no_cluster_answers(main: object, fake_cluster: FakeCluster, capsys: pytest.CaptureFixture[str]) -> None:
    """An absent KUBECONFIG, or one of a cluster that is gone."""
    refused = "The connection to the server localhost:8080 was refused - did you specify the right host or port?"
    fake_cluster.answers("get namespace kube-system", err=refused, code=1)
    assert callable(main)
    assert main([]) == errors.Misconfigured.exit_code
    line = said(capsys)
    assert "no cluster answers at context 'somewhere'" in line
    assert refused in line


def test_no_current_context(fake_cluster: FakeCluster, capsys: pytest.CaptureFixture[str]) -> None:
    """In kubectl's words, with what to do."""
    fake_cluster.answers("config current-context", err="error: current-context is not set\n", code=1)
    for main in (install.main, remove.main):
        assert main([]) == errors.Misconfigured.exit_code
        line = said(capsys)
        assert "KUBECONFIG names no cluster (kubectl config current-context: current-context is not set)" in line
        assert "set it, name one with --context, or make one" in line


def test_without_kubectl(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Said as what is missing."""
    monkeypatch.setenv("PATH", "")
    assert install.main([]) == errors.Misconfigured.exit_code
    assert "kubectl is not installed" in said(capsys)


def test_only_a_marked_cluster_is_removed(fake_cluster: FakeCluster, capsys: pytest.CaptureFixture[str]) -> None:
    """Naming it is not enough here, and nothing was deleted before it is refused."""
    fake_cluster.answers("get namespace kube-system", UNMARKED)
    for words in ([], ["--context", "somewhere"], ["--context", up.CONTEXT]):
        assert remove.main(words) == errors.UsageError.exit_code
        assert "is not marked as a cluster to throw away" in said(capsys)
    assert not any("delete" in line for line in fake_cluster.asked())


def test_what_others_made_is_not_removed(fake_cluster: FakeCluster) -> None:
    """Namespaces go by the label that they were made with."""
    ours = {"items": [namespace("argosy-services", {}), namespace("argosy", {})]}
    fake_cluster.answers("get namespaces --all-namespaces --selector argosy.dev/installed-by=kind-cluster", ours)
    assert remove.main([]) == 0
    deleted = [line.split()[2] for line in fake_cluster.asked() if line.startswith("delete namespace")]
    assert deleted == ["argosy", "argosy-services"]


def test_a_missing_program_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """With where it is to be had, before anything is made."""
    monkeypatch.setenv("PATH", "")
    assert up.main([]) == errors.Misconfigured.exit_code
    assert "docker is not on PATH; get it from https://docs.docker.com" in said(capsys)


def test_images_are_built_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until an archive is missing of those that images.lock names; a lock that names none is no image."""
    lock, archives = tmp_path / "images.lock", tmp_path / "dist"
    monkeypatch.setattr(up.services, "LOCK", lock)
    monkeypatch.setattr(up, "ARCHIVES", archives)
    assert not up.is_built()
    lock.write_text(json.dumps({"repository": "argosy", "images": {}}), encoding="utf-8")
    assert not up.is_built()
    lock.write_text(json.dumps({"repository": "argosy", "images": {"serve": {}, "train": {}}}), encoding="utf-8")
    archives.mkdir()
    (archives / "serve.tar").touch()
    assert not up.is_built()
    (archives / "train.tar").touch()
    assert up.is_built()


def test_nothing_is_made_while_a_download_has_no_checksum(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Rather than a cluster with half of its parts, an hour later."""
    for name in up.PROGRAMS:
        (tmp_path / name).write_text(f"#!/bin/sh\necho {name} >> {tmp_path}/calls\n", encoding="utf-8")
        (tmp_path / name).chmod(0o755)
    pins_file = tmp_path / "pins.yaml"
    node = f"{{name: node, version: v1, repository: registry.example/node, digest: 'sha256:{'d' * 64}', of: v1}}"
    unlocked = "{name: kserve, version: v2, url: 'https://files.example/kserve', sha256: '', of: ''}"
    pins_file.write_text(f"files: [{unlocked}]\nimages: [{node}]\n", encoding="utf-8")
    read = pins.Pins.read(pins_file)
    monkeypatch.setattr(up.Pins, "read", lambda: read)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert up.main([]) == errors.Misconfigured.exit_code
    assert "pins.yaml has no checksum for kserve v2; run `make kind-lock` once" in said(capsys)
    assert not (tmp_path / "calls").exists()


def test_the_script_can_be_read_and_started() -> None:
    """By bash, without running any of it; wrong words get its usage."""
    subprocess.run(["bash", "-n", str(SCRIPT)], check=True, timeout=60)
    assert SCRIPT.stat().st_mode & 0o100
    for words in ([], ["dwon"]):
        done = subprocess.run([str(SCRIPT), *words], capture_output=True, text=True, check=False, timeout=60)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.startswith("usage: cluster.sh up IMAGE | images | down")


def test_what_the_script_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cluster that is there is not made again; its node is given the images by the names that manifests pin."""
    for name in ("kind", "kubectl", "docker"):
        program = tmp_path / name
        answer = 'case "$*" in "get clusters") echo argosy;; esac'
        program.write_text(f'#!/bin/sh\necho {name} "$@" >> {tmp_path}/calls\n{answer}\n', encoding="utf-8")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    for words in (["up", "image@sha256:1"], ["images"], ["down"]):
        subprocess.run([str(SCRIPT), *words], check=True, timeout=60)
    calls = (tmp_path / "calls").read_text(encoding="utf-8").splitlines()
    assert not any(line.startswith("kind create") for line in calls)
    assert "kubectl label namespace kube-system argosy.dev/disposable=true --overwrite" in calls
    assert "docker exec argosy-control-plane sh /argosy-images/import.sh" in calls
    assert calls[-1] == "kind delete cluster --name argosy"
