"""The port to the storage of a search's trials (Optuna's study), shared by all tasks of its fan-out.

A record and a memo: a task that is tried again takes the trials it had scored from here. The sampler and the pruning never read it; what
they know comes through the workflow's own dataflow, so that cached and resumed runs stay sound.
"""

from collections.abc import Mapping
from typing import Protocol

from argosy.domain.search import Trial


class SearchStorage(Protocol):
    """Trials by study and number. A study's name is a digest of everything that its trials' scores depend on."""

    def recorded(self, study: str) -> Mapping[int, Trial]:
        """The trials of *study* that were recorded, by number; empty for a study nobody knows. Raises TryAgain when the storage fails."""

    def record(self, study: str, trial: Trial) -> None:
        """Keep *trial*; durable on return. Recording a number twice is no error: the first one stays.

        Raises TryAgain when the storage fails, LocalDisk when it is a file on a disk that is full.
        """
