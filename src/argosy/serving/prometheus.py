"""A served model's metrics, in Prometheus' text format. Each has a registry of its own, so that two in one process do not mix; what is the
server's, whichever model is asked, is in :mod:`argosy.serving.server_metrics`."""

import itertools
import math
import threading
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from argosy.domain.bundle import Moments, Predecessor, Signature
from argosy.ports.prediction_log import PredictionLog, ServedRelease
from argosy.serving import exposition
from argosy.serving.access.outcomes import Outcome
from argosy.serving.server_metrics import ServerMetrics

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
# Dense round the promise (p95 below 100 ms) and round what a row takes (below 1 ms).
SECONDS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
TWENTIETHS = tuple(step / 20 for step in range(1, 21))
"""Bins of a probability. They are the same for every version of a model, so that the distributions of two can be compared."""

AGES = tuple(60.0 * minutes for minutes in (1, 10, 60, 360, 1440, 2880, 10080, 44640, 131040, 525600))
"""Bins of how old a feature is: from a minute to a year."""

LOOKUPS = ("found", "unknown", "failed", "refused")
"""Refused: not asked for, because the store had failed several times in a row."""

ASKED = ("v1", "v2", "grpc", "plain", "explain")
"""Routes that rows are sent to."""

CODES = ("200", "500", "503")
"""Statuses of answers that rules and a canary's analysis ask for."""

DROPPED = ("queue-full", "spool-full", "disk: No space left on device")
"""Why a prediction is answered and not logged, most often."""


