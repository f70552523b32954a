"""Go's time.Time and time.Duration, as far as expressions use them."""

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import total_ordering
from zoneinfo import ZoneInfo

from argosy.engine.expressions.errors import ExpressionError

NANOSECONDS = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "μs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}
_PART = re.compile(r"(\d*)(?:\.(\d*))?(ns|us|µs|μs|ms|s|m|h)")


@total_ordering
@dataclass(frozen=True)
class Duration:
    """A span of time, in nanoseconds."""

    nanoseconds: int

    @classmethod
    def parse(cls, text: str) -> "Duration":
        """``1h30m``, ``-1.5s``, ``0``. Raises ExpressionError."""
        body = text[1:] if text[:1] in ("+", "-") else text
        total, place = 0, 0
        while match := _PART.match(body, place):
            whole, fraction, unit = match.groups()
            if not whole and not fraction:
                break
            total += int(whole or 0) * NANOSECONDS[unit]
            total += int(fraction) * NANOSECONDS[unit] // 10 ** len(fraction) if fraction else 0
            place = match.end()
        if body != "0" and (place != len(body) or not body):
            raise ExpressionError(f"{text!r} is not a duration such as 1h30m")
        return cls(-total if text.startswith("-") else total)

    def __lt__(self, other: "Duration") -> bool:
        return self.nanoseconds < other.nanoseconds

    def __str__(self) -> str:
        if self.nanoseconds == 0:
            return "0s"
        sign, total = ("-" if self.nanoseconds < 0 else ""), abs(self.nanoseconds)
        for unit in ("ns", "µs", "ms"):
            if total < 1000 * NANOSECONDS[unit]:
                return f"{sign}{_decimal(total, NANOSECONDS[unit])}{unit}"
        minutes, rest = divmod(total, NANOSECONDS["m"])
        hours, minutes = divmod(minutes, 60)
        text = f"{_decimal(rest, NANOSECONDS['s'])}s"
        if hours or minutes:
            text = f"{minutes}m{text}"
        return sign + (f"{hours}h{text}" if hours else text)

    # What expressions call.

    def hours(self) -> float:
        """In hours."""
        return self.nanoseconds / NANOSECONDS["h"]

    def minutes(self) -> float:
        """In minutes."""
        return self.nanoseconds / NANOSECONDS["m"]

    def seconds(self) -> float:
        """In seconds."""
        return self.nanoseconds / NANOSECONDS["s"]

    def milliseconds(self) -> int:
        """In whole milliseconds."""
        return _toward_zero(self.nanoseconds, NANOSECONDS["ms"])

    def microseconds(self) -> int:
        """In whole microseconds."""
        return _toward_zero(self.nanoseconds, NANOSECONDS["us"])


