"""Processes as the launcher starts, warms, stops and buries them."""

import asyncio
import itertools
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest

from argosy.engine.processes import launcher
from argosy.engine.processes.fork_server import ForkServer
from argosy.engine.processes.launcher import Launcher
from argosy.engine.processes.launches import COLD, Launch, Warmth
from argosy.engine.processes.view import Bind

PROGRAM = "import os, sys; print(os.getppid(), 'colorsys' in sys.modules)"


@pytest.fixture
def launch(tmp_path: Path) -> Callable[..., Launch]:
    """A launch of a Python program that was written as text."""
    counted = itertools.count()

    def of(program: str, *, preload: tuple[str, ...] = (), env: dict[str, str] | None = None) -> Launch:
        attempt = tmp_path / f"attempt-{next(counted)}"
        (attempt / "scratch").mkdir(parents=True)
        file = attempt / "program.py"
        file.write_text(program, encoding="utf-8")
        return Launch(
            argv=(sys.executable, str(file)),
            env={"PATH": os.defpath, **(env or {})},
            cwd=tmp_path,
            log=tmp_path / "log",
            stdout=None,
            scratch=attempt / "scratch",
            given=(Bind(tmp_path, str(tmp_path)),),
            preload=frozenset(preload),
        )

    return of


T = TypeVar("T")


def with_launcher(body: Callable[[Launcher], Awaitable[T]]) -> T:
    """Run *body* with a launcher that is closed afterwards."""

    async def run() -> T:
        async with Launcher() as starter:
            return await body(starter)

    return asyncio.run(run())


async def said(starter: Launcher, launched: Launch) -> list[str]:
    """The words that the program wrote."""
    before = launched.log.stat().st_size if launched.log.exists() else 0
    ended = await (await starter.start(launched)).wait()
    assert ended.code == 0
    return launched.log.read_text(encoding="utf-8")[before:].split()


def test_what_is_asked_for_is_imported_before_the_program_starts(launch: Callable[..., Launch]) -> None:
    """And not for a program that asks for nothing."""

    async def body(starter: Launcher) -> tuple[list[str], list[str]]:
        return await said(starter, launch(PROGRAM, preload=("colorsys",))), await said(starter, launch(PROGRAM))

    warm, cold = with_launcher(body)
    assert (warm[1], cold[1]) == ("True", "False")


