"""``python -m argosy.serving`` as a child process."""

import contextlib
import json
import re
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from argosy.domain import bundle
from kit.serving_kit import ROW


@contextlib.contextmanager
def started(folder: Path | None, *words: str, files: int | None = None) -> Iterator["subprocess.Popen[str]"]:
    """``python -m argosy.serving`` for *folder*, or what its *words* name, which may open so many *files*; killed at the end."""
    limit = [] if files is None else ["sh", "-c", f'ulimit -n {files}; exec "$@"', "sh"]
    named = [] if folder is None else ["--bundle", str(folder), "--digest", bundle.digest(folder)]
    command = [*limit, sys.executable, "-m", "argosy.serving", *named, *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def ready(process: "subprocess.Popen[str]") -> tuple[str, str]:
    """The ready line, and the address in it."""
    stdout: IO[str] = process.stdout  # type: ignore[assignment]
    line = stdout.readline()
    found = re.search(r"https?://[^\s/]+:\d+", line)
    assert found, (line, process.stderr.read() if process.stderr else "")
    return line, found[0].rstrip(";")


def asked(address: str) -> Any:
    """The answer to the usual row."""
    data = json.dumps({"instances": [ROW]}).encode()
    with urllib.request.urlopen(f"{address}/v1/models/leaving:predict", data=data, timeout=10) as answer:  # noqa: S310 - our own server
        return json.load(answer)


def status(address: str, path: str = "/readyz") -> int:
    """Of a GET; the readiness probe's, unless another *path* is named."""
    try:
        with urllib.request.urlopen(f"{address}{path}", timeout=10) as answer:  # noqa: S310 - our own server
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port
