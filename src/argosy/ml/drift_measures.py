"""The measures of drift that a model's settings name (``monitor.thresholds.own``), found in the packages that bring them."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from argosy import errors, plugins
from argosy.domain import suggestion
from argosy.domain.bundle import Histogram
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
                "monitor.thresholds.own: "
                + suggestion.not_installed("the measure of drift", name, brought, plugins.DRIFT_MEASURES)
            )
    return {name: BroughtMeasure(brought[name], brought[name].load()) for name in asked}
