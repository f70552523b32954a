"""What all models of a server share: limits, readiness, who may ask, and what counts them."""

from dataclasses import dataclass

from argosy.serving.access.rules_file import WatchedRules
from argosy.serving.exchange import Bodies, RequestLimits
from argosy.serving.inference import ConcurrencyLimiter
from argosy.serving.lifecycle import Lifecycle
from argosy.serving.overload import Overload
from argosy.serving.request_spans import RequestSpans
from argosy.serving.server_metrics import ServerMetrics


@dataclass(frozen=True)
class SharedParts:
    """What all models of a server share."""

    metrics: ServerMetrics
    lifecycle: Lifecycle
    bodies: Bodies
    gate: ConcurrencyLimiter
    access: WatchedRules | None = None
    spans: RequestSpans | None = None
    """The traces of requests; None where nobody collects them."""

    @classmethod
    def made(
        cls,
        limits: RequestLimits | None = None,
        lifecycle: Lifecycle | None = None,
        access: WatchedRules | None = None,
        metrics: ServerMetrics | None = None,
        overload: Overload | None = None,
        spans: RequestSpans | None = None,
    ) -> "SharedParts":
        """Those of a server with *limits*."""
        limits, metrics = limits or RequestLimits(), metrics or ServerMetrics()
        gate = ConcurrencyLimiter(limits, metrics, overload)
        return cls(metrics, lifecycle or Lifecycle(), Bodies(limits), gate, access, spans)
