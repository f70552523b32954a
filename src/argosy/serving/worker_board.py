"""What the worker processes of one server know of each other: a folder that dies with it, with a page of memory that all of them see.

Each worker writes its own slot, the supervisor the rest. Numbers are whole machine words, so that nobody reads half of one.
"""

import contextlib
import mmap
import os
import struct
import time
from pathlib import Path

from argosy.serving import exposition
from argosy.serving.lifecycle import STALLED_SECONDS, Lifecycle

STARTING, READY = 0, 1
_WORD = struct.Struct("@q")
_TIME = struct.Struct("@d")
_DRAINING, _ONCE_READY, _HEAD = 0, 8, 16
_PID, _STATE, _TURNED, _CONNECTIONS, _SLOT = 0, 8, 16, 24, 32


class WorkerBoard:
    """The board of one server of several workers."""

    def __init__(self, folder: Path, workers: int, *, new: bool = False) -> None:
        """That in *folder*; a *new* one begins with nobody there."""
        self.folder = folder
        self.workers = workers
        path = folder / "board"
        size = _HEAD + workers * _SLOT
        if new:
            path.write_bytes(bytes(size))
        with path.open("r+b") as stream:
            self._page = mmap.mmap(stream.fileno(), size)

    @property
    def draining(self) -> bool:
        """True once the server was told to stop."""
        return bool(self._word(_DRAINING))

    def drain(self) -> None:
        """The server was told to stop."""
        _WORD.pack_into(self._page, _DRAINING, 1)

    @property
    def ready(self) -> bool:
        """True where callers should come: once all workers have been ready, as long as one is; a worker that died takes nobody away."""
        states = [self._word(self._at(number) + _STATE) for number in range(self.workers)]
        if all(state == READY for state in states):
            _WORD.pack_into(self._page, _ONCE_READY, 1)
        return bool(self._word(_ONCE_READY)) and READY in states and not self.draining

    @property
    def once_ready(self) -> bool:
        """True where all workers have been ready at one time."""
        return bool(self._word(_ONCE_READY))

    def begins(self, number: int, pid: int) -> None:
        """The process *pid* starts as worker *number*; 0: nobody is it any more."""
        at = self._at(number)
        _WORD.pack_into(self._page, at + _STATE, STARTING)
        _TIME.pack_into(self._page, at + _TURNED, time.monotonic())
        _WORD.pack_into(self._page, at + _CONNECTIONS, 0)
        _WORD.pack_into(self._page, at + _PID, pid)

    def is_ready(self, number: int) -> bool:
        """True where worker *number* answers."""
        return self._word(self._at(number) + _STATE) == READY

    def answers(self, number: int) -> None:
        """Worker *number* answers from now on."""
        _WORD.pack_into(self._page, self._at(number) + _STATE, READY)

    def turn(self, number: int) -> None:
        """The event loop of worker *number* turns."""
        _TIME.pack_into(self._page, self._at(number) + _TURNED, time.monotonic())

    def has_connections(self, number: int, count: int) -> None:
        """Callers have *count* connections to worker *number*."""
        _WORD.pack_into(self._page, self._at(number) + _CONNECTIONS, count)

    def fewest_connections(self) -> int:
        """Of the worker, among those that answer, that has the fewest."""
        counts = (self._word(self._at(n) + _CONNECTIONS) for n in range(self.workers) if self.is_ready(n))
        return min(counts, default=0)

    def stalled(self, number: int) -> bool:
        """True where the event loop of worker *number*, which was ready, has stood still for long. The clock is the machine's."""
        if not self.is_ready(number):
            return False
        (turned,) = _TIME.unpack_from(self._page, self._at(number) + _TURNED)
        return bool(time.monotonic() - turned > STALLED_SECONDS)

    def publish(self, pid: int, content: bytes) -> None:
        """The metrics of the process *pid* are *content* by now."""
        partial = self.folder / f".{pid}.json"
        partial.write_bytes(content)
        partial.replace(self.folder / f"metrics-{pid}.json")

    def snapshot(self) -> exposition.Snapshot:
        """The metrics of all workers, and the counters of those that ended."""
        alive = {self._word(self._at(number) + _PID) for number in range(self.workers)}
        found: exposition.Snapshot = {}
        for path in sorted(self.folder.glob("metrics-*.json")):
            with contextlib.suppress(FileNotFoundError):
                gone = int(path.stem.removeprefix("metrics-")) not in alive
                exposition.added(found, exposition.read(path.read_bytes()), growing_only=gone)
        return found

    def _at(self, number: int) -> int:
        return _HEAD + number * _SLOT

    def _word(self, at: int) -> int:
        return int(_WORD.unpack_from(self._page, at)[0])


class WorkerLifecycle(Lifecycle):
    """The lifecycle of one worker: it is ready where the server is."""

    def __init__(self, board: WorkerBoard, number: int) -> None:
        super().__init__()
        self._board = board
        self._number = number

    @property
    def ready(self) -> bool:
        """See the base."""
        return not self.draining and self._board.ready

    def turn(self) -> None:
        """See the base."""
        super().turn()
        self._board.turn(self._number)


class ConnectionShare:
    """The connections of one worker beside those of the others; see :class:`argosy.serving.listeners.SharesConnections`."""

    def __init__(self, board: WorkerBoard, number: int) -> None:
        self._board = board
        self._number = number

    def tell(self, count: int) -> None:
        """See the protocol."""
        self._board.has_connections(self._number, count)

    def fewest(self) -> int:
        """See the protocol."""
        return self._board.fewest_connections()

    @property
    def ending(self) -> bool:
        """See the protocol."""
        return self._board.draining


class BoardLifecycle(Lifecycle):
    """The lifecycle of the whole server, as its supervisor answers for it. Workers that hang it puts others in place of."""

    def __init__(self, board: WorkerBoard) -> None:
        super().__init__()
        self._board = board

    @property
    def ready(self) -> bool:
        """See the base."""
        return self._board.ready


class BoardMetrics:
    """The metrics of a whole server, as one process that knows its board is asked for them."""

    def __init__(self, board: WorkerBoard, own: "exposition.Snapshots | None" = None) -> None:
        """*own*: those of the process, which are fresher than what it published."""
        self._board = board
        self._own = own

    def publish(self) -> None:
        """Tell the others what this process counted."""
        if self._own is not None:
            self._board.publish(os.getpid(), exposition.written(self._own.snapshot()))

    def text(self) -> bytes:
        """All of them, as Prometheus scrapes them. Those of other processes are two seconds old at most."""
        self.publish()
        return exposition.text(self._board.snapshot())
