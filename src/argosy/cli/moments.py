"""Moments on a command line: a time, or an age such as ``24h``."""

import argparse
import datetime
import re

from argosy import errors
from argosy.domain import looks

AGO = re.compile(r"(\d+)([smhd])")
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def moment(text: str) -> datetime.datetime:
    """A time, or an age such as ``24h``; a time without a zone is UTC."""
    try:
        if matched := AGO.fullmatch(text):
            ago = datetime.timedelta(**{UNITS[matched[2]]: int(matched[1])})
            return looks.moment((datetime.datetime.now(datetime.UTC) - ago).isoformat())
        return looks.moment(text)
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(
            f"{text!r} is neither a time (2026-01-31T12:00Z) nor an age (24h), from the year {looks.YEARS.start} on"
        ) from None


def day(text: str) -> datetime.date:
    """A day, such as 2027-03-31."""
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day; expected one such as 2027-03-31") from None


def add_labelled_window(parser: argparse.ArgumentParser) -> None:
    """Which part of the log is held against labels, and where those lie."""
    parser.add_argument(
        "--since", type=moment, metavar="WHEN", help="a time (2026-01-31T12:00Z) or an age (90m, 24h, 7d); "
        "default as long ago as the settings say (labels.window)",
    )  # fmt: skip
    parser.add_argument("--until", type=moment, metavar="WHEN", help="only what was logged before; default now")
    parser.add_argument(
        "--data", metavar="PLACE", help="where the labels lie, in place of the settings: a folder, a file or s3://…"
    )


def refuse_backwards(since: datetime.datetime | None, until: datetime.datetime | None) -> None:
    """Raise UsageError where a window ends before it begins, or begins after now."""
    if since and until and since >= until:
        raise errors.UsageError(f"--since ({_said(since)}) is not before --until ({_said(until)})")
    if since and since > (now := datetime.datetime.now(datetime.UTC)):
        raise errors.UsageError(f"--since ({_said(since)}) is still to come; it is {_said(now)}")


def _said(moment: datetime.datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S %Z}"