def test_no_server_imports_from_the_folder_that_argosy_was_started_in(
    launch: Callable[..., Launch], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where a file of anybody's may have the name of a module."""
    folder = tmp_path / "typed-in"
    folder.mkdir()
    (folder / "socket.py").write_text("raise SystemExit('somebody else has a socket.py')", encoding="utf-8")
    monkeypatch.chdir(folder)
    assert with_launcher(lambda starter: said(starter, launch(PROGRAM, preload=("colorsys",))))[1] == "True"


def test_variables_that_are_read_at_start_part_servers(launch: Callable[..., Launch]) -> None:
    """A hash seed has no effect on an interpreter that runs already."""

    async def body(starter: Launcher) -> list[str]:
        seeds = [launch("print(hash('x'))", env={"PYTHONHASHSEED": seed}) for seed in ("1", "2", "1")]
        return [(await said(starter, one))[0] for one in seeds]

    first, second, third = with_launcher(body)
    assert first == third != second


def test_the_server_that_is_idle_for_longest_makes_room(
    launch: Callable[..., Launch], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many kinds of step a run has, the last one starts as warm as the first, and memory stays bounded."""
    monkeypatch.setattr(launcher, "SERVERS", 2)

    async def body(starter: Launcher) -> tuple[list[list[str]], int]:
        launches = [launch(PROGRAM, preload=("colorsys", *more)) for more in ((), ("this",), ("antigravity.x",), ())]
        return [await said(starter, one) for one in launches], len(starter._servers)

    answers, servers = with_launcher(body)
    assert [warm for *_, warm in answers] == ["True"] * 4
    assert servers <= 2 + 1  # the cold one may be there too


def test_a_step_starts_cold_where_every_server_is_busy(
    launch: Callable[..., Launch], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rather than wait for one."""
    monkeypatch.setattr(launcher, "SERVERS", 1)

    async def body(starter: Launcher) -> list[str]:
        busy = await starter.start(launch("import time; time.sleep(60)", preload=("colorsys",)))
        answer = await said(starter, launch(PROGRAM, preload=("colorsys", "this")))
        await busy.stop(0)
        return answer

    assert with_launcher(body)[-1] == "False"


def test_what_comes_next_is_imported_ahead(launch: Callable[..., Launch], tmp_path: Path) -> None:
    """A step that starts later finds the server that was warmed for it."""
    slow = tmp_path / "slowly.py"
    slow.write_text(f"open({str(tmp_path / 'imported')!r}, 'a').write('once ')\n", encoding="utf-8")
    env = {"PYTHONPATH": str(tmp_path)}

    async def body(starter: Launcher) -> list[str]:
        starter.warm(Warmth.of(frozenset({"slowly"}), env))
        while not (tmp_path / "imported").exists():
            await asyncio.sleep(0.01)
        return await said(starter, launch("import sys; print('slowly' in sys.modules)", preload=("slowly",), env=env))

    assert with_launcher(body) == ["True"]
    assert (tmp_path / "imported").read_text() == "once "


def test_what_imports_ahead_has_the_variables_it_was_given(launch: Callable[..., Launch], tmp_path: Path) -> None:
    """A library that looks at a switch as it is imported sees it, also where the step that needs it does not set it."""
    (tmp_path / "looking.py").write_text("import os\nFOUND = os.environ.get('SWITCH')\n", encoding="utf-8")
    env = {"PYTHONPATH": str(tmp_path)}

    async def body() -> list[str]:
        async with asyncio.timeout(20), Launcher({"SWITCH": "off"}) as starter:
            return await said(starter, launch("import looking; print(looking.FOUND)", preload=("looking",), env=env))

    assert asyncio.run(body()) == ["off"]


def test_garbage_is_collected_by_steps_and_not_while_their_libraries_are_imported(
    launch: Callable[..., Launch], tmp_path: Path
) -> None:
    """Importing is a fifth quicker without."""
    (tmp_path / "large.py").write_text("import gc\nCOLLECTING = gc.isenabled()\n", encoding="utf-8")
    env = {"PYTHONPATH": str(tmp_path)}

    async def body(starter: Launcher) -> list[str]:
        program = "import gc, large; print(large.COLLECTING, gc.isenabled())"
        return await said(starter, launch(program, preload=("large",), env=env))

    assert with_launcher(body) == ["False", "True"]


def test_closing_does_not_wait_for_an_import(tmp_path: Path) -> None:
    """What is imported ahead for a run that has ended is given up."""
    (tmp_path / "endless.py").write_text("import time; time.sleep(600)\n", encoding="utf-8")

    async def body(starter: Launcher) -> None:
        starter.warm(Warmth.of(frozenset({"endless"}), {"PYTHONPATH": str(tmp_path)}))
        await asyncio.sleep(0.2)

    async def limited() -> None:
        async with asyncio.timeout(20), Launcher() as starter:
            await body(starter)

    asyncio.run(limited())


def test_libraries_of_this_project_leave_their_server_able_to_fork(launch: Callable[..., Launch]) -> None:
    """PyArrow's allocator and NumPy's algebra start threads unless told otherwise, and would make every step import anew."""
    program = "import sys; print('pyarrow' in sys.modules, 'numpy' in sys.modules)"

    async def body(starter: Launcher) -> list[str]:
        return await said(starter, launch(program, preload=("numpy", "pyarrow")))

    assert with_launcher(body) == ["True", "True"]


def test_a_library_with_threads_is_not_forked(launch: Callable[..., Launch], tmp_path: Path) -> None:
    """The step runs all the same, from a process that has none."""
    (tmp_path / "threaded.py").write_text(
        "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n",
        encoding="utf-8",
    )
    env = {"PYTHONPATH": str(tmp_path)}

    async def body(starter: Launcher) -> list[str]:
        return await said(
            starter, launch("import sys; print('threaded' in sys.modules)", preload=("threaded",), env=env)
        )

    assert with_launcher(body) == ["False"]


def test_stopping_ends_what_the_step_started_too(launch: Callable[..., Launch], tmp_path: Path) -> None:
    """A grandchild that ignores the signal does not outlive the grace."""
    child = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
    )
    program = f"""
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", {child!r}])
time.sleep(600)
"""

    async def body(starter: Launcher) -> int | None:
        running = await starter.start(launch(program))
        log = tmp_path / "log"
        while "up" not in log.read_text(encoding="utf-8"):
            await asyncio.sleep(0.01)
        return (await running.stop(0.1)).signal

    assert with_launcher(body) == signal.SIGKILL
    assert not _runs(child)


def _runs(program: str) -> bool:
    """Whether some process of this machine has *program* on its command line."""
    lines = (folder / "cmdline" for folder in Path("/proc").glob("[0-9]*"))
    return any(program in _text(line) for line in lines)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:  # it has ended
        return ""


def test_a_python_program_never_runs_in_the_cold_server(launch: Callable[..., Launch]) -> None:
    """That one may be a copy of the engine, with all that it has imported."""
    assert Warmth.of(frozenset(), {"ARGOSY_HOME": "/x"}) != COLD

    async def body(starter: Launcher) -> list[str]:
        return await said(starter, launch("import sys; print('argosy.engine.processes.launcher' in sys.modules)"))

    assert with_launcher(body) == ["False"]


def test_a_process_that_ends_at_once_was_started_all_the_same() -> None:
    """That it began and that it ended can be told in one breath."""

    async def body() -> int | None:
        told = asyncio.StreamReader()
        ours, theirs = socket.socketpair()
        _, writer = await asyncio.open_connection(sock=ours)
        server = ForkServer(None, told, writer)  # type: ignore[arg-type]
        listening = asyncio.create_task(server.listen())
        starting = asyncio.create_task(server.start({"key": 1}))
        await asyncio.sleep(0)
        told.feed_data(b'{"key": 1, "pid": 1}\n{"key": 1, "status": 0}\n')
        running = await starting
        assert running is not None
        code = (await running.wait()).code
        told.feed_eof()
        await listening
        writer.close()
        theirs.close()
        return code

    assert asyncio.run(body()) == 0
