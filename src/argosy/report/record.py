"""One run as a report sees it: what happened when, and every document that a step got as far as writing.

A run that stopped early still has a record; what it lacks is None. Where a run keeps its files is the caller's business: it hands over a
function that finds an artifact. How a record looks to a person is the business of ``html`` and ``terminal``.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from argosy import errors
from argosy.domain import bundle, retraining_cause, training_record
from argosy.domain.answers.answer_settings import AnswerSettings
from argosy.domain.bundle import Bins
from argosy.domain.data import FeatureSchema, Lineage, SnapshotManifest, ValidationResult
from argosy.domain.documents import Document
from argosy.domain.evidence import ChampionRef, Evidence
from argosy.domain.model_settings import CommonSettings, ModelSettings
from argosy.domain.policy import Policy
from argosy.domain.retraining_cause import Cause
from argosy.domain.search import Choice, SearchHistory
from argosy.domain.training_record import TrainingRecord

_ATTEMPT = re.compile(r"\(\d+\)(?=$|\.)")
FindArtifact = Callable[[str, str], Path | None]
"""(template, output artifact) to where it lies, or None where the run has none."""

AnyDocument = TypeVar("AnyDocument", bound=Document)


PASSING = (74, 75, 130, 137, 143)
"""Exit codes after which the same work may well succeed."""


@dataclass(frozen=True)
class Entry:
    """One attempt to run something: a line of the run's timeline. Times are seconds since the epoch."""

    name: str
    """Argo's node name, the workflow's replaced by ``$``."""
    template: str
    phase: str
    started: float | None = None
    finished: float | None = None
    ready: float | None = None
    """When nothing but a free place was missing."""
    cached: bool = False
    message: str = ""
    error: str = ""
    """The step's own last message, where it failed."""
    peak_bytes: int | None = None

    @property
    def failed(self) -> bool:
        """True where it ended badly."""
        return self.phase in {"Failed", "Error"}

    @property
    def may_pass_unchanged(self) -> bool:
        """True where a retry may pass, because no file of the model is at fault: the outside world, a full disk, a kill."""
        code = re.search(r"exit code:? (\d+)", self.message)
        if "OOMKilled" in self.message:
            return False
        return int(code[1]) in PASSING if code else self.phase == "Error"


@dataclass(frozen=True)
class Facts:
    """The run as a whole: its name, model, phase, times and message."""

    run: str
    model: str
    phase: str
    """Argo's word: Running, Succeeded, Failed, Error."""
    started: float
    finished: float | None = None
    message: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    peak_bytes: int | None = None
    part: str = ""
    """The part of its pipeline that the run is, in words; empty where it is the whole."""


@dataclass(frozen=True)
class RunReport:
    """Everything a report can say of one run."""

    facts: Facts
    entries: tuple[Entry, ...] = ()
    settings: ModelSettings | None = None
    """Of a model of tables; None where they cannot be read."""
    answer_settings: AnswerSettings | None = None
    """Of a language model; None where they cannot be read."""
    policy: Policy | None = None
    champion: ChampionRef | None = None
    snapshot: SnapshotManifest | None = None
    lineage: Lineage | None = None
    validation: ValidationResult | None = None
    features: FeatureSchema | None = None
    history: SearchHistory | None = None
    choice: Choice | None = None
    training: TrainingRecord | None = None
    bins: Bins | None = None
    evidence: Evidence | None = None
    results: Mapping[str, str] = field(default_factory=dict)
    """Short output values: version, storage-uri, request …"""
    unreadable: tuple[str, ...] = ()
    """Documents that are there but could not be read, and why."""

    @property
    def cause(self) -> Cause | None:
        """What the retraining was started for; None where it was not, or where the run's parameter cannot be read."""
        if self.evidence is not None:
            return self.evidence.cause
        try:
            # Admission hands it on as a result; whoever starts the pipeline itself, as a parameter.
            name = retraining_cause.PARAMETER
            return retraining_cause.parse(self.results.get(name) or self.facts.parameters.get(name, ""))
        except errors.Misconfigured:
            # The step that reads it has said so, and stopped.
            return None

    def lost(self, step: str) -> bool:
        """True where *step* left a document that could not be read."""
        return any(f" of step {step}: " in problem for problem in self.unreadable)

    @property
    def failure(self) -> Entry | None:
        """The attempt that stopped the run: the failed one that ended first and was not made good by a later one."""
        failed = [entry for entry in self.entries if entry.failed and not self._made_good(entry)]
        return min(failed, key=lambda entry: (entry.finished or entry.started or 0.0, entry.name), default=None)

    def _made_good(self, failed: Entry) -> bool:
        base = attempt_of(failed.name)
        return any(entry.phase == "Succeeded" and attempt_of(entry.name) == base for entry in self.entries)


