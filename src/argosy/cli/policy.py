"""Try a policy before it counts: what was judged by the gates of then is asked again under those proposed; and what a holdout can show.

Every version that an environment served, and what open requests propose, by the evidence that the environment repo keeps of it. Nothing is
trained, measured or changed.
"""

import argparse
import datetime
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from argosy import errors, wiring
from argosy.cli import override_files, verb_actions
from argosy.domain import environment_layout, suggestion
from argosy.domain.policy import Policy
from argosy.files import model_folder
from argosy.promotion import policy_replays
from argosy.promotion.policy_replays import PastVerdict
from argosy.promotion.standing import Main
from argosy.report import policy_replay_lines, sample_size_lines
from argosy.report.plain_text import line
from argosy.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    verbs = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    test = verb_actions.added(
        verbs, "test", _test, "say which past promotions another policy would have decided otherwise"
    )
    test.add_argument("model", metavar="MODEL")
    test.add_argument(
        "--policy", type=Path, metavar="FILE", help="default gitops-env/policies/MODEL.yaml of the project"
    )
    test.add_argument("--strict", action="store_true", help="end with 10 where one would be decided otherwise")
    test.add_argument("--json", action="store_true", help="one JSON object a line")

    power = verb_actions.added(
        verbs, "power", _power, "say how small a difference to the champion the rows held out can show, before a run"
    )
    power.add_argument("model", metavar="MODEL")
    power.add_argument(
        "--policy", type=Path, metavar="FILE", help="default gitops-env/policies/MODEL.yaml of the project"
    )
    power.add_argument(
        "--rows", type=_rows, metavar="N", help="rows held out; default as many as the last evaluation had"
    )

    override = verb_actions.added(
        verbs, "override", override_files.run, "let a model past one gate, by name, until a day: in a checkout"
    )
    override_files.add_arguments(override)


def run(arguments: argparse.Namespace) -> int:
    """Do what was asked for."""
    action: Callable[[argparse.Namespace], int] = arguments.do
    return action(arguments)


def _test(arguments: argparse.Namespace) -> int:
    """Print what becomes of each verdict."""
    settings = Settings.from_environment()
    main = Main.now(wiring.forge(settings))
    model = arguments.model.replace("-", "_")
    path, policy = _of_model(model, arguments.policy, settings, main)
    found = policy_replays.under(main, model, policy, datetime.datetime.now(datetime.UTC).date())
    for one in found if arguments.json else ():
        print(json.dumps(_as_json(one)))
    if not arguments.json:
        for text in policy_replay_lines.lines(path, found):
            print(line(text))
    return errors.Rejected.exit_code if arguments.strict and any(one.replay.flips for one in found) else errors.DONE


def _power(arguments: argparse.Namespace) -> int:
    """Print what the holdout can show, by the evidence of what production serves."""
    settings = Settings.from_environment()
    main = Main.now(wiring.forge(settings))
    model = arguments.model.replace("-", "_")
    _, policy = _of_model(model, arguments.policy, settings, main)
    evidence = main.evidence(model, environment_layout.PRODUCTION)
    if evidence is None:
        raise errors.UsageError(
            f"production serves no {model}, and so there is nothing to be compared with; the first evaluation tells what its rows can show"
        )
    for text in sample_size_lines.lines(policy.comparison, evidence, arguments.rows):
        print(line(text))
    return errors.DONE


def _rows(text: str) -> int:
    if not (text.isascii() and text.isdecimal() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of rows")
    return int(text)


def _of_model(model: str, given: Path | None, settings: Settings, main: Main) -> tuple[str, Policy]:
    """The policy to try, which is of *model*. Raises UsageError where it is another's."""
    path, policy = _proposed(model, given, settings, main)
    if policy.model != model:
        raise errors.UsageError(f"{path} is the policy of {policy.model!r}, not of {model!r}")
    return path, policy


def _proposed(model: str, given: Path | None, settings: Settings, main: Main) -> tuple[str, Policy]:
    """The policy to try, and what it is called. Raises UsageError where there is none, Misconfigured where it is none."""
    if given is not None:
        if not given.is_file():
            raise errors.UsageError(f"{given} is no file; --policy takes a policy as in gitops-env/policies")
        return str(given), model_folder.load_policy(given)
    path = environment_layout.policy_path(model)
    content = wiring.environment_template(settings).get(path)
    if content is None:
        raise errors.UsageError(
            f"there is no gitops-env/{path}; --policy names another file{suggestion.choices(model, main.models(), 'models')}"
        )
    return f"gitops-env/{path}", model_folder.policy_of(content, f"gitops-env/{path}")


def _as_json(one: PastVerdict) -> dict[str, Any]:
    replay = one.replay
    return {
        "version": one.version,
        "modelDigest": one.model_digest,
        "day": one.day.isoformat(),
        "places": list(one.places),
        "was": replay.was,
        "wouldBe": replay.would_be,
        "flips": replay.flips,
        "why": replay.why,
        "changes": [
            {"gate": each.gate, "was": each.was, "wouldBe": each.would_be, "why": each.why} for each in replay.changes
        ],
    }
