"""What happened outside, one effect after the other, and whether it keeps the promises of promotion.

A history knows no forge: what was open and what main had are written down after each effect, by whoever made it happen.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeVar

from argosy.domain import environment_layout, version_file
from argosy.domain.environment_layout import ENVIRONMENTS, PRODUCTION

MODEL = "toy"
Files = Mapping[str, bytes]
Value = TypeVar("Value")


@dataclass(frozen=True)
class OpenOne:
    """A request that is open."""

    number: int
    place: str
    """The model, environment and kind that it is about."""
    brings: str
    """What it brings there, as its first branch says it: the same for the same digest."""
    asks: str
    """The question that it asks: the same digest beside another champion is another one, and red."""


@dataclass(frozen=True)
class Outside:
    """The outside after one effect."""

    open: tuple[OpenOne, ...]
    main: str
    """The commit."""
    ancestors: frozenset[str]
    """Of that commit, itself included."""
    files: Files = field(repr=False)
    """Path to content of all that main has below ``models/``."""

    def served(self, environment: str) -> Files:
        """The files of what *environment* serves, evidence included."""
        places = environment_layout.served_paths(MODEL, environment)
        return {path: content for path, content in self.files.items() if path.startswith(places)}

    @cached_property
    def digests(self) -> dict[str, str | None]:
        """Environment to the digest of the model that it serves."""
        named = {one: environment_layout.version_path(MODEL, one) for one in ENVIRONMENTS}
        return {
            one: version_file.parse(self.files[path], path).model_digest if path in self.files else None
            for one, path in named.items()
        }

    @cached_property
    def rejected(self) -> frozenset[str]:
        """The digests that main says were taken out of service."""
        folder = environment_layout.rejected_path(MODEL, "").removesuffix(".txt")
        names = (path.removeprefix(folder) for path in self.files if path.startswith(folder))
        return frozenset(f"sha256:{name.removesuffix('.txt')}" for name in names)

    def compared(self, environment: str) -> str | None:
        """The digest of the champion that the evidence of what *environment* serves was compared with."""
        content = self.files.get(environment_layout.evidence_path(MODEL, environment))
        champion: str | None = json.loads(content)["champion"].get("model_digest") if content else None
        return champion


@dataclass
class EffectHistory:
    """All that happened, oldest first, and what was asked for."""

    asked: list[Files] = field(default_factory=list)
    """Of each candidate that was proposed, all files that one environment has of it."""
    seconds: set[bytes] = field(default_factory=set)
    """The second versions that were proposed, as their files say them."""
    seen: list[Outside] = field(default_factory=list)
    merged: set[tuple[str, str]] = field(default_factory=set)
    """Environment and digest of the promotions that a reviewer was told are merged."""
    closed: set[str] = field(default_factory=set)
    """What people said no to, as :attr:`OpenOne.brings` has it."""
    wanted: dict[str, set[str]] = field(default_factory=dict)
    """Place to what was said to be open for it: one of that must be open, served or closed by a person in the end."""

    def problems(self) -> Iterator[str]:
        """Every broken promise."""
        whole = [set(files.items()) for files in self.asked]
        for number, outside in enumerate(self.seen):
            yield from (f"after effect {number}: {said}" for said in self._of_one(outside, whole))
        for number, (before, after) in enumerate(zip(self.seen, self.seen[1:], strict=False)):
            if before.main != after.main:
                yield from (f"after effect {number + 1}: {said}" for said in self._of_two(before, after, number))
        yield from self._of_end(self.seen[-1])

    def _of_one(self, outside: Outside, whole: list[set[tuple[str, bytes]]]) -> Iterator[str]:
        yield from (f"two open requests ask for {asks}" for asks in _twice([one.asks for one in outside.open]))
        for environment in ENVIRONMENTS:
            served = outside.served(environment)
            if served and set(served.items()) not in whole:
                yield f"{environment} has neither nothing nor one candidate's files: {', '.join(sorted(served))}"
            second = outside.files.get(environment_layout.second_path(MODEL, environment))
            if second is not None and second not in self.seconds:
                yield f"{environment} tries what nobody asked for: {second.decode(errors='replace')}"

    def _of_two(self, before: Outside, after: Outside, number: int) -> Iterator[str]:
        if before.main not in after.ancestors:
            yield f"main went from {before.main[:7]} to {after.main[:7]}, which does not follow it"
        for environment in ENVIRONMENTS:
            was, now = before.digests[environment], after.digests[environment]
            if now == was:
                continue
            if now in before.rejected:
                yield f"{environment} serves {now} again, which was taken out of service"
            went_back = was in after.rejected and any(one.digests[environment] == now for one in self.seen[:number])
            if environment == PRODUCTION and now and not went_back and after.compared(environment) != was:
                yield f"{now} took the place of {was} in {environment}, and was compared with {after.compared(environment)}"
        for digest in after.rejected - before.rejected:
            if not any(before.digests[one] == digest != after.digests[one] for one in ENVIRONMENTS):
                yield f"main says that {digest} was taken out of service, and no environment went back"

    def _of_end(self, last: Outside) -> Iterator[str]:
        yield from (f"in the end {place} has two open requests" for place in _twice([one.place for one in last.open]))
        for environment, digest in sorted(self.merged):
            if not any(one.digests[environment] == digest for one in self.seen):
                yield f"{digest} was said to be merged, and {environment} never had it"
        for place, asked in self.wanted.items():
            there = {one.brings for one in last.open} | self.closed
            if not asked & there and not any(_brought(each, one) for each in asked for one in self.seen):
                yield f"nothing that was proposed for {place} is open, served or closed by a person: it was lost"


def _brought(asked: str, outside: Outside) -> bool:
    """Whether main has what *asked*, the branch of a promotion, brings."""
    _, _, environment, short = asked.split("/")
    digest = outside.digests[environment]
    return digest is not None and digest.removeprefix("sha256:").startswith(short)


def _twice(values: Sequence[Value]) -> list[Value]:
    return [value for value in dict.fromkeys(values) if values.count(value) > 1]