def attempt_of(name: str) -> str:
    """The node that *name* is an attempt of: ``$.train(1)`` is one of ``$.train``, and ``$.fit(1).train``, a container of a pod, one of
    ``$.fit.train``; a task of a fan-out is its own node."""
    return _ATTEMPT.sub("", name)


def collect(
    find: FindArtifact,
    *,
    facts: Facts,
    entries: tuple[Entry, ...] = (),
    settings: CommonSettings | None = None,
    policy: Policy | None = None,
    results: Mapping[str, str] | None = None,
) -> RunReport:
    """The record of a run: each document that *find* finds is read; one that cannot be read is named, and the rest stands."""
    reader = _Reader(find)
    return RunReport(
        facts=facts,
        entries=entries,
        settings=settings if isinstance(settings, ModelSettings) else None,
        answer_settings=settings if isinstance(settings, AnswerSettings) else None,
        policy=policy,
        champion=reader.document(ChampionRef, "champion", "champion", "champion.json"),
        snapshot=reader.first(SnapshotManifest, ("ingest", "collect"), "snapshot", "manifest.json"),
        lineage=reader.first(Lineage, ("ingest", "collect"), "lineage", "lineage.json"),
        validation=reader.document(ValidationResult, "validate", "validation", "validation.json"),
        features=reader.document(FeatureSchema, "build-features", "features", "schema.json"),
        history=reader.document(SearchHistory, "select", "history", "history.json"),
        choice=reader.document(Choice, "select", "choice", "choice.json"),
        training=reader.document(TrainingRecord, "train", "training", training_record.FILE),
        bins=reader.document(Bins, "train", "bundle", bundle.BINS),
        evidence=reader.first(Evidence, ("evaluate", "evaluate-answers"), "evidence", "evidence.json"),
        results=dict(results or {}),
        unreadable=tuple(reader.unreadable),
    )


class _Reader:
    """Reads what is there; remembers what could not be read, because a report on a broken run is wanted most."""

    def __init__(self, find: FindArtifact) -> None:
        self._find = find
        self.unreadable: list[str] = []

    def first(self, kind: type[AnyDocument], templates: Sequence[str], output: str, file: str) -> AnyDocument | None:
        """The document of the first of *templates* that left one: models of tables and language models have steps of their own."""
        return next(filter(None, (self.document(kind, template, output, file) for template in templates)), None)

    def document(self, kind: type[AnyDocument], template: str, output: str, file: str) -> AnyDocument | None:
        content = self._content(template, output, file)
        if content is None:
            return None
        try:
            return kind.model_validate_json(content)
        except ValueError as error:
            self._note(template, file, error)
            return None

    def _content(self, template: str, output: str, file: str) -> bytes | None:
        artifact = self._find(template, output)
        if artifact is None:
            return None
        path = artifact / file if artifact.is_dir() else artifact
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            self._note(template, file, error)
            return None

    def _note(self, template: str, file: str, error: Exception) -> None:
        lines = str(error).splitlines() or [type(error).__name__]
        self.unreadable.append(f"{file} of step {template}: {lines[0]}")