def _toward_zero(number: int, unit: int) -> int:
    return -(-number // unit) if number < 0 else number // unit


def _decimal(number: int, unit: int) -> str:
    whole, rest = divmod(number, unit)
    return f"{whole}.{str(rest).zfill(len(str(unit)) - 1).rstrip('0')}" if rest else str(whole)


@total_ordering
@dataclass(frozen=True, eq=False)
class Time:
    """A moment, with the zone it is shown in. Microseconds are the finest it holds."""

    moment: datetime

    @classmethod
    def now(cls, zone: tzinfo | None = None) -> "Time":
        """This moment."""
        return cls(datetime.now(zone or UTC))

    @classmethod
    def unix(cls, seconds: int) -> "Time":
        """Seconds since 1970."""
        return cls(datetime.fromtimestamp(seconds, UTC))

    @classmethod
    def zero(cls) -> "Time":
        """The time that Go has for one that was never set."""
        return cls(datetime(1, 1, 1, tzinfo=UTC))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Time) and self.moment == other.moment

    def __hash__(self) -> int:
        return hash(self.moment)

    def __lt__(self, other: "Time") -> bool:
        return self.moment < other.moment

    def __str__(self) -> str:
        fraction = f".{self.moment.microsecond:06d}".rstrip("0").rstrip(".")
        return (
            f"{self.moment.year:04d}"
            + self.moment.strftime("-%m-%d %H:%M:%S")
            + fraction
            + self.moment.strftime(" %z %Z").replace("UTC+", "+").replace("UTC-", "-")
        )

    def plus(self, duration: Duration) -> "Time":
        """Later by *duration*. Raises ExpressionError beyond the calendar."""
        try:
            return Time(self.moment + timedelta(microseconds=duration.nanoseconds // 1000))
        except OverflowError:
            raise ExpressionError(f"{self} and {duration} later is beyond the calendar") from None

    def minus(self, other: "Time") -> Duration:
        """The span by which it is later than *other*."""
        difference = self.moment - other.moment
        return Duration((difference // timedelta(microseconds=1)) * 1000)

    def after(self, years: int, months: int, days: int) -> "Time":
        """Later by so much of the calendar; days that a month does not have run over into the next. Raises ExpressionError."""
        years_over, month = divmod(self.moment.month - 1 + months, 12)
        try:
            first = self.moment.replace(year=self.moment.year + years + years_over, month=month + 1, day=1)
            return Time(first + timedelta(days=self.moment.day - 1 + days))
        except (ValueError, OverflowError):
            raise ExpressionError(
                f"{years} years, {months} months and {days} days from {self} is beyond the calendar"
            ) from None

    def truncated(self, by: Duration) -> "Time":
        """The last multiple of *by* since the zero time; *by* of 0 or less changes nothing."""
        if by.nanoseconds <= 0:
            return self
        return self.plus(Duration(-(self.minus(Time.zero()).nanoseconds % by.nanoseconds)))

    def rounded(self, to: Duration) -> "Time":
        """The nearest multiple of *to* since the zero time, the later one halfway; *to* of 0 or less changes nothing."""
        floor = self.truncated(to)
        return floor if to.nanoseconds <= 0 or 2 * self.minus(floor).nanoseconds < to.nanoseconds else floor.plus(to)

    def in_zone(self, zone: tzinfo) -> "Time":
        """The same moment, shown in *zone*."""
        return Time(self.moment.astimezone(zone))

    def rfc3339(self) -> str:
        """As RFC 3339, with as many decimals as it has."""
        fraction = f".{self.moment.microsecond:06d}".rstrip("0").rstrip(".")
        return f"{self.moment.year:04d}{self.moment.strftime('-%m-%dT%H:%M:%S')}{fraction}" + _offset(
            self.moment, ":", "Z"
        )


class Month(int):
    """A month of the year, of which 1 is January."""

    def __str__(self) -> str:
        return calendar.month_name[self]


class Weekday(int):
    """A day of the week, of which 0 is Sunday."""

    def __str__(self) -> str:
        return calendar.day_name[(self + 6) % 7]


def utc() -> tzinfo:
    """UTC."""
    return UTC


def zone(name: str) -> tzinfo:
    """The time zone *name*. Raises ExpressionError."""
    if name in ("", "UTC"):
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ExpressionError(f"there is no time zone {name!r}") from None


def _offset(moment: datetime, colon: str, utc: str) -> str:
    offset = moment.utcoffset() or timedelta()
    minutes = int(offset.total_seconds() // 60)
    if minutes == 0 and utc:
        return utc
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}{colon}{abs(minutes) % 60:02d}"


# Go writes layouts as a sample date: Mon Jan 2 15:04:05 MST 2006.
_LAYOUT = re.compile(
    r"January|Jan|Monday|Mon|MST|2006|Z07:00|Z0700|Z07|-07:00|-0700|-07|002|(?:[.,][09]+)|15|01|02|03|04|05|06|PM|pm|_2|1|2|3|4|5"
)
_DIGITS = {
    "15": "%H",
    "01": "%m",
    "02": "%d",
    "03": "%I",
    "04": "%M",
    "05": "%S",
    "06": "%y",
    "2006": "%Y",
    "002": "%j",
}
_NAMES = {"January": "%B", "Jan": "%b", "Monday": "%A", "Mon": "%a", "PM": "%p"}
_SHORT = {"1": "%m", "2": "%d", "3": "%I", "4": "%M", "5": "%S"}
_OFFSETS = {"Z07:00": (":", "Z"), "Z0700": ("", "Z"), "-07:00": (":", ""), "-0700": ("", "")}


def formatted(time: Time, layout: str) -> str:
    """*time* in Go's *layout*."""
    return _LAYOUT.sub(lambda match: _formatted_part(time.moment, match[0]), layout)


def _formatted_part(moment: datetime, part: str) -> str:
    if part in _DIGITS or part in _NAMES:
        return moment.strftime(_DIGITS.get(part) or _NAMES[part]).zfill(4 if part == "2006" else 0)
    if part in _SHORT:
        return str(int(moment.strftime(_SHORT[part])))
    if part in _OFFSETS:
        return _offset(moment, *_OFFSETS[part])
    if part in ("Z07", "-07"):
        return "Z" if part == "Z07" and not moment.utcoffset() else _offset(moment, "", "")[:3]
    if part == "_2":
        return f"{moment.day:2d}"
    if part == "pm":
        return moment.strftime("%p").lower()
    if part == "MST":
        return (moment.tzname() or "UTC").replace("UTC+00:00", "UTC")
    digits = f"{moment.microsecond * 1000:09d}"[: len(part) - 1]
    if part[1] == "9":
        digits = digits.rstrip("0")
    return part[0] + digits if digits else ""


def parsed(text: str, layout: str, zone_of: tzinfo = UTC) -> Time:
    """*text* read by Go's *layout*; a moment without a zone is in *zone_of*. Raises ExpressionError."""
    pattern, parts, place = "", [], 0
    for match in _LAYOUT.finditer(layout):
        pattern += re.escape(layout[place : match.start()]) + _pattern_of(match[0])
        parts.append(match[0])
        place = match.end()
    found = re.fullmatch(pattern + re.escape(layout[place:]), text)
    if found is None:
        raise ExpressionError(f"{text!r} is no time of the layout {layout!r}")
    try:
        return _assembled(dict(zip(parts, found.groups(), strict=True)), zone_of)
    except ValueError as error:
        raise ExpressionError(f"{text!r} is no time of the layout {layout!r}: {error}") from None


def _pattern_of(part: str) -> str:
    patterns = {
        "2006": r"(\d{4})",
        "002": r"(\d{3})",
        "MST": r"([A-Z]{3,5}|UTC)",
        "_2": r"( ?\d{1,2})",
        "PM": "(AM|PM)",
        "pm": "(am|pm)",
    }
    if part in patterns:
        return patterns[part]
    if part in _NAMES:
        return r"([A-Za-z]{3,9})"
    if part in _SHORT:
        return r"(\d{1,2})"
    if part in _DIGITS:
        # Go reads seconds with decimals that the layout does not show.
        return r"(\d{2}(?:[.,]\d+)?)" if part == "05" else r"(\d{1,2})" if part == "15" else r"(\d{2})"
    if part.startswith(("Z07", "-07")):
        colon = ":" if ":" in part else ""
        minutes = "" if part in ("Z07", "-07") else rf"{colon}\d{{2}}"
        return rf"({'Z|' if part[0] == 'Z' else ''}[+-]\d{{2}}{minutes})"
    return r"((?:[.,]\d+)?)" if part[1] == "9" else rf"([.,]\d{{{len(part) - 1}}})"


def _assembled(fields: dict[str, str], zone_of: tzinfo) -> Time:
    def number(*names: str) -> int | None:
        return next((int(fields[name]) for name in names if name in fields), None)

    seconds, _, fraction = fields.get("05", fields.get("5", "0")).replace(",", ".").partition(".")
    for part, value in fields.items():
        if part[0] in ".,":
            fraction = value[1:]
    hour = number("15", "03", "3") or 0
    half = fields.get("PM", fields.get("pm", "")).upper()
    if half:
        hour = hour % 12 + (12 if half == "PM" else 0)
    year = number("2006")
    if year is None and "06" in fields:
        short = int(fields["06"])
        year = short + (1900 if short >= 69 else 2000)
    moment = datetime(
        # A layout without a year means the year 0 in Go, which this calendar does not have.
        year or 1,
        _month(fields) or 1,
        number("02", "2", "_2") or 1,
        hour,
        number("04", "4") or 0,
        int(seconds),
        int(fraction[:6].ljust(6, "0")) if fraction else 0,
        tzinfo=_zone_in(fields) or zone_of,
    )
    return Time(moment)


def _month(fields: dict[str, str]) -> int | None:
    for part in ("01", "1"):
        if part in fields:
            return int(fields[part])
    for part, directive in (("January", "%B"), ("Jan", "%b")):
        if part in fields:
            return datetime.strptime(fields[part], directive).month  # noqa: DTZ007 - only the month is wanted
    return None


def _zone_in(fields: dict[str, str]) -> tzinfo | None:
    for part, value in fields.items():
        if part.startswith(("Z07", "-07")):
            if value == "Z":
                return UTC
            digits = value[1:].replace(":", "").ljust(4, "0")
            offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
            return timezone(-offset if value[0] == "-" else offset)
    return UTC if fields.get("MST") in ("UTC", "GMT") else None
