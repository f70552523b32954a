"""How the process of a step becomes its program: its files, its end with the engine's.

Where the machine gives a step namespaces of its own, its process is started inside a ``cell``; elsewhere :func:`fork` starts it, and how it
could not be started is told over the *report* pipe, as ``f<reason>``.
"""

import fcntl
import os
import signal
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from argosy.engine.processes import linux
from argosy.engine.processes.isolation import Way
from argosy.engine.processes.view import Bind

NOT_STARTED = 64
"""What Argo's executor ends with where a program cannot be found or run."""

REPORT = 3
"""Where the report pipe is while the process is prepared."""

REPORT_SIZE = 4000
SPARE_FILES = 256
"""How far above its own newest file the server can have others open."""


class Job(NamedTuple):
    """One step's process, as the server is asked for it. *here*: whether the warm interpreter itself runs the program. *alone*: whether its
    cell runs no other after it."""

    key: int
    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path
    log: Path
    stdout: Path | None
    binds: tuple[Bind, ...]
    keep: tuple[Path, ...]
    scratch: Path
    alone: bool
    way: Way
    here: bool


def job_of(asked: Mapping[str, Any]) -> Job:
    """The job that the launcher described."""
    return Job(
        key=asked["key"],
        argv=tuple(asked["argv"]),
        env=asked["env"],
        cwd=Path(asked["cwd"]),
        log=Path(asked["log"]),
        stdout=Path(asked["stdout"]) if asked["stdout"] else None,
        binds=tuple(Bind(Path(source), target, read_only) for source, target, read_only in asked["binds"]),
        keep=tuple(Path(path) for path in asked["keep"]),
        scratch=Path(asked["scratch"]),
        alone=asked["alone"],
        way=asked["way"],
        here=asked["here"],
    )


def fork(job: Job, *, output: int, errors: int, report: int) -> int:
    """Fork the process of *job*, without namespaces, and run its program there. Returns the process's number, in the server only."""
    server = os.getpid()
    child = os.fork()
    if child == 0:
        try:
            end_with(server)
            _standard_files(output, errors, report)
            os.chdir(job.cwd)
        except BaseException as error:  # noqa: BLE001 - whatever it is, no copy of the server may go on
            os.write(REPORT, f"f{error}".encode()[:REPORT_SIZE])
            os._exit(NOT_STARTED)
        os.close(REPORT)
        _execute(job)
    return child


def become(job: Job, output: int, errors: int) -> NoReturn:
    """In a fork that has its place already: run the program of *job*."""
    try:
        _standard_files(output, errors)
        _execute(job)
    finally:
        os._exit(NOT_STARTED)


def spawn(job: Job, output: int, errors: int) -> int:
    """Start the program of *job* without a copy of this process; its number, or 0 where there is no such program: *errors* says so then,
    as Argo's executor does."""
    missing: OSError = FileNotFoundError()
    files = [(os.POSIX_SPAWN_DUP2, output, 1), (os.POSIX_SPAWN_DUP2, errors, 2)]
    for path in _candidates(job.argv[0], job.env):
        if not os.path.lexists(path):  # cheaper to ask than to have a new process find out
            continue
        try:
            child = os.posix_spawn(
                path,
                job.argv,
                job.env,
                file_actions=files,
                setsid=True,
                setsigmask=(),
                setsigdef=(signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE),
            )
        except OSError as error:
            missing = error
        else:
            return child
    _say_not_started(job, missing, errors)
    return 0


def end_with(server: int) -> None:
    """Have this process killed when *server*, its parent, ends."""
    if linux.available():
        linux.die_with_parent(signal.SIGKILL)
        # In a PID namespace of its own a process cannot see its parent's number.
        if os.getppid() not in (server, 0):
            os._exit(NOT_STARTED)


def _execute(job: Job) -> NoReturn:
    os.setsid()
    _reset_signals()
    if job.here:
        from argosy.engine.processes import python_program  # a server for other programs never needs it

        python_program.run(job.argv, job.env)
    try:
        os.execvpe(job.argv[0], list(job.argv), dict(job.env))  # noqa: S606 - no shell is wanted
    except OSError as error:
        _say_not_started(job, error, 2)
        os._exit(NOT_STARTED)


def _say_not_started(job: Job, error: OSError, errors: int) -> None:
    program = job.argv[0]
    if why := _not_found(program, error):
        message = f'failed to find name in PATH: exec: "{program}": {why}'
    else:
        message = f"failed to start command: {program}: {error.strerror}"
    os.write(errors, f"Error: {message}\n".encode())


def _not_found(program: str, error: OSError) -> str | None:
    """What Go's ``exec.LookPath`` says of *program*, which could not be started because of *error*; None where it finds it."""
    if "/" not in program:
        found = not isinstance(error, FileNotFoundError | PermissionError)
        return None if found else "executable file not found in $PATH"
    try:
        mode = Path(program).stat().st_mode
    except OSError as missing:
        return f"stat {program}: {(missing.strerror or '').lower()}"
    if stat.S_ISDIR(mode):
        return "is a directory"
    return None if mode & 0o111 else "permission denied"


def _reset_signals() -> None:
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, [])


def _standard_files(*files: int) -> None:
    """Output, errors, and what else is given, at 1, 2 and after; nothing to read at 0, and nothing else of the server's."""
    moved = [fcntl.fcntl(number, fcntl.F_DUPFD, REPORT + 1) for number in (os.open(os.devnull, os.O_RDONLY), *files)]
    for place, number in enumerate(moved):
        os.dup2(number, place, inheritable=place < REPORT)
    os.closerange(len(moved), max(moved) + 1 + SPARE_FILES)


def _candidates(program: str, env: Mapping[str, str]) -> list[str]:
    """Where *program* is looked for, as ``execvp`` does."""
    if "/" in program:
        return [program]
    return [f"{folder or '.'}/{program}" for folder in env.get("PATH", os.defpath).split(os.pathsep)]
