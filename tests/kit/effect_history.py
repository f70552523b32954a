"""What happened outside, one effect after the other, and whether it keeps the promises of promotion.

A history knows no forge: what was open and what main was are written down after each effect, by whoever made it happen.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

Files = Mapping[str, bytes]
Value = TypeVar("Value")


@dataclass(frozen=True)
class OpenOne:
    """A request that is open: its number, the model and environment that it is about, and the digest that it brings."""

    number: int
    place: str
    digest: str


@dataclass(frozen=True)
class Outside:
    """The outside after one effect."""

    open: tuple[OpenOne, ...]
    main: str
    """The commit."""
    ancestors: frozenset[str]
    """Of that commit, itself included."""
    served: Files = field(repr=False)
    """Path to content of all that main has below ``models/``."""


@dataclass
class EffectHistory:
    """All that happened, oldest first, and what was asked for."""

    asked: dict[str, Files] = field(default_factory=dict)
    """Digest to the files that its request brings."""
    seen: list[Outside] = field(default_factory=list)
    merged: set[str] = field(default_factory=set)
    """Digests that a reviewer was told are merged."""
    wanted: dict[str, set[str]] = field(default_factory=dict)
    """Place to the digests of which one must be open or served in the end: what pipelines proposed last."""

    def problems(self) -> Iterator[str]:
        """Every broken promise."""
        for number, outside in enumerate(self.seen):
            yield from (f"after effect {number}: {said}" for said in self._of_one(outside))
        for before, after in zip(self.seen, self.seen[1:], strict=False):
            if before.main not in after.ancestors:
                yield f"main went from {before.main[:7]} to {after.main[:7]}, which does not follow it"
        yield from self._of_end(self.seen[-1])

    def _of_one(self, outside: Outside) -> Iterator[str]:
        pairs = [(one.place, one.digest) for one in outside.open]
        yield from (f"two open requests bring {digest} to {place}" for place, digest in _twice(pairs))
        whole = [set(files.items()) for files in self.asked.values()]
        if outside.served and set(outside.served.items()) not in whole:
            yield f"main has neither nothing nor one candidate's files: {', '.join(sorted(outside.served))}"

    def _of_end(self, last: Outside) -> Iterator[str]:
        yield from (f"in the end {place} has two open requests" for place in _twice([one.place for one in last.open]))
        for digest in self.merged:
            if not any(set(one.served.items()) == set(self.asked[digest].items()) for one in self.seen):
                yield f"{digest} was said to be merged, and main never had it"
        for place, digests in self.wanted.items():
            there = {one.digest for one in last.open if one.place == place}
            served = {digest for digest, files in self.asked.items() if dict(files) == dict(last.served)}
            if not digests & (there | served):
                yield f"nothing that was proposed for {place} is open or served: it was lost"


def _twice(values: Sequence[Value]) -> list[Value]:
    return [value for value in dict.fromkeys(values) if values.count(value) > 1]
