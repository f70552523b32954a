"""The rights of a step's process before the kernel: less than the cell that starts it, and nothing that leads out of its view.

A view hides files; a process with the rights of root could still read the disk below them, one with the session's keyring the keys in it,
one that knows the abstract name of a socket talk to the desktop's bus. All of it is taken away once for each cell, so that its steps never
have it; what the cell itself still needs it keeps for itself, and no step may look into it.
"""

import contextlib
import ctypes
import errno
import os
import struct

from argosy.engine.processes import linux

# Of what a container engine leaves to root by default, what has to do with a step's own files and processes.
_CHOWN, _DAC_OVERRIDE, _FOWNER, _FSETID, _KILL, _SETGID, _SETUID, _NET_BIND_SERVICE = 0, 1, 3, 4, 5, 6, 7, 10
KEPT = (_CHOWN, _DAC_OVERRIDE, _FOWNER, _FSETID, _KILL, _SETGID, _SETUID, _NET_BIND_SERVICE)
_KEPT_MASK = sum(1 << number for number in KEPT)

_PR_CAPBSET_DROP = 24
_PR_SET_NO_NEW_PRIVS = 38
_CAPABILITIES = 64
_CAPABILITY_VERSION_3 = 0x20080522

_SECCOMP = {"x86_64": 317, "aarch64": 277}
_SET_MODE_FILTER, _SPEC_ALLOW = 1, 4
"""Without the second flag, older kernels slow every program down."""
_AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_ADD_KEY = {"x86_64": 248, "aarch64": 217}
"""The calls request_key and keyctl follow it, in every table of calls."""
_ADD_KEY_32 = {"x86_64": 286, "aarch64": 309}
"""In the table that 32-bit programs use."""
_X32 = 0x40000000
_LOAD, _EQUAL, _AT_LEAST, _AND, _RETURN = 0x20, 0x15, 0x35, 0x54, 0x06
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | errno.ENOSYS

_LANDLOCK_CREATE, _LANDLOCK_RESTRICT = 444, 446
_LANDLOCK_VERSION = 1
_SCOPES_SINCE = 6
_SCOPE_ABSTRACT_SOCKETS = 1


def restrict_cell() -> None:
    """Take from this process, for all that it starts, what no step needs. It can mount as before."""
    linux.set_dumpable(dumpable=False)
    _check(linux.libc.prctl(_PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), 0, 0, 0))
    for number in range(_CAPABILITIES):
        if number not in KEPT and linux.libc.prctl(_PR_CAPBSET_DROP, ctypes.c_ulong(number), 0, 0, 0):
            break  # the kernel knows no more of them
    _refuse_keyrings()
    _scope_sockets()


def restrict_fork() -> None:
    """In a fork of the cell that becomes a step without executing a program: drop what executing one would have dropped."""
    mask = _KEPT_MASK if os.geteuid() == 0 else 0
    header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
    data = ctypes.create_string_buffer(24)
    _check(linux.libc.capget(header, data))
    permitted = struct.unpack("=6I", data.raw)[1] & mask  # all that is kept is among the first 32
    _check(linux.libc.capset(header, struct.pack("=6I", permitted, permitted, 0, 0, 0, 0)))
    linux.set_dumpable(dumpable=True)


def _refuse_keyrings() -> None:
    """The keyrings of the user, and of the session this process was started in, are as if the kernel had none."""
    machine = os.uname().machine
    program = [
        (_LOAD, 0, 0, 4),  # which table of calls
        (_EQUAL, 1, 0, _AUDIT[machine]),
        (_EQUAL, 4, 4, 0),  # another one: on to its numbers
        (_LOAD, 0, 0, 0),
        (_AND, 0, 0, ~_X32 & 0xFFFFFFFF),
        (_AT_LEAST, 0, 5, _ADD_KEY[machine]),
        (_AT_LEAST, 4, 3, _ADD_KEY[machine] + 3),
        (_LOAD, 0, 0, 0),
        (_AT_LEAST, 0, 2, _ADD_KEY_32[machine]),
        (_AT_LEAST, 1, 0, _ADD_KEY_32[machine] + 3),
        (_RETURN, 0, 0, _REFUSE),
        (_RETURN, 0, 0, _ALLOW),
    ]
    code = b"".join(struct.pack("=HBBI", *instruction) for instruction in program)
    held = ctypes.create_string_buffer(code, len(code))
    filters = struct.pack("@HP", len(program), ctypes.addressof(held))
    # A kernel without filters has its keyrings still; that is no reason to run nothing.
    with contextlib.suppress(OSError):
        _check(linux.libc.syscall(ctypes.c_long(_SECCOMP[machine]), _SET_MODE_FILTER, _SPEC_ALLOW, filters))


def _scope_sockets() -> None:
    """Sockets with abstract names are reached only where a step of this cell made them. Linux 6.12 and later."""
    version = linux.libc.syscall(
        ctypes.c_long(_LANDLOCK_CREATE), None, ctypes.c_size_t(0), ctypes.c_uint(_LANDLOCK_VERSION)
    )
    if version < _SCOPES_SINCE:
        return
    attributes = struct.pack("=QQQ", 0, 0, _SCOPE_ABSTRACT_SOCKETS)
    rules = linux.libc.syscall(
        ctypes.c_long(_LANDLOCK_CREATE), attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint(0)
    )
    _check(min(rules, 0))
    try:
        _check(linux.libc.syscall(ctypes.c_long(_LANDLOCK_RESTRICT), ctypes.c_int(rules), ctypes.c_uint(0)))
    finally:
        os.close(rules)


def _check(answer: int) -> None:
    if answer != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"giving up rights: {os.strerror(number)}")
