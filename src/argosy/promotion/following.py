"""Follows a merge up: the request for the next environment, opened by one function, whoever finds that it is due.

Left to others: when an environment is healthy enough for the next one (``canaries``), and the registry (``aliases``).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from argosy import errors
from argosy.domain import environment_layout, promotion_requests
from argosy.domain.promotion_requests import Request, State
from argosy.ports.forge import Forge
from argosy.promotion import subjects
from argosy.promotion.standing import Main
from argosy.report import markdown_text, request_body


@dataclass(frozen=True)
class Followed:
    """A merge that was followed up. Doing it again changes nothing."""

    merged: Request
    """With the subject that its commit has: what main got, whatever the request's text says by now."""
    next: Request | None
    """The request for the next environment, opened or found; None after the last one, after other kinds, and where health opens it."""
    waits_for: str | None
    """The environment whose health opens the next request; None where nothing waits for that."""

    @property
    def changes_champion(self) -> bool:
        """True where the registry's alias ``champion`` is to follow."""
        return self.merged.subject.environment == environment_layout.PRODUCTION


def follow(forge: Forge, merged: Request, *, on_merge: bool) -> Followed:
    """Do what the merge of *merged* calls for in *forge*. *on_merge*: whether the merge, rather than health, opens the next request.

    Raises Rejected where the request is not merged, its commit is no promotion, or a person closed the next request.
    """
    if merged.state is not State.MERGED:
        raise errors.Rejected(f"request {merged.number} is {merged.state}, not merged: nothing follows from it yet")
    committed = subjects.as_committed(forge, merged)
    if on_merge:
        return Followed(committed, next=open_next(forge, merged), waits_for=None)
    subject = committed.subject
    leads_on = environment_layout.following(subject.environment) is not None and subject.kind == "promotion"
    return Followed(committed, next=None, waits_for=subject.environment if leads_on else None)


def open_next(forge: Forge, merged: Request) -> Request | None:
    """Open the request that *merged* leads to, or find it; None after the last environment, after a revert and after a retirement.

    Raises Rejected where a person closed it.
    """
    request = subjects.as_committed(forge, forge.request(merged.number))
    files = _signed_by_now(forge, request, forge.contents(promotion_requests.places(request.subject), request.head))
    proposal = promotion_requests.next_proposal(request, files)
    return forge.propose(replace(proposal, body=_body(request, files))) if proposal else None


def _signed_by_now(forge: Forge, merged: Request, files: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """*files* of *merged* with the signatures that main has of them by now: the key that made the first ones may be gone since."""
    model, environment = merged.subject.model, merged.subject.environment
    live = Main.now(forge).files_of(model, environment)
    signatures = {
        f"{environment_layout.evidence_folder(model, environment)}/{name}" for name in environment_layout.SIGNATURES
    }
    ours, mains = ({path: text for path, text in each.items() if path not in signatures} for each in (files, live))
    return live if ours == mains else files


def _body(merged: Request, files: Mapping[str, bytes]) -> str:
    # Not the text of the merged request: whoever may edit that one would write the next one too.
    try:
        return request_body.of_files(merged.subject, files, request_body.not_after(merged.body))
    except errors.Misconfigured as error:
        return f"The evidence cannot be shown, and no check of it will pass: {markdown_text.escape(str(error))}\n"
