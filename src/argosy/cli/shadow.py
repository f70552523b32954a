"""Try a second version beside the one that an environment serves, as a shadow or for a share of the entities; or end that (--stop).

One request, which is checked, and with --merge merged: the second version is signed, none that servers refuse, and can be asked with the
requests of the first. Without --version it is the one that staging serves. Typed twice, it is done once. With MODEL alone, what is tried.
"""

import argparse
import datetime
from collections.abc import Iterator

from argosy import errors, wiring
from argosy.cli import acting_user, pr
from argosy.domain import environment_layout
from argosy.domain.promotion_requests import Proposal, State
from argosy.domain.second_file import SecondFile
from argosy.promotion import approval, trying
from argosy.promotion.approval import NamedPlace
from argosy.promotion.desk import Desk
from argosy.promotion.seals import Seals
from argosy.promotion.standing import Main
from argosy.report import request_lines
from argosy.report.plain_text import line
from argosy.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument(
        "--environment",
        "--env",
        choices=environment_layout.ENVIRONMENTS,
        default=environment_layout.PRODUCTION,
        help="beside whose version; default production",
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--version", metavar="N", help="its number, or the environment that serves it; default what staging serves"
    )
    which.add_argument("--candidate", metavar="DIGEST", help="its model digest, or 12 and more hex digits of it")
    share = parser.add_mutually_exclusive_group()
    share.add_argument(
        "--share", type=_percent, metavar="PERCENT", help="of the requests that a shadow is asked; default 100"
    )
    share.add_argument(
        "--split",
        type=_part,
        metavar="PERCENT",
        help="let it answer so many of a hundred entities, always the same ones, instead of a shadow",
    )
    parser.add_argument(
        "--until", type=_day, metavar="DATE", help="the last day on which it is tried, such as 2026-12-24"
    )
    parser.add_argument("--stop", action="store_true", help="end what is tried")
    parser.add_argument("--reason", metavar="TEXT", help="what those who review the request should know")
    parser.add_argument("--merge", action="store_true", help="merge the request, too, in your name")
    parser.add_argument("--as", dest="name", metavar="NAME", help="in whose name (default: yours, as git has it)")
    parser.add_argument(
        "--dry-run", action="store_true", help="say which version, and whether it holds; ask for nothing"
    )


def _percent(text: str) -> int:
    digits = text.removesuffix("%").strip()
    if not (digits.isascii() and digits.isdecimal() and 1 <= int(digits[:4]) <= 100):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no share; an environment repo says whole percents, from 1 to 100"
        )
    return int(digits)


def _part(text: str) -> int:
    if (percent := _percent(text)) == 100:
        raise argparse.ArgumentTypeError("100 % of the entities is a promotion; a split leaves the first version some")
    return percent


