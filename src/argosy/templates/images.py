"""Which image a step runs in: the digest that ``make images`` wrote down, or the tag ``:dev`` until then."""

import json
from pathlib import Path
from typing import Any

from argosy import errors
from argosy.steps.spec import Family
from argosy.templates.folder import LOCK

REPOSITORY = "argosy"
ON_REQUEST = frozenset({"spark"})
"""Images that nobody needs whose models do not ask for them."""


def of(family: Family, root: Path) -> str:
    """The image of the steps of *family*, for the project at *root*. Raises Misconfigured where the lock is none."""
    return of_target(family, root)


def of_target(target: str, root: Path) -> str:
    """The image *target*, of steps or of a server, for the project at *root*. Raises Misconfigured where the lock names none."""
    lock = root / LOCK
    if not lock.exists():
        return f"{REPOSITORY}/{target}:dev"
    try:
        known: dict[str, Any] = json.loads(lock.read_text(encoding="utf-8"))
        return f"{known['repository']}/{target}@{known['images'][target]['digest']}"
    except (ValueError, LookupError, TypeError) as error:
        raise errors.Misconfigured(f"{lock} names no image {target!r}; run `make images` again") from error
