"""The request for the next environment: one function, whoever finds that it is due."""

from argosy.domain import promotion
from argosy.domain.promotion import Request
from argosy.ports.forge import Forge


def open_next(forge: Forge, merged: Request) -> Request | None:
    """Open the request that *merged* leads to, or find it; None after the last environment and after a revert."""
    proposal = promotion.next_proposal(forge.request(merged.number), forge.files(merged.number))
    return forge.propose(proposal) if proposal else None
