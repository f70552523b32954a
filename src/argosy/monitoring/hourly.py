"""The hourly counts of what a model answered: read from the monitoring store, and brought up to date from the prediction log.

One more hour costs that hour only. An hour's counts name the segments that they hold, so what was shipped late is added to them, a segment
is never counted twice, and who counts anew comes to the same numbers. What the log no longer keeps stays counted.
"""

import datetime
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from argosy import errors
from argosy.domain import looks, tallies
from argosy.domain.bundle import Moments
from argosy.domain.tallies import HourCounts, Layout, Tally
from argosy.ml import counting
from argosy.ports.objects import Objects
from argosy.ports.prediction_log import PredictionHistory, SegmentRef

SHORT = datetime.timedelta(days=2)
"""Up to here each hour is asked for; beyond, it is cheaper to list what is there."""


@dataclass(frozen=True)
class CountedModel:
    """A model, as it is counted in one environment."""

    model: str
    environment: str
    model_digest: str
    layout: Layout
    slices: Sequence[str] = ()


@dataclass(frozen=True)
class Counted:
    """What was logged in some time, counted."""

    hours: Mapping[datetime.datetime, Mapping[str, Tally]]
    """Of the model that was asked for: the whole and its slices, by hour. No hour without rows."""
    segments: int = 0
    rows_of_others: int = 0
    """Of other versions, in the same time."""
    damaged: int = 0
    unkept: str = ""
    """Why what was counted could not be put into the store; empty where it was."""

    def total(self, layout: Layout) -> dict[str, Tally]:
        """All hours together: the whole, and each slice."""
        parts: dict[str, list[Tally]] = {tallies.WHOLE: [layout.empty()]}
        for hour in self.hours.values():
            for name, tally in hour.items():
                parts.setdefault(name, []).append(tally)
        return {name: tallies.total(found) for name, found in parts.items()}


