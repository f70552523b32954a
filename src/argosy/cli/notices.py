"""List the notices that no channel is known to have, below ARGOSY_MONITORING_URI, or forget old ones.

What was refused is tried again by whatever tells people something next, for three days. `prune` forgets of each event that it was told,
once it is so old; of requests and canaries after 400 days at the earliest, since one that is still there would be told again.
"""

import argparse
import datetime
from collections.abc import Callable

from argosy import errors, wiring
from argosy.cli import verb_actions
from argosy.cli.predictions import days
from argosy.domain.notices import Telling
from argosy.monitoring import notices
from argosy.ports.objects import Objects
from argosy.settings import Settings

Action = Callable[[argparse.Namespace, Objects], None]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = verbs.add_parser(
        "list", help=(summary := "what no channel took, and why"), description=f"List {summary}."
    )
    listing.add_argument("--json", action="store_true", help="one JSON object a line")
    listing.set_defaults(do=_list)
    prune = verb_actions.added(verbs, "prune", _prune, "forget what is older than so many days")
    prune.add_argument("--days", type=days, required=True, metavar="N", help="how long notices are kept")


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked for."""
    settings = Settings.from_environment()
    action: Action = arguments.do
    action(arguments, wiring.objects(settings, settings.monitoring_uri))
    return errors.DONE


def _list(arguments: argparse.Namespace, objects: Objects) -> None:
    problems: list[str] = []
    found = sorted(notices.untold(objects, problems), key=lambda telling: telling.at)
    for telling in found:
        print(telling.canonical_json().rstrip("\n") if arguments.json else _row(telling))
    if not found and not arguments.json:
        print("every notice was taken")
    if problems:
        raise errors.Misconfigured("; ".join(problems))


def _row(telling: Telling) -> str:
    notice = telling.notice
    why = f": {telling.reason}" if telling.reason else ""
    return f"{telling.at:%Y-%m-%d %H:%M}  {telling.channel:<20} {telling.outcome}{why}  {notice.event}  {notice.title}"


def _prune(arguments: argparse.Namespace, objects: Objects) -> None:
    now = datetime.datetime.now(datetime.UTC)
    before = now - datetime.timedelta(days=arguments.days)
    deleted = notices.prune(objects, before, now)
    print(f"forgotten: {deleted} notice{'' if deleted == 1 else 's'} of before {before:%Y-%m-%d %H:%M} UTC")
