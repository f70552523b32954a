"""The circumstances of a request: who asked for the run, where it ran, when its data was read, where its time went, and what monitoring
said of the model in production meanwhile.

They are none of the evaluation's business, and no part of what a step answers: the same model made again by somebody else, elsewhere or
slower, is the same model. So they are written down once, when a candidate is registered, signed with the evidence and committed beside it.
Names, moments and figures only; whoever shows them escapes them.
"""

import datetime
from typing import Any, Literal

from pydantic import AwareDatetime, Field, ValidationError, model_validator

from argosy import errors
from argosy.domain.asker import Asker
from argosy.domain.documents import Document, of_form
from argosy.domain.drift import Word
from argosy.domain.performance_report import PerformanceWord
from argosy.domain.step_times import TimeLedger

FILE = "circumstances.json"
FORM = "1.0"
"""The form that is written here: as of evidence (`argosy.domain.evidence.FORM`)."""


class RunPlace(Document):
    """Where a run ran."""

    kind: Literal["cluster", "machine"]
    name: str = ""
    """Of the machine; of a cluster, whose pods are not told its name, empty."""
    namespace: str = ""
    workflow: str
    began: AwareDatetime
    """When the workflow was created."""


class Read(Document):
    """One source of the data, and when it was read."""

    source: str
    location: str
    rows: int
    digest: str


class Production(Document):
    """What monitoring had said of the model in production, by the newest window that it looked at."""

    reason: str = ""
    """Why nothing is known; empty where something is."""
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    looked: AwareDatetime | None = None
    rows: int = 0
    drift: Word | None = None
    explanation: str = ""
    moved: list[str] = []
    """Columns that drifted, the farthest moved first."""
    performance: PerformanceWord | None = None
    """By labels that had arrived; None where none are asked for."""
    performance_explanation: str = ""


class Circumstances(Document):
    """``circumstances.json``: how a candidate came to be asked for."""

    form: str = Field(default=FORM, pattern=r"^[0-9]+\.[0-9]+$", description="Which form of circumstances it has.")
    model: str
    model_digest: str
    asked_by: Asker = Asker()
    place: RunPlace
    written: AwareDatetime
    """When the candidate was registered."""
    read_at: AwareDatetime | None = None
    """When the sources were read: before the run began where they lay there from an earlier one."""
    sources: list[Read] = []
    ledger: TimeLedger | None = None
    """None where the pipeline hands no times on."""
    production: Production

    @model_validator(mode="before")
    @classmethod
    def _of_a_newer_release(cls, given: Any) -> Any:
        """As evidence: what a newer release says besides is left out, another first number is refused."""
        return of_form(cls, given, FORM, "it is")


def parse(content: bytes, where: str) -> Circumstances:
    """Read the circumstances *content* that lie at *where*. Raises Misconfigured where they are none."""
    try:
        return Circumstances.model_validate_json(content)
    except ValidationError as error:
        raise errors.Misconfigured(f"{where} cannot be read: {error.errors()[0]['msg']}") from None


def moment(seconds: float) -> datetime.datetime:
    """*seconds* since 1970 as a moment in UTC, to the second."""
    return datetime.datetime.fromtimestamp(int(seconds), datetime.UTC)