def _day(text: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day, such as 2026-12-24") from None


def run(arguments: argparse.Namespace) -> int:
    """Say what is tried, ask for another, or ask for its end."""
    options = dict(_beginning(arguments))
    if arguments.stop and options:
        raise errors.UsageError(f"--stop ends what is tried; pass it without {', '.join(options)}")
    here = Settings.from_environment()
    desk = Desk(wiring.forge(here), wiring.artifacts(here), wiring.verifier(here))
    main = Main.now(desk.forge)
    model = approval.known(main, arguments.model)
    if arguments.stop:
        return _end(main, model, arguments, desk, here)
    if not options and arguments.reason is None and not (arguments.merge or arguments.dry_run):
        return _show(main, model, arguments.environment)
    return _begin(main, model, arguments, desk, here)


def _beginning(arguments: argparse.Namespace) -> Iterator[tuple[str, object]]:
    """The options that say what is to be tried, as far as they are given."""
    for name in ("version", "candidate", "share", "split", "until"):
        if (value := getattr(arguments, name)) is not None:
            yield f"--{name}", value


def _show(main: Main, model: str, environment: str) -> int:
    live = trying.served(main, model, environment)
    second = main.second(model, environment)
    if second is None:
        print(line(f"{environment} serves version {live.version} of {model}, and tries no other beside it"))
    elif second.model_digest == live.model_digest:
        print(
            line(
                f"{environment} serves version {live.version} of {model} by now, which was tried; --stop tidies its file up"
            )
        )
    else:
        over = " (over)" if second.is_over(_today()) else ""
        print(line(f"{environment} serves version {live.version} of {model}; {second.said()}{over}"))
    return errors.DONE


def _begin(main: Main, model: str, arguments: argparse.Namespace, desk: Desk, here: Settings) -> int:
    environment = arguments.environment
    live = trying.served(main, model, environment)
    place = trying.found(main, live, environment, arguments.version or arguments.candidate)
    if arguments.until is not None and arguments.until < _today():
        raise errors.UsageError(f"--until {arguments.until} is over already")
    one = trying.experiment(main, environment, _second(main, place, arguments), place, _seals(desk))
    print(line(f"{model} in {environment}: {one.second.said()}, beside version {live.version}"))
    for check in one.checks:
        print(line(request_lines.check(check)))
    if arguments.dry_run:
        return errors.DONE
    reason = _reason(arguments)
    proposed = trying.proposal(one, _tried(main, model, environment), by=acting_user.named(arguments), why=reason)
    return _asked(proposed, arguments, desk, here)


def _second(main: Main, place: NamedPlace, arguments: argparse.Namespace) -> SecondFile:
    found = approval.approved(main, place)
    version = found.version
    if found.signature is None:
        raise errors.Rejected(
            f"version {version.version} of {version.model} has no signature beside it, and no server loads what is not signed"
        )
    return SecondFile(
        role="shadow" if arguments.split is None else "candidate",
        percent=arguments.split or arguments.share or 100,
        version=version.version,
        model_digest=version.model_digest,
        storage_uri=version.storage_uri,
        signature=found.signature.decode(errors="replace"),
        until=arguments.until,
    )


def _tried(main: Main, model: str, environment: str) -> SecondFile | None:
    try:
        return main.second(model, environment)
    except errors.Misconfigured:  # it is replaced
        return None


def _end(main: Main, model: str, arguments: argparse.Namespace, desk: Desk, here: Settings) -> int:
    environment = arguments.environment
    live = trying.served(main, model, environment)
    if not main.names_second(model, environment):
        print(line(f"{environment} tries no second version of {model}; there is nothing to end"))
        return errors.DONE
    tried = _tried(main, model, environment)
    said = tried.said() if tried else "what is tried cannot be read"
    print(line(f"{model} in {environment}: ends, {said}, beside version {live.version}"))
    if arguments.dry_run:
        return errors.DONE
    proposed = trying.end(main, live, environment, by=acting_user.named(arguments), why=_reason(arguments))
    return _asked(proposed, arguments, desk, here)


def _asked(proposed: Proposal, arguments: argparse.Namespace, desk: Desk, here: Settings) -> int:
    """Open the request *proposed*, or find it, and merge it where that is asked for."""
    request = desk.forge.propose(proposed)
    if request is None:
        print("  main has it so already")
        return errors.DONE
    print(line(request_lines.row(request)))
    if arguments.merge and request.state is State.OPEN:
        merged = desk.merge(request.number, by=acting_user.named(arguments)).request
        print(line(f"{merged.state} #{merged.number} by {merged.ended_by}"))
        return pr.follow(merged, desk, here)
    if request.state is State.OPEN:
        print(f"  not merged yet: argosy pr merge {request.number}")
    return errors.DONE


def _reason(arguments: argparse.Namespace) -> str:
    if arguments.reason is None:
        raise errors.UsageError("say why: --reason TEXT (--dry-run asks for nothing)")
    return str(arguments.reason)


def _seals(desk: Desk) -> Seals:
    return Seals(desk.artifacts, desk.verifier, lambda: datetime.datetime.now(datetime.UTC))


def _today() -> datetime.date:
    return datetime.datetime.now(datetime.UTC).date()
