"""Moments on a command line: a time, or an age such as ``24h``."""

import argparse
import datetime
import re

from argosy import errors

AGO = re.compile(r"(\d+)([smhd])")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def moment(text: str) -> datetime.datetime:
    """A time, or an age such as ``24h``; a time without a zone is UTC."""
    now = datetime.datetime.now(datetime.UTC)
    if matched := AGO.fullmatch(text):
        return now - datetime.timedelta(**{UNITS[matched[2]]: int(matched[1])})
    try:
        found = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is neither a time (2026-01-31T12:00Z) nor an age (24h)") from None
    return found if found.tzinfo else found.replace(tzinfo=datetime.UTC)


def refuse_backwards(since: datetime.datetime | None, until: datetime.datetime | None) -> None:
    """Raise UsageError where a window ends before it begins."""
    if since and until and since >= until:
        raise errors.UsageError(
            f"--since ({since:%Y-%m-%d %H:%M:%S %Z}) is not before --until ({until:%Y-%m-%d %H:%M:%S %Z})"
        )
