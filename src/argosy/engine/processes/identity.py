"""The identity of a process: its pid and when it began, since pids come round again."""

import os
import subprocess
import sys
import time
from pathlib import Path

_LINUX = sys.platform.startswith("linux")
_STATE, _START = 0, 19
"""Fields of /proc/<pid>/stat, counted after the program's name."""


def start_time(pid: int) -> int:
    """The start of the process *pid*, in a unit that only has to be the same each time. Raises ProcessLookupError where there is none."""
    if _LINUX:
        return int(_fields(pid)[_START])
    return _start_time_by_ps(pid)


def alive(pid: int, began: int) -> bool:
    """True where the process *pid* that began at *began* still runs. One that ended and was not waited for yet does not."""
    try:
        if _LINUX:
            fields = _fields(pid)
            return fields[_STATE] not in ("Z", "X") and int(fields[_START]) == began
        return _start_time_by_ps(pid) == began
    except ProcessLookupError:
        return False


def _fields(pid: int) -> list[str]:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        raise ProcessLookupError(pid) from None
    return text.rsplit(")", 1)[1].split()


def _start_time_by_ps(pid: int) -> int:
    found = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "LC_ALL": "C"},
    )
    state, _, began = found.stdout.strip().partition(" ")
    if found.returncode != 0 or not began or state.startswith("Z"):
        raise ProcessLookupError(pid)
    return int(time.mktime(time.strptime(began.strip(), "%a %b %d %H:%M:%S %Y")))
