"""Who accounts are in a namespace of users: oneself, or nobody.

In a mount that shows the owners of its files as a namespace of users has them, a file whose owner the namespace does not know is nobody's:
root's rights over it are those of everybody, and it is the kernel that looks, at each access.
"""

import os
import socket
from pathlib import Path

from argosy.engine.processes import linux

NO_FILES = 2**32 - 3
"""An account that owns no file: a namespace that mounts are to show must know one."""


def map_user(user: int, group: int, *, as_user: int | None = None, as_group: int | None = None) -> None:
    """In a new namespace of users: stay who one was outside, or be the two accounts that are named."""
    Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
    Path("/proc/self/uid_map").write_text(f"{user if as_user is None else as_user} {user} 1", encoding="ascii")
    Path("/proc/self/gid_map").write_text(f"{group if as_group is None else as_group} {group} 1", encoding="ascii")


def nobody() -> int | None:
    """A descriptor of a namespace that knows no owner of a file; None where the kernel gives none."""
    ours, theirs = socket.socketpair()
    child = os.fork()  # only a process with one thread can take such a namespace, whatever this one has
    if child == 0:
        try:
            _send_nobody(theirs)
        finally:
            os._exit(0)
    with ours, theirs:
        theirs.close()
        _, files, _, _ = socket.recv_fds(ours, 1, 1)
    os.waitpid(child, 0)
    if not files:
        return None
    os.set_inheritable(files[0], False)  # Python 3.11 drops the flag that would have asked for this
    return files[0]


def _send_nobody(theirs: socket.socket) -> None:
    user, group = os.geteuid(), os.getegid()
    linux.leave_users()
    map_user(user, group, as_user=NO_FILES, as_group=NO_FILES)
    with open("/proc/self/ns/user", "rb") as namespace:  # noqa: PTH123 - a descriptor is wanted
        socket.send_fds(theirs, [b"."], [namespace.fileno()])
