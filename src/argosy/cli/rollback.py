"""Go back to a version that an environment served before: one request, which is checked, and with --merge merged.

The version that is left is rejected: nothing proposes it again until somebody removes its note from the environment repo. Typed twice, it
is done once. What an aborted canary leads to is done by itself.
"""

import argparse
import datetime

from argosy import errors, wiring
from argosy.cli import acting_user, pr
from argosy.domain import environment_layout
from argosy.promotion import approval, rolling_back
from argosy.promotion.desk import Desk
from argosy.promotion.rolling_back import BackAlready, WayBack
from argosy.promotion.seals import Seals
from argosy.promotion.standing import Main
from argosy.report import request_lines
from argosy.report.plain_text import line
from argosy.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("--to", type=_version, metavar="VERSION", help="default the newest that was served before")
    parser.add_argument(
        "--environment",
        "--env",
        choices=environment_layout.ENVIRONMENTS,
        default=environment_layout.PRODUCTION,
        help="default production",
    )
    parser.add_argument("--reason", metavar="TEXT", help="why; the note of the version that is left says it")
    parser.add_argument("--merge", action="store_true", help="merge the request, too, in your name")
    parser.add_argument("--as", dest="name", metavar="NAME", help="in whose name (default: yours, as git has it)")
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="say to which version, and whether it holds (else it ends 10); ask for nothing",
    )


def run(arguments: argparse.Namespace) -> int:
    """Go back."""
    here = Settings.from_environment()
    desk = Desk(wiring.forge(here), wiring.artifacts(here), wiring.verifier(here))
    main = Main.now(desk.forge)
    model = approval.known(main, arguments.model)
    seals = Seals(desk.artifacts, desk.verifier, lambda: datetime.datetime.now(datetime.UTC))
    way = rolling_back.find(main, model, arguments.environment, arguments.to, seals)
    if isinstance(way, BackAlready):
        return _say_already(way, arguments.environment)
    _say(way)
    if arguments.dry_run:
        return errors.DONE if all(check.passed for check in way.checks) else errors.Rejected.exit_code
    if arguments.reason is None:
        raise errors.UsageError("say why: --reason TEXT (--dry-run asks for nothing)")
    by = acting_user.named(arguments)
    request = rolling_back.open_request(main, way, by=by, why=arguments.reason)
    print(line(request_lines.row(request)))
    if arguments.merge:
        merged = desk.merge(request.number, by=by).request
        print(line(f"{merged.state} #{merged.number} by {merged.ended_by}"))
        pr.follow(merged, desk, here)
    else:
        print(f"  not merged yet: argosy pr merge {request.number}")
    _say_others(way, main)
    return errors.DONE


def _say_already(found: BackAlready, environment: str) -> int:
    by = f", put back by #{found.by.number}; `--to VERSION` goes back further" if found.by else ""
    print(line(f"{environment} serves version {found.version.version} of {found.version.model} already{by}"))
    return errors.DONE


def _say(way: WayBack) -> None:
    live, earlier = way.live, way.earlier.version
    print(line(f"{live.model} in {way.environment}: from version {live.version} back to version {earlier.version}"))
    for check in way.checks:
        print(line(request_lines.check(check)))


def _say_others(way: WayBack, main: Main) -> None:
    """Name the other environments that serve the version that is left: it is rejected there, too."""
    model = way.live.model
    for other in environment_layout.ENVIRONMENTS:
        if other == way.environment:
            continue
        version = main.version(model, other)
        if version and version.model_digest == way.live.model_digest:
            print(f"  {other} serves it too: argosy rollback {model} --env {other} --reason TEXT")


def _version(text: str) -> int:
    digits = text.removeprefix("v")
    if not (digits.isascii() and digits.isdecimal()):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no version's number; `argosy pr list --all` shows which there were"
        )
    return int(digits)
