"""Retire a model: ask, by a request on the environment repo, that one or all environments serve it no more.

Says first what would go and what stays. Once the requests are merged nothing serves the model, nothing looks at it, and its pipeline stops
at its first step. Evidence, registry, model store and logs keep what they have. Asking again finds the same requests.
"""

import argparse
import datetime
import itertools
import shlex
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import yaml

from argosy import errors, wiring
from argosy.cli import acting_user, models
from argosy.domain import environment_layout
from argosy.domain.promotion_requests import State
from argosy.files import model_folder
from argosy.promotion import approval, retiring
from argosy.promotion.retiring import Retirement
from argosy.promotion.standing import Main
from argosy.report import request_lines
from argosy.report.plain_text import line
from argosy.settings import Settings
from argosy.templates import folder

RECENT = datetime.timedelta(hours=24)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument(
        "--environment",
        metavar="NAME",
        choices=environment_layout.ENVIRONMENTS,
        help="only from that environment (default: from all)",
    )
    parser.add_argument("--reason", metavar="TEXT", help="what those who look for the model should know")
    parser.add_argument("--as", dest="name", metavar="NAME", help="in whose name (default: yours, as git has it)")
    parser.add_argument("--dry-run", action="store_true", help="say what would go, and ask for nothing")
    parser.add_argument(
        "--although-used",
        action="store_true",
        help=f"also where it answered in the last {RECENT // datetime.timedelta(hours=1)} hours",
    )


def run(arguments: argparse.Namespace) -> int:
    """Ask for a model to be retired."""
    here = Settings.from_environment()
    main = Main.now(wiring.forge(here))
    model = approval.known(main, arguments.model)
    environments = [arguments.environment] if arguments.environment else list(environment_layout.ENVIRONMENTS)
    retirements = list(retiring.found(main, model, environments))
    if not retirements:
        return _say_nothing(model, main, arguments.environment)
    _say(retirements, model)
    refusals = itertools.chain(
        retiring.refusals(retirements), _needs(model, retirements, here, although_used=arguments.although_used)
    )
    if arguments.dry_run:
        return _say_refusals(refusals)
    for why in refusals:
        raise errors.Rejected(why)
    if arguments.reason is None:
        raise errors.UsageError("say why: --reason TEXT (--dry-run asks for nothing)")
    by = acting_user.named(arguments)
    now = datetime.datetime.now(datetime.UTC)
    for one in retirements:
        request = main.forge.propose(retiring.proposal(one, by=by, reason=arguments.reason, at=now))
        if request is not None:
            print(line(request_lines.row(request)))
            if request.state is State.OPEN:
                print(f"  waits for review: argosy pr view {request.number}")
    return errors.DONE


def _say_nothing(model: str, main: Main, environment: str | None) -> int:
    retired = main.retired(model)
    if retired:
        print(line(f"{model} is retired already. {retired.said}"))
        _say_cluster(model)
    else:
        print(f"{model} is not served{f' in {environment}' if environment else ''}; there is nothing to retire")
    return errors.DONE


def _say(retirements: Sequence[Retirement], model: str) -> None:
    for one in retirements:
        print(
            line(
                f"{model} leaves {one.environment}, which serves version {one.version.version} ({one.version.model_digest[:19]})"
            )
        )
    print(
        "  stays: evidence, policy and values in the environment repo, versions in the registry, bundles, logged predictions, looks"
    )
    _say_cluster(model)


def _say_cluster(model: str) -> None:
    """Name what was installed by hand beside the environment repo, and still starts pipelines and looks."""
    if names := list(_installed(model)):
        print(
            "  on a cluster, once it is merged, delete what starts its pipeline and its looks, in the namespace of its pipelines:"
        )
        print(f"    kubectl delete --ignore-not-found {shlex.join(names)}")


def _installed(model: str) -> Iterator[str]:
    """The objects, as kubectl names them, that the manifests of *model* in the project at hand install."""
    for path in sorted((models.WORKFLOWS / model).glob("*.yaml")):
        if path.name == folder.ARTIFACTS["settings"]:
            continue
        for each in _documents(path):
            if isinstance(each, dict) and str(each.get("apiVersion", "")).startswith("argoproj.io/"):
                yield f"{str(each.get('kind')).lower()}/{(each.get('metadata') or {}).get('name')}"


def _documents(path: Path) -> list[object]:
    try:
        return list(yaml.safe_load_all(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return []  # what cannot be read is no manifest that was installed


def _say_refusals(refusals: Iterable[str]) -> int:
    """Say all that a call without --dry-run would be refused for. It is what was asked for, so it is no failure."""
    for why in refusals:
        print(line(f"  would be refused now: {why}"))
    return errors.DONE


def _needs(model: str, retirements: Sequence[Retirement], here: Settings, *, although_used: bool) -> Iterator[str]:
    """Why *model* is still needed: another model of the project learns from what it answers, or somebody asks it."""
    for other, data in _readers(model, here):
        yield f"{other} reads what {model} answers (data: {data}); retire {other} first, or give it other data"
    if although_used:
        return
    history, since = wiring.prediction_history(here), datetime.datetime.now(datetime.UTC) - RECENT
    for one in retirements:
        last = max((each.hour for each in history.segments(model, one.environment, since=since)), default=None)
        if last is not None:
            yield (
                f"{model} answered in {one.environment} in the hour of {last:%Y-%m-%d %H:%M} UTC; tell those who call it first, then pass "
                "--although-used"
            )


def _readers(model: str, here: Settings) -> Iterator[tuple[str, str]]:
    """The other models of the project whose data is what *model* answered, each with its address."""
    place = f"{here.predictions_uri.rstrip('/')}/{model}"
    for path in sorted(models.WORKFLOWS.glob(f"*/{folder.ARTIFACTS['settings']}")):
        if path.parent.name == model:
            continue
        found = model_folder.load_any(path)
        if found.data and f"{found.data.rstrip('/')}/".startswith(f"{place}/"):
            yield found.model, found.data
