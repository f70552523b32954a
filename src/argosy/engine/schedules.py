"""Starts of a CronWorkflow: schedules read as Argo's scheduler reads them, and the next times they give.

Five fields (minute, hour, day of the month, month, day of the week from Sunday as 0), or one of the words that begin with ``@``. A time is
due whenever the clock on the wall of the time zone shows it: one that a change to summer time leaves out is not due that day, one that
the change back shows twice is due twice. The usual libraries for cron decide otherwise in one of these, or take what Argo refuses.
Where the clock is put forward at midnight, or by half an hour, the controller's library misses times of that day; they are named here.
"""

import heapq
import itertools
import re
import zoneinfo
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from argosy.engine import durations
from argosy.engine.nodes import Json

LONGEST_NAME = 52
"""Characters, which leave room for the moment in the names of the workflows."""

POLICIES = ("Allow", "Forbid", "Replace")
YEARS = 5
"""The years ahead in which a time is looked for."""

_WORDS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_EVERY = re.compile(r"@every\s+((?:[0-9]+(?:ns|us|µs|ms|s|m|h))+)")
_FIELDS = re.compile(r"(?:[A-Za-z0-9*,/?-]+\s+){4}[A-Za-z0-9*,/?-]+")
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
_DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]


@dataclass(frozen=True)
class _Bounds:
    what: str
    least: int
    most: int
    names: Mapping[str, int]


_BOUNDS = (
    _Bounds("minute", 0, 59, {}),
    _Bounds("hour", 0, 23, {}),
    _Bounds("day of the month", 1, 31, {}),
    _Bounds("month", 1, 12, {name: number for number, name in enumerate(_MONTHS, 1)}),
    _Bounds("day of the week", 0, 6, {name: number for number, name in enumerate(_DAYS)}),
)


@dataclass(frozen=True)
class Every:
    """``@every``: as long after each start as it says."""

    delay: timedelta

    def after(self, moment: datetime) -> Iterator[datetime]:
        """The times after *moment*, which counts as a start, without end."""
        zone = moment.tzinfo
        moment = moment.astimezone(UTC).replace(microsecond=0)
        while True:
            moment += self.delay
            yield moment.astimezone(zone)


@dataclass(frozen=True)
class Calendar:
    """Five fields. *any_day*: whether one of the two that speak of days says nothing, so that both must hold; else either does."""

    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    any_day: bool

    def after(self, moment: datetime) -> Iterator[datetime]:
        """The times after *moment* of the same time zone, until there is none for :data:`YEARS`."""
        day, after = moment.date(), moment.timestamp()
        last = day.year + YEARS
        while day.year <= last:
            # As seconds: two moments at which one wall shows the same are equal to Python.
            for found in self._times_of(day, moment) if self._has(day) else ():
                if found.timestamp() > after:
                    last = day.year + YEARS
                    yield found
            day += timedelta(days=1)

    def _has(self, day: date) -> bool:
        if day.month not in self.months:
            return False
        by_month, by_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return (by_month and by_week) if self.any_day else (by_month or by_week)

    def _times_of(self, day: date, moment: datetime) -> list[datetime]:
        """The moments at which the wall shows one of the times on *day*, in order."""
        zone = moment.tzinfo
        walls = (
            datetime.combine(day, time(hour, minute, fold=fold), zone)
            for hour, minute, fold in itertools.product(self.hours, self.minutes, (0, 1))
        )
        moments = {wall.astimezone(UTC) for wall in walls if _is_shown(wall)}
        return [found.astimezone(zone) for found in sorted(moments)]


Schedule = Every | Calendar


def _is_shown(wall: datetime) -> bool:
    """True where there is such a time: there is none where the clock is put forward over it."""
    return wall.astimezone(UTC).astimezone(wall.tzinfo).replace(tzinfo=None, fold=0) == wall.replace(
        tzinfo=None, fold=0
    )


def parse(text: str) -> Schedule:
    """The schedule *text*. Raises ValueError where Argo would refuse it."""
    if every := _EVERY.fullmatch(text):
        # Whole seconds, and one at the least.
        return Every(timedelta(seconds=max(1, int(durations.seconds(every[1])))))
    written = _WORDS.get(text, text)
    if not _FIELDS.fullmatch(written):
        raise ValueError("expected five fields, @every with a duration, or one of " + ", ".join(_WORDS))
    minutes, hours, days, months, weekdays = map(_field, written.split(), _BOUNDS)
    return Calendar(
        minutes=tuple(sorted(minutes[0])),
        hours=tuple(sorted(hours[0])),
        days=frozenset(days[0]),
        months=frozenset(months[0]),
        weekdays=frozenset(weekdays[0]),
        any_day=days[1] or weekdays[1],
    )


