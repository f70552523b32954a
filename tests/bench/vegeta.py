"""Asks a server by vegeta, a Go program: a second opinion on ``open_loop``, at rates that it bears (some 10,000 a second of a core)."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import open_loop
from open_loop import Question, Records

MODULE, VERSION = "github.com/tsenart/vegeta/v12", "v12.12.0"
TOOLS = Path.home() / ".cache" / "argosy" / "bench-tools"


def built() -> Path:
    """The program, of the path or built by Go. Ends where there is neither."""
    if found := shutil.which("vegeta"):
        return Path(found)
    program, go = TOOLS / "vegeta", shutil.which("go")
    if not program.exists():
        if go is None:
            raise SystemExit("neither vegeta nor Go is on the path; install one of them: nothing was measured")
        sys.stderr.write(f"building {MODULE}@{VERSION} in {TOOLS} (once; needs the module proxy)\n")
        subprocess.run([go, "install", f"{MODULE}@{VERSION}"], env=os.environ | {"GOBIN": str(TOOLS)}, check=True)
    return program


@dataclass(frozen=True)
class VegetaAsker:
    """See :class:`open_loop.Asker`; a request that waits for a connection counts from when it got one."""

    program: Path
    scratch: Path
    """A folder for what it is told."""
    before: Sequence[str] = ()

    def ask(
        self,
        question: Question,
        *,
        rate: float,
        seconds: float,
        connections: int = open_loop.CONNECTIONS,
        timeout: float = open_loop.TIMEOUT_SECONDS,
    ) -> Records:
        """See there; *rate* is rounded."""
        body, targets = self.scratch / "body", self.scratch / "targets"
        body.write_bytes(question.body)
        lines = [f"POST http://127.0.0.1:{question.port}{question.path}", "Content-Type: application/json"]
        lines += [f"{name}: {value}" for name, value in question.headers.items()]
        targets.write_text("\n".join([*lines, f"@{body}", ""]), encoding="utf-8")
        words = [f"-rate={round(rate)}/1s" if rate else "-rate=0", f"-duration={seconds}s", f"-timeout={timeout}s"]
        words += [f"-targets={targets}", f"-max-workers={connections}"]
        before = open_loop.children_cpu_seconds()
        attack = [*self.before, str(self.program), "attack", *words]
        results = subprocess.run(attack, stdout=subprocess.PIPE, check=True).stdout
        spent = open_loop.children_cpu_seconds() - before
        encode = [str(self.program), "encode", "-to=json"]
        encoded = subprocess.run(encode, input=results, stdout=subprocess.PIPE, check=True).stdout
        return _records([json.loads(line) for line in encoded.splitlines()], spent)


def _records(results: Sequence[Mapping[str, object]], cpu_seconds: float) -> Records:
    table = np.zeros(len(results), open_loop.RECORD)
    for place, result in enumerate(results):
        began = _moment(str(result["timestamp"]))
        waited = int(str(result["latency"])) / 1e9
        announced = "Retry-After" in str(result.get("headers"))
        table[place] = (began, began, began + waited, int(str(result["code"])), announced, 1)
    first = table["due"].min(initial=np.inf)
    for name in ("due", "sent", "ended"):
        table[name] -= first
    return Records(np.sort(table, order="due").tobytes(), cpu_seconds)


def _moment(text: str) -> float:
    """The seconds of the day of an RFC 3339 time, which has nanoseconds and a zone: all are of one zone."""
    hours, minutes, seconds = text[11:].rstrip("Z").split("+")[0].split(":")[:3]
    return 3600 * int(hours) + 60 * int(minutes) + float(seconds.split("-")[0])
