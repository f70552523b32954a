"""Replays rows of the past through a model that never saw them: set aside, answered, logged at their own times, looked at week by week.

With it a model's settings are tried on history: how often its looks would have called a week drift, and what it would have been worth by
the labels known at each moment.
"""

import datetime
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from argosy import errors
from argosy.domain import pseudonyms
from argosy.domain.looks import Look
from argosy.domain.model_settings import ModelSettings
from argosy.domain.monitor_settings import Baseline
from argosy.domain.performance_report import Performance
from argosy.ml import frames, reference_counts
from argosy.ml.frames import Examples
from argosy.ml.predictor import Predictor
from argosy.monitoring import performance, watching
from argosy.monitoring.performance import LabelWindow, Measured, Tools
from argosy.monitoring.watching import Watched
from argosy.ports.objects import Objects
from argosy.ports.prediction_log import Logged, SegmentRef, ServedRelease

WEEK = datetime.timedelta(days=7)
TRAFFIC = "traffic"
"""The side of the rows that are set aside: neither trained on nor held out."""


def set_aside(made: Path, into: Path) -> Examples:
    """Copy the features *made* to *into* with every second row of the training side as traffic, which is returned.

    By a hash of their ids, so that whoever does it again sets the same ones aside.
    """
    rows, keys = pq.read_table(made / frames.ROWS), frames.schema(made).join_keys
    named = zip(*(rows[key].cast(pa.string()).to_pylist() for key in keys), strict=True)
    odd = pa.array([hashlib.sha256("\0".join(each).encode()).digest()[0] % 2 == 1 for each in named])
    side = rows[frames.SIDE]
    sides = pc.if_else(pc.and_(odd, pc.equal(side, "train")), TRAFFIC, side)
    into.mkdir()
    pq.write_table(rows.set_column(rows.column_names.index(frames.SIDE), frames.SIDE, sides), into / frames.ROWS)
    (into / frames.SCHEMA).write_bytes((made / frames.SCHEMA).read_bytes())
    return frames.read(into, TRAFFIC)


@dataclass(frozen=True)
class ReplayedLog:
    """The log of a server that was asked for each row at the moment that the row is about, by the hour.

    See :class:`argosy.ports.prediction_log.PredictionHistory`.
    """

    parts: dict[SegmentRef, Logged]

    def segments(
        self,
        model: str,
        environment: str,
        *,
        since: datetime.datetime | None = None,
        until: datetime.datetime | None = None,
    ) -> Iterator[SegmentRef]:
        """See the port."""
        for ref in self.parts:
            if (ref.model, ref.environment) == (model, environment) and ref.reaches_into(since, until):
                yield ref

    def read_segment(self, ref: SegmentRef) -> Logged:
        """See the port."""
        return self.parts[ref]

    def read(
        self,
        model: str,
        environment: str,
        *,
        since: datetime.datetime | None = None,
        until: datetime.datetime | None = None,
    ) -> Iterator[Logged]:
        """See the port."""
        for ref in self.segments(model, environment, since=since, until=until):
            yield self.read_segment(ref).between(since, until)

    def prune(self, before: datetime.datetime) -> int:  # noqa: ARG002 - the port's
        """See the port. A replay keeps everything."""
        return 0

    def without(self, column: str, value: str) -> "ReplayedLog":
        """The log as it would be if no row had *value* in *column*."""
        kept = {}
        for ref, logged in self.parts.items():
            others = pc.not_equal(pc.struct_field(logged.table["features"], column), value)
            kept[ref] = Logged(logged.served, logged.table.filter(pc.fill_null(others, fill_value=True)))
        return ReplayedLog(kept)


def replayed(answering: Predictor, traffic: Examples, served: ServedRelease, hash_key: bytes) -> ReplayedLog:
    """What a server of *served* logs of *traffic*, which it is asked about with its ids."""
    rows = reference_counts.as_logged(answering, traffic, answering.predict_matrix(traffic.matrix))
    names = traffic.schema.join_keys
    entities = zip(*(traffic.table[name].to_pylist() for name in names), strict=True)
    hashes = [pseudonyms.hashed(dict(zip(names, each, strict=True)), hash_key) for each in entities]
    count = rows.num_rows
    rows = (
        rows.append_column("entity", pa.array(hashes, pa.string()))
        .append_column("request_id", pa.array([f"replayed-{number}" for number in range(count)], pa.string()))
        .append_column("row", pa.array(np.zeros(count, np.int32)))
        .sort_by("time")
    )
    hours = pc.floor_temporal(rows["time"], unit="hour")
    counts = pc.value_counts(hours)  # in the order in which they come first: rows are sorted
    parts, start = {}, 0
    for hour, size in zip(counts.field("values").to_pylist(), counts.field("counts").to_pylist(), strict=True):
        name = f"{hour:%Y-%m-%dT%H}"
        ref = SegmentRef(served.model, served.environment, served.version, served.digest, hour, name)
        parts[ref] = Logged(served, rows.slice(start, size))
        start += size
    return ReplayedLog(parts)


def labels_of(traffic: Examples, model: ModelSettings, data: Path, into: Path) -> Path:
    """A folder *into* with the file of labels in *data*, of *traffic* alone: what is of other rows could only be passed over."""
    if model.labels is None or model.labels.by != "entity":
        raise errors.Misconfigured(
            f"the settings of {model.model} name no `labels` that join by entity; there is nothing to replay"
        )
    source = model.labels.table_among(model.sources)
    table = pq.read_table(data / source.file_name)
    into.mkdir()
    (key,) = traffic.schema.join_keys
    kept = pc.is_in(table[key], value_set=traffic.table[key].combine_chunks())
    pq.write_table(table.filter(kept), into / source.file_name)
    return into


@dataclass(frozen=True)
class Replay:
    """A model that is asked for the rows that were set aside, and what it is held against."""

    watched: Watched
    measured: Measured
    traffic: Examples
    log: ReplayedLog
    labels: Path
    tools: Tools

    def look(self, begin: datetime.datetime, objects: Objects, baseline: Baseline) -> Look:
        """The look at the week that begins at *begin*, as it ends, held against *baseline*."""
        monitor = self.watched.monitor.model_copy(update={"baseline": baseline})
        end = begin + WEEK
        watched = replace(self.watched, monitor=monitor)
        return watching.judge(watched, history=self.log, objects=objects, since=begin, until=end, now=end).look

    def performance(self, begin: datetime.datetime, as_of: datetime.datetime) -> Performance:
        """What that week was worth, by the labels known at *as_of*."""
        return performance.measure(self.measured, LabelWindow(begin, begin + WEEK, as_of), self.labels, self.tools)

    def share(self, begin: datetime.datetime) -> float:
        """The share of the second class among that week's rows, by all labels."""
        times = self.traffic.table[frames.TIME]
        of_it = pc.and_(pc.greater_equal(times, pa.scalar(begin)), pc.less(times, pa.scalar(begin + WEEK)))
        found = self.traffic.labels[np.asarray(of_it)]
        return float(found.mean()) if len(found) else 0.0

    def without(self, column: str, value: str) -> "Replay":
        """The replay as it would be if no row had *value* in *column*."""
        return replace(self, log=self.log.without(column, value))
