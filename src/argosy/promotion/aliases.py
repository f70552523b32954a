"""Registry aliases follow git: which model is in production is main's word, whatever brought it there."""

from argosy.domain import promotion
from argosy.ports.forge import Forge
from argosy.ports.registry import Registry
from argosy.promotion import history


def follow(forge: Forge, model: str, registry: Registry) -> int | None:
    """Let the alias ``champion`` of *model* follow what main names for production now; the version that has it, if it is known there."""
    live = history.served(forge, model, promotion.PRODUCTION, forge.head())
    return registry.crown(model, live.model_digest if live else None)
