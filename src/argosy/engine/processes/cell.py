"""A cell: namespaces of its own in which a fork server runs one step's process after another.

A new process namespace, with a root put together in it, costs several times what a step that does little costs by itself. So the first
process of the namespaces, their init, stays: for each step it takes a copy of a mount namespace, shows the step its files there, starts
its program, and when that has ended kills whatever the step left running. What could outlive a step is looked for after each; a cell in
which something is found is not used again.

What is said over the channel: the server sends a length and a JSON object, which is a step, with the descriptors of its output, its errors
and its words, or a signal for a step by its key. The cell answers ``s<wait status>``, or ``f<reason>`` where the program could not be
started at all, then ``r`` once it is ready for another step; each ends a line. It ends with the channel, or with the server.
"""

import array
import contextlib
import fcntl
import json
import os
import select
import signal
import socket
import struct
from collections.abc import Mapping
from typing import Any, NoReturn

from argosy.engine.processes import accounts, child, linux, rights, view
from argosy.engine.processes.child import Job
from argosy.engine.processes.isolation import FLAGS, Way

CHANNEL = 3
"""The descriptor of a cell's end of the channel."""
NOBODY = 4
"""The descriptor of the namespace in which nobody owns a file, if there is one."""

LENGTH = struct.Struct("!Q")
FILES = 3
"""Descriptors that come with a step."""
REAPING = 1000
"""Milliseconds between two looks for orphans of the step that have ended."""


class Cell:
    """The server's end of one cell, which is started with it. *pid* is its process' number, and its group's."""

    def __init__(self, way: Way, nobody: int | None) -> None:
        # Asked before the fork: in a new user namespace everybody is nobody until the numbers are mapped.
        server, user, group = os.getpid(), os.geteuid(), os.getegid()
        self.channel, theirs = socket.socketpair()
        self.silent = False
        """True where the cell has closed its end, as it does when it ends."""
        self.last_said = ""
        """The end of its step, where nobody was told yet."""
        self._said = b""
        self.pid = linux.fork_into(FLAGS[way])
        if self.pid == 0:
            _become_init(theirs.fileno(), nobody, server, (user, group) if way == "user" else None)
        theirs.close()

    def run(self, job: Mapping[str, object], output: int, errors: int, words: int) -> None:
        """Have the step *job* started with *words*, and its standard output and error going to the two descriptors. Raises OSError."""
        message = json.dumps(job).encode()
        socket.send_fds(self.channel, [LENGTH.pack(len(message))], [output, errors, words])
        self.channel.sendall(message)

    def signal(self, key: int, number: int) -> None:
        """Send the step *key* a signal; SIGKILL ends the cell with it."""
        if number == signal.SIGKILL:
            os.kill(self.pid, number)
            return
        message = json.dumps({"signal": number, "key": key}).encode()
        with contextlib.suppress(BrokenPipeError):
            self.channel.sendall(LENGTH.pack(len(message)) + message)

    def heard(self) -> list[str]:
        """Its words by now."""
        chunk = b""
        with contextlib.suppress(BlockingIOError, ConnectionResetError):
            chunk = self.channel.recv(child.REPORT_SIZE, socket.MSG_DONTWAIT)
            self.silent = not chunk
        *lines, self._said = (self._said + chunk).split(b"\n")
        return [line.decode(errors="replace") for line in lines]


def _become_init(channel: int, nobody: int | None, server: int, user: tuple[int, int] | None) -> NoReturn:
    """Be the first process of a cell, to its end."""
    try:
        signal.set_wakeup_fd(-1)
        kept = _keep_only(channel, nobody)
        child.end_with(server)
        os.setsid()
        if user:
            accounts.map_user(*user)
        init = _Init(socket.socket(fileno=CHANNEL), kept)
        while init.run_next():
            pass
    except BaseException as error:  # noqa: BLE001 - whatever it is, no copy of the server may go on
        os.write(CHANNEL, _line(f"f{error}"))
    os._exit(0)


