"""The metrics of a second version beside the one that a server is for, by its role: ``shadow``, or ``candidate`` of a split."""

import itertools
import math
import threading
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import Literal

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from argosy.ml.predictor import Predictions
from argosy.ports.prediction_log import PredictionLog, ServedRelease

Role = Literal["shadow", "candidate"]
SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
ROWS = (1.0, 4.0, 16.0, 64.0, 256.0, 1024.0)
DIFFERENCES = (0.001, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0)
"""Bins of the distance between two probabilities."""
BACKLOG_FULL, STOPPED = "backlog-full", "stopped"
DROPS = (BACKLOG_FULL, STOPPED)
"""Why a shadow never saw a row."""
UNDEFINED, FAILED = "undefined", "failed"
ERRORS = (UNDEFINED, FAILED)
"""Why it gave no answer: the model gave NaN or infinity, or failed in another way."""


class SecondSeries(Collector):
    """Counts, from any thread."""

    def __init__(
        self, role: Role, served: ServedRelease, edges: Sequence[float], log: PredictionLog | None = None
    ) -> None:
        """*edges*: of the bins that scores are counted in; none where they are not counted."""
        self.role = role
        self._served = served
        self._log = log
        self._lock = threading.Lock()
        self._rows = 0
        self._flips = 0
        self._compared = 0
        self._waiting = 0
        self._dropped = dict.fromkeys(DROPS, 0)
        self._errors = dict.fromkeys(ERRORS, 0)
        self._seconds = _Bins(SECONDS)
        self._sizes = _Bins(ROWS)
        self._scores = _Bins(edges) if edges else None
        self._differences = _Bins(DIFFERENCES if edges else ())

    def answered(self, values: Predictions, seconds: float) -> None:
        """Count one call of the model, which took *seconds* and gave *values*."""
        tops = values.max(axis=1).tolist() if values.ndim == 2 else values.tolist()
        with self._lock:
            self._rows += len(tops)
            self._seconds.add([seconds])
            self._sizes.add([float(len(tops))])
            if self._scores is not None:
                self._scores.add(tops)

    def compared(self, differences: Sequence[float], flips: int) -> None:
        """Count rows that both versions answered: how far apart, and how many of them were decided otherwise."""
        with self._lock:
            self._differences.add(differences)
            self._compared += len(differences)
            self._flips += flips

    def dropped(self, reason: str, rows: int) -> None:
        """Count *rows* that the version was not asked for, for one of ``DROPS``."""
        with self._lock:
            self._dropped[reason] += rows

    def failed(self, reason: str, rows: int) -> None:
        """Count *rows* that it gave no answer to, for one of ``ERRORS``."""
        with self._lock:
            self._errors[reason] += rows

    def waiting(self, rows: int) -> None:
        """Say how many *rows* wait now."""
        self._waiting = rows

    def collect(self) -> list[Metric]:
        """What Prometheus scrapes."""
        with self._lock:
            return [*self._counts(), *self._histograms(), *self._of_log()]

    def _counts(self) -> Iterable[Metric]:
        served = self._served
        about = {"version": str(served.version or ""), "digest": served.digest}
        info = GaugeMetricFamily(
            "argosy_second_model_info", "The version beside the served one; always 1.", labels=["role", *about]
        )
        info.add_metric([self.role, *about.values()], 1)
        yield info
        yield self._counter("argosy_second_predictions", "Rows that the second version answered.", self._rows)
        yield self._counter("argosy_second_compared", "Rows that both versions answered.", self._compared)
        yield self._counter("argosy_second_flips", "Rows of these that they decided otherwise.", self._flips)
        waiting = GaugeMetricFamily("argosy_second_waiting_rows", "Rows that wait for it.", labels=["role"])
        waiting.add_metric([self.role], self._waiting)
        yield waiting
        yield self._by("argosy_second_dropped", "Rows that it was not asked for.", self._dropped.items())
        yield self._by("argosy_second_errors", "Rows that it gave no answer to.", self._errors.items())

    def _histograms(self) -> Iterable[Metric]:
        yield self._histogram("argosy_second_call_seconds", "Time of a call of its model.", self._seconds)
        yield self._histogram("argosy_second_call_rows", "Rows of a call of its model.", self._sizes)
        if self._scores is not None:
            yield self._histogram("argosy_second_score", "Its scores, as argosy_prediction_score.", self._scores)
        yield self._histogram(
            "argosy_second_score_difference", "Distance of its score to the first version's.", self._differences
        )

    def _of_log(self) -> Iterable[Metric]:
        if self._log is not None:
            standing = self._log.standing()
            yield self._counter("argosy_second_log_written", "Its records that were kept.", standing.written)
            yield self._counter(
                "argosy_second_log_dropped", "Its records that were not kept.", sum(standing.dropped.values())
            )

    def _counter(self, name: str, says: str, value: float) -> Metric:
        family = CounterMetricFamily(name, says, labels=["role"])
        family.add_metric([self.role], value)
        return family

    def _by(self, name: str, says: str, counts: Iterable[tuple[str, int]]) -> Metric:
        family = CounterMetricFamily(name, says, labels=["role", "reason"])
        for reason, count in counts:
            family.add_metric([self.role, reason], count)
        return family

    def _histogram(self, name: str, says: str, bins: "_Bins") -> Metric:
        family = HistogramMetricFamily(name, says, labels=["role"])
        family.add_metric([self.role], bins.cumulative(), bins.total)
        return family


class SecondAbsent(Collector):
    """Says whether a second version that should be there is not."""

    def __init__(self, role: Role, *, absent: bool) -> None:
        self._role = role
        self._absent = absent

    def collect(self) -> list[Metric]:
        """What Prometheus scrapes."""
        family = GaugeMetricFamily(
            "argosy_second_absent", "1 where the second version could not be loaded.", labels=["role"]
        )
        family.add_metric([self._role], int(self._absent))
        return [family]


class _Bins:
    """Numbers counted in bins."""

    def __init__(self, edges: Sequence[float]) -> None:
        self._edges = [*map(float, edges), *([] if edges and edges[-1] == math.inf else [math.inf])]
        self._counts = [0] * len(self._edges)
        self.total = 0.0

    def add(self, numbers: Iterable[float]) -> None:
        """Count *numbers*."""
        for number in numbers:
            self._counts[bisect_left(self._edges, number)] += 1
            self.total += number

    def cumulative(self) -> list[tuple[str, float]]:
        """How many were at most each edge."""
        return list(zip(map(floatToGoString, self._edges), map(float, itertools.accumulate(self._counts)), strict=True))