@dataclass
class Hours:
    """Counts the log of one model in one environment, by the hour."""

    history: PredictionHistory
    objects: Objects
    subject: CountedModel
    keep: bool = True
    """Whether what is counted is put into the store: where it only reads, who asks needs no right to write."""
    _damaged: int = field(default=0, init=False)
    _unkept: str = field(default="", init=False)

    def earlier(
        self, since: datetime.datetime, until: datetime.datetime, among: Callable[[datetime.datetime], bool]
    ) -> Mapping[datetime.datetime, Mapping[str, Tally]]:
        """The whole hours from *since* to *until*, those *among* them that are asked for; nothing of other versions is read."""
        ours, _ = self._listed(since, until)
        found = {}
        for hour in filter(among, self._hours(since, until, ours)):
            counts = self._hour(hour, ours.get(hour, ()))
            if counts.whole.rows:
                found[hour] = counts.tallies
        return found

    def count(self, since: datetime.datetime, until: datetime.datetime) -> Counted:
        """What was logged from *since* (inclusive) to *until* (exclusive). Raises TryAgain when a store fails.

        An hour of which only a part is meant is read from the log and not kept.
        """
        self._damaged = 0
        ours, others = self._listed(since, until)
        found: dict[datetime.datetime, Mapping[str, Tally]] = {}
        parts = 0
        for hour in self._hours(since, until, ours):
            whole = since <= hour and hour + datetime.timedelta(hours=1) <= until
            counts = (
                self._hour(hour, ours.get(hour, ())) if whole else self._part(hour, ours.get(hour, ()), since, until)
            )
            parts += len(counts.segments)
            if counts.whole.rows:
                found[hour] = counts.tallies
        rows = sum(self._rows(digest, hour, refs) for (digest, hour), refs in others.items())
        return Counted(found, parts, rows, self._damaged, self._unkept)

    def _hours(
        self, since: datetime.datetime, until: datetime.datetime, listed: Collection[datetime.datetime]
    ) -> list[datetime.datetime]:
        """The hours that may have rows: of a long time those with segments or counts, of a short one all."""
        if until - since <= SHORT:
            return list(looks.hours(since, until))
        prefix = self._key(self.subject.model_digest, since).rpartition("/")[0]
        counted = {looks.hour_in(key) for key in self.objects.keys(f"{prefix}/")}
        return sorted(hour for hour in {*listed, *counted} if looks.hour_of(since) <= hour < until)

    def _listed(
        self, since: datetime.datetime, until: datetime.datetime
    ) -> tuple[dict[datetime.datetime, list[SegmentRef]], dict[tuple[str, datetime.datetime], list[SegmentRef]]]:
        """The segments of the model by hour, and those of others by digest and hour."""
        ours: dict[datetime.datetime, list[SegmentRef]] = {}
        others: dict[tuple[str, datetime.datetime], list[SegmentRef]] = {}
        subject = self.subject
        for ref in self.history.segments(subject.model, subject.environment, since=looks.hour_of(since), until=until):
            if ref.digest == subject.model_digest:
                ours.setdefault(ref.hour, []).append(ref)
            else:
                others.setdefault((ref.digest, ref.hour), []).append(ref)
        return ours, others

    def _hour(self, hour: datetime.datetime, refs: Sequence[SegmentRef]) -> HourCounts:
        key = self._key(self.subject.model_digest, hour)
        kept = self._kept(key, hour, {ref.name for ref in refs})
        there = set(kept.segments)
        counts = self._added(kept, (ref for ref in refs if ref.sealed and ref.name not in there))
        if counts is not kept:
            self._put(key, counts)
        return self._added(counts, (ref for ref in refs if not ref.sealed))

    def _put(self, key: str, counts: HourCounts) -> None:
        """Keep *counts*, as long as the store takes any: a look needs them, and not that they are kept."""
        if not self.keep or self._unkept:
            return
        try:
            self.objects.put(key, counts.canonical_json().encode())
        except errors.ArgosyError as error:
            self._unkept = str(error)

    def _kept(self, key: str, hour: datetime.datetime, listed: Collection[str]) -> HourCounts:
        """What was counted of *hour* before; nothing where the bins, or the slices, were others and all can be counted anew."""
        subject = self.subject
        content = self.objects.get(key)
        kept = tallies.parse(content) if content is not None else None
        if kept is None or kept.layout != subject.layout.digest:
            return tallies.fresh(subject.model_digest, hour, subject.layout, subject.slices)
        if not set(subject.slices) <= set(kept.slices) and set(kept.segments) <= set(listed):
            return tallies.fresh(subject.model_digest, hour, subject.layout, subject.slices)
        return kept

    def _key(self, digest: str, hour: datetime.datetime) -> str:
        return looks.counts_key(self.subject.model, self.subject.environment, digest, hour)

    def _part(
        self, hour: datetime.datetime, refs: Iterable[SegmentRef], since: datetime.datetime, until: datetime.datetime
    ) -> HourCounts:
        subject = self.subject
        empty = tallies.fresh(subject.model_digest, hour, subject.layout, subject.slices)
        return self._added(empty, refs, since, until)

    def _added(
        self,
        counts: HourCounts,
        refs: Iterable[SegmentRef],
        since: datetime.datetime | None = None,
        until: datetime.datetime | None = None,
    ) -> HourCounts:
        """*counts* with the rows of *refs*; damaged segments are left out, and looked at again the next time."""
        for ref in refs:
            logged = self.history.read_segment(ref)
            if logged.damaged:
                self._damaged += logged.damaged
                if not logged.table.num_rows:
                    continue
            table = logged.between(since, until).table
            counts = counts.plus([ref.name], counting.tallies(table, self.subject.layout, self.subject.slices))
        return counts

    def _rows(self, digest: str, hour: datetime.datetime, refs: Sequence[SegmentRef]) -> int:
        """How many rows the model of *digest*, whose bins nobody has asked for here, answered in *hour*."""
        key = self._key(digest, hour)
        content = self.objects.get(key)
        kept = (tallies.parse(content) if content is not None else None) or tallies.rows_only(digest, hour)
        new = [ref for ref in refs if ref.name not in set(kept.segments)]
        rows = sum(int(self.history.read_segment(ref).table.num_rows) for ref in new)
        if new and not kept.layout and all(ref.sealed for ref in new):
            counted = tallies.Tally(rows=rows, cells=[], scores=Moments())
            self._put(key, kept.plus([ref.name for ref in new], {tallies.WHOLE: counted}))
        return kept.whole.rows + rows