class _Init:
    """The first process of a cell."""

    def __init__(self, channel: socket.socket, nobody: int | None) -> None:
        self.channel = channel
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self.root = view.Root(nobody)
        rights.restrict_cell()

    def run_next(self) -> bool:
        """Run the next step; whether there may be one more."""
        message, files = _receive(self.channel)
        if "signal" in message:  # for a step that has ended
            return True
        self.root = self.root.renewed()
        shown, job = view.View(self.root), child.job_of(message)
        outcome = _line(self._outcome(job, files, shown))
        if not job.shares_scratch:  # removing a place ends what is mounted there in every view
            shown.clear_scratch()
        self.channel.sendall(outcome)
        if job.alone or not shown.forget():
            return False
        self.channel.sendall(_line("r"))
        return True

    def _outcome(self, job: Job, files: list[int], shown: view.View) -> str:
        try:
            shown.show(job.binds, job.scratch, job.given)
            os.chdir(job.cwd)  # which may be a path of the view alone
            program = _start(job, files)
        except OSError as error:
            return f"f{error}"
        finally:
            for number in files:
                os.close(number)
        return f"s{self._ended(job.key, program) if program else child.NOT_STARTED << 8}"

    def _ended(self, key: int, program: int) -> int:
        """The wait status of *program*, once all that it left running is gone too."""
        poll = select.poll()
        poll.register(self.channel, select.POLLIN)
        handle = os.pidfd_open(program)
        poll.register(handle, select.POLLIN)
        while (status := _reap(program)) is None:
            if any(number != handle for number, _ in poll.poll(REAPING)):
                self._pass_on(key, program)
        os.close(handle)
        with contextlib.suppress(ProcessLookupError):
            os.kill(-1, signal.SIGKILL)  # everything in this namespace but its init
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, 0):
                pass
        return status

    def _pass_on(self, key: int, program: int) -> None:
        message, _ = _receive(self.channel)
        if message["key"] == key:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(program, message["signal"])


def _start(job: Job, files: list[int]) -> int:
    """Start the program of *job*; its number, or 0 where there is no such program and the step was told so."""
    if not job.here:
        return child.spawn(*files)
    pid = os.fork()
    if pid == 0:
        child.become(job, *files)
    return pid


def _reap(program: int) -> int | None:
    """The wait status of *program*, where it has ended; orphans are buried on the way."""
    while (ended := os.waitpid(-1, os.WNOHANG))[0]:
        if ended[0] == program:
            return ended[1]
    return None


def _keep_only(channel: int, nobody: int | None) -> int | None:
    """Of the server's descriptors keep its standard ones, *channel* and *nobody*; the last one's new number."""
    moved = [fcntl.fcntl(number, fcntl.F_DUPFD, NOBODY + 1) for number in (channel, nobody) if number is not None]
    for place, number in enumerate(moved, CHANNEL):
        os.dup2(number, place, inheritable=False)
    os.closerange(CHANNEL + len(moved), max(moved) + child.SPARE_FILES)
    return None if nobody is None else NOBODY


def _receive(channel: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """The next message and the descriptors that come with it. The process ends where the channel has."""
    files = array.array("i")
    head, ancillary, _, _ = channel.recvmsg(
        LENGTH.size, socket.CMSG_SPACE(FILES * files.itemsize), socket.MSG_CMSG_CLOEXEC
    )
    for _, _, data in ancillary:
        files.frombytes(data)
    head += _exactly(channel, LENGTH.size - len(head))
    message: dict[str, Any] = json.loads(_exactly(channel, LENGTH.unpack(head)[0]))
    return message, list(files)


def _exactly(channel: socket.socket, count: int) -> bytes:
    parts = bytearray()
    while len(parts) < count:
        part = channel.recv(count - len(parts))
        if not part:
            os._exit(0)
        parts += part
    return bytes(parts)


def _line(text: str) -> bytes:
    return text.replace("\n", " ").encode()[: child.REPORT_SIZE] + b"\n"
