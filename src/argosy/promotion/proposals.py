"""What a forge does about a proposal: adopt a request that is there, open one, or neither.

A forge asks while nobody else can change its requests, and then does it. The rules themselves are ``domain.promotion.decide``; here they
get what they need of main.
"""

from collections.abc import Sequence

from pydantic import ValidationError

from argosy.domain import promotion
from argosy.domain.evidence import Evidence
from argosy.domain.promotion import Decision, Proposal, Request
from argosy.promotion import subjects
from argosy.promotion.standing import Main


def decide(main: Main, proposal: Proposal, known: Sequence[Request]) -> Decision:
    """What to do about *proposal*, given every request that is *known*.

    Raises Rejected where a person closed the request for this very model, Misconfigured where main's version cannot be understood.
    """
    subject = proposal.subject
    version = main.version(subject.model, subject.environment)
    served = version.model_digest if version and not _says_more(main, proposal, main.commit) else None
    decision = promotion.decide(
        subject,
        known,
        served,
        lambda request: subjects.is_genuine(main, request) and not _says_more(main, proposal, request.head),
    )
    if decision.action == "stop" and decision.request:
        raise promotion.refusal(decision.request)
    return decision


def _says_more(main: Main, proposal: Proposal, commit: str) -> bool:
    """Whether *proposal* says where its model comes from, and what *commit* has in its place leaves that in doubt.

    Production refuses such a doubt for good, as evidence is never changed. So the model is proposed anew, although it is the same one.
    """
    path = f"{promotion.evidence_folder(proposal.subject.model, proposal.subject.environment)}/evidence.json"
    return (
        path in proposal.files and not _is_doubted(proposal.files[path]) and _is_doubted(main.forge.read(path, commit))
    )


def _is_doubted(content: bytes | None) -> bool:
    """Whether production refuses the evidence *content* for its model's provenance; what cannot be read says nothing of it."""
    try:
        evidence = Evidence.model_validate_json(content or b"")
    except ValidationError:
        return False
    return bool(evidence.provenance.doubts()) and not evidence.provenance_waiver
