"""A real Gitea on loopback, for as long as a block lasts, with an administrator and as many repositories as tests ask for.

The program is the one on PATH, or the one that GITEA names. Where there is none, tests skip by its name: it is one Go module
(``code.gitea.io/gitea``, built with ``-tags "sqlite sqlite_unlock_notify"``); without ``bindata`` it needs its sources beside it, in the
folder that GITEA_SOURCES names.
"""

import contextlib
import itertools
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from kit.prometheus_stack import free_port

ADMINISTRATOR, PASSWORD = "argosy-bot", "a-password-for-tests"
START_SECONDS = 120.0
SETTINGS = """
APP_NAME = Gitea
RUN_MODE = prod
RUN_USER = {user}
WORK_PATH = {folder}
[server]
HTTP_ADDR = 127.0.0.1
HTTP_PORT = {port}
ROOT_URL = http://127.0.0.1:{port}/
STATIC_ROOT_PATH = {sources}
OFFLINE_MODE = true
DISABLE_SSH = true
[database]
DB_TYPE = sqlite3
PATH = {folder}/gitea.db
[repository]
ROOT = {folder}/repositories
DEFAULT_BRANCH = main
[security]
INSTALL_LOCK = true
SECRET_KEY = of-tests-only
[service]
DISABLE_REGISTRATION = true
[log]
MODE = file
LEVEL = warn
ROOT_PATH = {folder}/log
[indexer]
ISSUE_INDEXER_TYPE = db
[mailer]
ENABLED = false
[cron]
ENABLED = false
[actions]
ENABLED = false
"""


@dataclass
class GiteaServer:
    """A server, and the token of its administrator."""

    address: str
    folder: Path
    token: str = ""
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def call(self, method: str, place: str, body: object = None, **more: Any) -> Any:
        """Call its interface as the administrator."""
        given = (
            {"auth": (ADMINISTRATOR, PASSWORD)}
            if not self.token
            else {"headers": {"Authorization": f"token {self.token}"}}
        )
        answer = requests.request(method, f"{self.address}/api/v1/{place}", json=body, timeout=60, **{**given, **more})
        assert answer.ok, f"{method} {place}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def repository(self, files: Mapping[str, bytes]) -> str:
        """A new repository whose main holds *files*; returns ``<owner>/<name>``."""
        name = f"environment-{next(self._numbers)}"
        self.call("POST", "user/repos", {"name": name, "default_branch": "main"})
        push(self.remote(f"{ADMINISTRATOR}/{name}"), self.folder / f"{name}-first", files)
        # Gitea works off what was pushed by and by; a repository that it still takes for empty has no branches.
        until(lambda: not self.call("GET", f"repos/{ADMINISTRATOR}/{name}")["empty"], "the first push")
        return f"{ADMINISTRATOR}/{name}"

    def remote(self, repository: str) -> str:
        """The address that git pushes to."""
        scheme, _, host = self.address.partition("://")
        return f"{scheme}://{ADMINISTRATOR}:{self.token}@{host}/{repository}.git"


def until(seen: Callable[[], bool], what: str) -> None:
    """Wait until Gitea shows what was *seen* to be done."""
    end = time.monotonic() + START_SECONDS
    while not seen():
        assert time.monotonic() < end, f"Gitea does not show {what}"
        time.sleep(0.05)


def push(remote: str, folder: Path, files: Mapping[str, bytes]) -> None:
    """Push a first commit that holds *files*."""
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    who = ["-c", "user.name=Some Body", "-c", "user.email=some@body.example"]
    for words in (
        ["init", "--quiet", "--initial-branch=main"],
        ["add", "--all"],
        [*who, "commit", "--quiet", "--message=Start"],
        ["push", "--quiet", remote, "HEAD:refs/heads/main"],
    ):
        subprocess.run(["git", "-C", str(folder), *words], check=True, capture_output=True, timeout=120)


@contextlib.contextmanager
def gitea_server(folder: Path) -> Iterator[GiteaServer]:
    """A new one in *folder*."""
    program = os.environ.get("GITEA") or shutil.which("gitea")
    if not program:
        pytest.skip("gitea is neither on PATH nor named by GITEA")
    port, settings = free_port(), folder / "app.ini"
    sources = os.environ.get("GITEA_SOURCES") or str(Path(program).parent)
    user = subprocess.run(["id", "--user", "--name"], check=True, capture_output=True, text=True).stdout.strip()
    settings.write_text(SETTINGS.format(user=user, folder=folder, port=port, sources=sources), encoding="utf-8")
    server = GiteaServer(f"http://127.0.0.1:{port}", folder)
    environment = {
        **os.environ,
        "HOME": str(folder),
        "GITEA_WORK_DIR": str(folder),
        "GITEA_I_AM_BEING_UNSAFE_RUNNING_AS_ROOT": "true",
    }
    command = [program, "--config", str(settings)]
    with (folder / "gitea.log").open("wb") as log:
        process = subprocess.Popen([*command, "web"], stdout=log, stderr=log, env=environment)
        try:
            _wait(server, process)
            _administrator(command, environment)
            scopes = {
                "name": "tests",
                "scopes": ["write:repository", "write:issue", "write:user", "write:admin", "write:organization"],
            }
            server.token = server.call("POST", f"users/{ADMINISTRATOR}/tokens", scopes)["sha1"]
            yield server
        finally:
            process.terminate()
            process.wait(timeout=60)


def _administrator(command: list[str], environment: Mapping[str, str]) -> None:
    words = ["admin", "user", "create", "--admin", "--username", ADMINISTRATOR, "--password", PASSWORD]
    words += ["--email", "bot@argosy.example", "--must-change-password=false"]
    subprocess.run([*command, *words], check=True, capture_output=True, env=environment, timeout=120)


def _wait(server: GiteaServer, process: "subprocess.Popen[bytes]") -> None:
    def answers() -> bool:
        assert process.poll() is None, (server.folder / "gitea.log").read_text(encoding="utf-8")[-2000:]
        with contextlib.suppress(requests.ConnectionError):
            return requests.get(f"{server.address}/api/healthz", timeout=5).ok
        return False

    until(answers, "a page")
