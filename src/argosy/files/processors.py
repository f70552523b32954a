"""The machine that something was measured on, in words: without them a time says little."""

import os
import platform
from pathlib import Path

CPUINFO = Path("/proc/cpuinfo")


def described(cpuinfo: Path = CPUINFO) -> str:
    """Its processor, as far as the system names it, how many of them this process may use, and the system."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    name = model_name(cpuinfo) or platform.processor() or platform.machine()
    return f"{allowed} of {name}, {platform.system()} {platform.machine()}"


def model_name(cpuinfo: Path = CPUINFO) -> str:
    """What the system calls the processor; empty where it has no name for it."""
    try:
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:  # not Linux
        return ""
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, "")
