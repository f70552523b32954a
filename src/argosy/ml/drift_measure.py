"""What argosy asks of a measure of drift that a package brings: how far the counts of one column lie from its reference's.

Who brings one, and which a model asks, is ``argosy.ml.drift_measures``'s business; whether a distance is drift, ``argosy.domain.drift``'s.
"""

from typing import Protocol

from argosy.domain.bundle import Histogram


class DriftMeasure(Protocol):
    """Measures a distance. The same counts give the same one, and nothing is changed."""

    def __call__(self, now: Histogram, before: Histogram) -> float | None:
        """The distance of *now* from *before*, counts of one column (or of the prediction) in the same bins, each of one row at least.

        0 where the shares are equal, and never less; in whatever unit the limit of ``monitor.thresholds.own`` has. None where it says
        nothing of such a column.
        """
