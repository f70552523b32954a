"""Rates that hold over the worker processes of one server, in memory that they share; see :mod:`argosy.serving.access.local_rate_limiter`.

The clock is the machine's, which nobody sets and which is the same for all of them. A table has places for far more keys than ask at once;
where it is crowded, the key that has asked least gives way.
"""

import fcntl
import hashlib
import mmap
import os
import struct
import time
from collections.abc import Callable
from pathlib import Path

from argosy.serving.access.local_rate_limiter import rate

ROWS, PLACES = 4_096, 8
"""A key belongs to one row, of whose places it takes one."""
_PLACE = struct.Struct("@16sd")
_ROW = PLACES * _PLACE.size
SIZE = ROWS * _ROW


class HostRateLimiter:
    """The rates of one server, as one of its processes counts them; locks are a process's, so each has one of these."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        """Those in the file *path*, of ``SIZE`` bytes, zeros at first."""
        self._file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        self._page = mmap.mmap(self._file, SIZE)
        self._clock = clock

    def hit_now(self, key: str, rate_text: str) -> float:
        """Count a request of *key*; returns the seconds to wait."""
        return self._decided(key, rate_text, counts=True)

    def spent(self, key: str, rate_text: str) -> float:
        """Seconds until *key* may ask again, without counting; 0 where it may now."""
        return self._decided(key, rate_text, counts=False)

    async def hit(self, key: str, rate_text: str) -> float:
        """See the port."""
        return self.hit_now(key, rate_text)

    async def close(self) -> None:
        """See the port."""
        os.close(self._file)

    def _decided(self, key: str, rate_text: str, *, counts: bool) -> float:
        name = hashlib.blake2b(key.encode(), digest_size=16).digest()
        begin = int.from_bytes(name[:4]) % ROWS * _ROW
        allowed = rate(rate_text)
        # The system lets go of the lock of a process that is killed.
        fcntl.lockf(self._file, fcntl.LOCK_EX, _ROW, begin)
        try:
            now = self._clock()
            at, known = self._place(name, begin)
            empty_at = max(known, now) + allowed.seconds / allowed.requests
            over = empty_at - now - allowed.seconds
            if over > 1e-9 * allowed.seconds:  # sums of steps are not exact
                return float(over)
            if counts:
                _PLACE.pack_into(self._page, at, name, empty_at)
            return 0.0
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN, _ROW, begin)

    def _place(self, name: bytes, begin: int) -> tuple[int, float]:
        """Where *name* has its place in the row that *begins* there, and when its bucket would be empty; a new one takes the emptiest."""
        emptiest, least = begin, float("inf")
        for at in range(begin, begin + _ROW, _PLACE.size):
            found, empty_at = _PLACE.unpack_from(self._page, at)
            if found == name:
                return at, empty_at
            if empty_at < least:
                emptiest, least = at, empty_at
        return emptiest, 0.0
