"""The stages of a demonstration: each announced, timed, and listed at the end."""

import contextlib
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from argosy.report import formats


@dataclass
class Stages:
    """Prints stages as they begin and keeps how long each took, in seconds."""

    taken: list[tuple[str, float]] = field(default_factory=list)
    begun: float = field(default_factory=time.monotonic)

    @contextlib.contextmanager
    def stage(self, title: str) -> Iterator[None]:
        """Announce a stage; its time is printed when the block ends well."""
        say(f"\n{strong(f'{len(self.taken) + 1}. {title}')}")
        start = time.monotonic()
        yield
        self.taken.append((title, time.monotonic() - start))
        say(faint(f"   took {formats.seconds(self.taken[-1][1])}"))

    @property
    def total(self) -> float:
        """Seconds since the demonstration began."""
        return time.monotonic() - self.begun

    def table(self) -> str:
        """All stages with their times."""
        width = max(len(title) for title, _ in self.taken)
        return "\n".join(f"   {title:<{width}}  {formats.seconds(taken):>12}" for title, taken in self.taken)


def say(text: str) -> None:
    """Print *text* at once: a child writes to the same terminal next."""
    print(text, flush=True)


def strong(text: str) -> str:
    """*text* in bold where somebody looks."""
    return f"\033[1m{text}\033[0m" if sys.stdout.isatty() else text


def faint(text: str) -> str:
    """*text* in a lighter tone where somebody looks."""
    return f"\033[2m{text}\033[0m" if sys.stdout.isatty() else text
