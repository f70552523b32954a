"""The subject of a request, by its commit; its text is not asked.

Left to others: which changes a request may make at all (``domain.changes``), and what is to be done about a request (``proposals``,
``desk``).
"""

from argosy import errors
from argosy.domain import changes, environment_layout, promotion_requests
from argosy.domain.changes import Kind, Place
from argosy.domain.promotion_requests import Request, Subject
from argosy.ports.forge import Forge
from argosy.promotion.standing import Main


def of(main: Main, request: Request) -> Subject:
    """The subject of *request* by what its commit changes in *main*. Raises Rejected where that is no promotion."""
    forge = main.forge
    return changes.subject(forge.changes(request, main.commit), lambda path: forge.read(path, request.head))


def as_committed(forge: Forge, request: Request) -> Request:
    """*request*, its subject replaced by the one that its commit has. Raises Rejected where the commit is no promotion."""
    return request.model_copy(update={"subject": of(Main.now(forge), request)})


def brings(main: Main, request: Request) -> list[Place]:
    """The places to which the commit of *request* brings a version, or evidence of one; none where it only takes some away.

    Also of a request that nobody may merge: what its commit names must not go while it is open.
    """
    paths = (one.path for one in main.forge.changes(request, main.commit) if one.kind is not Kind.REMOVED)
    placed = ((path, changes.place_of(path)) for path in paths)
    return sorted({place for path, place in placed if place and path != environment_layout.retired_path(*place)})


def proposed(forge: Forge, request: Request) -> Main:
    """Main as the commit of *request* would have it, called by its branch in messages."""
    return Main(forge, request.head, called=request.branch)


def is_genuine(main: Main, request: Request) -> bool:
    """True where the commit of *request* is about what its text says."""
    try:
        return request.subject == of(main, request)
    except errors.Rejected:
        return False


def refuse_mislabelled(main: Main, request: Request) -> None:
    """Raise Rejected where *request* is about another place, or another model, than its text says."""
    if not is_genuine(main, request):
        raise promotion_requests.mislabelled(request.number)
