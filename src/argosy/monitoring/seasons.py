"""Seasons as the log itself shows them: the same hours of earlier weeks, or the same month of earlier years, as they were counted then.

How far windows were from their seasons is measured on the same hours: what is usual comes from the same source as the reference. What has
differed for as long as the log remembers is usual, too.
"""

import datetime
from collections.abc import Collection, Mapping

from argosy.domain import looks, tallies, watch_reference
from argosy.domain.drift import FEWEST_REFERENCE, Reference
from argosy.domain.monitor_settings import FEWEST_WINDOWS, Monitor, Seasonality
from argosy.domain.tallies import Layout, Tally
from argosy.domain.time_spans import span
from argosy.ml.usual_distances import UsualDistances
from argosy.monitoring.hourly import Hours

BySeason = dict[str, dict[str, Tally]]
"""Season to slice to rows."""
SAID = 3
"""Seasons that a sentence names one by one."""


class LoggedSeasons:
    """What one version answered before a window, in the seasons that the window has rows of."""

    def __init__(
        self,
        layout: Layout,
        by: Seasonality,
        hours: Mapping[datetime.datetime, Mapping[str, Tally]],
        minimum_rows: int,
    ) -> None:
        """*hours*: what was counted before the window, of those seasons. *minimum_rows*: of a window that says anything."""
        self._layout, self._by, self._hours = layout, by, hours
        self._seasons = _by_season(hours, by)
        self._usual = UsualDistances(layout, self._seasons, minimum_rows)

    @classmethod
    def before(
        cls, since: datetime.datetime, monitor: Monitor, hours: Hours, seasons: Collection[str]
    ) -> "LoggedSeasons | None":
        """What *hours* count before *since* in *seasons*; None where the log is no source of them, or too short to say what is usual."""
        by = monitor.seasonality
        if by is None or by.history is None or not seasons:
            return None
        end = looks.hour_of(since)
        begin = end - span(by.history)
        known = hours.earlier(begin, end, lambda hour: watch_reference.season_of(hour, by) in seasons)
        found = cls(hours.subject.layout, by, known, monitor.minimum_rows)
        found._measure(begin, end, monitor.length)
        return found

    def reference(self, name: str, rows: Mapping[str, int]) -> Reference | None:
        """What the slice *name* of a window with so many *rows* of each season is held against; None where too little is known of it."""
        seasons = {season: parts[name] for season, parts in self._seasons.items() if name in parts}
        tally = watch_reference.mixed(seasons, rows) if rows else None
        if tally is None or tally.rows < FEWEST_REFERENCE or self._usual.windows.get(name, 0) < FEWEST_WINDOWS:
            return None
        return Reference(
            name=f"season: {', '.join(sorted(rows))}, as logged",
            words=f"{said(rows, self._by)} of the last {self._by.history} of the log",
            window=self._layout.window(tally),
            usual=self._usual.distances.get(name, {}),
            usual_mean=self._usual.means.get(name, 0.0),
        )

    def _measure(self, begin: datetime.datetime, end: datetime.datetime, length: datetime.timedelta) -> None:
        """Measure how far the windows of *length* between *begin* and *end* that may have the same seasons were from the others."""
        step = self._by.step(length)
        since = end - step
        while since >= begin:
            window = {hour: parts for hour, parts in self._hours.items() if since <= hour < since + length}
            if window:
                self._usual.add(_by_season(window, self._by))
            since -= step


def said(seasons: Collection[str], by: Seasonality) -> str:
    """*seasons* in a sentence."""
    if len(seasons) <= SAID:
        return " and ".join(sorted(seasons)) or "the season"
    return "the same hours of the week" if by.by == "hour of week" else "the same months"


def _by_season(hours: Mapping[datetime.datetime, Mapping[str, Tally]], by: Seasonality) -> BySeason:
    parts: dict[str, dict[str, list[Tally]]] = {}
    for hour, counts in hours.items():
        season = parts.setdefault(watch_reference.season_of(hour, by), {})
        for name, tally in counts.items():
            season.setdefault(name, []).append(tally)
    return {season: {name: tallies.total(found) for name, found in of.items()} for season, of in parts.items()}
