"""A gate that people let a model past, by its name: who, why and until when, as ``policies/overrides/<model>.yaml`` of main says.

Pure. The file is a rule of the environment repo, so that no request can bring a model and its override together. What proves that a model
is the one that was judged, and that it was judged on whole data, is no gate of a policy and cannot be overridden.
"""

import datetime
from collections.abc import Iterable, Sequence

from pydantic import Field, field_validator, model_validator

from argosy.domain.documents import Document
from argosy.domain.release import Digest

NEVER = {
    "serving parity": "the server must give the answers that training gave",
    "columns-whole": "what is learned of a broken column is the fault",
    "champion-on-recent-rows": "a retraining that nobody asked for must beat what serves",
    "provenance": "the policy itself waives it (`provenance`), with an owner and a reason",
}
"""What is asked of every model and no override can answer, and why."""


class Override(Document):
    """One gate of one model, overridden."""

    gate: str = Field(
        min_length=1, description="The name of the gate, as evidence has it: a metric of the policy, or champion."
    )
    reason: str = Field(
        min_length=1, description="Why the model may go past it; shown in this request and in the next."
    )
    by: str = Field(min_length=1, description="Who answers for it.")
    expires: datetime.date = Field(description="The last day on which it counts.")
    model_digest: Digest | None = Field(
        default=None, description="The one model that may go past; any candidate where it is left out."
    )

    @field_validator("gate")
    @classmethod
    def _may_be_overridden(cls, gate: str) -> str:
        if gate in NEVER:
            raise ValueError(f"{gate!r} cannot be overridden: {NEVER[gate]}")
        return gate

    def counts(self, model_digest: str, day: datetime.date) -> bool:
        """True where it lets the model with *model_digest* past its gate on *day*."""
        return day <= self.expires and self.model_digest in (None, model_digest)

    def said(self) -> str:
        """Who, until when and why, in one line."""
        return f"overridden until {self.expires} by {self.by}: {self.reason}"


class Overrides(Document):
    """``policies/overrides/<model>.yaml`` of the environment repo."""

    model: str
    overrides: list[Override] = []

    @model_validator(mode="after")
    def _names_each_once(self) -> "Overrides":
        seen = set()
        for one in self.overrides:
            if (one.gate, one.model_digest) in seen:
                raise ValueError(f"{one.gate!r} is overridden twice; leave one of them")
            seen.add((one.gate, one.model_digest))
        return self


def in_force(known: Iterable[Override], day: datetime.date) -> list[Override]:
    """Those of *known* that have not run out by *day*."""
    return [one for one in known if day <= one.expires]


def ended(used: Iterable[Override], known: Sequence[Override], model_digest: str, day: datetime.date) -> list[str]:
    """Why those of *used* do not count for the model with *model_digest* on *day*, where main has *known*; a line for each."""
    return [why for one in used if (why := _end(one, known, model_digest, day))]


def _end(one: Override, known: Sequence[Override], model_digest: str, day: datetime.date) -> str:
    if one not in known:
        return f"{one.gate} was let past by an override of {one.by} that main has no more"
    if one.model_digest not in (None, model_digest):
        return f"the override of {one.gate} by {one.by} is for another model, {one.model_digest}"
    if day > one.expires:
        return f"the override of {one.gate} by {one.by} ran out on {one.expires}"
    return ""
