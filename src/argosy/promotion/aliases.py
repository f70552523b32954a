"""Registry aliases follow git: which model is in production is main's word, whatever brought it there."""

from argosy.domain import environment_layout
from argosy.ports.forge import Forge
from argosy.ports.registry import Registry
from argosy.promotion.standing import Main


def follow(forge: Forge, model: str, registry: Registry) -> int | None:
    """Let the alias ``champion`` of *model* follow what main names for production now; returns the number of the version that has it.

    None where main names none, or one that *registry* does not know.
    """
    return follow_main(Main.now(forge), model, registry)


def follow_main(main: Main, model: str, registry: Registry) -> int | None:
    """As :func:`follow`, for who has *main* at hand."""
    live = main.version(model, environment_layout.PRODUCTION)
    return registry.crown(model, live.model_digest if live else None)
