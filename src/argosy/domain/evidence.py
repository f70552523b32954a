"""The evidence that ``evaluate`` writes: gates, comparison, verdict, tables, in the form that reviewers, signatures and reports rely on."""

import re
from collections.abc import Sequence
from typing import Any, Literal

from pydantic import AwareDatetime, Field, ValidationError, model_validator

from argosy import errors
from argosy.domain.documents import Document, of_form
from argosy.domain.environment_layout import PRODUCTION
from argosy.domain.measuring import Measuring
from argosy.domain.model_settings import AnyTask
from argosy.domain.notify_settings import Audience
from argosy.domain.overrides import Override
from argosy.domain.provenance import Provenance
from argosy.domain.retraining_cause import Cause

VerdictWord = Literal["promote", "reject", "inconclusive", "champion"]
"""promote: every gate holds and the champion is not beaten by margin; reject: a gate failed; inconclusive: the sample cannot tell;
champion: the candidate is the model in production already."""


DECISIONS, DISTANCES = "Decisions that would change", "How far answers would move"
WORTH, SIMPLE = "What its decisions are worth", "Beside simple answers, as there is no champion"
REVIEW = "Answers for people to label (review.jsonl beside the evidence; argosy label takes it in)"
DATA = "data"
"""The dimension of tables about what a run read: nothing is judged by it, and a page of the run shows the sources itself."""
TO_DECIDE_BY = (DECISIONS, DISTANCES, WORTH, SIMPLE, REVIEW)
"""Titles of the tables that a reviewer decides by: a report opens with them."""


class ChampionRef(Document):
    """``champion.json``: what main's ``version.yaml`` of production names; ``model_digest`` is None before the first release."""

    model: str
    model_digest: str | None = None
    version: int | None = None
    storage_uri: str | None = None
    snapshot_digest: str | None = None
    """The data that it was trained on, as its evidence says; None before the first release."""
    policy_digest: str
    """Of the policy file as main has it, the text given beside this file as ``policy.yaml``."""
    overrides: list[Override] | None = None
    """Gates that main lets a candidate past, those that have not run out; None where it has none."""
    overridden: list[Override] | None = None
    """Gates that the champion itself was let past when it was promoted; None where it was past none."""


class GateResult(Document):
    """One gate, measured."""

    gate: str
    dimension: str
    passed: bool
    measured: float | None = None
    """None where the measurement is undefined; that never passes."""
    limit: str
    """The bound in words, such as ``>= 0.8``."""
    reason: str
    would_pass: str | None = None
    """For a failed gate: what would pass."""
    deviation: bool = False
    """Reported, accepted for a time, not gating."""
    override: Override | None = None
    """Of a gate that failed: the word of main by which the model goes past it."""

    @model_validator(mode="after")
    def _goes_past_itself(self) -> "GateResult":
        # Else what may be overridden would let past what nobody may.
        if self.override is not None and self.override.gate != self.gate:
            raise ValueError(f"{self.gate!r} goes by an override of another gate, {self.override.gate!r}")
        return self


class ComparisonResult(Document):
    """The candidate against the champion, paired by row of the same holdout."""

    metric: str
    candidate: float
    champion: float
    difference: float
    low: float
    high: float
    margin: float
    rows: int
    p_value: float
    outcome: Literal["better", "not-inferior", "inferior", "inconclusive"]
    reason: str
    compared: bool = True
    """True where both models answered; else the figures are none, and *reason* says what was in the way."""
    score_distance: float | None = None
    """Kolmogorov-Smirnov distance of the two models' scores on these rows, in 0 to 1; None where they were not compared."""
    goal: Literal["not-inferior", "better"] = "not-inferior"
    """What the policy asks for."""
    entities: int | None = None
    """How many of what was drawn as a whole; None where each row is one by itself."""
    error: float | None = None
    """Standard error of the difference; None in evidence of earlier Argosys, and where there is none."""
    smallest_shown: float | None = None
    """The smallest difference that a holdout like this finds, with the power that the policy asks for."""
    rows_for_margin: int | None = None
    """Rows of which an equal candidate is found not inferior, with that power; None where no number of them would do."""


class ShownDifference(Document):
    """One measurement of both models on the same rows, which decides nothing."""

    metric: str
    """By its full name, dimension first."""
    candidate: float
    champion: float
    difference: float
    """Candidate less champion, turned so that more is better."""
    low: float
    high: float
    """The ends of its interval, which is as confident as the policy asks."""


class SampleSize(Document):
    """What the rows held out can tell about one score."""

    metric: str
    rows: int
    error: float
    """Standard error of the difference of two models."""
    paired: bool
    """Of the two that were compared; else of any two that err independently, which is the most it can be for models as good."""


class DataWindow(Document):
    """Rows of one side of the split, by the times that they are about."""

    since: AwareDatetime
    until: AwareDatetime
    rows: int


class Table(Document):
    """A small table for a report: strings, already formatted."""

    title: str
    dimension: str
    header: list[str]
    rows: list[list[str]]


MODEL, CHAMPION, CHANCE, PERFECT = "model", "champion", "chance", "perfect"
"""Series of a curve: the candidate's own, the champion's on the same rows, and what no model and the best one would have."""


