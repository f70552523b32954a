"""Artifacts that are working trees of git repositories, through the machine's own git.

Repositories and revisions come from a manifest: none of them is ever read as an option of git, nor as a command to run.
"""

import contextlib
import os
import re
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path

from argosy import network, scratch
from argosy.engine.artifacts.failures import ArtifactFailure
from argosy.engine.artifacts.secrets import Secrets, one
from argosy.engine.manifest.artifact_model import GitArtifact
from argosy.engine.state import trees

PATIENCE = 600
"""Seconds that one command of git may take."""

LOOK = 0.2
"""Seconds between two looks whether it is to go on."""
_REVISION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./@{}^~+-]*")
_REFSPEC = re.compile(r"\+?[A-Za-z0-9_][A-Za-z0-9_./*-]*(?::[A-Za-z0-9_][A-Za-z0-9_./*-]*)?")
_ASKING = '#!/bin/sh\ncase $1 in Username*) printf %s "$ARGOSY_GIT_USER";; *) printf %s "$ARGOSY_GIT_PASSWORD";; esac\n'


def load(location: GitArtifact, target: Path, secrets: Secrets) -> None:
    """Check the ``git`` *location* out into the folder *target*, which is not there yet."""
    _check(location)
    if shutil.which("git") is None:
        raise ArtifactFailure("git is not on PATH; install it")
    with scratch.folder("git") as private:
        run = _Git(_environment(location, secrets, private), location)
        run.clone(target)
        run.fetch(target)
        run.check_out(target)


def _check(location: GitArtifact) -> None:
    repo = location.repo
    # git runs a command for "ext::" and its like, and reads what begins with a dash as an option.
    if repo.startswith("-") or re.match(r"[A-Za-z0-9]+::", repo) or not repo.isprintable():
        raise ArtifactFailure(f"{repo!r} is not a repository that is cloned here")
    if location.single_branch and not location.branch:
        raise ArtifactFailure("single branch mode without a branch specified")
    for field, name in (("revision", location.revision), ("branch", location.branch)):
        if name and not _REVISION.fullmatch(name):
            raise ArtifactFailure(f"{field} {name!r} is not the name of a revision")
    for refspec in location.fetch:
        if not _REFSPEC.fullmatch(refspec):
            raise ArtifactFailure(f"fetch {refspec!r} is not a refspec")


def _environment(location: GitArtifact, secrets: Secrets, private: Path) -> dict[str, str]:
    """The environment of git: no settings of this user or machine, no questions, and what opens the repository."""
    variables = {
        "PATH": os.environ.get("PATH") or os.defpath,
        "HOME": str(private),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": "file:git:http:https:ssh",
        "LC_ALL": "C",
    } | {name: os.environ[name] for name in (*network.PROXIES, *network.CERTIFICATES) if name in os.environ}
    user, password = one(location.username_secret, secrets), one(location.password_secret, secrets)
    if user or password:
        asking = private / "ask"
        asking.write_text(_ASKING, encoding="utf-8")
        asking.chmod(0o700)
        variables |= {
            "GIT_ASKPASS": str(asking),
            "ARGOSY_GIT_USER": user or "",
            "ARGOSY_GIT_PASSWORD": password or "",
        }
    if key := one(location.ssh_private_key_secret, secrets):
        file = private / "key"
        file.touch(mode=0o600)
        file.write_text(key.rstrip("\n") + "\n", encoding="utf-8")
        trusting = "no" if location.insecure_ignore_host_key else "yes"
        known = "/dev/null" if location.insecure_ignore_host_key else str(Path.home() / ".ssh" / "known_hosts")
        variables["GIT_SSH_COMMAND"] = (
            f"ssh -i {file} -o IdentitiesOnly=yes -o StrictHostKeyChecking={trusting} -o UserKnownHostsFile={known}"
        )
    return variables


class _Git:
    def __init__(self, variables: Mapping[str, str], location: GitArtifact) -> None:
        self._variables = variables
        self._location = location
        self._depth = [f"--depth={location.depth}"] if location.depth else []

    def clone(self, target: Path) -> None:
        branch = ["--single-branch", f"--branch={self._location.branch}"] if self._location.single_branch else []
        whole = [] if branch or not self._depth else ["--no-single-branch"]
        # A folder of this machine is cloned as any other server's would be, so that a depth counts there too.
        near = ["--no-local"] if "://" not in self._location.repo else []
        self._run("clone", "--quiet", *self._depth, *branch, *whole, *near, "--", self._location.repo, str(target))

    def fetch(self, target: Path) -> None:
        if refspecs := self._location.fetch:
            self._run("-C", str(target), "fetch", "--quiet", *self._depth, "origin", *refspecs)

    def check_out(self, target: Path) -> None:
        if revision := self._location.revision:
            self._run("-C", str(target), "checkout", "--quiet", "--detach", self._commit(target, revision))
        if not self._location.disable_submodules:
            self._run("-C", str(target), "submodule", "--quiet", "update", "--init", "--recursive")

    def _commit(self, target: Path, revision: str) -> str:
        """The commit that *revision* names here: a commit, a tag, a branch of the repository's."""
        for name in (revision, f"origin/{revision}", f"refs/tags/{revision}"):
            found = self._try("-C", str(target), "rev-parse", "--quiet", "--verify", f"{name}^{{commit}}")
            if found.returncode == 0:
                return found.stdout.strip()
        raise ArtifactFailure(f"failed to resolve revision {revision!r} of {self._location.repo}")

    def _run(self, *arguments: str) -> None:
        done = self._try(*arguments)
        if done.returncode:
            reason = done.stderr.strip().splitlines()
            fault = network.explained(self._location.repo, done.stderr)
            raise ArtifactFailure(
                f"git failed for {self._location.repo!r}: {fault or (reason[-1] if reason else 'no reason given')}"
            )

    def _try(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        options: tuple[str, ...] = ("-c", "protocol.ext.allow=never", "-c", "core.hooksPath=/dev/null")
        if self._location.insecure_skip_tls:
            options += ("-c", "http.sslVerify=false")
        with subprocess.Popen(
            ("git", *options, *arguments),
            env=self._variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as running:
            try:
                output, errors = self._awaited(running)
            finally:
                running.kill()
        return subprocess.CompletedProcess(running.args, running.returncode, output, errors)

    def _awaited(self, running: "subprocess.Popen[str]") -> tuple[str, str]:
        """The output and errors of *running* at its end. Raises ArtifactFailure where that does not come."""
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            trees.go_on()
            with contextlib.suppress(subprocess.TimeoutExpired):
                return running.communicate(timeout=LOOK)
        raise ArtifactFailure(f"git took longer than {PATIENCE} s for {self._location.repo!r}")
