"""The port that finds the label of each logged prediction.

Owns no rule of what a label is worth: it says which label is of which prediction, and counts what was wrong with those that are of none.
"""

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from argosy.domain.label_settings import Labels
from argosy.domain.model_settings import Label
from argosy.domain.performance_report import LabelCounts
from argosy.domain.source_settings import Source
from argosy.ports.prediction_log import Logged, ServedRelease

if TYPE_CHECKING:
    import pyarrow as pa

OUTCOME = "outcome:"
"""What the columns of business values begin with."""
SLICE = "slice:"
"""What the columns of sliced features begin with."""


@dataclass(frozen=True)
class LabelQuestion:
    """What is asked: how labels join, and as of when."""

    labels: Labels
    table: Source
    """Where they are."""
    label: Label
    """The expression of the label, and its classes."""
    entity: Sequence[str]
    """The model's join keys."""
    slices: Sequence[str]
    """Features whose values are wanted."""
    since: datetime.datetime
    until: datetime.datetime
    """Of the predictions; labels that can only be of others are passed over."""
    as_of: datetime.datetime
    """What became known later is not looked at."""
    identified: bool = False
    """Whether the answer names the request, row and entity of each prediction."""


@dataclass(frozen=True)
class LabelledPredictions:
    """The predictions of a window, those without a label too."""

    table: "pa.Table"
    """Columns: ``release`` (place among *releases*), ``time``, ``score`` (list), ``decision``, ``label`` (a number as
    ``argosy.ports.tables`` has it; null where there is none), one :data:`OUTCOME` column for each business value and one :data:`SLICE`
    column, a text, for each slice; where it was asked for, ``request``, ``place`` and ``entity`` as they were logged. In an order that
    depends on nothing but the rows."""
    releases: Sequence[ServedRelease]
    counts: LabelCounts
    damaged: int = 0
    """Parts of the log that could not be read."""


class LabelJoin(Protocol):
    """Joins labels to predictions."""

    def join(
        self,
        snapshot: Path | None,
        question: LabelQuestion,
        hash_key: bytes,
        predictions: Iterable[Logged],
        *,
        older_keys: Sequence[bytes] = (),
    ) -> LabelledPredictions:
        """The *predictions* with their labels in *snapshot* (written by ``argosy.ports.tables``; None: there is none yet), whatever order
        either came in.

        Of a prediction's labels the one that became known last counts; different ones known at the same moment contradict each other, and
        none counts. Ids are hashed under *hash_key* as a server hashes them; predictions that were logged under one of *older_keys*
        are of the same entities. Works on disk where the rows are many. Raises Misconfigured
        where an expression of the settings cannot be asked of the table.
        """
