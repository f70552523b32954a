"""Samples as Prometheus scrapes them, in its text format."""

import time
from collections import defaultdict
from collections.abc import Callable, Iterable

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

from argosy.exporter.samples import Sample
from argosy.exporter.series import Series


class Exposition:
    """What *shown* gives when it is asked, and what this process takes."""

    def __init__(self, shown: Callable[[], Iterable[Sample]], clock: Callable[[], float] = time.time) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._registry.register(_Samples(shown, clock))

    def text(self) -> bytes:
        """All of it, with ages as of now."""
        return generate_latest(self._registry)


class _Samples(Collector):
    def __init__(self, shown: Callable[[], Iterable[Sample]], clock: Callable[[], float]) -> None:
        self._shown = shown
        self._clock = clock

    def describe(self) -> list[Metric]:
        return []  # names are not asked for before there is a value

    def collect(self) -> list[Metric]:
        now = self._clock()
        by_series: dict[Series, dict[tuple[str, ...], float]] = defaultdict(dict)
        for sample in self._shown():
            # Prometheus refuses a whole page on which a series stands twice: the last one counts.
            by_series[sample.series][sample.labels] = sample.at(now)
        return [_family(series, values) for series, values in by_series.items()]


def _family(series: Series, values: dict[tuple[str, ...], float]) -> Metric:
    family = (CounterMetricFamily if series.counts else GaugeMetricFamily)(
        series.name, series.help, labels=series.labels
    )
    for labels, value in values.items():
        family.add_metric(labels, value)
    return family
