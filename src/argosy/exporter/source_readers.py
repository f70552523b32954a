"""Reads each source again and again, from a thread of its own, and keeps what it last said.

One source that fails or hangs takes nothing of the others away, and hides nothing: its last values stay, and beside them stands how old
they are and that it fails.
"""

import contextlib
import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from argosy import errors
from argosy.exporter import samples, series
from argosy.exporter.samples import Reading, Sample
from argosy.exporter.series import Source

log = logging.getLogger(__name__)
STOP_SECONDS = 5.0
EXPECTED = (errors.TryAgain.__name__, errors.Misconfigured.__name__)
"""Failures that stand at 0 from the start: to Prometheus what first appears with a number has not grown by it."""


@dataclass
class ReadSource:
    """One source, and what it said last. *read* is called by one thread; anybody may ask for the samples."""

    name: Source
    read: Callable[[], Reading]
    clock: Callable[[], float] = time.time
    _last: Reading = field(default_factory=Reading, init=False)
    _read_at: float | None = field(default=None, init=False)
    _seconds: float | None = field(default=None, init=False)
    _said: str = field(default="", init=False)
    """The failure and problems that were last written to the log; each is written once, and again when it changes."""
    _up: bool = field(default=False, init=False)
    _failures: Counter[str] = field(default_factory=lambda: Counter(dict.fromkeys(EXPECTED, 0)), init=False)

    def refresh(self) -> bool:
        """Read once; True where that succeeded. Never raises: what went wrong is counted, logged and shown."""
        began = time.monotonic()
        try:
            found = self.read()
        except errors.ArgosyError as error:
            self._failed(type(error).__name__, str(error))
        except Exception as error:  # noqa: BLE001 - a bug: this source stands still, for all to see, and the others go on
            self._failed(type(error).__name__, repr(error), bug=True)
        else:
            self._last, self._read_at, self._up = found, self.clock(), True
            self._say("; ".join(found.problems))
        self._seconds = time.monotonic() - began
        return self._up

    def _failed(self, kind: str, text: str, *, bug: bool = False) -> None:
        self._up = False
        self._failures[kind] += 1
        self._say(text, bug=bug)

    def _say(self, text: str, *, bug: bool = False) -> None:
        if text and text != self._said:
            log.warning("%s: %s", self.name, text, exc_info=bug)
        self._said = text

    def shown(self) -> Iterator[Sample]:
        """The samples of the last reading, and those about the source itself; the latter only once it was tried."""
        if self._seconds is None:
            return
        last = self._last
        yield from last.samples
        yield samples.of(series.SOURCE_UP, self._up, source=self.name)
        yield samples.of(series.SOURCE_SECONDS, self._seconds, source=self.name)
        yield samples.of(series.SOURCE_PROBLEMS, len(last.problems), source=self.name)
        if self._read_at is not None:
            yield samples.of(series.SOURCE_READ, self._read_at, source=self.name)
        for kind, count in list(self._failures.items()):
            yield samples.of(series.SOURCE_FAILURES, count, source=self.name, error=kind)


@dataclass
class ReadSources:
    """All sources of one exporter."""

    each: Sequence[ReadSource]
    tried: threading.Event = field(default_factory=threading.Event)
    """Set once every source was read, or has failed, once."""

    def shown(self) -> Iterator[Sample]:
        """The samples of all."""
        for source in self.each:
            yield from source.shown()

    @contextlib.contextmanager
    def reading(self, seconds: Callable[[Source], float]) -> Iterator[None]:
        """Read each source at once, and again after its *seconds*, while the block runs."""
        stop = threading.Event()
        left = threading.Semaphore(0)

        def follow(source: ReadSource) -> None:
            source.refresh()
            left.release()
            while not stop.wait(seconds(source.name)):
                source.refresh()

        def wait() -> None:
            for _ in self.each:
                left.acquire()
            self.tried.set()

        # Daemons: one that hangs in a library must not keep the process from ending.
        threads = [
            threading.Thread(target=follow, args=(source,), name=source.name, daemon=True) for source in self.each
        ]
        for thread in [*threads, threading.Thread(target=wait, name="first readings", daemon=True)]:
            thread.start()
        try:
            yield
        finally:
            stop.set()
            for thread in threads:
                thread.join(STOP_SECONDS)
