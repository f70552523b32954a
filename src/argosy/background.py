"""Threads that do what can wait, beside one that answers: they give way often, and are never niced.

One of them at a time has the interpreter's lock. Whoever waits for it gets it when the other lets go, and asks for it only after five
milliseconds (``sys.getswitchinterval``); so a thread that lets go after each small piece of its work costs an answer that piece. A lower
priority would do the opposite: a niced thread that has the lock while the machine has other work makes everybody in its process wait
until the kernel lets it run again.
"""

import threading
import time

PIECE_SECONDS = 0.0002
"""Time for which such a thread may keep the lock. A pause is a sleep, since who only lets go is back too soon: some 15 µs of CPU, and over
after 65, as Linux lets timers be late by 50."""


class _LastPause(threading.local):
    at = 0.0


_last = _LastPause()


def give_way() -> None:
    """Let other threads go on that wait for the interpreter's lock, if this one has worked for long enough; to be called often."""
    if time.perf_counter() - _last.at >= PIECE_SECONDS:
        time.sleep(0)
        _last.at = time.perf_counter()
