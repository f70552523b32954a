"""What an environment serves of a model, and what the newest look at it said: the cell of every table of models and environments."""

from dataclasses import dataclass

from argosy.domain import looks
from argosy.ports.objects import Objects
from argosy.promotion.standing import Main


@dataclass(frozen=True)
class ServedState:
    """One model in one environment."""

    version: int | None = None
    """None: it serves none."""
    model_digest: str = ""
    verdict: str | None = None
    """Of the newest look at that version; None where nobody has looked at it."""
    retired: bool = False


def of(main: Main, seen: Objects, model: str, environment: str) -> ServedState:
    """The state of *model* in *environment* by *main* and the looks in *seen*."""
    version = main.version(model, environment)
    if version is None:
        return ServedState(retired=main.retired(model) is not None)
    content = seen.get(looks.latest_key(model, environment))
    look = None if content is None else looks.parse(content)
    # A look at an earlier version says nothing of this one.
    current = look is not None and look.model_digest == version.model_digest
    return ServedState(version.version, version.model_digest, look.verdict if look is not None and current else None)
