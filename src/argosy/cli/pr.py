"""List, view, merge or close promotion requests.

A merge checks signatures, digests, policy and champion first, and opens the request for the next environment. Whatever is done twice is
done once.
"""

import argparse
import re
import shutil
from collections.abc import Callable

from argosy import errors, wiring
from argosy.cli import people, request_text
from argosy.domain import promotion
from argosy.domain.merge_checks import Check, short
from argosy.domain.promotion import Request, State
from argosy.promotion import aliases, subjects
from argosy.promotion.desk import Desk
from argosy.promotion.standing import Main
from argosy.report import delivery, plain_text, terminal_markdown
from argosy.settings import Settings

Action = Callable[[argparse.Namespace, Desk, Settings], int]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    verbs = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = _action(verbs, "list", _list, "what waits for a reviewer")
    listing.add_argument("--all", action="store_true", help="merged and closed requests too")
    listing.add_argument("--json", action="store_true", help="one JSON object a line")
    view = _numbered(verbs, "view", _view, "the evidence, and the state of every check")
    view.add_argument("--raw", action="store_true", help="the request's text as it is written, in Markdown")
    view.add_argument(
        "--namespace", metavar="NAME", help="where its environment is on the cluster: what became of it there"
    )
    diff = _numbered(verbs, "diff", _diff, "what merging it would change")
    diff.add_argument("--all", action="store_true", help="the evidence line by line too")
    merge = _numbered(verbs, "merge", _merge, "merge it, and open the next environment's request")
    merge.add_argument("--override", action="append", default=[], metavar="CHECK", help="merge although CHECK is red")
    close = _numbered(verbs, "close", _close, "close it unmerged")
    close.add_argument("--reason", required=True, metavar="TEXT", help="what the people behind it should know")
    reopen = _numbered(verbs, "reopen", _reopen, "take a closed request up again")
    for named in (merge, close, reopen):
        named.add_argument("--as", dest="name", metavar="NAME", help="in whose name (default: yours, as git has it)")
    check = _numbered(verbs, "check", _check, "run its checks; ends 10 where one is red")
    check.add_argument(
        "--head", metavar="COMMIT", help="what the request must propose, before and after it was checked"
    )
    _numbered(verbs, "after-merge", _after_merge, "what a merge by other means still needs: next request, registry")
    sync = _action(
        verbs, "sync-registry", _sync_registry, "after a change of main without a request: aliases follow it"
    )
    sync.add_argument("model", nargs="*", metavar="MODEL", help="default: all that main has")
    _action(verbs, "where", _where, "where the environment repo is")


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked for."""
    here = Settings.from_environment()
    desk = Desk(wiring.forge(here), wiring.artifacts(here), wiring.verifier(here))
    action: Action = arguments.do
    return action(arguments, desk, here)


def _list(arguments: argparse.Namespace, desk: Desk, _here: Settings) -> int:
    requests = [request for request in desk.forge.requests() if arguments.all or request.state is State.OPEN]
    for request in requests:
        print(request.canonical_json().strip() if arguments.json else _row(request))
    if not requests and not arguments.json:
        print("no requests" if arguments.all else "no open requests (--all shows merged and closed ones)")
    return errors.DONE


def _row(request: Request) -> str:
    subject = request.subject
    place = f"{subject.model} version {subject.version} -> {subject.environment}"
    return plain_text.line(
        f"#{request.number:<4} {request.state:<10} {place:<44} {short(subject.model_digest)}  {request.opened_at}"
    )


def _view(arguments: argparse.Namespace, desk: Desk, _here: Settings) -> int:
    request = desk.forge.request(arguments.number)
    checks = desk.checks(request, desk.forge.head()) if request.state is State.OPEN else [desk.signatures(request)]
    signatures = next((check for check in checks if check.name == "signatures"), checks[0])
    committed, files = desk.as_committed(request)
    shown = request_text.shown(committed, files, signatures)
    print(plain_text.line(f"#{request.number} {request.title}"))
    for name, value in {**_facts(committed), **shown.facts()}.items():
        print(plain_text.line(f"  {name:<10} {value}"))
    if request.state is State.OPEN:
        print("  checks")
        print("\n".join(_mark(check) for check in checks))
    if arguments.namespace:
        print("  cluster")
        for line in delivery.lines(request, wiring.rollouts(arguments.namespace).of(request.subject.environment)):
            print(plain_text.line(f"    {line}"))
    width = shutil.get_terminal_size((120, 24)).columns
    print(f"\n{plain_text.shown(request.body if arguments.raw else terminal_markdown.readable(shown.markdown, width))}")
    return errors.DONE


def _facts(request: Request) -> dict[str, str]:
    ended = f" by {request.ended_by}, {request.ended_at}" if request.ended_by else ""
    why = f": {request.reason}" if request.reason else ""
    return {
        "state": f"{request.state}{ended}{why}",
        "model": f"{request.subject.model} version {request.subject.version}, {request.subject.model_digest}",
        **_comparison(request.subject),
        "branch": request.branch,
        "opened": f"{request.opened_at} by {request.author}",
        "labels": ", ".join(request.labels),
    }


def _comparison(subject: promotion.Subject) -> dict[str, str]:
    if subject.reverts:
        return {"takes out": short(subject.reverts)}
    return {"compared": f"with {short(subject.champion_digest)} in production"}


def _mark(check: Check) -> str:
    return plain_text.line(f"    {'ok ' if check.passed else 'RED'} {check.name:<11} {check.reason}")


def _diff(arguments: argparse.Namespace, desk: Desk, _here: Settings) -> int:
    sections = re.split(r"(?m)^(?=diff --git )", desk.forge.diff(arguments.number))
    for section in filter(None, sections):
        whole = arguments.all or "/evidence/" not in section.partition("\n")[0]
        print(plain_text.shown(section.rstrip("\n") if whole else _counted(section)))
    return errors.DONE


def _counted(section: str) -> str:
    """One line for a file whose lines nobody reads in a terminal."""
    lines = section.splitlines()
    path = lines[0].rpartition(" b/")[2]
    added = sum(line.startswith("+") and not line.startswith("+++") for line in lines)
    removed = sum(line.startswith("-") and not line.startswith("---") for line in lines)
    return f"{path} | +{added} -{removed} (--all shows it)"


def _merge(arguments: argparse.Namespace, desk: Desk, here: Settings) -> int:
    before = desk.forge.request(arguments.number).state
    merged = desk.merge(arguments.number, by=people.named(arguments), override=arguments.override)
    print(plain_text.line(f"{_ended(merged, before)}: {merged.title}"))
    return _follow(merged, desk, here)


def _after_merge(arguments: argparse.Namespace, desk: Desk, here: Settings) -> int:
    request = desk.forge.request(arguments.number)
    if request.state is not State.MERGED:
        raise errors.Rejected(f"request {request.number} is {request.state}, not merged")
    return _follow(request, desk, here)


def _follow(merged: Request, desk: Desk, here: Settings) -> int:
    """What a merge leads to. Every part may be repeated, so a failure here is mended by the same command."""
    merged = subjects.as_committed(desk.forge, merged)  # what main got, whatever the request's text says by now
    following = desk.open_next(merged) if here.next_on_merge else None
    if not here.next_on_merge and promotion.following(merged.subject.environment) and not merged.subject.reverts:
        print(f"the next request opens once {merged.subject.environment} is healthy")
    if following:
        print(
            plain_text.line(
                f"opened #{following.number}: {following.title}" if following.state is State.OPEN else _row(following)
            )
        )
    if merged.subject.environment == promotion.PRODUCTION:
        _say_champion(merged.subject.model, desk, here)
    return errors.DONE


def _sync_registry(arguments: argparse.Namespace, desk: Desk, here: Settings) -> int:
    models = arguments.model or Main.now(desk.forge).models()
    for model in models:
        _say_champion(model, desk, here)
    return errors.DONE


def _say_champion(model: str, desk: Desk, here: Settings) -> None:
    version = aliases.follow(desk.forge, model, wiring.registry(here))
    said = f"champion is version {version}" if version else "no version it knows is in production"
    print(plain_text.shown(f"registry: {model}: {said}"))


def _close(arguments: argparse.Namespace, desk: Desk, _here: Settings) -> int:
    if not arguments.reason.strip():
        raise errors.UsageError("--reason says nothing; the people behind the request read it")
    before = desk.forge.request(arguments.number).state
    closed = desk.forge.close(arguments.number, by=people.named(arguments), reason=arguments.reason)
    kept = (
        f" ({closed.reason or 'no reason given'}; the reason given now is not kept)" if before is closed.state else ""
    )
    print(plain_text.line(f"{_ended(closed, before)}: {closed.title}{kept}"))
    return errors.DONE


def _reopen(arguments: argparse.Namespace, desk: Desk, _here: Settings) -> int:
    opened = desk.forge.reopen(arguments.number, by=people.named(arguments))
    print(plain_text.line(f"{opened.state} #{opened.number}: {opened.title}"))
    return errors.DONE


def _check(arguments: argparse.Namespace, desk: Desk, _here: Settings) -> int:
    request = desk.forge.request(arguments.number)
    if request.state is State.MERGED:
        print(plain_text.shown(f"#{request.number} is merged, by {request.ended_by}; nothing is left to check"))
        return errors.DONE
    _refuse_other(request, arguments.head)
    checks = desk.checks(request, desk.forge.head())
    print("\n".join(_mark(check) for check in checks))
    _refuse_other(desk.forge.request(arguments.number), arguments.head)
    return errors.DONE if all(check.passed for check in checks) else errors.Rejected.exit_code


def _refuse_other(request: Request, head: str | None) -> None:
    # Whoever pushes while checks run must not have one commit checked and another one marked as checked.
    if head not in {None, request.head}:
        raise errors.Rejected(f"#{request.number} proposes {request.head} by now, not {head}; check that")


def _where(_arguments: argparse.Namespace, _desk: Desk, here: Settings) -> int:
    print(here.forge_uri.partition(":")[2])
    return errors.DONE


def _ended(request: Request, before: State) -> str:
    """How *request* ended, and whether it had before it was asked for."""
    already = "already " if before is request.state else ""
    return f"{already}{request.state} #{request.number} by {request.ended_by}"


def _action(
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, action: Action, summary: str
) -> argparse.ArgumentParser:
    parser = verbs.add_parser(name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.")
    parser.set_defaults(do=action)
    return parser


def _numbered(
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, action: Action, summary: str
) -> argparse.ArgumentParser:
    parser = _action(verbs, name, action, summary)
    parser.add_argument("number", type=_number, metavar="N", help="the request's number")
    return parser


def _number(text: str) -> int:
    digits = text.removeprefix("#")
    if not (digits.isascii() and digits.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r} is no request's number; `argosy pr list` shows them")
    return int(digits)
