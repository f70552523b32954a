"""Delete logged predictions that are older than they shall be kept, below ARGOSY_PREDICTIONS_URI, a folder or a bucket.

`prune` deletes whole hours, of every model and environment. What is still in a server's spool is not touched.
"""

import argparse
import datetime

from argosy import errors, wiring
from argosy.cli import verb_actions
from argosy.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    prune = verb_actions.added(verbs, "prune", None, "delete what is older than so many days")
    prune.add_argument("--days", type=days, required=True, metavar="N", help="how long predictions are kept")


def run(arguments: argparse.Namespace) -> int:
    """Delete, and say how much."""
    settings = Settings.from_environment()
    before = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=arguments.days)
    deleted = wiring.prediction_history(settings).prune(before)
    parts = "1 segment" if deleted == 1 else f"{deleted} segments"
    print(f"deleted: {parts} of before {before:%Y-%m-%d %H:00} UTC, at {settings.predictions_uri}")
    return errors.DONE


def days(text: str) -> int:
    """A number of days, as an option has it."""
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= 36_500):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of days from 1 on")
    return int(text)
