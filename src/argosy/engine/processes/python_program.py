"""Runs a Python program in a process that was forked from a warm interpreter, as a fresh interpreter would have run it.

What stays different is said here: libraries of the preload set were imported under the server's environment; a child inherits the server's
hash seed (a server is started for each ``PYTHONHASHSEED``, and without one no result may depend on it anyway); standard output is written
line by line, so that a log can be followed.
"""

import atexit
import io
import os
import runpy
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, cast

INTERPRETERS = ("python", "python3")


def is_runnable(argv: tuple[str, ...]) -> bool:
    """True where *argv* is a call of this interpreter, of a form that a warm process can take over: ``-m``, ``-c``, or a script."""
    if len(argv) < 2 or (argv[0] != sys.executable and argv[0] not in INTERPRETERS):
        return False
    if argv[1] in ("-m", "-c"):
        return len(argv) > 2
    return not argv[1].startswith("-")


def run(argv: tuple[str, ...], env: Mapping[str, str]) -> NoReturn:
    """Run the program that *argv* names with the environment *env*, and end this process as the interpreter would."""
    _become_fresh(env)
    code = 1
    try:
        code = _code_of(argv)
    finally:
        _leave(code)


def _become_fresh(env: Mapping[str, str]) -> None:
    os.environ.clear()
    os.environ.update(env)
    time.tzset()
    tempfile.tempdir = None
    if "numpy.random" in sys.modules:
        # `random` reseeds itself after a fork; NumPy's global generator does not, and all children would draw the same numbers.
        cast("Any", sys.modules["numpy.random"]).seed()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(line_buffering=True)


def _code_of(argv: tuple[str, ...]) -> int:
    """Run the program; its exit code."""
    try:
        _run(argv)
        return 0
    except SystemExit as leaving:
        return _code_of_exit(leaving)
    except KeyboardInterrupt as error:
        _print(error)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
        return 130
    except BaseException as error:  # noqa: BLE001 - this is the outermost frame of the program
        _print(error)
        return 1


def _run(argv: tuple[str, ...]) -> None:
    option, rest = argv[1], argv[2:]
    if option == "-m":
        sys.argv = [*rest]
        sys.path.insert(0, str(Path.cwd()))
        runpy.run_module(rest[0], run_name="__main__", alter_sys=True)
    elif option == "-c":
        sys.argv = ["-c", *rest[1:]]
        sys.path.insert(0, "")
        _run_text(rest[0])
    else:
        sys.argv = [option, *rest]
        sys.path.insert(0, str(Path(option).resolve().parent))
        runpy.run_path(option, run_name="__main__")


def _run_text(text: str) -> None:
    module = type(sys)("__main__")
    module.__dict__["__builtins__"] = __builtins__
    sys.modules["__main__"] = module
    exec(compile(text, "<string>", "exec"), module.__dict__)  # noqa: S102 - it is what `python -c` does


def _code_of_exit(leaving: SystemExit) -> int:
    if leaving.code is None:
        return 0
    if isinstance(leaving.code, int):
        return leaving.code & 0xFF
    print(leaving.code, file=sys.stderr)  # noqa: T201 - as the interpreter does
    return 1


def _print(error: BaseException) -> None:
    """Show *error* from the program's first line on, not from the server's."""
    trace = error.__traceback__
    while trace and trace.tb_next and trace.tb_frame.f_code.co_filename in (__file__, runpy.__file__, "<frozen runpy>"):
        trace = trace.tb_next
    _print_from(error, trace)


def _print_from(error: BaseException, trace: TracebackType | None) -> None:
    if sys.excepthook is sys.__excepthook__:
        traceback.print_exception(type(error), error, trace)
    else:
        sys.excepthook(type(error), error, trace)


def _leave(code: int) -> NoReturn:
    """Do what the interpreter does at its end, in its order: wait for threads, exit functions, what is buffered."""
    try:
        # The interpreter's own last steps; there are no public ones.
        cast("Any", threading)._shutdown()  # noqa: SLF001
        cast("Any", atexit)._run_exitfuncs()  # noqa: SLF001
    except BaseException as error:  # noqa: BLE001 - nothing may escape; the process ends here
        _print(error)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            code = code or 120  # as the interpreter does where the last output cannot be written
    os._exit(code)