class Metrics:
    """The counters of one model."""

    def __init__(
        self,
        served: ServedRelease,
        log: PredictionLog | None,
        score_edges: Sequence[float] = TWENTIETHS,
        reference: Moments | None = None,
        predecessor: Predecessor | None = None,
        server: ServerMetrics | None = None,
        seconds: Sequence[float] = SECONDS,
    ) -> None:
        """*score_edges*: of the bins that scores are counted in, ascending; none where scores are not counted.

        *reference*: of the scores that the model gave to its holdout; None where that is not known. *server*: counts what is the server's;
        None: it has no other model. *seconds*: bins of the time that an answer takes.
        """
        self.server = server or ServerMetrics()
        self.registry = CollectorRegistry()
        _show(served, reference, predecessor, self.registry)
        self._requests = Counter("argosy_requests", "Requests answered.", ["route", "code"], registry=self.registry)
        self._seconds = Histogram(
            "argosy_request_seconds", "Time to answer.", ["route"], buckets=seconds, registry=self.registry
        )
        self._shed = Counter(
            "argosy_requests_shed",
            "Requests refused (503) because there was no time or room for them.",
            ["route"],
            registry=self.registry,
        )
        self._stand_at_zero()
        self.together = Histogram(
            "argosy_requests_together",
            "Requests answered with one call of the model.",
            buckets=(1, 2, 4, 8, 16, 32, 64),
            registry=self.registry,
        )
        self.predictions = Counter("argosy_predictions", "Rows answered.", registry=self.registry)
        self.score_edges = tuple(score_edges)
        self._scores = _Scores(score_edges) if score_edges else None
        if self._scores is not None:
            self.registry.register(self._scores)
        self.undefined = Counter(
            "argosy_undefined_predictions",
            "Requests for which the model gave NaN or infinity.",
            registry=self.registry,
        )
        self.unknown_levels = Counter(
            "argosy_unknown_levels", "Values that the model does not know.", ["feature"], registry=self.registry
        )
        self.unexpected_nulls = Counter(
            "argosy_unexpected_nulls",
            "Nulls where the contract allows none.",
            ["feature"],
            registry=self.registry,
        )
        self.expired_values = Counter(
            "argosy_expired_values",
            "Values found by id that had outlived the `ttl` of their view, and counted as missing.",
            ["feature"],
            registry=self.registry,
        )
        self.online_age = Histogram(
            "argosy_online_age_seconds",
            "Age of the oldest values of each view that a request by id was answered with.",
            ["view"],
            buckets=AGES,
            registry=self.registry,
        )
        lookups = Counter(
            "argosy_online_lookups", "Rows asked for by id, by what came of it.", ["outcome"], registry=self.registry
        )
        self._lookups = {outcome: lookups.labels(outcome) for outcome in LOOKUPS}
        self.stream_lag = Gauge("argosy_stream_lag", "Messages of the stream that wait.", registry=self.registry)
        self.stream_failures = Counter(
            "argosy_stream_failures", "Times that the stream stood still.", registry=self.registry
        )
        self._observers: dict[tuple[str, int], Callable[[float], None]] = {}
        self._shedding: dict[str, tuple[Counter, Counter]] = {}
        if log is not None:
            self.registry.register(_LogCollector(log))

    def _stand_at_zero(self) -> None:
        """Show the counters of each route that is asked: to Prometheus what first appears with a number has not grown by it."""
        for route in ASKED:
            self._shed.labels(route)
            for code in CODES:
                self._requests.labels(route, code)

    def register(self, collector: Collector) -> None:
        """Show what *collector* counts too."""
        self.registry.register(collector)

    def observe(self, route: str, status: int, seconds: float) -> None:
        """Count one answer."""
        observer = self._observers.get((route, status))
        if observer is None:
            observer = self._observers[(route, status)] = self._observer(route, status)
        observer(seconds)

    def shed(self, route: str) -> None:
        """Count a request that was refused for want of time or room: answered by 503, in a time that says nothing of the model."""
        found = self._shedding.get(route)
        if found is None:
            found = self._shedding[route] = (self._shed.labels(route), self._requests.labels(route, "503"))
        for counter in found:
            counter.inc()

    def _observer(self, route: str, status: int) -> Callable[[float], None]:
        # Looking labels up costs more than counting: once per pair is enough, and there are few.
        counter = self._requests.labels(route, str(status))
        histogram = self._seconds.labels(route)

        def observe(seconds: float) -> None:
            counter.inc()
            histogram.observe(seconds)

        return observe

    def lookup(self, outcome: str, rows: int = 1) -> None:
        """Count *rows* that were asked for by id; *outcome* is one of ``LOOKUPS``."""
        self._lookups[outcome].inc(rows)

    def ended(self, reason: str) -> None:
        """Count a connection that the server ended; see :class:`argosy.serving.server_metrics.ServerMetrics`."""
        self.server.ended(reason)

    def access(self, outcome: Outcome) -> None:
        """Count a decision on access; *outcome* is one of ``OUTCOMES``."""
        self.server.access(outcome)

    def access_rules_read(self, understood: bool) -> None:
        """The file of the rules was read, and *understood* or not."""
        self.server.access_rules_read(understood)

    def observe_scores(self, scores: npt.NDArray[np.float64]) -> None:
        """Count the scores of the rows of one request, which nobody changes any more."""
        if self._scores is not None:
            self._scores.add(scores)

    def text(self) -> bytes:
        """All of it, and of the server, as Prometheus scrapes it."""
        if self.server.scrape is not None:
            return self.server.scrape.text()
        found = exposition.taken(self.server.registry)
        exposition.added(found, exposition.taken(self.registry))
        return exposition.text(found)


def of(
    signature: Signature,
    served: ServedRelease,
    log: PredictionLog | None,
    edges: Sequence[float] | None = None,
    reference: Moments | None = None,
    predecessor: Predecessor | None = None,
    server: ServerMetrics | None = None,
) -> Metrics:
    """The metrics of one model. *edges*: bins in which scores are counted; None: twentieths for probabilities, and none for a
    regression, whose range nobody here knows. *predecessor*: the model that it was compared with before it was released."""
    if edges is None:
        edges = () if signature.task == "regression" else TWENTIETHS
    return Metrics(served, log, edges, reference, predecessor, server)


