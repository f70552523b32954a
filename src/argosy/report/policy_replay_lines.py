"""What a proposed policy would have done to what was judged, as lines for a terminal or the log of a check."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from argosy.domain.policy_replay import PolicyReplay
from argosy.report import formats

UNTOLD = "cannot tell"


class Replayed(Protocol):
    """A model that was judged, and what it would be judged now."""

    @property
    def version(self) -> int:
        """Its number."""

    @property
    def model_digest(self) -> str:
        """Its digest."""

    @property
    def places(self) -> tuple[str, ...]:
        """Who serves it, or proposes it."""

    @property
    def replay(self) -> PolicyReplay:
        """What becomes of the verdict."""


def lines(path: str, found: Sequence[Replayed]) -> Iterator[str]:
    """One line a model, and one below it for each gate that says something else; *path*: of the policy."""
    flips = sum(one.replay.flips for one in found)
    yield f"{path}: {flips or 'none'} of {len(found)} that were judged would be decided otherwise"
    for one in found:
        replay = one.replay
        same = replay.would_be == replay.was
        verdict = replay.was if same else f"{replay.was} -> {replay.would_be or UNTOLD}: {replay.why}"
        yield f"  version {one.version} ({formats.short(one.model_digest)}, {', '.join(one.places)}): {verdict}"
        for change in replay.changes:
            yield f"    {change.gate}: {change.was} -> {change.would_be}: {change.why}"
