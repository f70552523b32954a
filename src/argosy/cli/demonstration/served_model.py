"""A served model for as long as a block lasts: started as a command, asked over HTTP, gone afterwards whatever happens."""

import contextlib
import json
import re
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO, Any

from argosy import errors
from argosy.cli.demonstration import shell

ADDRESS = re.compile(r"https?://[\w.\[\]:-]+:\d+")
START_SECONDS = 60.0
STOP_SECONDS = 15.0


@dataclass(frozen=True)
class DemonstratedModel:
    """A model that answers at *address*."""

    model: str
    address: str

    @property
    def predict(self) -> str:
        """The address of predictions by KServe's V1 protocol."""
        return f"{self.address}/v1/models/{self.model}:predict"

    def ask(self, instances: Sequence[Any]) -> bytes:
        """The answer to *instances*, as it came. Raises TryAgain where the server refuses or does not answer."""
        return self.ask_text(json.dumps({"instances": instances}))

    def ask_text(self, body: str) -> bytes:
        """The answer to the request *body*, as it came."""
        request = urllib.request.Request(  # noqa: S310 - the address is the one our own child printed
            self.predict, data=body.encode(), headers={"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                content: bytes = answer.read()
                return content
        except urllib.error.HTTPError as error:
            raise errors.TryAgain(
                f"{self.predict} answered {error.code}: {error.read(500).decode(errors='replace')}"
            ) from error
        except OSError as error:
            raise errors.TryAgain(f"{self.predict} does not answer: {error}") from error


@contextlib.contextmanager
def serving(model: str, environment: str) -> Iterator[DemonstratedModel]:
    """Serve *model* as *environment* has it, on a free port, until the block ends."""
    words = ("serve", model, "--env", environment, "--port", "0")
    shell.show(*words)
    # Nothing to read, so the server cannot take keys meant for this terminal.
    with subprocess.Popen(
        shell.command(*words), stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True
    ) as process:
        try:
            yield DemonstratedModel(model, _address(process))
        finally:
            _stop(process)


def _address(process: "subprocess.Popen[str]") -> str:
    """The address the server prints once it is ready; its other lines are passed on."""
    if process.stdout is None:
        raise ValueError("the server was started without a pipe")
    impatience = threading.Timer(START_SECONDS, process.terminate)
    impatience.start()
    try:
        for line in process.stdout:
            print(f"   {line}", end="", flush=True)
            if found := ADDRESS.search(line):
                threading.Thread(target=_drain, args=(process.stdout,), daemon=True).start()
                return found[0]
    finally:
        impatience.cancel()
    code = process.wait()
    kind = shell.KINDS.get(code, errors.TryAgain)
    raise kind(f"the server ended with {code} before it was ready; what it said is above")


def _drain(stream: IO[str]) -> None:
    """Read what the server still prints, so that its pipe never fills; the demonstration does not show it."""
    with contextlib.suppress(ValueError):  # the stream is closed when the process is gone
        for _ in stream:
            pass


def _stop(process: "subprocess.Popen[str]") -> None:
    process.terminate()
    try:
        process.wait(timeout=STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
