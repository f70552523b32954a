"""Asks for a model to be promoted to staging; the rules are ``promotion.offers``'."""

from collections.abc import Callable

from argosy.domain import as_of
from argosy.domain.evidence import Evidence
from argosy.domain.promotion_requests import Request
from argosy.ports.forge import Forge
from argosy.promotion import offers
from argosy.promotion.offers import Offer


def run(
    *,
    offer: Offer,
    forge: Forge,
    next_on_merge: bool = True,
    tell: Callable[[Request], None] = lambda _request: None,
    note: Callable[[Evidence, str], None] = lambda _evidence, _request: None,
) -> str:
    """Open the request, or find it; returns its number and place, ``already in production``, or ``already merged``;
    of a run as of an earlier moment, that nothing is proposed.

    *next_on_merge*: whether production's request follows staging's merge, rather than staging's health. *tell*: tells people of a request,
    and raises nothing. *note*: remembers what a retraining came to, and which request, empty for none; raises nothing. Raises what
    ``offers.make`` raises.
    """
    evidence = Evidence.read(offer.evidence / "evidence.json")
    note(evidence, "")  # whatever becomes of the offer
    if evidence.as_of is not None and evidence.verdict == "promote":
        return f"none, as this is a run as of {as_of.text(evidence.as_of)}"
    offered = offers.make(offer, forge, on_merge=next_on_merge)
    if offered.in_production:
        return "already in production"
    if offered.request is None:
        return "already merged"
    asked = f"{offered.request.number} {offered.request.url}"
    note(evidence, asked)  # before people: it decides whether another retraining starts
    tell(offered.request)
    return asked
