"""Requests of other commands to the engine that is at a run: stop, suspend, go on, approve a step.

A request is a file of its own under ``<run>/requests/``, written whole and then announced through the pipe ``<run>/control``, at which the
engine listens. The engine removes the file when it has done what was asked; that is the answer. A pipe that nobody reads at means that no
engine is there. Works over no network: a run's folder is of one machine.
"""

import contextlib
import errno
import json
import os
import time
from pathlib import Path

from argosy import errors
from argosy.engine.nodes import Json
from argosy.engine.state import disk

PIPE = "control"
REQUESTS = "requests"
PATIENCE = 10.0
"""Seconds an engine has to answer."""
POLL = 0.01


class Inbox:
    """The engine's end. What was asked of an engine before this one is forgotten."""

    def __init__(self, run: Path) -> None:
        self._requests = run / REQUESTS
        pipe = run / PIPE
        with disk.guarded("make the run's control pipe"):
            self._requests.mkdir(exist_ok=True)
            for stale in self._requests.iterdir():
                stale.unlink()
            if not pipe.is_fifo():
                os.mkfifo(pipe, 0o600)
        # Open for writing, too: the pipe never ends, however many commands come and go.
        self.descriptor = os.open(pipe, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)

    def take(self) -> list[tuple[Path, Json]]:
        """The requests since the last look, in order. Call :meth:`done` with each file once it is carried out."""
        with contextlib.suppress(BlockingIOError):
            while os.read(self.descriptor, 1 << 12):
                pass
        files = sorted(path for path in self._requests.iterdir() if path.suffix == ".json")
        return [(path, json.loads(path.read_text(encoding="utf-8"))) for path in files]

    @staticmethod
    def done(request: Path) -> None:
        """Answer."""
        request.unlink(missing_ok=True)

    def close(self) -> None:
        """Listen no longer."""
        os.close(self.descriptor)


def ask(run: Path, request: Json) -> bool:
    """Have the engine at *run* do *request*; whether there is one. Raises TryAgain where it does not answer."""
    try:
        descriptor = os.open(run / PIPE, os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in (errno.ENXIO, errno.ENOENT):
            return False
        raise
    try:
        path = run / REQUESTS / f"{time.time_ns():020d}-{os.getpid()}.json"
        with disk.guarded("ask the engine"):
            disk.write_atomically(path, json.dumps(request))
        os.write(descriptor, b"\n")
        return _answered(run, path)
    finally:
        os.close(descriptor)


def _answered(run: Path, request: Path) -> bool:
    deadline = time.monotonic() + PATIENCE
    while request.exists():
        if time.monotonic() > deadline:
            request.unlink(missing_ok=True)
            raise errors.TryAgain(f"the engine at run {run.name} does not answer; is its process stopped?")
        time.sleep(POLL)
    return True
