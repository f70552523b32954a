"""Let a run go on that waits at a suspend step, with the output parameters that the step asks for.

Without STEP the one that waits is meant. Parameters that the step gives a default need not be named.
"""

import argparse
import difflib
import getpass

from argosy import errors
from argosy.cli import asking
from argosy.engine import api, nodes
from argosy.engine.manifest.catalogue import WORKFLOW, UnknownTemplate
from argosy.engine.nodes import Json, Node
from argosy.engine.state.runs import RunFolder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    asking.add_run(parser)
    parser.add_argument("step", nargs="?", help="the step that waits, by the name of its node or its last part")
    parser.add_argument(
        "-p", "--parameter", action="append", default=[], metavar="NAME=VALUE", help="an output parameter of the step"
    )


def run(arguments: argparse.Namespace) -> int:
    """Approve one step."""
    folder = asking.found(arguments.run)
    node = _chosen(folder, folder.manifest()["workflow"], arguments.step)
    approve(folder, node, arguments.parameter)
    return errors.DONE


def approve(folder: RunFolder, node: Node, words: list[str]) -> None:
    """Let *node* end with the parameters *words*, each NAME=VALUE. Raises UsageError where they are not what the step asks for."""
    name = nodes.local_name(node.name, folder.manifest()["workflow"])
    given = _given(words, _declared(folder, node), name)
    message = f"approved by {getpass.getuser()}"
    asking.ask(folder, {"do": "approve", "node": node.name, "parameters": given, "message": message})
    print(f"{name} of run {folder.run} goes on")


def _chosen(folder: RunFolder, workflow: str, step: str | None) -> Node:
    waiting = asking.waiting(folder.state()[1])
    fitting = [
        node for node in waiting if step in (None, node.name, nodes.local_name(node.name, workflow), node.display_name)
    ]
    if len(fitting) == 1:
        return fitting[0]
    names = ", ".join(nodes.local_name(node.name, workflow) for node in waiting)
    if fitting:
        raise errors.UsageError(f"several steps of run {folder.run} wait: {names}; name one")
    asked = f"no step {step!r} that waits" if step else "no step that waits"
    raise errors.UsageError(f"run {folder.run} has {asked} for an approval" + (f"; these do: {names}" if names else ""))


def _declared(folder: RunFolder, node: Node) -> dict[str, Json] | None:
    """The output parameters that the step asks for; None where its template is not of the workflow itself."""
    stored = folder.manifest()
    catalogue = api.catalogue_of(stored["spec"], stored["others"])
    try:
        template, _ = catalogue.resolve({"template": node.template}, WORKFLOW)
    except UnknownTemplate:
        return None
    return {entry["name"]: entry for entry in (template.get("outputs") or {}).get("parameters") or []}


def _given(words: list[str], declared: dict[str, Json] | None, step: str) -> dict[str, str]:
    given = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not name or not equals:
            raise errors.UsageError(f"-p {word!r} is not NAME=VALUE")
        given[name] = value
    if declared is None:
        return given
    for name in given:
        if name not in declared:
            near = difflib.get_close_matches(name, declared, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"it asks for {', '.join(declared) or 'none'}"
            raise errors.UsageError(f"{step} asks for no parameter {name!r}; {hint}")
    lacking = [name for name, entry in declared.items() if name not in given and _default_of(entry) is None]
    if lacking:
        raise errors.UsageError(f"{step} asks for {', '.join(lacking)}; give each with -p NAME=VALUE")
    return given


def _default_of(parameter: Json) -> object:
    return (parameter.get("valueFrom") or {}).get("default")
