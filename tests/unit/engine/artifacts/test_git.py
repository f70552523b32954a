"""Artifacts that are working trees of git repositories. The repositories lie on this machine: nothing is asked of a network."""

import subprocess
from pathlib import Path

import pytest

from argosy.engine.artifacts import git
from argosy.engine.artifacts.failures import ArtifactFailure
from argosy.engine.manifest.artifact_model import GitArtifact

NOBODY = {
    "GIT_AUTHOR_NAME": "a", "GIT_AUTHOR_EMAIL": "a@b", "GIT_COMMITTER_NAME": "a", "GIT_COMMITTER_EMAIL": "a@b", "PATH": "/usr/bin:/bin",
    "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null",
}  # fmt: skip


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(("git", *arguments), cwd=folder, env=NOBODY, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository: ``main`` with two commits, the first tagged ``v1``, and a branch ``side``."""
    folder = tmp_path_factory.mktemp("repo")
    _git(folder, "init", "--quiet", "--initial-branch=main")
    for branch, content in (("main", "first"), ("main", "second"), ("side", "side")):
        if branch == "side":
            _git(folder, "checkout", "--quiet", "-b", "side")
        (folder / "f").write_text(content, encoding="utf-8")
        _git(folder, "add", "f")
        _git(folder, "commit", "--quiet", "-m", content)
        if content == "first":
            _git(folder, "tag", "v1")
    _git(folder, "checkout", "--quiet", "main")
    return folder


@pytest.mark.parametrize(
    ("location", "content"),
    [
        pytest.param({}, "second", id="head"),
        pytest.param({"revision": "v1"}, "first", id="tag"),
        pytest.param({"revision": "side"}, "side", id="branch"),
        pytest.param({"revision": "main~1"}, "first", id="ancestor"),
        pytest.param({"singleBranch": True, "branch": "side"}, "side", id="single-branch"),
        pytest.param({"depth": 1}, "second", id="shallow"),
        pytest.param({"depth": 1, "revision": "side"}, "side", id="shallow-branch"),
        pytest.param({"fetch": ["refs/tags/*:refs/tags/*"], "revision": "v1", "disableSubmodules": True}, "first", id="fetch"),
    ],
)  # fmt: skip
def test_the_revision_is_checked_out(location: dict[str, object], content: str, repo: Path, tmp_path: Path) -> None:
    """The folder is the working tree of the revision, its history beside it."""
    git.load(GitArtifact({"repo": str(repo), **location}), tmp_path / "got", {})
    assert (tmp_path / "got" / "f").read_text(encoding="utf-8") == content
    assert (tmp_path / "got" / ".git").is_dir()


def test_a_depth_cuts_the_history(repo: Path, tmp_path: Path) -> None:
    """As many commits as were asked for."""
    git.load(GitArtifact({"repo": str(repo), "depth": 1}), tmp_path / "got", {})
    assert _git(tmp_path / "got", "rev-list", "--count", "HEAD") == "1"


@pytest.mark.parametrize(
    ("location", "message"),
    [
        pytest.param({"repo": "--upload-pack=touch OUT"}, "is not a repository that is cloned here", id="option-as-repo"),
        pytest.param({"repo": "ext::sh -c touch% OUT"}, "is not a repository that is cloned here", id="command-as-repo"),
        pytest.param({"revision": "--output=OUT"}, "is not the name of a revision", id="option-as-revision"),
        pytest.param({"singleBranch": True, "branch": "-b"}, "is not the name of a revision", id="option-as-branch"),
        pytest.param({"fetch": ["--upload-pack=touch OUT"]}, "is not a refspec", id="option-as-refspec"),
        pytest.param({"singleBranch": True}, "single branch mode without a branch specified", id="no-branch"),
        pytest.param({"revision": "nowhere"}, "failed to resolve revision 'nowhere'", id="unknown-revision"),
        pytest.param({"repo": "/nowhere/at/all"}, "git failed for '/nowhere/at/all'", id="unknown-repo"),
        pytest.param({"sshPrivateKeySecret": {"name": "a", "key": "b"}}, "Secret 'a' has no key 'b'", id="unknown-secret"),
    ],
)  # fmt: skip
def test_each_failure_is_one_error(location: dict[str, object], message: str, repo: Path, tmp_path: Path) -> None:
    """What a manifest names is never read as an option of git, nor run."""
    out = tmp_path / "out"
    filled = {
        key: value.replace("OUT", str(out)) if isinstance(value, str) else value for key, value in location.items()
    }
    with pytest.raises(ArtifactFailure, match=message):
        git.load(GitArtifact({"repo": str(repo), **filled}), tmp_path / "got", {})
    assert not out.exists()


def test_settings_and_hooks_of_this_user_do_not_run(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a user has git do elsewhere is no part of a run."""
    hooks = tmp_path / "template" / "hooks"
    hooks.mkdir(parents=True)
    (hooks / "post-checkout").write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n", encoding="utf-8")
    (hooks / "post-checkout").chmod(0o755)
    (tmp_path / ".gitconfig").write_text(f"[init]\n templateDir = {tmp_path}/template\n", encoding="utf-8")
    monkeypatch.setenv("HOME", str(tmp_path))
    git.load(GitArtifact({"repo": str(repo)}), tmp_path / "got", {})
    assert not (tmp_path / "ran").exists()
