"""What `--json` prints, verb by verb: the shapes behind `argosy VERB --json-schema`, which the tests hold every output against.

Where a verb prints a document of ``domain`` as it is, that is its shape. A verb that has no end of lines prints an object each.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter
from pydantic.alias_generators import to_camel

from argosy import errors
from argosy.cli.gc import Found
from argosy.cli.why import RunCause
from argosy.domain import suggestion
from argosy.domain.data import ExpectationResult, SnapshotManifest
from argosy.domain.data_diff import DataChange
from argosy.domain.diagnosis import CheckResult
from argosy.domain.drift import DriftReport
from argosy.domain.erasures import Erasure
from argosy.domain.feature_skew import FeatureSkew
from argosy.domain.looks import SecondLook, SliceLook
from argosy.domain.new_model import Guess
from argosy.domain.notices import Telling
from argosy.domain.performance_report import Performance
from argosy.domain.promotion_requests import Request
from argosy.domain.provenance import Provenance
from argosy.domain.release import Version
from argosy.domain.retraining_admission import RetrainingLedger
from argosy.domain.run_differences import RunDifference
from argosy.domain.run_plans import RunPlan
from argosy.domain.version_comparison import VersionComparison


class _Shape(BaseModel):
    """An object with these fields and no others."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel)


class _Plain(_Shape):
    """One whose fields are called as they are here."""

    model_config = ConfigDict(extra="forbid", alias_generator=None)


class NodeOutputs(_Shape):
    parameters: dict[str, Any] = {}
    result: Any = None
    exit_code: str | None = Field(default=None, description="A text, as Argo's status has it.")


class NodeStatus(_Shape):
    """A node as Argo's status holds it."""

    type: str
    phase: str
    message: str = ""
    outputs: NodeOutputs = NodeOutputs()
    memoization_status: dict[str, Any] = {}


class RunLine(_Plain):
    """A line of `argosy runs`; what is not known is an empty text, or absent on a cluster."""

    run: str
    phase: str
    started: str
    seconds: str
    message: str
    outcome: str = ""
    verdict: str = ""
    version: str = ""
    score: str = ""
    commit: str = ""


class RunFacts(_Plain):
    """One run; facts beside these are named as `argosy get` shows them."""

    model_config = ConfigDict(extra="allow")

    run: str
    phase: str
    message: str
    started: str
    seconds: str
    nodes: dict[str, NodeStatus] = Field(description="By the node's name within the run.")


class RunSummary(_Plain):
    """What a run came to."""

    run: str
    phase: str
    message: str
    nodes: dict[str, NodeStatus]
    verdict: str = ""
    model_digest: str = ""


class ChangedModel(_Plain):
    """With --changed-since and --dry-run: a model of the working directory."""

    model: str
    folder: str
    changed: bool
    why: list[str]


class Backfilled(_Plain):
    model: str
    runs: list[dict[str, str]] = Field(description="A row of the page each, by the titles of its columns.")
    page: str | None


class BillLine(_Plain):
    """What runs cost; beside these a text for each label asked for with --by."""

    model_config = ConfigDict(extra="allow")

    runs: int
    cpu_hours: float
    memory_hours: float = Field(description="GiB times hours.")
    price: float


class KeptSnapshot(_Plain):
    model: str
    digest: str
    at: str
    rows: int
    bytes: int
    place: str


class ShownSnapshot(KeptSnapshot):
    manifest: SnapshotManifest


class CheckedResult(ExpectationResult):
    in_parts: bool = Field(description="Whether it follows from the partitions, of which none was read for it.")


class CheckedSource(_Plain):
    source: str
    partitions: int
    read: int
    results: list[CheckedResult]


class RunDifferences(_Plain):
    before: str
    after: str
    differences: list[RunDifference]


class Drifted(DriftReport):
    slices: list[SliceLook]
    second: SecondLook | None = None


class ExplainedCode(_Plain):
    code: str
    text: str


class FailureKind(_Shape):
    exit_code: int
    means: str
    do: str
    retried: bool


class FailureArea(_Shape):
    about: str
    look: str
    page: str


class FailureCodes(_Plain):
    kinds: dict[str, FailureKind]
    areas: dict[str, FailureArea]


class FleetLine(_Plain):
    model: str
    owner: str
    staging: str
    production: str
    requests: str


class GuessedColumnShape(_Plain):
    name: str
    type: str
    role: str
    reason: str
    unit: str | None
    personal: bool
    sensitive: bool
    nullable: bool


class GuessedModel(_Plain):
    model: str
    task: str
    guesses: list[Guess]
    columns: list[GuessedColumnShape]
    rows: int


class KeyLine(_Plain):
    id: str
    state: Literal["expired", "signs", "verifies", "unknown"]
    made: str
    expires: str
    served: list[str]


