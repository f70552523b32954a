"""When a process was born: with its number, the one thing that tells it from a later one of the same number."""

import subprocess
from pathlib import Path


def birth(pid: int) -> int:
    """When process *pid* started, in a unit that only compares with itself; 0 where there is none."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return 0 if Path("/proc/self/stat").exists() else _told_by_ps(pid)
    except ProcessLookupError:
        return 0
    return int(text.rpartition(")")[2].split()[19])


def alive(pid: int, born: int) -> bool:
    """Whether the process *pid* that was born at *born* still runs. One that has ended and only waits to be reaped does not."""
    if birth(pid) != born or born == 0:
        return False
    stat = Path(f"/proc/{pid}/stat")
    try:
        return (
            not stat.exists()
            or stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0] not in "ZX"
        )
    except (FileNotFoundError, ProcessLookupError):
        return False


def _told_by_ps(pid: int) -> int:
    done = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, check=False)
    # "Sat Nov 21 06:24:36 2026": the digits, in an order that is no time but as good for comparing.
    return int("".join(character for character in done.stdout.decode() if character.isdigit()) or 0)