def _show(
    served: ServedRelease, reference: Moments | None, predecessor: Predecessor | None, registry: CollectorRegistry
) -> None:
    """The series that stay as they are while the server runs. The first is what rules learn by which model another series is of."""
    labels = {
        "model": served.model,
        "environment": served.environment,
        "version": str(served.version or ""),
        "digest": served.digest,
    }
    info = Gauge("argosy_model_info", "The model that is served; always 1.", list(labels), registry=registry)
    info.labels(**labels).set(1)
    if reference is not None and reference.count > 1:
        mean = Gauge("argosy_prediction_reference_mean", "Mean score of the model's holdout.", registry=registry)
        mean.set(reference.mean)
        deviation = Gauge(
            "argosy_prediction_reference_deviation", "Standard deviation of these scores.", registry=registry
        )
        deviation.set(math.sqrt(reference.variance))
    if predecessor is not None:
        distance = Gauge(
            "argosy_prediction_expected_distance",
            "Kolmogorov-Smirnov distance of its scores to those of the model of that digest, as evaluation saw it.",
            ["digest"],
            registry=registry,
        )
        distance.labels(predecessor.model_digest).set(predecessor.score_distance)


_WAITING = 64
"""Requests whose scores are counted together."""


class _Scores(Collector):
    """Counts scores in bins: the library's own histogram takes half a microsecond for each, which a request of many rows feels. So does
    NumPy for a request alone, so those of some wait for each other, or for whoever asks."""

    def __init__(self, edges: Sequence[float]) -> None:
        self._edges = [*map(float, edges), *([] if edges[-1] == math.inf else [math.inf])]
        self._inner = np.array(self._edges[:-1], np.float64)
        self._counts = np.zeros(len(self._edges), np.int64)
        self._sum = 0.0
        self._waiting: list[npt.NDArray[np.float64]] = []
        self._lock = threading.Lock()

    def add(self, scores: npt.NDArray[np.float64]) -> None:
        """Count *scores*, which nobody changes any more."""
        with self._lock:
            self._waiting.append(scores)
            if len(self._waiting) >= _WAITING:
                self._count()

    def _count(self) -> None:
        if not self._waiting:
            return
        scores = np.concatenate(self._waiting)
        self._waiting.clear()
        self._counts += np.bincount(np.searchsorted(self._inner, scores), minlength=len(self._counts))
        self._sum += float(scores.sum())

    def collect(self) -> list[Metric]:
        with self._lock:
            self._count()
            counts, total = self._counts.tolist(), self._sum
        said = zip(map(floatToGoString, self._edges), itertools.accumulate(counts), strict=True)
        help_text = "Scores: of a binary model the probability, of a multiclass one that of the class decided for, else the value."
        return [HistogramMetricFamily("argosy_prediction_score", help_text, buckets=list(said), sum_value=total)]


class _LogCollector(Collector):
    """Reads the prediction log's own counts when scraped."""

    def __init__(self, log: PredictionLog) -> None:
        self._log = log

    def collect(self) -> list[Metric]:
        standing = self._log.standing()
        return [
            _gauge("pending", "Records a crash of the server would lose.", standing.pending),
            _counter("written", "Records kept.", standing.written),
            _counter("shipped", "Records that the store has.", standing.shipped),
            _gauge("waiting_bytes", "Size of what is on this machine and not in the store.", standing.waiting_bytes),
            _gauge("oldest_seconds", "Age of the oldest of it; 0 where nothing waits.", standing.oldest_seconds),
            _counter("damaged", "Places where records were damaged on this machine, and lost.", standing.damaged),
            _gauge("strange_files", "Files among its segments that nobody can read.", standing.strange),
            # Those that may come are there from the start: an increase from nothing is none to Prometheus.
            _by("dropped", "Records not kept.", "reason", {**dict.fromkeys(DROPPED, 0), **standing.dropped}),
            _by("failures", "Attempts to ship that failed, and are made again.", "error", standing.failures),
        ]


def _gauge(name: str, says: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"argosy_prediction_log_{name}", says, value=value)


def _counter(name: str, says: str, value: float) -> CounterMetricFamily:
    return CounterMetricFamily(f"argosy_prediction_log_{name}", says, value=value)


def _by(name: str, says: str, label: str, counts: Mapping[str, int]) -> CounterMetricFamily:
    family = CounterMetricFamily(f"argosy_prediction_log_{name}", says, labels=[label])
    for value, count in counts.items():
        family.add_metric([value], count)
    return family
