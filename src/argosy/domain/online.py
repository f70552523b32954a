"""Which published online stores a shared database need not keep: nothing serves them, is about to, or would after a revert."""

import datetime
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, TypeVar

GRACE = datetime.timedelta(days=1)
"""Between loading and the request that names what was loaded lies part of a run."""
REVERTS = 3
"""Versions of each environment that are kept, so that a git revert finds its features: what main names, and what it named before."""


class Loaded(Protocol):
    """One published online store in a shared database."""

    @property
    def digest(self) -> str:
        """Its name."""

    @property
    def loaded_at(self) -> datetime.datetime:
        """When."""


T = TypeVar("T", bound=Loaded)


def unneeded(held: Iterable[T], named: Mapping[str, Sequence[str]], now: datetime.datetime) -> list[T]:
    """Those of *held* that may go at the time *now*. *named*: digest to who names it."""
    return [one for one in held if one.digest not in named and now - one.loaded_at >= GRACE]