class HeldStore(_Plain):
    digest: str
    model: str
    entities: int
    loaded_at: str
    whole: bool
    named_by: list[str]


class ImageLine(_Plain):
    image: str
    why: str
    pinned: bool
    to: str | None = None


class GateChangeShape(_Shape):
    gate: str
    was: Any
    would_be: Any
    why: str


class ReplayedVerdict(_Shape):
    version: int | None
    model_digest: str
    day: str
    places: list[str]
    was: str
    would_be: str
    flips: bool
    why: str
    changes: list[GateChangeShape]


class StandingAspects(_Plain):
    """With --dry-run: how what the run was made of stands now."""

    of: str
    standing: dict[str, str]


class StageDigests(_Plain):
    stage: str
    before: Any
    after: Any


class ComparedMeasurements(_Shape):
    compared: int
    left_out: int


class OtherMeasurement(_Plain):
    name: str
    before: float | None
    after: float | None


class Reproduced(_Shape):
    of: str
    run: str
    reproduced: bool
    first_difference: str | None
    results: list[StageDigests]
    measurements: ComparedMeasurements
    other_measurements: list[OtherMeasurement]
    why: list[str]
    standing: dict[str, str]


class LiveVersion(_Plain):
    model: str
    owner: str | None
    environment: str
    version: int | None
    digest: str | None
    verdict: str | None


class WaitShape(_Shape):
    what: str
    waits_for: str
    seconds: float | None


class ModelCost(_Shape):
    model: str
    runs: int
    core_hours: float
    gib_hours: float
    price: float


class Overall(_Shape):
    """Without a run: how everything stands."""

    live: list[LiveVersion]
    waits: list[WaitShape]
    burns: list[str]
    costs: list[ModelCost]
    costs_left_out: int


class TracedAnswer(_Plain):
    time: str
    environment: str
    row: int
    score: list[float]
    decision: str | None


class PlacementShape(_Plain):
    environment: str
    commit: str
    live: bool


class Traced(_Shape):
    answers: list[TracedAnswer]
    version: Version
    placements: list[PlacementShape]
    requests: list[Request]
    rejected: Any
    signed: bool
    signatures: str
    verdict: str | None
    policy_digest: str | None
    champion: str | None
    snapshot_digest: str | None
    provenance: Provenance | None


Row = dict[str, Any]
"""An answered row: the columns asked for."""
SHAPES: Mapping[str, Any] = {
    "backfill": Backfilled,
    "compare": VersionComparison,
    "cost": BillLine,
    "data diff": DataChange,
    "data list": KeptSnapshot,
    "data show": ShownSnapshot,
    "data validate": CheckedSource,
    "diff": RunDifferences,
    "doctor": CheckResult,
    "drift": Drifted,
    "explain": ExplainedCode | FailureCodes,
    "fleet": FleetLine,
    "forget": Erasure,
    "gc": Found,
    "get": RunFacts,
    "init": GuessedModel,
    "keys list": KeyLine,
    "notices list": Telling,
    "online list": HeldStore,
    "performance": Performance,
    "plan": RunPlan,
    "platform images": ImageLine,
    "policy test": ReplayedVerdict,
    "pr list": Request,
    "predict": Row,
    "reproduce": Reproduced | StandingAspects,
    "resume": RunSummary,
    "retrain": RetrainingLedger,
    "retry": RunSummary,
    "run": RunSummary | ChangedModel,
    "runs": RunLine,
    "skew": FeatureSkew,
    "status": RunFacts | Overall,
    "trace": Traced,
    "why": RunCause,
}
"""Verb, and its action where it has several, to the shape of an object that it prints."""


def name_of(words: list[str]) -> str | None:
    """The name in ``SHAPES`` of what the command line *words*, options left out, asks for; None where it prints no JSON."""
    return next((name for name in (" ".join(words[:2]), *words[:1]) if name in SHAPES), None)


def schema(name: str) -> dict[str, Any]:
    """The JSON Schema of an object that *name* prints."""
    found = TypeAdapter(SHAPES[name]).json_schema(mode="validation")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **found, "title": f"argosy {name} --json"}


def asked(words: list[str]) -> str:
    """The schema that the command line *words* asks for, as text. Raises UsageError where there is none."""
    if (name := name_of(words)) is None:
        verb = words[0]
        of_verb = [each for each in SHAPES if each.startswith(f"{verb} ")]
        typed = " ".join(words[:2])
        there = suggestion.choices(typed, of_verb or SHAPES, "There are")
        raise errors.UsageError(f"--json-schema: `argosy {typed}` has no --json{there}")
    return json.dumps(schema(name), indent=2, sort_keys=True)
