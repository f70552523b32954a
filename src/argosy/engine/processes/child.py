"""What happens in a forked process before the program of its step runs: its files, its limits, its view, its end with the engine's.

How a process ends is told over the *report* pipe by the one that waits for it there: ``s<wait status>``, or ``f<reason>`` where the program
could not be started at all. An empty report means that the process itself was waited for by the server.
"""

import contextlib
import fcntl
import os
import resource
import signal
from collections.abc import Mapping
from pathlib import Path
from types import FrameType
from typing import NamedTuple, NoReturn

from argosy.engine.processes import linux, view
from argosy.engine.processes.isolation import FLAGS, Way, map_user
from argosy.engine.processes.view import Bind

NOT_STARTED = 64
"""What Argo's executor ends with where a program cannot be found or run."""

REPORT = 3
"""Where the report pipe is while the process is prepared."""

REPORT_SIZE = 4000
SPARE_FILES = 256
"""How far above its own newest file the server can have others open."""


class Job(NamedTuple):
    """One step's process, as the server is asked for it. *here*: whether the warm interpreter itself runs the program."""

    key: int
    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path
    log: Path
    stdout: Path | None
    binds: tuple[Bind, ...]
    keep: tuple[Path, ...]
    scratch: Path
    memory: int | None
    way: Way
    here: bool


def fork(job: Job, *, output: int, errors: int, report: int) -> int:
    """Fork the process of *job* and run its program there. Returns the process's number, in the server only.

    With namespaces there are two processes: the first of the namespace stays behind as an init, as in a container.
    A program that the interpreter does not run itself is spawned by the init: no second copy of the interpreter is made for it.
    """
    # Asked before the fork: in a new user namespace everybody is nobody until the numbers are mapped.
    server, user, group = os.getpid(), os.geteuid(), os.getegid()
    child = linux.fork_into(FLAGS[job.way]) if job.way in FLAGS else os.fork()
    if child == 0:
        try:
            _end_with(server)
            if job.way == "user":
                map_user(user, group)
            _standard_files(output, errors, report)
            _prepare(job)
            if job.way in FLAGS:
                _stay_behind_as_init(None if job.here else job)
            os.close(REPORT)
        except BaseException as error:  # noqa: BLE001 - whatever it is, no copy of the server may go on
            os.write(REPORT, f"f{error}".encode()[:REPORT_SIZE])
            os._exit(NOT_STARTED)
        _execute(job)
    return child


def _prepare(job: Job) -> None:
    os.setsid()
    _reset_signals()
    if job.memory:
        resource.setrlimit(resource.RLIMIT_AS, (job.memory, job.memory))
    if job.way in FLAGS:
        view.enter(job.binds, job.scratch, job.keep)
    os.chdir(job.cwd)  # which may be a path of the view alone


def _execute(job: Job) -> NoReturn:
    if job.here:
        from argosy.engine.processes import python_program  # a server for other programs never needs it

        python_program.run(job.argv, job.env)
    try:
        os.execvpe(job.argv[0], list(job.argv), dict(job.env))  # noqa: S606 - no shell is wanted
    except OSError as error:
        _say_not_started(job, error)
        os._exit(NOT_STARTED)


def _say_not_started(job: Job, error: OSError) -> None:
    message = f"failed to start command: {job.argv[0]}: {error.strerror}"
    if isinstance(error, FileNotFoundError):
        message = f'failed to find name in PATH: exec: "{job.argv[0]}": executable file not found in $PATH'
    os.write(2, f"Error: {message}\n".encode())


def _end_with(server: int) -> None:
    if linux.available():
        linux.die_with_parent(signal.SIGKILL)
        # In a PID namespace of its own a process cannot see its parent's number; there the report's reader has gone with the server.
        if os.getppid() not in (server, 0):
            os._exit(NOT_STARTED)


def _reset_signals() -> None:
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def _standard_files(output: int, errors: int, report: int) -> None:
    """The step's files at 0 to 2, the report at 3, and nothing else of the server's."""
    moved = [
        fcntl.fcntl(number, fcntl.F_DUPFD, REPORT + 1)
        for number in (os.open(os.devnull, os.O_RDONLY), output, errors, report)
    ]
    for place, number in enumerate(moved):
        os.dup2(number, place, inheritable=place != REPORT)
    os.closerange(REPORT + 1, max(moved) + 1 + SPARE_FILES)


def _stay_behind_as_init(job: Job | None) -> None:
    """Return in a child; the process itself stays as the first of its namespace until that child ends, and reports how it did.

    With a *job* the child is that job's program, and nothing returns. The first process of a namespace ignores signals it has no handler
    for, which a step should not; and its end is the end of everything the step has started.
    """
    child = _spawn(job) if job else os.fork()
    if child == 0:
        os.setsid()
        _reset_signals()
        return

    def pass_on(number: int, _frame: FrameType | None) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, number)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, pass_on)
    os.closerange(0, REPORT)
    while True:
        ended, status = os.waitpid(-1, 0)
        if ended == child:
            os.write(REPORT, f"s{status}".encode())
            os._exit(0)


def _spawn(job: Job) -> int:
    """Start the program of *job* without a copy of this process; its number. Where there is no such program the process ends as Argo's
    executor would."""
    missing: OSError = FileNotFoundError()
    for path in _candidates(job.argv[0], job.env):
        try:
            return os.posix_spawn(path, job.argv, job.env, setsid=True, setsigmask=(), setsigdef=(signal.SIGINT,))
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            missing = error
    _say_not_started(job, missing)
    os.write(REPORT, f"s{NOT_STARTED << 8}".encode())
    os._exit(0)


def _candidates(program: str, env: Mapping[str, str]) -> list[str]:
    """Where *program* is looked for, as ``execvp`` does."""
    if "/" in program:
        return [program]
    return [f"{folder or '.'}/{program}" for folder in env.get("PATH", os.defpath).split(os.pathsep)]
