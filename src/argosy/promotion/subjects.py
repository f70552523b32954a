"""What a request is about, as its commit has it; its text is not asked."""

from argosy.domain import changes
from argosy.domain.promotion import Request, Subject
from argosy.ports.forge import Forge


def of(forge: Forge, request: Request, at: str) -> Subject:
    """The subject of *request* by what its commit changes in main at commit *at*. Raises Rejected where that is no promotion."""
    return changes.subject(forge.changes(request, at), lambda path: forge.read(path, request.head))


def as_committed(forge: Forge, request: Request) -> Request:
    """*request*, its subject replaced by the one that its commit has."""
    return request.model_copy(update={"subject": of(forge, request, forge.head())})
