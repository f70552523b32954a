"""Gitea as it is here: its accounts, its two repositories, and the rules of main."""

import base64
import contextlib
import json
import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from argosy import errors
from argosy_kind import services
from argosy_kind.site import SERVICES, Site

BOT, REVIEWER = "argosy-bot", "reviewer"
ENVIRONMENT, CHARTS = "environment", "charts"
REPOSITORIES = {
    ENVIRONMENT: "What each environment serves; a request here is a model that asks to be served.",
    CHARTS: "The chart that renders models, as Argo CD fetches it.",
}
STATUS = "argosy"
"""The status that `argosy pr check --report` sets, without which nothing is merged."""
WRITES, READS = ["write:repository", "write:issue", "read:user"], ["read:repository", "read:issue", "read:user"]
TOKENS = {"forge-token": (BOT, WRITES), "forge-reader-token": (BOT, READS), "reviewer-token": (REVIEWER, WRITES)}
PASSWORDS = {BOT: "forge-password", REVIEWER: "reviewer-password"}
ENSURE_USER = """
there=$(gitea --config /etc/gitea/app.ini admin user list) || exit
printf '%s\\n' "$there" | awk '{print $2}' | grep -qx "$1" && exit
gitea --config /etc/gitea/app.ini admin user create --username "$1" --email "$1@argosy.invalid" \\
    --password "$(cat)" --must-change-password=false $2
"""
"""Makes an account where there is none of that name; the password is its standard input."""
SECONDS = 60


@dataclass(frozen=True)
class Gitea:
    """Its interface, as one account uses it from this machine."""

    address: str
    """``host:port``."""
    user: str
    password: str

    def call(self, method: str, place: str, body: object = None) -> Any:
        """What it answers to a call; None where there is no such thing. Raises TryAgain where it refuses."""
        request = urllib.request.Request(f"http://{self.address}/api/v1/{place}", method=method)
        request.add_header("Authorization", basic(self.user, self.password))
        request.add_header("Content-Type", "application/json")
        data = None if body is None else json.dumps(body).encode()
        try:
            with urllib.request.urlopen(request, data, timeout=SECONDS) as answer:  # noqa: S310 - a way into the cluster
                content = answer.read()
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            said = error.read(300).decode(errors="replace").partition("\n")[0]
            raise errors.TryAgain(f"Gitea refuses {method} {place}: {error.code} {said}") from error
        except (urllib.error.URLError, TimeoutError, ConnectionError) as error:
            raise errors.TryAgain(f"Gitea does not answer {method} {place}: {error}") from error
        return json.loads(content) if content else {}


@contextlib.contextmanager
def opened(at: Site, user: str = BOT) -> Iterator[Gitea]:
    """Gitea's interface as *user*, for as long as the block lasts."""
    with at.kubectl.forwarded("gitea", SERVICES, services.PORTS["gitea"]) as address:
        yield Gitea(address, user, at.credentials()[PASSWORDS[user]])


def prepare(at: Site) -> None:
    """Make accounts, tokens and repositories, as far as they are not there."""
    held = at.credentials()
    for user, password in PASSWORDS.items():
        _ensure_user(at, user, held[password])
    with opened(at) as gitea:
        for name, text in REPOSITORIES.items():
            if gitea.call("GET", f"repos/{BOT}/{name}") is None:
                wanted = {"name": name, "description": text, "private": True, "default_branch": "main"}
                gitea.call("POST", "user/repos", wanted)
        gitea.call("PUT", f"repos/{BOT}/{ENVIRONMENT}/collaborators/{REVIEWER}", {"permission": "write"})
    for name, (user, scopes) in TOKENS.items():
        _ensure_token(at, name, user, scopes)


def protect(at: Site) -> None:
    """Let main of the environment repo change by requests only, and by those only that `argosy pr check` has passed."""
    rule = {
        "rule_name": "main",
        "enable_push": False,
        "enable_merge_whitelist": False,
        "enable_status_check": True,
        "status_check_contexts": [STATUS],
        "block_on_outdated_branch": False,
    }
    with opened(at) as gitea:
        if gitea.call("GET", f"repos/{BOT}/{ENVIRONMENT}/branch_protections/main") is None:
            gitea.call("POST", f"repos/{BOT}/{ENVIRONMENT}/branch_protections", rule)


