"""Decides for a forge about a proposal: adopt a request that is there, open one, or neither.

A forge asks while nobody else can change its requests, and then does it. The rules themselves are ``domain.promotion_requests.decide``;
here they get what they need of main.
"""

from collections.abc import Callable, Sequence
from functools import partial

from argosy import errors
from argosy.domain import environment_layout, promotion_requests, second_file
from argosy.domain.evidence import Evidence, parse
from argosy.domain.overrides import Override
from argosy.domain.promotion_requests import Decision, Proposal, Request
from argosy.promotion import subjects
from argosy.promotion.standing import Main


def decide(main: Main, proposal: Proposal, known: Sequence[Request]) -> Decision:
    """The decision about *proposal*, given every request that is *known*.

    Raises Rejected where a person closed the request for this very model, Misconfigured where main's version cannot be understood.
    """
    subject = proposal.subject
    decision = promotion_requests.decide(
        subject, known, _served(proposal, main), partial(_may_stand_for, proposal, main)
    )
    if decision.action == "stop" and decision.request:
        raise promotion_requests.refusal(decision.request)
    return decision


def _served(proposal: Proposal, main: Main) -> str | None:
    """The digest that main names, as :func:`promotion_requests.decide` asks for it."""
    subject = proposal.subject
    if subject.tries:
        return subject.model_digest if _tries_the_same(proposal, main) else None
    version = main.version(subject.model, subject.environment)
    return version.model_digest if version and not _says_more(proposal, main) else None


def _tries_the_same(proposal: Proposal, there: Main) -> bool:
    """Whether what is *there* in the place of *proposal*, an experiment, is what that wants, in every field; or none, as it wants."""
    subject = proposal.subject
    path = environment_layout.second_path(subject.model, subject.environment)
    there = there.holding(path)
    try:
        found = there.second(subject.model, subject.environment)
    except errors.Misconfigured:  # nobody can be served with it
        return False
    content = proposal.files.get(path)
    return found == (None if content is None else second_file.parse(content, path))


def _may_stand_for(proposal: Proposal, main: Main, request: Request) -> bool:
    """Whether *request*, which asks the same as *proposal*, is one to leave open in its place."""
    there = subjects.proposed(main.forge, request)
    if not subjects.is_genuine(main, request):
        return False
    if proposal.subject.tries:
        return _tries_the_same(proposal, there)
    return not _says_more(proposal, there) and _go_by_the_same(proposal, there)


def _go_by_the_same(proposal: Proposal, there: Main) -> bool:
    """Whether *proposal* and what is *there* in its place go past the same gates, by the same words: others are another question."""
    subject = proposal.subject
    path = environment_layout.evidence_path(subject.model, subject.environment)
    if path not in proposal.files:
        return True
    there = there.holding(path)
    mine, theirs = (
        _overridden(read)
        for read in (
            partial(parse, proposal.files[path], path),
            partial(there.evidence, subject.model, subject.environment),
        )
    )
    return mine == theirs


def _overridden(read: Callable[[], Evidence | None]) -> list[Override]:
    try:
        evidence = read()
    except errors.Misconfigured:  # its request cannot be merged whatever it goes by
        return []
    return evidence.overridden if evidence else []


def _says_more(proposal: Proposal, there: Main) -> bool:
    """Whether *proposal* says where its model comes from, and what is *there* in its place leaves that in doubt.

    Production refuses such a doubt for good, as evidence is never changed. So the model is proposed anew, although it is the same one.
    """
    subject = proposal.subject
    path = environment_layout.evidence_path(subject.model, subject.environment)
    if path not in proposal.files or _is_doubted(partial(parse, proposal.files[path], path)):
        return False
    there = there.holding(path)
    return _is_doubted(partial(there.evidence, subject.model, subject.environment))


def _is_doubted(read: Callable[[], Evidence | None]) -> bool:
    """Whether production refuses the evidence that is *read* for its model's provenance; what cannot be read says nothing of it."""
    try:
        evidence = read()
    except errors.Misconfigured:
        return False
    return (
        evidence is not None
        and bool(evidence.provenance.doubts())
        and evidence.must_be_repeatable(environment_layout.PRODUCTION)
    )