def _field(text: str, bounds: _Bounds) -> tuple[set[int], bool]:
    """The values of a field, and whether it says that any will do."""
    values: set[int] = set()
    anything = False
    for part in filter(None, text.split(",")):
        found, any_of_them = _range(part, bounds)
        values |= found
        anything = anything or any_of_them
    return values, anything


def _range(text: str, bounds: _Bounds) -> tuple[set[int], bool]:
    span, *steps = text.split("/")
    ends = span.split("-")
    if len(steps) > 1 or len(ends) > 2:
        raise ValueError(f"{bounds.what}: {text!r} has too many {'slashes' if len(steps) > 1 else 'hyphens'}")
    step = _number(steps[0], bounds, named=False) if steps else 1
    whole = ends[0] in ("*", "?")
    if whole:
        first, last = bounds.least, bounds.most
    else:
        first = _number(ends[0], bounds)
        last = _number(ends[1], bounds) if len(ends) == 2 else bounds.most if steps else first
    if first < bounds.least or last > bounds.most:
        raise ValueError(f"{bounds.what}: {text!r} is not within {bounds.least} to {bounds.most}")
    if first > last or step == 0:
        raise ValueError(f"{bounds.what}: {text!r} {'has a step of 0' if step == 0 else 'ends before it begins'}")
    return set(range(first, last + 1, step)), whole and step == 1


def _number(text: str, bounds: _Bounds, *, named: bool = True) -> int:
    if named and text.lower() in bounds.names:
        return bounds.names[text.lower()]
    if not re.fullmatch(r"\d+", text, re.ASCII):
        raise ValueError(f"{bounds.what}: {text!r} is not a number")
    return int(text)


def zone(name: str | None) -> zoneinfo.ZoneInfo:
    """The time zone *name*; UTC, which is a controller's ``Local``, where there is none. Raises ValueError where there is no such."""
    try:
        return zoneinfo.ZoneInfo("UTC" if name in (None, "", "Local") else name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"unknown time zone {name}") from None


def next_times(schedules: Iterable[str], timezone: str | None, now: datetime, count: int) -> list[datetime]:
    """The next *count* times of all *schedules* after *now*, as *timezone*'s wall shows them; fewer where there are not so many."""
    here = now.astimezone(zone(timezone))
    merged = heapq.merge(*(parse(schedule).after(here) for schedule in schedules), key=datetime.timestamp)
    each = (next(same) for _, same in itertools.groupby(merged, datetime.timestamp))
    return list(itertools.islice(each, count))


_LOOK_BACK = (timedelta(hours=2), timedelta(days=2), timedelta(days=62), timedelta(days=YEARS * 366))
"""How far back the last time is looked for, the shortest first: a schedule of every minute has many times in a year."""


def last_time(schedules: Iterable[str], timezone: str | None, now: datetime) -> datetime | None:
    """The newest time of all *schedules* that is not after *now*; None where there was none for years.

    Those that begin with ``@every`` are left out: their times depend on when each run started. Raises ValueError as :func:`parse` does.
    """
    here = now.astimezone(zone(timezone))
    calendars = [found for found in map(parse, schedules) if isinstance(found, Calendar)]
    for span in _LOOK_BACK:
        found = [
            moment
            for calendar in calendars
            for moment in itertools.takewhile(
                lambda each: each.timestamp() <= here.timestamp(), calendar.after(here - span)
            )
        ]
        if found:
            return max(found, key=datetime.timestamp)
    return None


def check(name: str, spec: Json) -> None:
    """Raise ValueError, which begins with the field's path, where Argo would refuse the CronWorkflow *name* with this *spec*."""
    if len(name) > LONGEST_NAME:
        raise ValueError(f"metadata.name: must not be more than {LONGEST_NAME} characters long (currently {len(name)})")
    if not spec["schedules"]:
        raise ValueError("spec.schedules: a CronWorkflow must have at least one schedule")
    for position, schedule in enumerate(spec["schedules"]):
        try:
            parse(schedule)
        except ValueError as error:
            raise ValueError(f"spec.schedules[{position}]: cron schedule {schedule!r} is malformed: {error}") from None
    try:
        zone(spec.get("timezone"))
    except ValueError as error:
        raise ValueError(f"spec.timezone: {error}") from None
    if spec.get("concurrencyPolicy") not in (None, "", *POLICIES):
        raise ValueError(f"spec.concurrencyPolicy: {spec['concurrencyPolicy']!r} is not one of {', '.join(POLICIES)}")
    if (spec.get("startingDeadlineSeconds") or 0) < 0:
        raise ValueError("spec.startingDeadlineSeconds: must be positive")
