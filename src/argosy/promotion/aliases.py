"""Registry aliases follow git: which model is in production is main's word, whatever brought it there."""

import contextlib

from argosy import errors
from argosy.domain import environment_layout
from argosy.ports.forge import Forge
from argosy.ports.registry import Registry
from argosy.promotion.standing import Main


def follow(forge: Forge, model: str, registry: Registry) -> int | None:
    """Let the alias ``champion`` of *model* follow what main names for production now; returns the number of the version that has it.

    None where main names none, or one that *registry* does not know.
    """
    return follow_main(Main.now(forge), model, registry)


MOST_LOST = 10_000
"""Numbers that are taken at most for versions of which nothing is known: more is a number that nobody counted to."""


def rebuild(main: Main, model: str, registry: Registry) -> list[int]:
    """Let *registry*, which was lost and begun anew, go on after the versions of *model* that *main* ever named; the numbers it lacked.

    Raises Misconfigured where it has another model under such a number, or where main's numbers cannot be right.
    """
    known = known_versions(main, model)
    if known and max(known) - len(known) > MOST_LOST:
        raise errors.Misconfigured(f"main names version {max(known)} of {model}; no registry counted that far")
    return registry.go_on(model, known)


def known_versions(main: Main, model: str) -> dict[int, str]:
    """The versions of *model* that *main* names or once named in any environment: number to model digest. The newest word counts."""
    found: dict[int, str] = {}
    for environment in environment_layout.ENVIRONMENTS:
        for there in (main, *main.servings(model, environment)):
            with contextlib.suppress(
                errors.Misconfigured
            ):  # a slip of somebody's, since mended; of main itself others complain
                if version := there.version(model, environment):
                    found.setdefault(version.version, version.model_digest)
    return found


def follow_main(main: Main, model: str, registry: Registry) -> int | None:
    """As :func:`follow`, for who has *main* at hand."""
    live = main.version(model, environment_layout.PRODUCTION)
    return registry.crown(model, live.model_digest if live else None)
