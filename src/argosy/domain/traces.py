"""The way back from a prediction to who let its model in and what that was made of."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from argosy.domain.evidence import Evidence
from argosy.domain.merge_checks import Check
from argosy.domain.promotion_requests import Request
from argosy.domain.release import Version


@dataclass(frozen=True)
class AnsweredRow:
    """A row that a server answered."""

    model: str
    environment: str
    model_digest: str
    time: datetime.datetime
    row: int
    """Place in its request, from 0."""
    score: Sequence[float]
    decision: str | None


@dataclass(frozen=True)
class Placement:
    """That an environment serves or served the model."""

    environment: str
    commit: str
    """Of main, that brought it there."""
    live: bool
    """Whether main names it now."""


@dataclass(frozen=True)
class Trace:
    """What the environment repo and the model store say of one model."""

    version: Version
    placements: Sequence[Placement]
    requests: Sequence[Request]
    """About this model, by number: what was proposed, merged, taken out."""
    evidence: Evidence | None
    """None where the commit has none."""
    signatures: Check
    rejected: str | None
    """Why it was taken out of service; None where it was not."""
