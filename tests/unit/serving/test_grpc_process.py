"""gRPC of a server process: its port, its ready line, and a restart under load."""

import asyncio
import re
import signal
import subprocess
from collections import Counter
from pathlib import Path

import grpc
import pytest

from kit import grpc_calls, model_server
from kit.serving_kit import ROW
from kit.tcp_switch import switched

pytestmark = pytest.mark.slow
CALLERS = 8


def grpc_port(line: str) -> int:
    """The port that the ready line names."""
    found = re.search(r"for gRPC at 127\.0\.0\.1:(\d+);", line)
    assert found, line
    return int(found[1])


def test_a_rolling_restart_loses_no_call(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Callers keep their connections; before the old server stops, each is asked to connect anew, and finds the other."""
    monkeypatch.setenv("ARGOSY_HOME", str(tmp_path))
    words = ("--unsigned", "--port", "0", "--grpc-port", "0", "--drain-seconds", "4")
    with model_server.started(folder, *words) as old, model_server.started(folder, *words) as new:
        ports = [grpc_port(model_server.ready(process)[0]) for process in (old, new)]
        counts = asyncio.run(_restarted(old, *ports))
        assert old.returncode == 0
    assert set(counts) == {"answered"}
    assert counts["answered"] > CALLERS


async def _restarted(old: "subprocess.Popen[str]", first: int, second: int) -> Counter[str]:
    """How calls ended while *old*, at the port *first*, was told to stop and the other took over."""
    counts: Counter[str] = Counter()
    stopped = asyncio.Event()
    async with switched(first) as switch, grpc.aio.insecure_channel(f"127.0.0.1:{switch.port}") as channel:

        async def call() -> None:
            try:
                await grpc_calls.called(channel, "ModelInfer", model_name="leaving", inputs=grpc_calls.row(ROW))
                counts["answered"] += 1
            except grpc.aio.AioRpcError as error:
                counts[f"{error.code()}: {error.details()}"] += 1

        async def calls() -> None:
            while not stopped.is_set():
                await call()

        callers = [asyncio.ensure_future(calls()) for _ in range(CALLERS)]
        await call()
        old.send_signal(signal.SIGTERM)
        switch.target = second
        await asyncio.to_thread(old.wait, 60)
        for _ in range(CALLERS):
            await call()
        stopped.set()
        await asyncio.gather(*callers)
    return counts


def test_a_port_that_is_taken_is_said(folder: Path) -> None:
    """Before the model is loaded, with what to do."""
    with model_server.started(folder, "--unsigned", "--port", "0", "--grpc-port", "0") as holder:
        taken = grpc_port(model_server.ready(holder)[0])
        with model_server.started(folder, "--unsigned", "--port", "0", "--grpc-port", str(taken)) as late:
            _, said = late.communicate(timeout=60)
    assert late.returncode == 78
    assert f"port {taken} of 127.0.0.1 is in use" in said
