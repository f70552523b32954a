"""Threads that do what can wait, beside one that answers."""

import contextlib
import os
import sys
import threading

NICE = 10
"""Niceness of such a thread, at least."""


def step_back() -> None:
    """Let this thread take what time others leave: answers come first. On Linux, and where the system lets it."""
    if sys.platform != "linux":  # elsewhere the number names a process
        return
    thread = threading.get_native_id()
    with contextlib.suppress(OSError):  # a sandbox may forbid it: what is done here matters more
        if os.getpriority(os.PRIO_PROCESS, thread) < NICE:  # who was started with more may not take less
            os.setpriority(os.PRIO_PROCESS, thread, NICE)
