"""The ledger of an installation or a demonstration: how long each part took, printed as it goes and kept in a file."""

import contextlib
import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Ledger:
    """Lines of seconds, in *file* after each, so that one that breaks off in the middle is there too."""

    file: Path
    clock: Callable[[], float] = time.time
    lines: list[dict[str, str | float]] = field(default_factory=list)

    def go_on(self, before: Iterable[str]) -> None:
        """Keep what the file has of the parts *before*, each as it was last: they were done by an earlier command."""
        if self.file.exists():
            known = {line["part"]: line for line in json.loads(self.file.read_text(encoding="utf-8"))["parts"]}
            self.lines[:0] = [known[name] for name in before if name in known]

    @contextlib.contextmanager
    def part(self, name: str, what: str) -> Iterator["Entry"]:
        """A part that lasts as long as the block."""
        print(f"{name:<16} {what} …", flush=True)
        entry, began = Entry(), self.clock()
        outcome = "failed"
        try:
            yield entry
            outcome = entry.outcome
        finally:
            self.add(name, outcome, self.clock() - began)
        print(f"{name:<16} {outcome}, {self.lines[-1]['seconds']:.0f} s", flush=True)

    def add(self, name: str, outcome: str, seconds: float) -> None:
        """Write one line."""
        self.lines.append({"part": name, "outcome": outcome, "seconds": round(seconds, 1)})
        self.file.parent.mkdir(parents=True, exist_ok=True)
        partial = self.file.with_suffix(".partial")
        partial.write_text(
            json.dumps({"parts": self.lines, "seconds": self.total()}, indent=2) + "\n", encoding="utf-8"
        )
        partial.replace(self.file)

    def total(self) -> float:
        """Seconds of all parts."""
        return round(sum(float(line["seconds"]) for line in self.lines), 1)

    def table(self) -> str:
        """All lines, for people."""
        rows = [f"  {line['part']:<28} {line['seconds']:>7.0f} s  {line['outcome']}" for line in self.lines]
        return "\n".join([*rows, f"  {'together':<28} {self.total():>7.0f} s  ({self.file})"])


@dataclass
class Entry:
    """What a part came to."""

    outcome: str = "done"
