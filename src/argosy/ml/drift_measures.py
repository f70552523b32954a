"""The measures of drift that a model's settings name (``monitor.thresholds.own``), found in the packages that bring them."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from argosy import errors, plugins
from argosy.domain.bundle import Histogram
from argosy.domain.suggestion import choices
from argosy.ml.drift_measure import DriftMeasure
from argosy.plugins import Plugin


@dataclass(frozen=True)
class BroughtMeasure:
    """A measure as its package brings it; see :class:`argosy.ml.drift_measure.DriftMeasure`."""

    plugin: Plugin
    measure: DriftMeasure

    def __call__(self, now: Histogram, before: Histogram) -> float | None:
        """The distance. Raises Misconfigured, with whose fault it is, where there is none that a limit could be held against."""
        try:
            said = self.measure(now, before)
            distance = None if said is None else float(said)
        except Exception as error:  # code of others may fail in any way; that it did must not look like no drift
            raise self._failed(now, f"{type(error).__name__}: {error}") from error
        if distance is not None and not 0 <= distance < math.inf:
            raise self._failed(now, f"it says {distance:g}; a distance is a number from 0 on, or None")
        return distance

    def _failed(self, histogram: Histogram, why: str) -> errors.Misconfigured:
        return errors.Misconfigured(
            f"{self.plugin}, failed at {histogram.column}: {why}; mend that package, or take it out of monitor.thresholds.own"
        )


def named(names: Iterable[str]) -> Mapping[str, DriftMeasure]:
    """The measures called *names*. Raises Misconfigured where no package that is installed here brings one, or it cannot be loaded."""
    asked = list(names)
    brought = plugins.installed(plugins.DRIFT_MEASURES) if asked else {}
    for name in asked:
        if name not in brought:
            raise errors.Misconfigured(
                f"monitor.thresholds.own: no package that is installed here brings the measure of drift {name!r}"
                f"{choices(name, list(brought), 'There are') if brought else ''}; install the one that does beside Argosy (entry point "
                f"{plugins.DRIFT_MEASURES}), in a pod in an image of your own"
            )
    return {name: BroughtMeasure(brought[name], brought[name].load()) for name in asked}
