"""A backfill: the moments as of which a model is trained, one run each."""

import calendar
import datetime
import re

from argosy import errors

EVERY = "day, week, month, quarter, year, or a number of days such as 10d"
MONTHS = {"month": 1, "quarter": 3, "year": 12}
DAYS = {"day": 1, "week": 7}
MOST = 1000
"""Runs of one backfill."""


def moments(first: datetime.datetime, last: datetime.datetime, every: str) -> list[datetime.datetime]:
    """From *first* to *last*, both included, one *every* so often, by UTC's calendar.

    A month after its 31st is the last of a shorter one, and the 31st again of a longer. Raises UsageError where there is none, or too many.
    """
    if last < first:
        raise errors.UsageError(f"--to ({last:%Y-%m-%d}) is before --from ({first:%Y-%m-%d})")
    found: list[datetime.datetime] = []
    while (moment := _later(first, len(found), every)) is not None and moment <= last:
        if len(found) == MOST:
            raise errors.UsageError(
                f"--every {every} from {first:%Y-%m-%d} to {last:%Y-%m-%d} is more than {MOST:,} runs"
            )
        found.append(moment)
    return found


def _later(first: datetime.datetime, count: int, every: str) -> datetime.datetime | None:
    """*first* and *count* times *every*; None where no calendar has it."""
    days = DAYS.get(every) or (int(every[:-1]) if re.fullmatch(r"[1-9][0-9]{0,4}d", every) else None)
    try:
        if days is not None:
            return first + datetime.timedelta(days=days * count)
        if every in MONTHS:
            return _months_later(first, MONTHS[every] * count)
    except (OverflowError, ValueError):
        return None
    raise errors.UsageError(f"--every {every}: it is {EVERY}")


def _months_later(first: datetime.datetime, count: int) -> datetime.datetime:
    year, month = divmod(first.year * 12 + first.month - 1 + count, 12)
    return first.replace(year=year, month=month + 1, day=min(first.day, calendar.monthrange(year, month + 1)[1]))
