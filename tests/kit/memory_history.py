"""A prediction log in memory, and rows for it."""

import datetime
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from argosy.ports.prediction_log import Logged, SegmentRef, ServedRelease

BEGIN = datetime.datetime(2026, 3, 2, tzinfo=datetime.UTC)
"""A Monday."""
OURS = f"sha256:{'a' * 64}"


@dataclass
class MemoryHistory:
    """See :class:`argosy.ports.prediction_log.PredictionHistory`. Counts what was read of it."""

    shipped: dict[SegmentRef, Logged] = field(default_factory=dict)
    read_names: list[str] = field(default_factory=list)

    def ship(
        self,
        hour: datetime.datetime,
        table: pa.Table,
        *,
        digest: str = OURS,
        version: int = 1,
        damaged: int = 0,
        environment: str = "production",
    ) -> SegmentRef:
        """A segment of *table*; one with the same content is the same segment."""
        name = hashlib.sha256(repr((hour, digest, table.to_pylist())).encode()).hexdigest()
        ref = SegmentRef("toy", environment, version, digest, hour, name)
        self.shipped[ref] = Logged(ServedRelease("toy", environment, version, digest), table, damaged)
        return ref

    def segments(
        self,
        model: str,
        environment: str,
        *,
        since: datetime.datetime | None = None,
        until: datetime.datetime | None = None,
    ) -> Iterator[SegmentRef]:
        """See :class:`argosy.ports.prediction_log.PredictionHistory`."""
        for ref in list(self.shipped):
            if (ref.model, ref.environment) == (model, environment) and ref.reaches_into(since, until):
                yield ref

    def read_segment(self, ref: SegmentRef) -> Logged:
        """See :class:`argosy.ports.prediction_log.PredictionHistory`."""
        self.read_names.append(ref.name)
        return self.shipped[ref]

    def read(
        self,
        model: str,
        environment: str,
        *,
        since: datetime.datetime | None = None,
        until: datetime.datetime | None = None,
    ) -> Iterator[Logged]:
        """See :class:`argosy.ports.prediction_log.PredictionHistory`."""
        for ref in self.segments(model, environment, since=since, until=until):
            yield self.read_segment(ref).between(since, until)


def rows(
    times: Sequence[datetime.datetime],
    features: Mapping[str, Sequence[float | str | None]],
    scores: Sequence[float],
    decisions: Sequence[str | None] | None = None,
) -> pa.Table:
    """Logged rows."""
    columns = {
        name: pa.array(values, pa.string() if any(isinstance(value, str) for value in values) else pa.float64())
        for name, values in features.items()
    }
    return pa.table(
        {
            "time": pa.array(list(times), pa.timestamp("us", tz="UTC")),
            "request_id": pa.array([f"r{place}" for place in range(len(times))]),
            "row": pa.array([0] * len(times), pa.int32()),
            "score": pa.array([[score] for score in scores], pa.list_(pa.float64())),
            "decision": pa.array(list(decisions or [None] * len(times)), pa.string()),
            "features": pa.StructArray.from_arrays(list(columns.values()), names=list(columns)),
        }
    )
