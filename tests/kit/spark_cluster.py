"""A stand-alone Spark on loopback: one master, workers of one core each, all of them processes of this machine."""

import contextlib
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

EXECUTOR = "org.apache.spark.executor.CoarseGrainedExecutorBackend"
MASTER, WORKER = "org.apache.spark.deploy.master.Master", "org.apache.spark.deploy.worker.Worker"
START_SECONDS = 240.0


@dataclass
class SparkCluster:
    """One that runs; *folder* is seen by its processes and by whoever asks it."""

    master: str
    folder: Path
    workers: Sequence["subprocess.Popen[bytes]"] = field(default_factory=list)

    def executors(self) -> list[int]:
        """The processes that its workers calculate in now."""
        return [
            process
            for worker in self.workers
            for process in _below(worker.pid)
            if EXECUTOR in Path(f"/proc/{process}/cmdline").read_text(encoding="utf-8")
        ]


def spark_home() -> Path:
    """Where the jars are that came with Python's package."""
    import pyspark

    return Path(pyspark.__file__).parent


@contextlib.contextmanager
def spark_cluster(folder: Path, workers: int = 2) -> Iterator[SparkCluster]:
    """A master and so many *workers*, with files in *folder*."""
    with contextlib.ExitStack() as running:
        began = _started(folder / "master.log", [MASTER, "--host", "127.0.0.1", "--port", "0", "--webui-port", "0"])
        running.enter_context(_ending(began))
        master = _said(folder / "master.log", r"Starting Spark master at (spark://\S+)", began)
        cluster = SparkCluster(master, folder)
        found = []
        for number in range(workers):
            arguments = ["--host", "127.0.0.1", "--cores", "1", "--memory", "1g", "--webui-port", "0"]
            arguments += ["--work-dir", str(folder / f"work-{number}"), master]
            worker = _started(folder / f"worker-{number}.log", [WORKER, *arguments])
            running.enter_context(_ending(worker))
            found.append(worker)
        for number, worker in enumerate(found):
            _said(folder / f"worker-{number}.log", r"(Successfully registered) with master", worker)
        cluster.workers = found
        yield cluster


def _started(log: Path, words: Sequence[str]) -> "subprocess.Popen[bytes]":
    environment = {
        **os.environ,
        "SPARK_DAEMON_MEMORY": "256m",
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_NO_DAEMONIZE": "1",
    }
    with log.open("wb") as out:
        return subprocess.Popen(
            [spark_home() / "bin" / "spark-class", *words],
            stdout=out,
            stderr=out,
            env=environment,
            start_new_session=True,
        )


def _said(log: Path, pattern: str, process: "subprocess.Popen[bytes]") -> str:
    """What the first group of *pattern* is in *log*, once it is there."""
    deadline = time.monotonic() + START_SECONDS
    while not (found := re.search(pattern, log.read_text(encoding="utf-8", errors="replace"))):
        if process.poll() is not None or time.monotonic() > deadline:
            pytest.fail(f"Spark did not start:\n{log.read_text(encoding='utf-8', errors='replace')[-2000:]}")
        time.sleep(0.1)
    return found[1]


@contextlib.contextmanager
def _ending(process: "subprocess.Popen[bytes]") -> Iterator[None]:
    try:
        yield
    finally:
        for one in [*_below(process.pid), process.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
        process.wait()


def _below(process: int) -> list[int]:
    """The children of *process*, and theirs."""
    found: list[int] = []
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for tasks in Path(f"/proc/{process}/task").iterdir():
            for child in map(int, (tasks / "children").read_text(encoding="utf-8").split()):
                found += [child, *_below(child)]
    return found
