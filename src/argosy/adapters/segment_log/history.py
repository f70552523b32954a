"""Reads a prediction log: Parquet files and, first, the segments that servers are still writing."""

import datetime
import logging
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from argosy import errors
from argosy.adapters.segment_log import framing, layout, segments
from argosy.ports.prediction_log import Logged, SegmentRef

_log = logging.getLogger(__name__)


class SegmentHistory:
    """See :class:`argosy.ports.prediction_log.PredictionHistory`."""

    def __init__(self, uri: str) -> None:
        """Read below ``file://`` *uri*."""
        self._uri = uri

    def segments(
        self,
        model: str,
        environment: str,
        *,
        since: datetime.datetime | None = None,
        until: datetime.datetime | None = None,
    ) -> Iterator[SegmentRef]:
        """See :class:`argosy.ports.prediction_log.PredictionHistory`."""
        place = layout.place(self._uri, model, environment)
        first = None if since is None else _hour(since)
        try:
            opened = {layout.stem(path): path for path in place.segments()}
            sealed = {layout.stem(path): path for path in place.sealed() if _may_hold(path, first, until)}
            for stem, path in (opened | sealed).items():
                logged = self._logged(path)
                for hour in _hours(logged):
                    if (first is None or hour >= first) and (until is None or hour < until):
                        yield SegmentRef(
                            model,
                            environment,
                            logged.served.version,
                            logged.served.digest,
                            hour,
                            f"{path.parent.name}/{path.name}",
                            sealed=stem in sealed,
                        )
        except OSError as error:
            raise errors.TryAgain(f"the prediction log at {place.folder} cannot be read: {error}") from error

    def read_segment(self, ref: SegmentRef) -> Logged:
        """See :class:`argosy.ports.prediction_log.PredictionHistory`."""
        place = layout.place(self._uri, ref.model, ref.environment)
        found = self._logged(place.folder / ref.name)
        return _between(found, ref.hour, ref.hour + datetime.timedelta(hours=1))

    @staticmethod
    def _logged(path: Path) -> Logged:
        from argosy.adapters.segment_log import columns

        if path.suffix == layout.PARQUET:
            return _readable(path, partial(columns.read, path))
        content = _content(path)
        return columns.unreadable(0) if content is None else _readable(path, partial(columns.logged, content))

    def read(
        self,
        model: str,
        environment: str,
        *,
        since: datetime.datetime | None = None,
        until: datetime.datetime | None = None,
    ) -> Iterator[Logged]:
        """See :class:`argosy.ports.prediction_log.PredictionHistory`."""
        place = layout.place(self._uri, model, environment)
        try:
            for found in _everything(place, since, until):
                kept = _between(found, since, until)
                if kept.table.num_rows or kept.damaged:
                    yield kept
        except OSError as error:
            raise errors.TryAgain(f"the prediction log at {place.folder} cannot be read: {error}") from error


def _everything(
    place: layout.LogFolder, since: datetime.datetime | None, until: datetime.datetime | None
) -> Iterator[Logged]:
    from argosy.adapters.segment_log import columns

    # Segments first: one that is sealed in this moment is found again among the Parquet files, and left out here.
    opened = {path: content for path in place.segments() if (content := _content(path))}
    # Sealed twice by two versions, if ever, it is still one.
    sealed = {layout.stem(path): path for path in place.sealed()}
    for path in sealed.values():
        if _may_hold(path, since, until):
            yield _readable(path, partial(columns.read, path))
    for path, content in opened.items():
        if layout.stem(path) not in sealed:
            yield _readable(path, partial(columns.logged, content))


def _readable(path: Path, read: Callable[[], Logged]) -> Logged:
    """The records that *read* gives; none, and one damaged part, for a file that is none of ours."""
    from argosy.adapters.segment_log import columns

    try:
        return read()
    except ValueError as error:
        _log.warning("%s is left out of the prediction log: %s", path, error)
        return columns.unreadable()


def _content(path: Path) -> framing.SegmentContent | None:
    try:
        return segments.content(path)
    except FileNotFoundError:
        return None  # sealed since it was listed


def _hours(logged: Logged) -> list[datetime.datetime]:
    import pyarrow.compute as pc

    times = pc.unique(pc.floor_temporal(logged.table["time"], unit="hour")).to_pylist()
    return sorted(times)


def _hour(moment: datetime.datetime) -> datetime.datetime:
    return moment.astimezone(datetime.UTC).replace(minute=0, second=0, microsecond=0)


def _may_hold(path: Path, since: datetime.datetime | None, until: datetime.datetime | None) -> bool:
    span = layout.span(path)
    if span is None:
        return True
    first, last = span
    return (until is None or first < until) and (since is None or last >= since)


def _between(found: Logged, since: datetime.datetime | None, until: datetime.datetime | None) -> Logged:
    import pyarrow.compute as pc

    table = found.table
    if since is not None:
        table = table.filter(pc.greater_equal(table["time"], since))
    if until is not None:
        table = table.filter(pc.less(table["time"], until))
    return Logged(found.served, table, found.damaged)
