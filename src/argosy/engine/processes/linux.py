"""The system calls that Python has no function for. Each raises OSError."""

import ctypes
import os
import signal
import sys
from pathlib import Path
from typing import Any

CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
MS_RDONLY = 0x1
MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_NOEXEC = 0x8
MS_REMOUNT = 0x20
MS_BIND = 0x1000
MS_REC = 0x4000
MS_UNBINDABLE = 0x20000
MS_PRIVATE = 0x40000
_MNT_DETACH = 2
_PR_SET_PDEATHSIG = 1
_CLONE = {"x86_64": 56, "aarch64": 220}
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}

_libc: Any = ctypes.CDLL(None, use_errno=True)


def available() -> bool:
    """Whether this is a Linux whose calls are known here."""
    return sys.platform == "linux" and os.uname().machine in _CLONE


def threads() -> int:
    """How many threads of the operating system this process has; those of Python only where the system does not say."""
    try:
        return len(os.listdir("/proc/self/task"))  # noqa: PTH208 - counted before each fork
    except FileNotFoundError:
        import threading

        return threading.active_count()


def fork_into(flags: int) -> int:
    """fork(2), with the child in new namespaces *flags*. Of the interpreter's state only what a single thread needs is put right in the
    child, so it should do little and fork again for anything that lasts."""
    _flush()
    child = _libc.syscall(
        ctypes.c_long(_CLONE[os.uname().machine]), ctypes.c_ulong(flags | signal.SIGCHLD), None, None, None, None
    )
    if child < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"clone: {os.strerror(number)}")
    return int(child)


def mount(source: str, target: Path | str, kind: str, flags: int, options: str = "") -> None:
    """mount(2)."""
    answer = _libc.mount(
        os.fsencode(source), os.fsencode(target), kind.encode(), ctypes.c_ulong(flags), options.encode()
    )
    _check(answer, f"mount {target}")


def pivot_root(new: Path, old: Path) -> None:
    """Make *new* the root; what was the root lies at *old*, a folder below *new*."""
    number = _PIVOT_ROOT[os.uname().machine]
    _check(_libc.syscall(ctypes.c_long(number), os.fsencode(new), os.fsencode(old)), f"pivot_root {new}")


def unmount(target: Path) -> None:
    """Detach *target* now; it is gone when nothing uses it any more."""
    _check(_libc.umount2(os.fsencode(target), _MNT_DETACH), f"umount {target}")


def leave_mounts() -> None:
    """unshare(2): from now on this process has a copy of its mount namespace to itself."""
    _check(_libc.unshare(ctypes.c_int(CLONE_NEWNS)), "unshare")


def enter_mounts(namespace: int) -> None:
    """setns(2): go (back) to the mount namespace that the descriptor *namespace* refers to, to its root."""
    _check(_libc.setns(ctypes.c_int(namespace), ctypes.c_int(CLONE_NEWNS)), "setns")


def die_with_parent(signal_number: int) -> None:
    """Be sent *signal_number* when the thread that forked this process ends."""
    _check(_libc.prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(signal_number), 0, 0, 0), "prctl")


def _flush() -> None:
    # What is buffered would be written by both processes.
    sys.stdout.flush()
    sys.stderr.flush()


def _check(answer: int, what: str) -> None:
    if answer != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
