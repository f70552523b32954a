"""The request for the next environment: one function, whoever finds that it is due."""

from collections.abc import Mapping
from dataclasses import replace

from argosy import errors
from argosy.domain import promotion
from argosy.domain.promotion import Request
from argosy.ports.forge import Forge
from argosy.promotion import subjects
from argosy.report import markdown_text, request_body


def open_next(forge: Forge, merged: Request) -> Request | None:
    """Open the request that *merged* leads to, or find it; None after the last environment and after a revert."""
    request = subjects.as_committed(forge, forge.request(merged.number))
    files = forge.contents(promotion.places(request.subject), request.head)
    proposal = promotion.next_proposal(request, files)
    return forge.propose(replace(proposal, body=_body(request, files))) if proposal else None


def _body(merged: Request, files: Mapping[str, bytes]) -> str:
    # Not the text of the merged request: whoever may edit that one would write the next one too.
    try:
        return request_body.of_files(merged.subject, files, request_body.not_after(merged.body))
    except errors.Misconfigured as error:
        return f"The evidence cannot be shown, and no check of it will pass: {markdown_text.escape(str(error))}\n"
