"""The memory that a step may use: what its manifest gives it, what its control group holds it to, what the machine has; the least of them.

The manifest's word comes first because the control group may not be seen from inside a step, or come a moment after its process.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path

VARIABLE = "ARGOSY_MEMORY_LIMIT"
"""The limit on memory of a step's container, as its manifest writes it (``1Gi``): the environment of steps that plan with it."""
_UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_UNITS |= {f"{letter}i": 1 << 10 * power for power, letter in enumerate("KMGT", 1)}
_WRITTEN = re.compile(r"([0-9]{1,18}(?:\.[0-9]{1,9})?)([A-Za-z]{0,2})")
_GROUPS = Path("/sys/fs/cgroup")
_COLUMNS = 64
"""Of a table for which the number of rows in a batch was chosen."""


def limit() -> int:
    """The bytes that this process may use, with all it starts."""
    return min([_of_machine(), *_of_manifest(os.environ.get(VARIABLE, "")), *_of_groups()])


def in_use() -> int:
    """The bytes that this process has in memory now."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def rows_at_once(rows: int, columns: int) -> int:
    """*rows* of a table of a few dozen columns; of a wider one as many fewer, so that a batch takes the same memory."""
    return max(1, rows * _COLUMNS // max(_COLUMNS, columns))


def _of_machine() -> int:
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _of_manifest(text: str) -> Iterator[int]:
    """Nothing for what is no amount: whoever applies the limit refuses that."""
    match = _WRITTEN.fullmatch(text)
    if match and match[2] in _UNITS:
        yield int(float(match[1]) * _UNITS[match[2]])


def _of_groups() -> Iterator[int]:
    """The limits of this process' control groups and of those above; of either version, where they can be seen."""
    try:
        lines = Path("/proc/self/cgroup").read_text(encoding="ascii").splitlines()
    except OSError:
        return
    for number, controllers, path in (line.split(":", 2) for line in lines):
        if number == "0":
            yield from _above(_GROUPS, path, "memory.max")
        elif "memory" in controllers.split(","):
            yield from _above(_GROUPS / "memory", path, "memory.limit_in_bytes")


def _above(root: Path, path: str, name: str) -> Iterator[int]:
    # Inside a container the path is the machine's, and the root is the container's own group.
    own = root / path.lstrip("/")
    for folder in (own, *own.parents):
        if folder.is_relative_to(root):
            try:
                text = (folder / name).read_text(encoding="ascii").strip()
            except OSError:
                continue
            if text.isdigit():
                yield int(text)
