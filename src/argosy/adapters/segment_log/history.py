"""Reads a prediction log: what was shipped, and what is still on this machine."""

import datetime
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from argosy import errors
from argosy.adapters.segment_log import framing, layout
from argosy.ports.objects import Objects
from argosy.ports.prediction_log import Logged, SegmentRef

if TYPE_CHECKING:
    from argosy.adapters.segment_log.columns import HourOfSegment

Moment = datetime.datetime | None
HOUR = datetime.timedelta(hours=1)
_log = logging.getLogger(__name__)
_LOOKS = 20
"""Attempts to see the spool while nothing leaves it."""


class SegmentHistory:
    """See :class:`argosy.ports.prediction_log.PredictionHistory`."""

    def __init__(self, objects: Objects, spool: Path) -> None:
        """Read what was shipped to *objects*, and what is still in *spool*."""
        self._objects = objects
        self._spool = layout.Spool(spool)
        self._waiting: dict[str, Logged] = {}

    def segments(
        self, model: str, environment: str, *, since: Moment = None, until: Moment = None
    ) -> Iterator[SegmentRef]:
        """See the port."""
        shipped, waiting = self._standing(model, environment, since, until)
        self._waiting |= {part.ref.name: part.found for part in waiting}
        yield from sorted(
            [*shipped, *(_still_open(part.ref) for part in waiting)], key=lambda ref: (ref.hour, ref.name)
        )

    def read_segment(self, ref: SegmentRef) -> Logged:
        """See the port."""
        from argosy.adapters.segment_log import columns

        if not ref.sealed:
            return self._waiting.get(ref.name) or columns.unreadable(ref)
        content = self._objects.get(layout.key(ref))
        try:
            return columns.unreadable(ref) if content is None else columns.unpacked(content)
        except ValueError as error:
            _log.warning("%s is left out of the prediction log: %s", layout.key(ref), error)
            return columns.unreadable(ref)

    def read(self, model: str, environment: str, *, since: Moment = None, until: Moment = None) -> Iterator[Logged]:
        """See the port."""

        for ref in self.segments(model, environment, since=since, until=until):
            kept = self.read_segment(ref).between(since, until)
            if kept.table.num_rows or kept.damaged:
                yield kept

    def prune(self, before: datetime.datetime) -> int:
        """See the port."""
        deleted = 0
        for model in self._objects.folders():
            for environment in self._objects.folders(f"{model}/"):
                for ref in list(self._shipped(model, environment, None, before)):
                    if ref.hour + HOUR <= before:
                        self._objects.delete(layout.key(ref))
                        deleted += 1
        return deleted

    def _standing(
        self, model: str, environment: str, since: Moment, until: Moment
    ) -> tuple[list[SegmentRef], list["HourOfSegment"]]:
        """What is shipped and what waits, each record once: what left the spool while the store was listed is looked for anew."""
        for _ in range(_LOOKS):
            contents = self._contents()
            shipped = list(self._shipped(model, environment, since, until))
            if all(path.exists() for path in contents):
                there = {ref.name for ref in shipped}
                waiting = [
                    part for part in _parts(contents) if (part.ref.model, part.ref.environment) == (model, environment)
                ]
                return shipped, [
                    part for part in waiting if part.ref.name not in there and part.ref.reaches_into(since, until)
                ]
        raise errors.TryAgain(f"segments are shipped from {self._spool.folder} faster than they can be looked at")

    def _shipped(self, model: str, environment: str, since: Moment, until: Moment) -> Iterator[SegmentRef]:
        place = layout.folder(model, environment)
        for version in self._objects.folders(place):
            for day in self._objects.folders(f"{place}{version}/") if version.startswith("version=") else ():
                if _may_be_in(day, since, until):
                    for key in self._objects.keys(f"{place}{version}/{day}/"):
                        ref = layout.ref(key)
                        if ref is not None and ref.reaches_into(since, until):
                            yield ref

    def _contents(self) -> dict[Path, framing.SegmentContent]:
        found = {}
        for path in self._spool.segments():
            try:
                found[path] = framing.read(path.read_bytes())
            except FileNotFoundError:  # shipped since it was listed, and the store is asked next
                continue
            except OSError as error:
                raise errors.TryAgain(f"the prediction log at {self._spool.folder} cannot be read: {error}") from error
        return found


def _parts(contents: dict[Path, framing.SegmentContent]) -> Iterator["HourOfSegment"]:
    from argosy.adapters.segment_log import columns

    for path, content in contents.items():
        try:
            yield from columns.hours(content)
        except ValueError as error:
            _log.warning("%s is left out of the prediction log: %s", path, error)


def _still_open(ref: SegmentRef) -> SegmentRef:
    return SegmentRef(ref.model, ref.environment, ref.version, ref.digest, ref.hour, ref.name, sealed=False)


def _may_be_in(folder: str, since: Moment, until: Moment) -> bool:
    day = folder.removeprefix("date=")
    utc = datetime.UTC
    return (until is None or day <= until.astimezone(utc).date().isoformat()) and (
        since is None or day >= since.astimezone(utc).date().isoformat()
    )
