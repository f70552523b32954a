"""What happens in a forked process before the program of its step runs: its files, its limits, its view, its end with the engine's."""

import atexit
import contextlib
import os
import resource
import runpy
import signal
import sys
import threading
import traceback
import types
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import NoReturn

from argosy.engine.processes import linux, view
from argosy.engine.processes.isolation import FLAGS, Way, map_user
from argosy.engine.processes.view import Bind

CANNOT_START = 125
CANNOT_RUN = 126
NOT_FOUND = 127


@dataclass(frozen=True)
class Job:
    """One step's process, as the server is asked for it."""

    key: int
    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path
    log: Path
    stdout: Path | None
    binds: tuple[Bind, ...]
    scratch: Path
    memory: int | None
    way: Way
    visible: tuple[Path, ...]
    """Folders that stay in sight where they lie under the machine's temporary folder."""


def fork(job: Job, *, output: int, errors: int) -> int:
    """Fork the process of *job*. Returns its number in the server, and 0 in the step's process, which is ready for its program.

    With namespaces there are two processes: the first of the namespace stays behind as an init, as in a container.
    """
    server, user, group = os.getpid(), os.geteuid(), os.getegid()
    child = linux.fork_into(FLAGS[job.way]) if job.way in FLAGS else os.fork()
    if child:
        return child
    try:
        _end_with(server)
        os.setsid()
        _reset_signals()
        _standard_files(output, errors)
        if job.memory:
            resource.setrlimit(resource.RLIMIT_AS, (job.memory, job.memory))
        if job.way == "user":
            map_user(user, group)
        if job.way in FLAGS:
            view.enter(job.binds, job.scratch, job.visible)
        os.chdir(job.cwd)  # which may be a path of the view alone
        if job.way in FLAGS:
            _stay_behind_as_init()
    except OSError as error:
        os.write(2, f"argosy: cannot start {job.argv[0]}: {error}\n".encode())
        os._exit(CANNOT_START)
    return 0


def execute(job: Job) -> NoReturn:
    """Replace this process by the program of *job*; where that fails, leave as a shell would."""
    try:
        os.execvpe(job.argv[0], list(job.argv), dict(job.env))  # noqa: S606 - no shell is wanted
    except FileNotFoundError:
        _leave(f"{job.argv[0]}: not found", NOT_FOUND)
    except OSError as error:
        _leave(f"{job.argv[0]}: {error.strerror}", CANNOT_RUN)


def _leave(message: str, code: int) -> NoReturn:
    os.write(2, f"{message}\n".encode())
    os._exit(code)


def _end_with(server: int) -> None:
    if linux.available():
        linux.die_with_parent(signal.SIGKILL)
        if not Path(f"/proc/{server}").exists():  # it ended before it could be watched
            os._exit(CANNOT_START)


def _reset_signals() -> None:
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def _standard_files(output: int, errors: int) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(output, 1)
    os.dup2(errors, 2)
    os.closerange(3, max(256, nothing, output, errors) + 1)


def _stay_behind_as_init() -> None:
    """Return in a child; the process itself stays as the first of its namespace until that child ends, and ends as it did.

    The first process of a namespace ignores signals it has no handler for, which a step should not; and its end is the end of everything
    the step has started.
    """
    child = os.fork()
    if child == 0:
        _reset_signals()
        return

    def pass_on(number: int, _frame: FrameType | None) -> None:
        with contextlib.suppress(ProcessLookupError):  # it ended in this very moment
            os.kill(child, number)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, pass_on)
    while True:
        ended, status = os.waitpid(-1, 0)
        if ended == child:
            os._exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))


def is_warm(argv: tuple[str, ...], environment: Mapping[str, str]) -> bool:
    """Whether *argv* can run in a fork of this interpreter: this Python, no options to it, and no variable that only a start obeys."""
    if len(argv) < 2 or argv[0] != sys.executable:
        return False
    plain = not argv[1].startswith("-") or (argv[1] in ("-m", "-c") and len(argv) > 2)
    return plain and all(environment.get(name) == os.environ.get(name) for name in _READ_AT_START)


def run_python(job: Job) -> NoReturn:
    """Run the Python program of *job* in this process, and leave it as a fresh interpreter would.

    Except that what was imported is not taken apart first: with large libraries that takes longer than most steps.
    """
    code = _code_of(job)
    with contextlib.suppress(Exception):  # as at any interpreter's end: what fails now cannot change the outcome
        threading._shutdown()  # type: ignore[attr-defined]  # noqa: SLF001 - waits for threads; multiprocessing ends its children so too
        atexit._run_exitfuncs()  # noqa: SLF001
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
    os._exit(code)


def _code_of(job: Job) -> int:
    try:
        _run(job)
    except SystemExit as left:
        if left.code is None or isinstance(left.code, int):
            return (left.code or 0) & 0xFF
        print(left.code, file=sys.stderr)  # noqa: T201 - what the interpreter does with such a code
        return 1
    except KeyboardInterrupt:
        traceback.print_exc()
        return 130
    except BaseException as error:  # noqa: BLE001 - shown as the interpreter shows it
        # Our own frames say nothing of the program; the first of its own comes after runpy's or exec's.
        traceback.print_exception(error.with_traceback(_own(error.__traceback__)))
        return 1
    return 0


def _own(trace: TracebackType | None) -> TracebackType | None:
    inner = trace
    while inner is not None and (
        inner.tb_frame.f_code.co_filename == __file__ or inner.tb_frame.f_globals.get("__name__") == "runpy"
    ):
        inner = inner.tb_next
    return inner or trace


def _run(job: Job) -> None:
    os.environ.clear()
    os.environ.update(job.env)
    first, *rest = job.argv[1:]
    if first == "-m":
        sys.argv = rest
        sys.path.insert(0, str(job.cwd))
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    elif first == "-c":
        sys.argv = ["-c", *rest[1:]]
        sys.path.insert(0, "")
        main = types.ModuleType("__main__")
        sys.modules["__main__"] = main
        exec(compile(rest[0], "<string>", "exec"), main.__dict__)  # noqa: S102 - running it is what was asked for
    else:
        sys.argv = [first, *rest]
        sys.path.insert(0, str(Path(first).parent))
        runpy.run_path(first, run_name="__main__")


_READ_AT_START = ("LD_LIBRARY_PATH", "LD_PRELOAD", "PYTHONHASHSEED", "PYTHONHOME", "PYTHONPATH")
