"""What one step leaves behind does not reach the next, although both ran in the same namespaces."""

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import pytest

from argosy.engine.processes import isolation
from argosy.engine.processes.launcher import Launcher
from argosy.engine.processes.launches import Launch, LaunchFailure
from argosy.engine.processes.view import Bind

pytestmark = pytest.mark.skipif(
    not isolation.here().private_files, reason=f"no namespaces here: {isolation.here().reason}"
)

T = TypeVar("T")


@pytest.fixture
def shell(tmp_path: Path) -> Callable[[str], Launch]:
    """The launch of a line of shell, with a log and a ``/tmp`` of its own."""
    numbers = iter(range(1000))

    def of(line: str) -> Launch:
        folder = tmp_path / str(next(numbers))
        (folder / "scratch").mkdir(parents=True)
        return Launch(
            argv=("sh", "-c", line),
            env={"PATH": os.environ["PATH"]},
            cwd=Path("/tmp"),
            log=folder / "log",
            stdout=None,
            scratch=folder / "scratch",
        )

    return of


def with_launcher(body: Callable[[Launcher], Coroutine[None, None, T]]) -> T:
    """Run *body* with a launcher that is closed afterwards."""

    async def run() -> T:
        async with asyncio.timeout(20), Launcher() as starter:
            return await body(starter)

    return asyncio.run(run())


async def said(starter: Launcher, launch: Launch) -> str:
    """What the step wrote, whatever it ended with."""
    await (await starter.start(launch)).wait()
    return launch.log.read_text(encoding="utf-8").strip()


def said_by(launches: list[Launch]) -> list[str]:
    """What the steps wrote, run one after the other."""

    async def body(starter: Launcher) -> list[str]:
        return [await said(starter, launch) for launch in launches]

    return with_launcher(body)


def test_steps_share_their_namespaces(shell: Callable[[str], Launch]) -> None:
    """That is what makes a step cheap; the rest of this file is what it must not cost."""
    which = "readlink /proc/self/ns/pid"
    seen = said_by([shell(which) for _ in range(6)])
    assert len(set(seen)) < 6


PROCESSES = "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' | grep -c 'slee[p] 600'"


@pytest.mark.parametrize(
    ("dirt", "look"),
    [
        pytest.param("touch /left-by-a-step; mkdir /left-folder", "ls /", id="files in the root"),
        pytest.param("ln -s /nowhere /left-by-a-step", "readlink /left-by-a-step", id="a link in the root"),
        pytest.param("chmod 700 /", "ls -ld /", id="the mode of the root"),
        pytest.param("touch /tmp/left", "ls /tmp", id="files in /tmp"),
        pytest.param("(setsid sleep 600 >/dev/null 2>&1 &); sleep 0.1", PROCESSES, id="processes"),
        pytest.param("umask 027", "umask", id="a mask"),
        pytest.param("ulimit -n 64", "ulimit -n", id="limits"),
        pytest.param("touch /dev/shm/left", "ls /dev/shm", id="shared memory"),
        pytest.param("touch /var/lib/left", "ls /var/lib", id="files in a folder that every system has"),
    ],
)
def test_nothing_is_left_for_the_next_step(shell: Callable[[str], Launch], dirt: str, look: str) -> None:
    """Each step finds what the first one found, whether or not it runs in the same namespaces."""
    clean, dirty, *after = said_by([shell(look), shell(f"{dirt}; {look}"), shell(look), shell(look)])
    assert dirty != clean
    assert after == [clean, clean]


def test_a_place_made_for_one_step_is_gone_for_the_next(shell: Callable[[str], Launch], tmp_path: Path) -> None:
    """Where a step is shown a folder at a path that the machine does not have."""
    (tmp_path / "shown").mkdir()
    (tmp_path / "shown" / "file").touch()
    look = "ls /argosy-shown/deep 2>/dev/null; ls -d /argosy-* 2>/dev/null"
    with_bind = replace(shell(look), binds=(Bind(tmp_path / "shown", "/argosy-shown/deep"),))
    assert said_by([shell(look), with_bind, shell(look)]) == ["", "file\n/argosy-shown", ""]
    assert not Path("/argosy-shown").exists()


def test_a_step_that_cannot_begin_costs_only_itself(shell: Callable[[str], Launch], tmp_path: Path) -> None:
    """A folder to be shown that is not there is told; the next step runs."""
    impossible = replace(shell("true"), binds=(Bind(tmp_path / "missing", "/argosy-shown"),))

    async def body(starter: Launcher) -> str:
        with pytest.raises(LaunchFailure, match="No such file or directory"):
            await (await starter.start(impossible)).wait()
        return await said(starter, shell("echo fine"))

    assert with_launcher(body) == "fine"


def test_a_signal_for_a_step_that_has_ended_reaches_no_other(shell: Callable[[str], Launch]) -> None:
    """However late it comes."""

    async def body(starter: Launcher) -> str:
        first = await starter.start(shell("true"))
        first.signal(signal.SIGTERM)
        await first.wait()
        first.signal(signal.SIGTERM)
        return await said(starter, shell("sleep 0.1; echo fine"))

    assert with_launcher(body) == "fine"


def test_a_signal_ends_a_step_and_not_what_comes_after_it(shell: Callable[[str], Launch]) -> None:
    """Asked to end, a step ends by the signal; the next one runs in the same place."""

    async def body(starter: Launcher) -> tuple[int | None, str]:
        running = await starter.start(shell("sleep 600"))
        return (await running.stop(10)).signal, await said(starter, shell("echo fine"))

    assert with_launcher(body) == (signal.SIGTERM, "fine")


def test_namespaces_that_somebody_killed_are_replaced(shell: Callable[[str], Launch]) -> None:
    """While they wait for a step."""

    async def body(starter: Launcher) -> str:
        running = await starter.start(shell("true"))
        await running.wait()
        os.kill(running.pid, signal.SIGKILL)
        while Path(f"/proc/{running.pid}").exists():
            await asyncio.sleep(0.01)
        return await said(starter, shell("echo fine"))

    assert with_launcher(body) == "fine"
