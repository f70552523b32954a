"""A step that looks for what it was not given, by every way its author could think of. It prints a line for each that leads somewhere.

``python looking.py CANARY PLACE...``: *CANARY* is what all that was planted holds, with its first letter left out so that the step does not
find itself; each *PLACE* is a path, or ``@`` and the name of an abstract socket.
"""

import contextlib
import ctypes
import os
import re
import socket
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

NEEDLE = f"C{sys.argv[1]}".encode()
PLACES = sys.argv[2:]
LIBC = ctypes.CDLL(None, use_errno=True)
KEYCTL = {"x86_64": 250, "aarch64": 219}[os.uname().machine]
SYSTEM = ("/usr", "/sys", "/proc", "/nix", "/opt")


def found(way: str, content: bytes) -> None:
    """Say so where *content*, which *way* leads to, holds what was planted."""
    if NEEDLE in content:
        print(f"found by {way}")


def processes() -> None:
    """Environments, command lines, open files, folders and memory of whatever is in /proc."""
    for entry in os.scandir("/proc"):
        own = entry.name == str(os.getpid())
        if not entry.name.isdigit():
            continue
        for name in () if own else ("environ", "cmdline"):
            with contextlib.suppress(OSError):
                found(f"/proc/<pid>/{name}", Path(entry.path, name).read_bytes())
        for name in () if own else ("cwd/", "root/", *(f"fd/{number}" for number in range(20))):
            with contextlib.suppress(OSError):
                os.stat(f"{entry.path}/{name}")
                print(f"found by /proc/<pid>/{name}")
        memory(entry.path)


def memory(process: str) -> None:
    """What a process has in memory, this one too: it may be a fork of one that knew more."""
    with contextlib.suppress(OSError), open(f"{process}/mem", "rb", buffering=0) as content:
        for line in Path(process, "maps").read_text("utf-8").splitlines():
            match = re.match(r"([0-9a-f]+)-([0-9a-f]+) rw", line)
            if match and "[v" not in line:
                with contextlib.suppress(OSError, ValueError, OverflowError):
                    begin, end = int(match[1], 16), int(match[2], 16)
                    content.seek(begin)
                    held = content.read(min(end - begin, 1 << 28))
                    # Its own search leaves copies of the needle; what was planted goes on after it.
                    if re.search(re.escape(NEEDLE) + rb"-[a-z]+-planted", held):
                        print("found by memory")


def files() -> None:
    """Whatever can be read below / and outside of the system's own folders, then the places by name."""
    for folder, folders, names in os.walk("/"):
        inner = [name for name in folders if os.path.join(folder, name) not in SYSTEM]
        folders[:] = [name for name in inner if not os.path.ismount(os.path.join(folder, name)) or folder != "/"]
        if "site-packages" in folder or "/lib/python" in folder:
            folders[:] = []
        for name in names:
            read(os.path.join(folder, name), "walking")
    for path in PLACES:
        if not path.startswith("@"):
            read(path, f"its path {Path(path).name}")


def read(path: str, way: str) -> None:
    with contextlib.suppress(OSError):
        kind = os.stat(path).st_mode
        if stat.S_ISSOCK(kind):
            connect(path, way)
        elif stat.S_ISREG(kind) and "main.log" not in path:
            found(way, Path(path).read_bytes()[: 1 << 22])


def connect(address: str, way: str) -> None:
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(5)
        asking.connect(address)
        found(way, asking.recv(100))


def keyrings() -> None:
    """Keys of the session, the user and the user's session, linked to a keyring of this process first."""
    LIBC.syscall(KEYCTL, 0, -2, 1)
    for ring in (-3, -4, -5):
        LIBC.syscall(KEYCTL, 8, ring, -2)
        key = LIBC.syscall(KEYCTL, 10, ring, b"user", b"argosy-canary", 0)
        held = ctypes.create_string_buffer(200)
        if key > 0 and LIBC.syscall(KEYCTL, 11, key, held, 200) > 0:
            found("keyring", held.raw)


def shared_memory() -> None:
    """Segments of System V."""
    LIBC.shmat.restype = ctypes.c_void_p
    for line in Path("/proc/sysvipc/shm").read_text("utf-8").splitlines()[1:]:
        address = LIBC.shmat(int(line.split()[1]), None, 0o10000)
        if address not in (None, ctypes.c_void_p(-1).value):
            found("shared memory", ctypes.string_at(address, 100))


def inherited() -> None:
    """Files that were left open."""
    for number in range(3, 1024):
        with contextlib.suppress(OSError):
            where = os.readlink(f"/proc/self/fd/{number}")
            print(f"found by descriptor {where}")


def rights() -> Iterator[str]:
    """What only root may do, and what leads out of any view."""
    with contextlib.suppress(OSError):
        os.mknod("/tmp/disk", stat.S_IFBLK | 0o600, os.stat("/usr").st_dev)
        os.close(os.open("/tmp/disk", os.O_RDONLY))
        yield "mknod"
    os.mkdir("/tmp/mounted")
    if LIBC.mount(b"proc", b"/tmp/mounted", b"proc", 0, None) == 0:
        yield "mount"
    with contextlib.suppress(OSError):
        os.close(os.open("/proc/1/ns/mnt", os.O_RDONLY))
        yield "the namespace of the cell"
    for path in ("/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/usr/planted", sys.prefix + "/planted"):
        if os.path.exists(path) or not path.startswith("/proc"):
            with contextlib.suppress(OSError):
                os.close(os.open(path, os.O_WRONLY | os.O_CREAT))
                if os.path.realpath(path) != "/dev/null" and not os.path.samefile(path, "/dev/null"):
                    yield f"writing {path}"
    if LIBC.ptrace(16, 1, 0, 0) == 0:
        yield "ptrace"
    for path in ("/etc/shadow", "/etc/gshadow") if os.geteuid() == 0 else ():
        with contextlib.suppress(OSError):
            if Path(path).read_bytes():
                yield path


def main() -> None:
    """Look everywhere."""
    inherited()
    found("environment", repr(dict(os.environ)).encode())
    processes()
    files()
    for place in PLACES:
        if place.startswith("@"):
            connect(f"\0{place[1:]}", "abstract socket")
    keyrings()
    shared_memory()
    for way in rights():
        print(f"found a right: {way}")
    print("looked everywhere")


main()