class Curve(Document):
    """Points of one line of a chart."""

    title: str
    dimension: str
    x_label: str
    y_label: str
    series: dict[str, list[tuple[float, float]]]


FORM = "1.4"
"""The form of evidence that is written here: a first number that changes where an old reader would take it for something else, and a second
that grows with every field. What has the same first number is read, fields that are not known yet left out; another is refused."""


class Evidence(Document):
    """``evidence.json``: everything a reviewer is asked to believe, with the digests that tie it down."""

    form: str = Field(default="1.0", pattern=r"^[0-9]+\.[0-9]+$", description="Which form of evidence it has (`FORM`).")
    model: str
    task: AnyTask
    model_digest: str
    snapshot_digest: str
    as_of: AwareDatetime | None = None
    """The moment as of which the data was looked at: nothing is proposed of such a run. None where it is all that the sources had."""
    policy_digest: str
    champion: ChampionRef
    provenance: Provenance = Provenance()
    provenance_waiver: str | None = None
    """Why the policy lets a model into production whose provenance is in doubt; None where it does not."""
    provenance_in_staging: bool = False
    """Whether the policy asks that of staging, too."""
    cause: Cause | None = None
    """What the retraining was started for; None where nobody asked for one."""
    trained_on: DataWindow | None = None
    """None in evidence of earlier Argosys."""
    recent_rows: DataWindow | None = None
    """The newest labelled rows, which nothing was trained on; None where the settings keep none, or none are left."""
    recent: ComparisonResult | None = None
    """The candidate against the champion on those. It gates only where the cause asks for a better model."""
    online_until: AwareDatetime | None = None
    """The newest row in the online store that was made with it, on whichever side of the split; None in evidence of earlier Argosys."""
    audience: Audience | None = None
    """Who hears of its requests and canaries; None where nobody does."""
    measuring: Measuring | None = None
    """By what sizes it was measured; None in evidence of earlier Argosys, which had no others than the defaults."""
    rows_train: int
    rows_holdout: int
    metrics: dict[str, float | None]
    """Flat, by dotted name; the first part is the dimension. None: undefined."""
    gates: list[GateResult]
    comparison: ComparisonResult | None = None
    margins: list[ComparisonResult] = []
    """The other measurements that the policy holds against the champion's, by their full names."""
    shown: list[ShownDifference] = []
    """What the policy limits and does not hold against the champion's: performance, calibration and fairness of both. None in evidence of
    earlier Argosys."""
    champion_metrics: dict[str, float | None] = {}
    """What the policy limits in robustness and explainability, of the champion on the same rows and by the same draws; by dotted name.
    None in evidence of earlier Argosys."""
    sample: list[SampleSize] = []
    """How small a difference to a model in production the next holdout like this can show."""
    verdict: VerdictWord
    explanation: str
    """One paragraph that a person reads first."""
    tables: list[Table] = []
    curves: list[Curve] = []
    pictures: list[str] = []
    """Files with pictures of it, which lie beside it."""
    attribution: dict[str, float] = {}
    """Feature to mean absolute SHAP value, largest first."""
    example_sentences: list[str] = []

    @model_validator(mode="before")
    @classmethod
    def _of_a_newer_release(cls, given: Any) -> Any:
        """What that one says besides is left out, at any depth; where it means something else by what it says, it is refused."""
        return of_form(cls, given, FORM, "it is evidence")

    @model_validator(mode="before")
    @classmethod
    def _of_an_older_release(cls, given: Any) -> Any:
        """That one named the commit and nothing else."""
        if not isinstance(given, dict) or "git_commit" not in given:
            return given
        commit = str(given["git_commit"]).removesuffix("-dirty")
        known = re.fullmatch(r"[0-9a-f]{40}", commit) is not None
        rest = {name: value for name, value in given.items() if name != "git_commit"}
        return {"provenance": {"commit": commit} if known else {}, **rest}

    def must_be_repeatable(self, environment: str) -> bool:
        """Whether *environment* refuses the model where its provenance is in doubt, by the policy that judged it."""
        return (environment == PRODUCTION or self.provenance_in_staging) and not self.provenance_waiver

    @property
    def failed(self) -> list[GateResult]:
        """The gates that hold the model back."""
        return failed(self.gates)

    @property
    def overridden(self) -> list[Override]:
        """The overrides that this model goes by."""
        return [gate.override for gate in self.gates if gate.override and not gate.passed]


def parse(content: bytes, where: str) -> Evidence:
    """Read the evidence *content* that lies at *where*. Raises Misconfigured where it is none."""
    try:
        return Evidence.model_validate_json(content)
    except ValidationError as error:
        raise errors.Misconfigured(f"{where} cannot be read: {error.errors()[0]['msg']}") from None


def counting(gates: Sequence[GateResult]) -> list[GateResult]:
    """Those of *gates* that can hold a model back; an accepted deviation cannot, nor can one that is overridden."""
    return [gate for gate in gates if not gate.deviation and gate.override is None]


def failed(gates: Sequence[GateResult]) -> list[GateResult]:
    """Those of *gates* that hold a model back."""
    return [gate for gate in counting(gates) if not gate.passed]


def tally(gates: Sequence[GateResult]) -> str:
    """The number of failed *gates* as text, in the one way of counting that verdict, request and report share."""
    return f"{len(failed(gates))} of {len(counting(gates))} gates failed"
