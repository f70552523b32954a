"""Completes the command line in a shell: verbs, options, models, runs and steps. A shell asks by the variables of argcomplete.

Nothing is changed and no network is asked; where something cannot be found out, nothing is offered.
"""

import argparse
import contextlib
import importlib
import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import argcomplete
import yaml

from argosy import errors
from argosy.argo import NodeType
from argosy.cli import models, named_runs
from argosy.engine.state import runs
from argosy.settings import home_of

MOST_RUNS = 200


def complete(verbs: Mapping[str, str], aliases: Mapping[str, str]) -> None:
    """Answer the shell and leave, where one asks. *verbs*: each with what it does; *aliases*: other words for them."""
    line = os.environ.get("COMP_LINE", "")
    parser = argparse.ArgumentParser(prog="argosy")
    parser.add_argument("--version", action="store_true")
    under = parser.add_subparsers(metavar="VERB", parser_class=_Verb)
    words = line.split()
    for verb, says in {**verbs, **{alias: verbs[verb] for alias, verb in aliases.items()}}.items():
        own = under.add_parser(verb, help=says)
        if verb in words[1:]:
            module = importlib.import_module(f"argosy.cli.{aliases.get(verb, verb)}")
            module.add_arguments(own)
            own.offer()
    argcomplete.autocomplete(parser, always_complete_options="long")


class _Verb(argparse.ArgumentParser):
    """The arguments of one verb."""

    def offer(self) -> None:
        """Say what each may be, by its name."""
        for action in self._actions:
            offered = OFFERS.get(action.dest)
            if offered is not None and action.choices is None and action.nargs != 0:
                action.completer = _completer(offered)  # type: ignore[attr-defined]


def _completer(offered: Callable[[argparse.Namespace], Iterable[str]]) -> Callable[..., list[str]]:
    def completer(parsed_args: argparse.Namespace, **_: Any) -> list[str]:
        with contextlib.suppress(errors.ArgosyError, OSError):
            return list(offered(parsed_args))
        return []

    return completer


def _models(_: argparse.Namespace) -> list[str]:
    return sorted(path.parent.name for path in models.WORKFLOWS.glob("*/pipeline.py"))


def _runs(_: argparse.Namespace) -> list[str]:
    found = [folder.run for folder in runs.newest_first(home_of(os.environ))[:MOST_RUNS]]
    return [*found, *(f"{model}/latest" for model in _models(_))]


def _steps(asked: argparse.Namespace) -> list[str]:
    """The tasks of the model's pipeline, or of any pipeline of ours where no model is typed yet."""
    model = getattr(asked, "model", None) or next(iter(_models(asked)), None)
    if model is None:
        return []
    place = models.folder_of(model)
    spec = yaml.safe_load((place / "pipeline.yaml").read_text(encoding="utf-8"))["spec"]
    main = next(each for each in spec["templates"] if each["name"] == spec["entrypoint"])
    return [task["name"] for task in main["dag"]["tasks"]]


def _steps_of_run(asked: argparse.Namespace) -> list[str]:
    home = home_of(os.environ)
    folder = runs.find(home, None) if asked.run == "-" else named_runs.named(home, asked.run)
    nodes = folder.state()[1].values()
    return sorted({node.template for node in nodes if node.type is NodeType.POD and node.template})


OFFERS: Mapping[str, Callable[[argparse.Namespace], Iterable[str]]] = {
    "model": _models,
    "run": _runs,
    "before": _runs,
    "after": _runs,
    "what": _runs,
    "from_run": _runs,
    "until": _steps,
    "only": _steps,
    "step": _steps_of_run,
}
"""By the name of an argument, what it may be."""
