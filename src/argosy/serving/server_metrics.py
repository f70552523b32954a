"""The metrics of a server as a whole, whichever of its models is asked: its process, connections, who may ask, reloads.

They go on from where they were when another bundle takes the place of one that is served; those of a model
(:mod:`argosy.serving.prometheus`) begin anew with it.
"""

from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Gauge, ProcessCollector, values

from argosy.serving import exposition
from argosy.serving.access.outcomes import OUTCOMES, Outcome
from argosy.serving.span_queue import OUTCOMES as OUTCOMES_OF_SPANS

# Where PROMETHEUS_MULTIPROC_DIR is set, as whoever imports Feast sets it for itself and its children, the library keeps counts in files by
# process and name: two registries of one process then share them, and a version would begin with what those before it had counted.
values.ValueClass = values.MutexValue

RELOADS = ("taken", "refused")
ENDED = (
    "crowded out",
    "idle",
    "large headers",
    "malformed",
    "pipelined",
    "slow body",
    "slow headers",
    "too many",
    "unread answer",
)
"""Why the server ends a connection."""


class Scraped(Protocol):
    """Whatever Prometheus scrapes."""

    def text(self) -> bytes:
        """All of it, in Prometheus' text format."""


class SupervisorMetrics:
    """The counters of a process that watches others."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._restarts = Counter(
            "argosy_worker_restarts", "Workers that took the place of a dead one.", registry=self._registry
        )

    def restarted(self) -> None:
        """Count a worker that took the place of a dead one."""
        self._restarts.inc()

    def snapshot(self) -> exposition.Snapshot:
        """What it counted."""
        return exposition.taken(self._registry)


class ServerMetrics:
    """The counters of one server."""

    def __init__(self) -> None:
        self.scrape: Scraped | None = None
        """What Prometheus is told of the whole server, whichever model's address it asks; None: what that model counts."""
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self.in_flight = Gauge("argosy_requests_in_flight", "Requests being answered.", registry=self.registry)
        self._ended = Counter(
            "argosy_connections_ended", "Connections ended by the server, by why.", ["reason"], registry=self.registry
        )
        for reason in ENDED:  # what first appears with a number has not grown by it
            self._ended.labels(reason)
        access = Counter(
            "argosy_access_decisions",
            "Requests by what the rules of access said.",
            ["outcome"],
            registry=self.registry,
        )
        self._access = {outcome: access.labels(outcome) for outcome in OUTCOMES}
        self._access_stale = Gauge(
            "argosy_access_rules_stale", "1 while the file of the rules cannot be understood.", registry=self.registry
        )
        reloads = Counter(
            "argosy_reloads", "Versions that came while another was served.", ["outcome"], registry=self.registry
        )
        self._reloads = {outcome: reloads.labels(outcome) for outcome in RELOADS}

        spans = Counter("argosy_spans", "Spans of traces, by what became of them.", ["outcome"], registry=self.registry)
        self._spans = {outcome: spans.labels(outcome) for outcome in OUTCOMES_OF_SPANS}

    def ended(self, reason: str) -> None:
        """Count a connection that the server ended; *reason* is one of ``ENDED``."""
        self._ended.labels(reason).inc()

    def spans(self, outcome: str, spans: int) -> None:
        """Count *spans*; *outcome* is one of ``OUTCOMES_OF_SPANS``."""
        self._spans[outcome].inc(spans)

    def access(self, outcome: Outcome) -> None:
        """Count a decision on access; *outcome* is one of ``OUTCOMES``."""
        self._access[outcome].inc()

    def access_rules_read(self, understood: bool) -> None:
        """The file of the rules was read, and *understood* or not."""
        self._access_stale.set(0 if understood else 1)

    def reloaded(self, outcome: str) -> None:
        """Count a version that came while another was served; *outcome* is one of ``RELOADS``."""
        self._reloads[outcome].inc()
