"""The gates of one model, as its reviewers wrote them in the environment repo.

A policy is a flat list of limits over named measurements. A measurement's dimension is the first part of its name
(``performance.auc``, ``fairness.<attribute>.demographic_parity_ratio``, ``latency.p95_ms``); a language model has dimensions of its own.
Every dimension has a limit or a recorded waiver; a limit that is reported but does not gate is a recorded deviation with an owner, a reason
and an expiry.
"""

import datetime
from typing import Literal, Self, get_args

from pydantic import Field, model_validator

from argosy.domain.documents import Document
from argosy.domain.measuring import Measuring

Dimension = Literal["performance", "fairness", "robustness", "calibration", "explainability", "latency"]
DIMENSIONS: tuple[Dimension, ...] = get_args(Dimension)
AnswerDimension = Literal[
    "performance", "faithfulness", "relevancy", "toxicity", "retrieval", "judge", "cost", "latency"
]
ANSWER_DIMENSIONS: tuple[AnswerDimension, ...] = get_args(AnswerDimension)
Judged = Literal["predictions", "answers"]
OF_JUDGED: dict[Judged, tuple[str, ...]] = {"predictions": DIMENSIONS, "answers": ANSWER_DIMENSIONS}
OWN = "own"
"""The dimension of what installed packages measure. No policy has to have a limit there; one on what nobody measures fails."""
Goal = Literal["not-inferior", "better"]


class Bound(Document):
    """A measurement and the one bound it must keep."""

    metric: str
    at_least: float | None = Field(default=None, allow_inf_nan=False)
    at_most: float | None = Field(default=None, allow_inf_nan=False)

    @model_validator(mode="after")
    def _has_one_bound(self) -> Self:
        if (self.at_least is None) == (self.at_most is None):
            raise ValueError(f"{self.metric}: give either `at_least` or `at_most`")
        return self

    @property
    def dimension(self) -> str:
        """The dimension this bound belongs to."""
        return self.metric.partition(".")[0]


class Limit(Bound):
    """One gate."""

    why: str


class Deviation(Bound):
    """A limit that is measured and shown but, for a stated time, does not gate."""

    owner: str
    reason: str
    expires: datetime.date


class Waiver(Document):
    """A dimension that has no gate for this model, and why."""

    dimension: Dimension | AnswerDimension
    owner: str
    reason: str


class Margin(Document):
    """One more measurement by which a candidate is held against the champion."""

    metric: str = Field(
        description="A measurement by its name in evidence, such as calibration.ece, of performance, calibration or fairness."
    )
    margin: float = Field(
        ge=0.0, allow_inf_nan=False, description="How much worse the candidate may be and still count as not inferior."
    )
    goal: Goal = Field(default="not-inferior", description="Whether it must be better, or not inferior is enough.")
    why: str


class ComparisonPolicy(Document):
    """How a candidate must stand against the champion on the same holdout."""

    metric: str = Field(description="Score compared, paired by row.")
    margin: float = Field(
        ge=0.0,
        allow_inf_nan=False,
        description="How much worse the candidate's score may be and still count as not inferior.",
    )
    goal: Goal = Field(
        default="not-inferior", description="Whether the candidate must be better, or not inferior is enough."
    )
    margins: list[Margin] = Field(
        default=[],
        description="More measurements that it must keep up with, each with a margin of its own; all must hold.",
    )
    improves: bool = Field(
        default=False,
        description="Whether it must be better in one of all that gate, at least; their p-values are adjusted for being several (Holm).",
    )
    beside: list[str] = Field(
        default=[],
        description="Scores compared beside it: shown, their p-values adjusted for being several, never gating.",
    )
    entity: list[str] = Field(
        default=[],
        description="Columns whose values name what is drawn as a whole, such as the customer of many orders; the keys of the "
        "model's entity where it is left out.",
    )
    confidence: float = Field(default=0.95, gt=0.5, lt=1.0)
    power: float = Field(
        default=0.8,
        ge=0.5,
        lt=1.0,
        description="How often a holdout like this must find a difference for it to count as one that the holdout can show.",
    )
    resamples: int = Field(default=2000, ge=100)
    minimum_rows: int = Field(default=500, ge=1)
    minimum_entities: int = Field(
        default=30,
        ge=2,
        description="Entities to compare on where they have several rows; of fewer, nobody can tell how others would differ.",
    )

    @model_validator(mode="after")
    def _compares_each_once(self) -> Self:
        seen = {f"performance.{self.metric}"}
        for each in self.margins:
            if each.metric in seen:
                raise ValueError(f"comparison: {each.metric} has two margins; leave one of them")
            seen.add(each.metric)
        return self

    def of(self, margin: Margin) -> Self:
        """The same rules for the measurement of *margin*."""
        return self.model_copy(
            update={
                "metric": margin.metric,
                "margin": margin.margin,
                "goal": margin.goal,
                "margins": [],
                "beside": [],
                "improves": False,
            }
        )


class ProvenancePolicy(Document):
    """What production, and staging where it is asked for, want to know of where a model comes from; else what is missing is said."""

    required: bool = Field(
        default=True,
        description="Whether production takes only a model whose commit is known, whose files were those of that commit, and whose "
        "steps ran in images by digest or as processes of known code.",
    )
    staging: bool = Field(
        default=False,
        description="Whether staging takes no other model either; else its request says what production will refuse.",
    )
    owner: str = Field(default="", description="Who answers for a waiver.")
    reason: str = Field(default="", description="Why it is waived; shown in every request.")

    @model_validator(mode="after")
    def _is_answered_for(self) -> Self:
        if not self.required and not (self.owner and self.reason):
            raise ValueError("provenance: `required: false` needs an `owner` and a `reason`")
        if self.staging and not self.required:
            raise ValueError(
                "provenance: `staging: true` asks for what `required: false` waives; leave one of them out"
            )
        return self

    @property
    def waiver(self) -> str | None:
        """Why production takes any; None where it does not."""
        return None if self.required else f"{self.reason} ({self.owner})"


class Policy(Document):
    """``policies/<model>.yaml`` of the environment repo."""

    model: str
    judges: Judged = Field(
        default="predictions",
        description="What the model gives: predictions of tables, or answers in words, which have other dimensions.",
    )
    owners: list[str] = Field(min_length=1)
    limits: list[Limit]
    deviations: list[Deviation] = []
    waivers: list[Waiver] = []
    comparison: ComparisonPolicy
    measuring: Measuring = Measuring()
    provenance: ProvenancePolicy = ProvenancePolicy()

    @model_validator(mode="after")
    def _covers_every_dimension(self) -> Self:
        covered = {limit.dimension for limit in self.limits} | {waiver.dimension for waiver in self.waivers}
        named = covered | {deviation.dimension for deviation in self.deviations}
        dimensions = OF_JUDGED[self.judges]
        if unknown := sorted(named - {*dimensions, OWN}):
            raise ValueError(f"unknown dimension {unknown[0]!r}; dimensions: {', '.join(dimensions)}")
        if missing := [dimension for dimension in dimensions if dimension not in covered]:
            raise ValueError(f"no limit and no waiver for {', '.join(missing)}")
        return self
