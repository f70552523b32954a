"""Values of a workflow's parameters: from the command line, from a file, and, at a terminal, from whoever sits there."""

import argparse
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from argosy import errors
from argosy.engine import api
from argosy.engine.manifest import loading
from argosy.engine.nodes import Json
from argosy.engine.options import Prepared, RunOptions
from argosy.templates import parameter_values


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare where values come from."""
    parser.add_argument(
        "-p", "--parameter", action="append", default=[], metavar="NAME=VALUE", help="a parameter of the workflow"
    )
    parser.add_argument("--parameter-file", type=Path, metavar="FILE", help="parameters as a YAML or JSON object")


def given(arguments: argparse.Namespace) -> dict[str, str]:
    """The values of the command line, laid over those of the file. Raises UsageError, Misconfigured; Rejected for one that is no value."""
    parameters = loading.parameters(arguments.parameter_file) if arguments.parameter_file else {}
    parameters |= named(arguments.parameter)
    refuse_expressions(parameters)
    return parameters


def named(words: Iterable[str]) -> dict[str, str]:
    """The values of *words*, each of them NAME=VALUE; of two of one name the last. Raises UsageError where one is not."""
    found = {}
    for text in words:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise errors.UsageError(f"-p {text!r} is not NAME=VALUE")
        found[name] = value
    return found


def refuse_expressions(values: Mapping[str, str]) -> None:
    """Whoever runs a manifest of others, here as on a cluster, hands a step text, and nothing that is worked out before it."""
    if found := [problem for name, value in values.items() for problem in parameter_values.expressions(name, value)]:
        raise errors.Rejected("\n       ".join(found))


def prepare(
    manifest: api.Manifest, options: RunOptions, ask: Callable[[str], str] | None = None
) -> tuple[Prepared, RunOptions]:
    """*manifest* fit to run, and the *options* it is run with: values that are still wanting are asked for through *ask*.

    By default that is the terminal, where there is one. Raises Misconfigured, which lists them, where nobody can be asked.
    """
    try:
        return api.prepare(manifest, options), options
    except api.Unanswered as unanswered:
        if ask is None and not sys.stdin.isatty():
            raise
        answers = {parameter["name"]: _answer(parameter, ask or _at_terminal) for parameter in unanswered.parameters}
        refuse_expressions(answers)
    options = replace(options, parameters={**options.parameters, **answers})
    return api.prepare(manifest, options), options


def _answer(parameter: Json, ask: Callable[[str], str]) -> str:
    choices = parameter.get("enum") or []
    description = f" - {parameter['description']}" if parameter.get("description") else ""
    of_them = f" ({', '.join(choices)})" if choices else ""
    question = f"{parameter['name']}{of_them}{description}: "
    while True:
        value = ask(question)
        if not choices or value in choices:
            return value


def _at_terminal(question: str) -> str:
    print(question, end="", file=sys.stderr, flush=True)
    line = sys.stdin.readline()
    if not line:
        raise errors.UsageError(f"{question.partition(':')[0]}: no value was given; give one with -p NAME=VALUE")
    return line.removesuffix("\n")
