"""Says when a server is past saturation, so that it refuses some requests at once instead of keeping all of them waiting.

An event loop reads, in one turn, whatever has arrived since the last one, and answers it. Past saturation its turns grow until each holds a
request of every connection. So it is known how much work a request waited for: all that its turn did before. Where that is more than the
budget, for longer than a burst lasts, those that would wait for more are refused.

Who is let in then? What was read first has waited for longest: for as long as the whole turn before it, most of which went into saying no.
So where turns hold too much, what comes is left unread until all has come, and is taken up the newest first, as Facebook's adaptive LIFO
has it beside a controlled delay (Maurer, "Fail at Scale", ACM Queue 13(8), 2015): whoever is let in has waited for next to nothing, and
whoever would have waited too long is told so.

Work is measured as CPU time of the loop's thread: a pod whose quota is used up, or that has neighbours, stands still in the middle of a
turn, and refusing the few who are there would help nobody.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterator

BURST_SECONDS = 0.03
"""Turns on end may hold too much for this long: a burst. It is what those wait for who come first when a server is asked too much, so it is
no longer than what is borne then."""
FIRST_SECONDS = 0.1
"""The first of them may by itself: it may be a large request or a collection of garbage, which is over with it, and no queue."""
CALM_SECONDS = 1.0
"""Once some were refused, turns may hold too much for so long again only behind as many seconds in which none did. Refusing makes turns
short: who took the first short one for the end would let everybody in, and keep all waiting, every tenth of a second."""

TOO_LATE = "more requests come than can be answered in time; try again"
"""What those are told that are refused."""


class Overload:
    """The turns of one event loop, each begun by the first request in it."""

    def __init__(
        self, budget: float, clock: Callable[[], float] = time.thread_time, wall: Callable[[], float] = time.monotonic
    ) -> None:
        """*budget*: seconds of work that a request may wait for. *clock* measures work, *wall* the time that passes."""
        self._budget = budget
        self._clock = clock
        self._wall = wall
        self._began: float | None = None
        self._late_since: float | None = None
        self._shedding = False
        self._last_late = 0.0

    def arrived(self) -> bool:
        """A request was read. True where it is the first of a turn, whose end :meth:`over` has to be told."""
        if self._began is not None:
            return False
        self._began = self._clock()
        return True

    def over(self) -> None:
        """The turn is over: all that was read in it is answered."""
        if self._began is None:
            return
        if self._clock() - self._began > self._budget:
            self._last_late = self._wall()
            if self._late_since is None:
                self._late_since = self._began
        elif not self._shedding or self._wall() - self._last_late > CALM_SECONDS:
            self._late_since, self._shedding = None, False
        self._began = None

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """What is done meanwhile, on the event loop, is no request's work: nobody is refused for it."""
        began = self._clock()
        try:
            yield
        finally:
            took = self._clock() - began
            if self._began is not None:
                self._began += took
            if self._late_since is not None:
                self._late_since += took

    @property
    def late(self) -> bool:
        """True where the turn before this one held too much."""
        return self._late_since is not None

    def sheds(self) -> bool:
        """True where a request that is taken up now has waited for too long, and a burst is over."""
        if self._began is None:
            return False
        now = self._clock()
        since, most = (self._began, FIRST_SECONDS) if self._late_since is None else (self._late_since, BURST_SECONDS)
        if now - self._began <= self._budget or now - since <= most:
            return False
        self._shedding = True
        return True


class LoopTurn:
    """A queue's part in the turns of an event loop: it is emptied once all is read, and once more for what was read meanwhile."""

    def __init__(self, overload: Overload, flush: Callable[[], None]) -> None:
        """*flush* answers what waits."""
        self._overload = overload
        self._flush = flush
        self._due = self._begun = False
        self._held: list[Callable[[], None]] = []

    def arrived(self, loop: asyncio.AbstractEventLoop) -> None:
        """A request was read on *loop*."""
        # The turn may have been begun on the common road, or by another queue, which says when it is over.
        self._begun = self._overload.arrived() or self._begun
        if not self._due:
            self._due = True
            loop.call_soon(self._end, loop)

    def hold(self, loop: asyncio.AbstractEventLoop, take_up: Callable[[], None]) -> None:
        """Something came on *loop* that is left as it is until all has come, and *take_up* is called: of the newest first."""
        self.arrived(loop)
        self._held.append(take_up)

    def _end(self, loop: asyncio.AbstractEventLoop) -> None:
        """All is read."""
        self._empty()
        # Those that were left to the common road have their turn first: it is a part of this one.
        loop.call_soon(self._over)

    def _over(self) -> None:
        self._empty()  # what was read since then belongs to this turn
        if self._begun:
            self._overload.over()
        self._due = self._begun = False

    def _empty(self) -> None:
        while self._held:
            self._held.pop()()
        self._flush()
