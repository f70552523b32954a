"""Let a run go on that waits at a suspend step, with the output parameters that the step asks for.

Without STEP the one that waits is meant. Parameters that the step gives a default need not be named.
"""

import argparse
import difflib
import getpass
from collections.abc import Mapping, Sequence

from argosy import errors
from argosy.cli import parameters, target
from argosy.ports.runs import Node, Run, Runs


def add_arguments(parser: argparse.ArgumentParser) -> None:
    target.add_run(parser)
    parser.add_argument("step", nargs="?", help="the step that waits, by the name of its node or its last part")
    parser.add_argument(
        "-p", "--parameter", action="append", default=[], metavar="NAME=VALUE", help="an output parameter of the step"
    )


def run(arguments: argparse.Namespace) -> int:
    """Approve one step."""
    at = target.runs(arguments)
    found = at.get(at.find(arguments.run))
    node = _chosen(found, arguments.step)
    approve(at, found, node, _given(arguments.parameter))
    return errors.DONE


def approve(at: Runs, found: Run, node: Node, given: Mapping[str, str]) -> None:
    """Let *node* end with the parameters *given*. Raises UsageError where they are not what the step asks for."""
    name = found.local(node)
    if node.asks is not None:
        _demand_answers(name, given, node.asks)
    message = f"approved by {getpass.getuser()}"
    at.approve(found.name, node.name, given, message)
    words = [word for key, value in given.items() for word in ("--output-parameter", f"{key}={value}")]
    target.say(
        at, "node", "set", found.name, "--node-field-selector", f"name={node.name}", "--phase", "Succeeded", *words
    )
    print(f"{name} of run {found.name} goes on")


def _chosen(found: Run, step: str | None) -> Node:
    fitting = [node for node in found.waiting if step in (None, node.name, found.local(node), node.display_name)]
    if len(fitting) == 1:
        return fitting[0]
    names = ", ".join(map(found.local, found.waiting))
    if fitting:
        raise errors.UsageError(f"several steps of run {found.name} wait: {names}; name one")
    asked = f"no step {step!r} that waits" if step else "no step that waits"
    raise errors.UsageError(f"run {found.name} has {asked} for an approval" + (f"; these do: {names}" if names else ""))


def _given(words: Sequence[str]) -> dict[str, str]:
    given = parameters.named(words)
    parameters.refuse_expressions(given)
    return given


def _demand_answers(step: str, given: Mapping[str, str], asked: Mapping[str, str | None]) -> None:
    """Raises UsageError where *step* did not ask for what is *given*, or lacks what it *asked* for."""
    for name in given:
        if name not in asked:
            near = difflib.get_close_matches(name, asked, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"it asks for {', '.join(asked) or 'none'}"
            raise errors.UsageError(f"{step} asks for no parameter {name!r}; {hint}")
    lacking = [name for name, default in asked.items() if name not in given and default is None]
    if lacking:
        raise errors.UsageError(f"{step} asks for {', '.join(lacking)}; give each with -p NAME=VALUE")
