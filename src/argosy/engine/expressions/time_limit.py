"""An end to expressions that would not come to one: a loop in a loop, a regular expression that backtracks without end.

Go's regular expressions take linear time; Python's backtrack. The clock is the processor's, so that a busy
machine changes no answer. Only the main thread can be interrupted; the engine evaluates there.
"""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

from argosy.engine.expressions.errors import GivenUp

SECONDS = 2.0
AGAIN = 0.2
"""Seconds for the next part of the expression, where the error is taken for one of a part."""


@contextlib.contextmanager
def limited() -> Iterator[None]:
    """Raise GivenUp in the block once it has used SECONDS of the processor."""
    if threading.current_thread() is not threading.main_thread() or signal.getitimer(signal.ITIMER_VIRTUAL)[0]:
        yield
        return
    before = signal.signal(signal.SIGVTALRM, _give_up)
    signal.setitimer(signal.ITIMER_VIRTUAL, SECONDS, AGAIN)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0.0)
        signal.signal(signal.SIGVTALRM, before)


def _give_up(_number: int, _frame: FrameType | None) -> None:
    raise GivenUp(f"takes more than {SECONDS:g} s of processor time: it has no end, or too much to do")
