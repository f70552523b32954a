"""The way of a step's process to its program: its files, its end with the engine's.

Where the machine gives a step namespaces of its own, its process is started inside a ``cell``; elsewhere :func:`fork` starts it, and how it
could not be started is told over the *report* pipe, as ``f<reason>``.
"""

import fcntl
import json
import os
import signal
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from argosy.engine.processes import linux, rights
from argosy.engine.processes.isolation import Way
from argosy.engine.processes.view import Bind

NOT_STARTED = 64
"""The exit code of Argo's executor where a program cannot be found or run."""

REPORT = 3
"""The descriptor of the report pipe while the process is prepared."""

REPORT_SIZE = 4000
SPARE_FILES = 256
"""The range of descriptors above its own newest file in which the server can have others open."""


class Words(NamedTuple):
    """The arguments and environment of a program. Some of it may be secret: no process reads it whose forks are other steps."""

    argv: tuple[str, ...]
    env: Mapping[str, str]


def words_of(file: int) -> Words:
    """The words in the open *file*."""
    read = json.loads(os.pread(file, os.fstat(file).st_size, 0))
    return Words(tuple(read["argv"]), read["env"])


class Job(NamedTuple):
    """One step's process, as the server is asked for it. *here*: whether the warm interpreter itself runs the program. *alone*: whether its
    cell runs no other after it. *shares_scratch*: whether others have the same ``/tmp`` meanwhile."""

    key: int
    cwd: Path
    log: Path
    stdout: Path | None
    binds: tuple[Bind, ...]
    given: tuple[Bind, ...]
    scratch: Path
    alone: bool
    shares_scratch: bool
    way: Way
    here: bool


def job_of(asked: Mapping[str, Any]) -> Job:
    """The job that the launcher described."""
    return Job(
        key=asked["key"],
        cwd=Path(asked["cwd"]),
        log=Path(asked["log"]),
        stdout=Path(asked["stdout"]) if asked["stdout"] else None,
        binds=_binds(asked["binds"]),
        given=_binds(asked["given"]),
        scratch=Path(asked["scratch"]),
        alone=asked["alone"],
        shares_scratch=asked["shares_scratch"],
        way=asked["way"],
        here=asked["here"],
    )


def _binds(asked: Sequence[tuple[str, str, bool]]) -> tuple[Bind, ...]:
    return tuple(Bind(Path(source), target, read_only) for source, target, read_only in asked)


def fork(job: Job, *, output: int, errors: int, report: int, words: int) -> int:
    """Fork the process of *job*, without namespaces, and run its program there. Returns the process's number, in the server only."""
    server = os.getpid()
    child = os.fork()
    if child == 0:
        try:
            end_with(server)
            said = words_of(words)
            _standard_files(output, errors, report)
            os.chdir(job.cwd)
        except BaseException as error:  # noqa: BLE001 - whatever it is, no copy of the server may go on
            os.write(REPORT, f"f{error}".encode()[:REPORT_SIZE])
            os._exit(NOT_STARTED)
        os.close(REPORT)
        _execute(job, said)
    return child


def become(job: Job, output: int, errors: int, words: int) -> NoReturn:
    """In a fork that has its place already: run the program of *job*."""
    try:
        rights.restrict_fork()
        said = words_of(words)
        _standard_files(output, errors)
        _execute(job, said)
    finally:
        os._exit(NOT_STARTED)


def spawn(output: int, errors: int, words: int) -> int:
    """Start the program of *words* without a copy of this process; its number, or 0 where there is no such program: *errors* says so then,
    as Argo's executor does."""
    said = words_of(words)
    missing: OSError = FileNotFoundError()
    files = [(os.POSIX_SPAWN_DUP2, output, 1), (os.POSIX_SPAWN_DUP2, errors, 2)]
    for path in _candidates(said.argv[0], said.env):
        if not os.path.lexists(path):  # cheaper to ask than to have a new process find out
            continue
        try:
            child = os.posix_spawn(
                path,
                said.argv,
                said.env,
                file_actions=files,
                setsid=True,
                setsigmask=(),
                setsigdef=(signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE),
            )
        except OSError as error:
            missing = error
        else:
            return child
    _say_not_started(said, missing, errors)
    return 0


def end_with(server: int) -> None:
    """Have this process killed when *server*, its parent, ends."""
    if linux.available():
        linux.die_with_parent(signal.SIGKILL)
        # In a PID namespace of its own a process cannot see its parent's number.
        if os.getppid() not in (server, 0):
            os._exit(NOT_STARTED)


def _execute(job: Job, said: Words) -> NoReturn:
    os.setsid()
    _reset_signals()
    if job.here:
        from argosy.engine.processes import python_program  # a server for other programs never needs it

        python_program.run(said.argv, said.env)
    try:
        os.execvpe(said.argv[0], list(said.argv), dict(said.env))  # noqa: S606 - no shell is wanted
    except OSError as error:
        _say_not_started(said, error, 2)
        os._exit(NOT_STARTED)


def _say_not_started(said: Words, error: OSError, errors: int) -> None:
    program = said.argv[0]
    if why := _not_found(program, error):
        message = f'failed to find name in PATH: exec: "{program}": {why}'
    else:
        message = f"failed to start command: {program}: {error.strerror}"
    os.write(errors, f"Error: {message}\n".encode())


def _not_found(program: str, error: OSError) -> str | None:
    """The words of Go's ``exec.LookPath`` on *program*, which could not be started because of *error*; None where it finds it."""
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
    """The places where *program* is looked for, as ``execvp`` does."""
    if "/" in program:
        return [program]
    return [f"{folder or '.'}/{program}" for folder in env.get("PATH", os.defpath).split(os.pathsep)]
