"""The section ``retraining`` of ``model.yaml``: when a model may be trained again by itself, and how often.

What is decided by these limits is in ``argosy.domain.retraining_admission``.
"""

from typing import Self

from pydantic import Field, model_validator

from argosy.domain.documents import Document
from argosy.domain.retraining_cause import Kind
from argosy.domain.time_spans import Hours


class Enter(Document):
    """When drift, or a performance below the gate, is believed: in several looks, so that one odd hour starts nothing."""

    looks: int = Field(default=2, ge=1, description="Looks, an hour apart, that have to show it.")
    of: int = Field(default=3, ge=1, le=100, description="The newest looks, of which that many have to.")
    hours: Hours = Field(default=72.0, gt=0, description="Age in hours from which a look says nothing of now.")
    distance: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="Jensen-Shannon distance that the farthest column must have, on top of the monitor's; free of what is usual there.",
    )

    @model_validator(mode="after")
    def _can_be_met(self) -> Self:
        if self.looks > self.of:
            raise ValueError(f"`looks` is {self.looks} and `of` {self.of}: that many cannot be among them")
        return self


class Leave(Document):
    """When drift that was answered by a retraining is over, so that the next time counts as new."""

    looks: int = Field(default=2, ge=1, description="Looks in a row that have to be below `distance`.")
    distance: float = Field(
        default=0.05,
        ge=0,
        le=1,
        description="Jensen-Shannon distance of the farthest column; below the one that is called drift. By `baseline: season`, "
        "what is usual of the season is no part of it.",
    )


class Retraining(Document):
    """When the model is trained again by itself. Who asks by hand is not held up by any of it but a retraining that runs."""

    on: list[Kind] = Field(
        default=["drift", "performance", "new data", "push", "schedule"],
        description="What may start one by itself; anything else is refused, and counted.",
    )
    minimum_rows: int = Field(default=500, ge=1, description="Rows of a look, below which it is not believed.")
    enter: Enter = Enter()
    leave: Leave = Leave()
    cooldown_hours: Hours = Field(
        default=24.0, description="Hours from the end of one retraining to the start of the next."
    )
    per_day: int = Field(default=1, ge=1, description="Retrainings that start within any 24 hours.")
    stop_after: int = Field(
        default=3,
        ge=1,
        description="Retrainings of one model version in a row that led to no request, after which a person has to look.",
    )
    request_hours: Hours = Field(
        default=168.0,
        description="Hours that a request may wait for its merge, before the same drift leads to another.",
    )
    lease_hours: Hours = Field(
        default=8.0,
        gt=0,
        description="Hours after which a retraining that never said how it ended counts as failed; more than it may run.",
    )
