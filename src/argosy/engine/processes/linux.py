"""The system calls that Python has no function for. Each raises OSError."""

import ctypes
import os
import signal
import struct
import sys
from pathlib import Path
from typing import Any

CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWIPC = 0x08000000
MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_NOEXEC = 0x8
MS_BIND = 0x1000
MS_REC = 0x4000
MS_UNBINDABLE = 0x20000
MS_PRIVATE = 0x40000
_MNT_DETACH = 2
_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_CLONE = {"x86_64": 56, "aarch64": 220}
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}

# The same on every architecture.
_OPEN_TREE = 428
_MOVE_MOUNT = 429
_MOUNT_SETATTR = 442
_AT_EMPTY_PATH = 0x1000
_AT_SYMLINK_NOFOLLOW = 0x100
_AT_RECURSIVE = 0x8000
_OPEN_TREE_CLONE = 1
_MOVE_MOUNT_F_EMPTY_PATH = 4
_MOUNT_ATTR_RDONLY = 1
_MOUNT_ATTR_IDMAP = 0x00100000

libc: Any = ctypes.CDLL(None, use_errno=True)


def available() -> bool:
    """True where this is a Linux whose calls are known here."""
    return sys.platform == "linux" and os.uname().machine in _CLONE


def threads() -> int:
    """The number of this process's threads of the operating system; those of Python only where the system does not say."""
    try:
        return len(os.listdir("/proc/self/task"))  # noqa: PTH208 - counted before each fork
    except FileNotFoundError:
        import threading

        return threading.active_count()


def fork_into(flags: int) -> int:
    """fork(2), with the child in new namespaces *flags*. Of the interpreter's state only what a single thread needs is put right in the
    child, so it should do little and fork again for anything that lasts."""
    _flush()
    child = libc.syscall(
        ctypes.c_long(_CLONE[os.uname().machine]), ctypes.c_ulong(flags | signal.SIGCHLD), None, None, None, None
    )
    if child < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"clone: {os.strerror(number)}")
    return int(child)


def mount(source: str, target: Path | str, kind: str, flags: int, options: str = "") -> None:
    """mount(2)."""
    answer = libc.mount(
        os.fsencode(source), os.fsencode(target), kind.encode(), ctypes.c_ulong(flags), options.encode()
    )
    _check(answer, f"mount {target}")


def tree(path: Path | str, *, read_only: bool = False, follow: bool = True, owners: int | None = None) -> int:
    """A descriptor of what is mounted at and below *path*, to be shown elsewhere, in another mount namespace too; of a link itself where it
    is not to *follow*. *owners*: a namespace of users, as which it is to show who owns the files. Linux 5.12 and later."""
    number = libc.syscall(
        ctypes.c_long(_OPEN_TREE),
        ctypes.c_int(-100),
        os.fsencode(path),
        ctypes.c_uint(_OPEN_TREE_CLONE | _AT_RECURSIVE | os.O_CLOEXEC | (0 if follow else _AT_SYMLINK_NOFOLLOW)),
    )
    _check(min(number, 0), f"open_tree {path}")
    attributes = read_only * _MOUNT_ATTR_RDONLY | (owners is not None) * _MOUNT_ATTR_IDMAP
    try:
        if attributes:
            _set_attributes((number, "", _AT_EMPTY_PATH), attributes, owners or 0, f"mount_setattr {path}")
    except OSError:
        os.close(number)
        raise
    return int(number)


def make_read_only(path: Path | str) -> None:
    """mount_setattr(2): nothing can be written any more in what is mounted at and below *path*. Linux 5.12 and later."""
    _set_attributes((-100, os.fspath(path), 0), _MOUNT_ATTR_RDONLY, 0, f"mount_setattr {path}")


def _set_attributes(where: tuple[int, str, int], attributes: int, owners: int, what: str) -> None:
    folder, path, flags = where
    wanted = struct.pack("=QQQQ", attributes, 0, 0, owners)
    answer = libc.syscall(
        ctypes.c_long(_MOUNT_SETATTR),
        ctypes.c_int(folder),
        os.fsencode(path),
        ctypes.c_uint(flags | _AT_RECURSIVE),
        wanted,
        ctypes.c_size_t(len(wanted)),
    )
    _check(answer, what)


def attach(number: int, target: Path | str) -> None:
    """move_mount(2): show the tree *number* at *target*."""
    answer = libc.syscall(
        ctypes.c_long(_MOVE_MOUNT),
        ctypes.c_int(number),
        b"",
        ctypes.c_int(-100),
        os.fsencode(target),
        ctypes.c_uint(_MOVE_MOUNT_F_EMPTY_PATH),
    )
    _check(answer, f"move_mount {target}")


def pivot_root(new: Path, old: Path) -> None:
    """Make *new* the root; what was the root lies at *old*, a folder below *new*."""
    number = _PIVOT_ROOT[os.uname().machine]
    _check(libc.syscall(ctypes.c_long(number), os.fsencode(new), os.fsencode(old)), f"pivot_root {new}")


def unmount(target: Path) -> None:
    """Detach *target* now; it is gone when nothing uses it any more."""
    _check(libc.umount2(os.fsencode(target), _MNT_DETACH), f"umount {target}")


def leave_mounts() -> None:
    """unshare(2): from now on this process has a copy of its mount namespace to itself."""
    _check(libc.unshare(ctypes.c_int(CLONE_NEWNS)), "unshare")


def leave_users() -> None:
    """unshare(2): from now on this process, which has one thread, is in a namespace of users of its own."""
    _check(libc.unshare(ctypes.c_int(CLONE_NEWUSER)), "unshare")


def enter_mounts(namespace: int) -> None:
    """setns(2): go (back) to the mount namespace that the descriptor *namespace* refers to, to its root."""
    _check(libc.setns(ctypes.c_int(namespace), ctypes.c_int(CLONE_NEWNS)), "setns")


def die_with_parent(signal_number: int) -> None:
    """Be sent *signal_number* when the thread that forked this process ends."""
    _check(libc.prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(signal_number), 0, 0, 0), "prctl")


def set_dumpable(*, dumpable: bool) -> None:
    """Let others of this user look into this process' memory and environment, or not."""
    _check(libc.prctl(_PR_SET_DUMPABLE, ctypes.c_ulong(dumpable), 0, 0, 0), "prctl")


def forget_start(title: str) -> None:
    """Blank the command line and the environment that this process was started with, as others see them in ``/proc``: *title* is the former
    now. ``os.environ`` goes too."""
    os.environ.clear()
    fields = Path("/proc/self/stat").read_text(encoding="utf-8", errors="replace").rsplit(")", 1)[1].split()
    for first, text in ((_WORDS, title.encode()), (_ENVIRONMENT, b"")):
        begin, end = int(fields[first]), int(fields[first + 1])
        if begin:
            ctypes.memmove(begin, text.ljust(end - begin, b"\0"), end - begin)


_WORDS, _ENVIRONMENT = 45, 47
"""The places in /proc/self/stat of the first addresses of both, counted after the program's name."""


def _flush() -> None:
    # What is buffered would be written by both processes.
    sys.stdout.flush()
    sys.stderr.flush()


def _check(answer: int, what: str) -> None:
    if answer != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
