"""The port of own measurements: what a package of others finds out of a candidate, for a gate of a policy."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from argosy.domain.model_settings import Task

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa


@dataclass(frozen=True)
class JudgedRows:
    """The rows that were held out, and what the candidate says of them; all of one length and order."""

    task: Task
    classes: tuple[str, ...]
    """Names of the classes; empty for regression."""
    table: "pa.Table"
    """Features, join keys, times, and the columns of ``evaluation`` that are no features."""
    labels: "npt.NDArray[np.float64]"
    """Index of the class, or the value itself for regression."""
    predictions: "npt.NDArray[np.float64]"
    """Probability of the second class, of each class (a column each), or the value."""
    threshold: float | None
    """From where on the second class is decided; None where there are not two."""


class OwnMeasure(Protocol):
    """Measures something of a candidate. The same rows give the same values, and nothing is changed."""

    def __call__(self, judged: JudgedRows) -> Mapping[str, float | None]:
        """Values by name (lower case, digits, underscores); None where one is undefined, which never passes a gate."""