def uri() -> str:
    """The environment repo as the settings of pipelines name it."""
    return f"gitea:http://{services.in_services('gitea')}/{BOT}/{ENVIRONMENT}"


def clone_address(repository: str) -> str:
    """*repository* as Argo CD fetches it."""
    return f"http://{services.in_services('gitea')}/{BOT}/{repository}.git"


def head(at: Site, repository: str) -> str:
    """The commit that main of *repository* is at; empty while it has none."""
    with opened(at) as gitea:
        return _head(gitea, repository)


def push(at: Site, repository: str, files: Mapping[str, bytes], folder: Path, message: str) -> str:
    """Make *files* what main of *repository* holds, by one more commit where they differ; *folder* is empty. Returns main's commit."""
    with opened(at) as gitea:
        remote = f"http://{gitea.address}/{BOT}/{repository}.git"
        login = {
            "GIT_CONFIG_KEY_0": "http.extraHeader",
            "GIT_CONFIG_VALUE_0": f"Authorization: {basic(BOT, gitea.password)}",
        }
        git = Git(folder, {**login, "GIT_CONFIG_COUNT": "1"})
        git.run("init", "--quiet", "--initial-branch=main")
        if git.run("ls-remote", remote, "refs/heads/main"):
            git.run("pull", "--quiet", remote, "main")
            git.run("rm", "--quiet", "-r", "--ignore-unmatch", ".")
        for path, content in files.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
        git.run("add", "--all", "--force")
        if git.run("status", "--porcelain"):
            git.run("commit", "--quiet", "--message", message)
            git.run("push", "--quiet", remote, "HEAD:refs/heads/main")
        commit = git.run("rev-parse", "HEAD")
        # What was pushed is worked off by and by.
        at.kubectl.wait_for(
            f"Gitea shows no branch of {repository}",
            lambda: _head(gitea, repository),
            SECONDS,
        )
    return commit


@dataclass(frozen=True)
class Git:
    """Git in *folder*; no configuration of this machine has a say."""

    folder: Path
    login: Mapping[str, str]

    def run(self, *words: str) -> str:
        """What git prints. Raises TryAgain where it fails."""
        who = ["-c", "user.name=argosy", "-c", "user.email=argosy@argosy.invalid", "-c", "commit.gpgsign=false"]
        alone = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}
        done = subprocess.run(
            ["git", "-C", str(self.folder), *who, *words],
            env={**os.environ, **alone, **self.login},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        if done.returncode != 0:
            raise errors.TryAgain(f"git {words[0]}: {' '.join(done.stderr.split())}")
        return done.stdout.strip()


def basic(user: str, password: str) -> str:
    """The header's value by which *user* logs in."""
    return f"Basic {base64.b64encode(f'{user}:{password}'.encode()).decode()}"


def _head(gitea: Gitea, repository: str) -> str:
    # Asked for first: a repository that nothing was pushed to has no branches to speak of.
    if gitea.call("GET", f"repos/{BOT}/{repository}")["empty"]:
        return ""
    found = gitea.call("GET", f"repos/{BOT}/{repository}/branches/main")
    return str(found["commit"]["id"]) if found else ""


def _ensure_user(at: Site, user: str, password: str) -> None:
    rights = "--admin" if user == BOT else ""
    words = ("sh", "-c", ENSURE_USER, "ensure", user, rights)
    until = time.monotonic() + SECONDS
    while True:
        try:
            at.kubectl.exec("deployment/gitea", SERVICES, *words, given=password)
        except errors.TryAgain:
            if time.monotonic() > until:
                raise
            time.sleep(2)  # its database is busy with its first minute
        else:
            return


def _ensure_token(at: Site, name: str, user: str, scopes: list[str]) -> None:
    """Make the token *name* of *user*, where the credentials hold none."""
    if name in at.credentials():
        return
    with opened(at, user) as gitea:
        gitea.call("DELETE", f"users/{user}/tokens/{name}")
        made = gitea.call("POST", f"users/{user}/tokens", {"name": name, "scopes": scopes})
    at.remember(**{name: made["sha1"]})
