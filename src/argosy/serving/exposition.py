"""Metrics of several registries, of several models or processes, as one text of Prometheus: each family once.

Counters only grow: those of a bundle that was replaced, and of a process that ended, are kept and added.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson
from prometheus_client import CollectorRegistry
from prometheus_client.core import Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.registry import Collector

MODEL = "model"
GROWING = frozenset({"counter", "histogram"})
LARGEST = frozenset(
    {
        "argosy_access_rules_stale",
        "argosy_model_info",
        "argosy_prediction_expected_distance",
        "argosy_prediction_log_oldest_seconds",
        "argosy_prediction_log_strange_files",
        "argosy_prediction_log_waiting_bytes",
        "argosy_prediction_reference_deviation",
        "argosy_prediction_reference_mean",
        "process_max_fds",
        "process_start_time_seconds",
    }
)
"""Gauges that say the same in each process, or of which the largest counts; of the others the sum does."""
Key = tuple[str, tuple[tuple[str, str], ...]]


@dataclass
class Family:
    """The samples of one name."""

    kind: str
    says: str
    samples: dict[Key, float] = field(default_factory=dict)


Snapshot = dict[str, Family]
"""Families by name."""


class Snapshots(Protocol):
    """Whatever counts."""

    def snapshot(self) -> Snapshot:
        """What it says now."""


def taken(registry: CollectorRegistry, model: str | None = None) -> Snapshot:
    """What *registry* says now; each sample with the name of the *model*, where that is given."""
    own = {} if model is None else {MODEL: model}
    found: Snapshot = {}
    for family in registry.collect():
        made = found.setdefault(family.name, Family(family.type, family.documentation))
        for sample in family.samples:
            made.samples[(sample.name, tuple((own | sample.labels).items()))] = sample.value
    return found


def added(to: Snapshot, more: Snapshot, *, growing_only: bool = False) -> None:
    """Add *more* to *to*. *growing_only*: of what is gone, whose gauges say nothing any more."""
    for name, family in more.items():
        if growing_only and family.kind not in GROWING:
            continue
        known = to.setdefault(name, Family(family.kind, family.says))
        for key, value in family.samples.items():
            known.samples[key] = _joined(name, key)(known.samples[key], value) if key in known.samples else value


def _joined(family: str, key: Key) -> Callable[[float, float], float]:
    if key[0].endswith("_created"):
        return min
    return max if family in LARGEST else _sum


def _sum(one: float, other: float) -> float:
    return one + other


def text(found: Snapshot) -> bytes:
    """*found*, as Prometheus scrapes it."""
    joined = CollectorRegistry(auto_describe=False)
    joined.register(_Families(found))
    return generate_latest(joined)


class _Families(Collector):
    def __init__(self, found: Snapshot) -> None:
        self._found = found

    def collect(self) -> Iterable[Metric]:
        for name, family in self._found.items():
            made = Metric(name, family.says, family.kind)
            for (sample, labels), value in family.samples.items():
                made.add_sample(sample, dict(labels), value)
            yield made


def written(found: Snapshot) -> bytes:
    """*found*, for another process."""
    return orjson.dumps(
        {
            name: [family.kind, family.says, [[key[0], key[1], value] for key, value in family.samples.items()]]
            for name, family in found.items()
        }
    )


def read(content: bytes) -> Snapshot:
    """What :func:`written` gave."""
    said: Mapping[str, Any] = orjson.loads(content)
    return {
        name: Family(kind, says, {(sample, tuple(map(tuple, labels))): value for sample, labels, value in samples})
        for name, (kind, says, samples) in said.items()
    }
