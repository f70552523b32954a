"""What a forge does about a proposal: adopt a request that is there, open one, or neither.

A forge asks while nobody else can change its requests, and then does it. The rules themselves are ``domain.promotion.decide``; here they
get what they need of main.
"""

from collections.abc import Sequence
from functools import partial

from argosy.domain import promotion
from argosy.domain.promotion import Decision, Request, Subject
from argosy.promotion import subjects
from argosy.promotion.standing import Main


def decide(main: Main, subject: Subject, known: Sequence[Request]) -> Decision:
    """What to do about proposing *subject*, given every request that is *known*.

    Raises Rejected where a person closed the request for this very model, Misconfigured where main's version cannot be understood.
    """
    served = main.version(subject.model, subject.environment)
    genuine = partial(subjects.is_genuine, main)
    decision = promotion.decide(subject, known, served.model_digest if served else None, genuine)
    if decision.action == "stop" and decision.request:
        raise promotion.refusal(decision.request)
    return decision
