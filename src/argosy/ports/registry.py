"""The port to the registry of models: every candidate once, with all that is known of how it was made and how it was judged."""

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from argosy.domain.evidence import VerdictWord


@dataclass(frozen=True)
class Candidate:
    """A candidate model, as the registry records it."""

    model: str
    model_digest: str
    parameters: Mapping[str, str]
    metrics: Mapping[str, float]
    """Final values by name."""
    history: Mapping[str, Sequence[tuple[int, float]]]
    """Name to (step, value) pairs, such as the score of each trial."""
    tags: Mapping[str, str]
    """Tags that identify code, data and environment: commit, digests, versions, seeds, times."""
    artifacts: Mapping[str, Path]
    """Path inside the run to the file or folder that goes there."""


@dataclass(frozen=True)
class Judgement:
    """The verdict of ``evaluate`` about a model; a model may be judged again, against another champion or policy."""

    verdict: VerdictWord
    evidence_digest: str
    evidence: Path = field(repr=False)
    """Folder."""
    model_card: str = field(repr=False, default="")
    """Markdown."""
    metrics: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Registered:
    """A model's version."""

    version: int
    created_at: datetime.datetime
    """When the version was made, in UTC, whole seconds: the same however often it is registered."""
    run: str


class Registry(Protocol):
    """Runs, versions and aliases. Every method raises TryAgain where the other side fails."""

    def check(self) -> None:
        """Raise what keeps this registry from being used, if anything does."""

    def record(self, candidate: Candidate) -> Registered:
        """Record *candidate* and give it a version, or find the one it has: one run and one version per model digest, whatever happened
        to earlier attempts and whoever else is recording."""

    def judge(self, model: str, version: int, judgement: Judgement) -> None:
        """Attach *judgement* to a version: tags, model card, ``ready_for_deployment``, and the alias ``challenger`` or ``rejected``."""

    def reject(self, model: str, model_digest: str, reason: str) -> int | None:
        """Tag the version with *model_digest* as taken out of service for *reason*: never ready for deployment again by itself. Returns its
        number, or None where it is not known here. Saying it again changes nothing but the reason."""

    def crown(self, model: str, model_digest: str | None) -> int | None:
        """Let the alias ``champion`` follow git: the version with *model_digest* has it, or none. Returns that version's number."""

    def go_on(self, model: str, known: Mapping[int, str]) -> list[int]:
        """Let a registry that was lost and begun anew go on after the versions *known*, each number with its model digest: each has its
        number again, and new ones get higher numbers. Returns the numbers that were missing here; doing it again changes nothing.

        Raises Misconfigured where one of these numbers is another model's here.
        """
