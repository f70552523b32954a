"""List, view, merge or close promotion requests.

A merge checks signatures, digests, policy and champion first, and opens the request for the next environment. Whatever is done twice is
done once.
"""

import argparse
import datetime
import shutil
from collections.abc import Callable, Sequence

from argosy import errors, wiring
from argosy.cli import acting_user, verb_actions
from argosy.domain import suggestion
from argosy.domain.merge_checks import Check
from argosy.domain.promotion_requests import Request, State
from argosy.files import model_folder
from argosy.promotion import aliases, following
from argosy.promotion.auto_merging import AutoMerging
from argosy.promotion.desk import Desk, Ended
from argosy.promotion.standing import Main
from argosy.report import delivery, request_lines, terminal_markdown
from argosy.report.plain_text import line, shown
from argosy.settings import Settings

Action = Callable[[argparse.Namespace, Desk, Settings], int]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listing = verb_actions.added(verbs, "list", _list, "what waits for a reviewer")
    listing.add_argument("--all", action="store_true", help="merged and closed requests too")
    listing.add_argument("--json", action="store_true", help="one JSON object a line")
    view = _numbered(verbs, "view", _view, "the evidence, and the state of every check")
    view.add_argument("--raw", action="store_true", help="the request's text as it is written, in Markdown")
    view.add_argument(
        "--namespace", "-n", metavar="NAME", help="where its environment is on the cluster: what became of it there"
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
    check.add_argument(
        "--report",
        action="store_true",
        help="show what it found beside the request: a comment, and the status `argosy`",
    )
    by_rule = verb_actions.added(
        verbs, "auto-merge", _auto_merge, "merge what merges by itself, by clusters/ENVIRONMENT/merging.yaml on main"
    )
    by_rule.add_argument("--dry-run", action="store_true", help="say what would be merged, and why not the others")
    remind = verb_actions.added(
        verbs, "remind", _remind, "tell those who follow an open request that it waits, once a day"
    )
    remind.add_argument(
        "--days", type=int, default=1, metavar="N", help="only of those that wait for N days or longer (1)"
    )
    _numbered(verbs, "after-merge", _after_merge, "what a merge by other means still needs: next request, registry")
    sync = verb_actions.added(
        verbs, "sync-registry", _sync_registry, "after a change of main without a request: aliases follow it"
    )
    sync.add_argument(
        "--rebuild", action="store_true", help="the registry was lost: let an empty one go on after main's versions"
    )
    sync.add_argument("model", nargs="*", metavar="MODEL", help="default: all that main has")
    verb_actions.added(verbs, "where", _where, "where the environment repo is")


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked for."""
    here = Settings.from_environment()
    desk = Desk(wiring.forge(here), wiring.artifacts(here), wiring.verifier(here))
    action: Action = arguments.do
    return action(arguments, desk, here)


def _list(arguments: argparse.Namespace, desk: Desk, _here: Settings) -> int:
    requests = desk.requests(ended=arguments.all)
    for request in requests:
        print(request.canonical_json().strip() if arguments.json else line(request_lines.row(request)))
    if not requests and not arguments.json:
        print("no requests" if arguments.all else "no open requests (--all shows merged and closed ones)")
    return errors.DONE


def _view(arguments: argparse.Namespace, desk: Desk, _here: Settings) -> int:
    review = desk.review(arguments.number)
    request = review.request
    print(line(f"#{request.number} {request.title}"))
    for name, value in {**request_lines.facts(request), "evidence": review.evidence, "text": review.text}.items():
        print(line(f"  {name:<10} {value}"))
    if review.checks:
        print("  checks")
        _print_checks(review.checks)
    if arguments.namespace:
        print("  cluster")
        for event in delivery.lines(request, wiring.rollouts(arguments.namespace).of(request.subject.environment)):
            print(line(f"    {event}"))
    width = shutil.get_terminal_size((120, 24)).columns
    print(f"\n{shown(request.body if arguments.raw else terminal_markdown.readable(review.markdown, width))}")
    return errors.DONE


def _diff(arguments: argparse.Namespace, desk: Desk, _here: Settings) -> int:
    for file in desk.diff(arguments.number):
        print(shown(request_lines.file(file, whole=arguments.all)))
    return errors.DONE


def _merge(arguments: argparse.Namespace, desk: Desk, here: Settings) -> int:
    ended = desk.merge(arguments.number, by=acting_user.named(arguments), override=arguments.override)
    print(line(f"{_ended(ended)}: {ended.request.title}"))
    return follow(ended.request, desk, here)


def _after_merge(arguments: argparse.Namespace, desk: Desk, here: Settings) -> int:
    return follow(desk.forge.request(arguments.number), desk, here)


def follow(merged: Request, desk: Desk, here: Settings) -> int:
    """Do what follows a merge. Every part is idempotent, so a failure here is mended by the same command."""
    followed = following.follow(desk.forge, merged, on_merge=here.next_on_merge)
    if followed.waits_for:
        print(f"the next request opens once {followed.waits_for} is healthy")
    if opened := followed.next:
        is_open = opened.state is State.OPEN
        print(line(f"opened #{opened.number}: {opened.title}" if is_open else request_lines.row(opened)))
    reverted = followed.merged.subject
    if reverted.reverts and (why := Main.now(desk.forge).rejection(reverted.model, reverted.reverts)):
        wiring.registry(here).reject(reverted.model, reverted.reverts, why)
    if followed.changes_champion:
        _say_champion(followed.merged.subject.model, desk, here)
    return errors.DONE


def _sync_registry(arguments: argparse.Namespace, desk: Desk, here: Settings) -> int:
    main = Main.now(desk.forge)
    known = main.models()
    for model in arguments.model:
        if model not in known and not main.ever_had_policy(model):
            hint = suggestion.choices(model, known, "models")
            raise errors.UsageError(f"the environment repo knows no model {model!r}{hint}")
    for model in arguments.model or known:
        if arguments.rebuild:
            numbers = aliases.rebuild(main, model, wiring.registry(here))
            what = f"knows again of version {', '.join(map(str, numbers))}" if numbers else "lacks no version of main's"
            print(line(f"registry: {model}: {what}"))
        _say_champion(model, desk, here)
    return errors.DONE


def _say_champion(model: str, desk: Desk, here: Settings) -> None:
    version = aliases.follow(desk.forge, model, wiring.registry(here))
    said = f"champion is version {version}" if version else "no version it knows is in production"
    print(line(f"registry: {model}: {said}"))


def _close(arguments: argparse.Namespace, desk: Desk, _here: Settings) -> int:
    if not arguments.reason.strip():
        raise errors.UsageError("--reason says nothing; the people behind the request read it")
    ended = desk.close(arguments.number, by=acting_user.named(arguments), reason=arguments.reason)
    first = ended.request.reason or "no reason given"
    kept = f" ({first}; the reason given now is not kept)" if ended.already else ""
    print(line(f"{_ended(ended)}: {ended.request.title}{kept}"))
    return errors.DONE


def _reopen(arguments: argparse.Namespace, desk: Desk, _here: Settings) -> int:
    opened = desk.reopen(arguments.number, by=acting_user.named(arguments))
    print(line(f"{opened.state} #{opened.number}: {opened.title}"))
    return errors.DONE


def _check(arguments: argparse.Namespace, desk: Desk, _here: Settings) -> int:
    found = desk.check(arguments.number, head=arguments.head)
    request = found.request
    if arguments.report:
        desk.report(found)
    if request.state is State.MERGED:
        print(line(f"#{request.number} is merged, by {request.ended_by}; nothing is left to check"))
    else:
        _print_checks(found.checks)
    return errors.DONE if found.passed else errors.Rejected.exit_code


def _remind(arguments: argparse.Namespace, desk: Desk, _here: Settings) -> int:
    waiting = desk.remind(datetime.timedelta(days=arguments.days))
    for request in waiting:
        print(line(request_lines.row(request)))
    if not waiting:
        print("no request waits")
    return errors.DONE


def _auto_merge(arguments: argparse.Namespace, desk: Desk, here: Settings) -> int:
    """One look at what is open; returns the code of the first that failed."""
    code, looked = errors.DONE, False
    for attempt in AutoMerging(desk, model_folder.merge_rules_of, dry=arguments.dry_run).look():
        looked = True
        outcome = "would be merged" if arguments.dry_run and attempt.outcome == "merged" else attempt.outcome
        print(line(f"{outcome} #{attempt.request.number} {attempt.request.title}"))
        for why in attempt.why:
            print(line(f"    {why}"))
        code = code or attempt.code
        if attempt.outcome == "merged" and not arguments.dry_run:
            code = code or follow(attempt.request, desk, here)
    if not looked:
        print("no open request of an environment whose clusters/ENVIRONMENT/merging.yaml is on main")
    return code


def _where(_arguments: argparse.Namespace, _desk: Desk, here: Settings) -> int:
    print(here.forge_uri.partition(":")[2])
    return errors.DONE


def _ended(ended: Ended) -> str:
    request = ended.request
    return f"{'already ' if ended.already else ''}{request.state} #{request.number} by {request.ended_by}"


def _print_checks(checks: Sequence[Check]) -> None:
    for check in checks:
        print(line(request_lines.check(check)))


def _numbered(
    verbs: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, action: Action, summary: str
) -> argparse.ArgumentParser:
    parser = verb_actions.added(verbs, name, action, summary)
    parser.add_argument("number", type=_number, metavar="N", help="the request's number")
    return parser


def _number(text: str) -> int:
    digits = text.removeprefix("#")
    if not (digits.isascii() and digits.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r} is no request's number; `argosy pr list` shows them")
    return int(digits)
