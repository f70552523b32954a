"""Try a run that failed again, from the steps that failed.

With --restart-successful the steps that --node-field-selector names are done again too, though they succeeded, and everything that began
after them in the templates around them, which may have used what they gave. A selector is a list of field=value and field!=value,
separated by commas; fields are name, displayName, templateName, phase and id.
"""

import argparse
import re

from argosy import errors
from argosy.cli import asking, cluster, cluster_runs, executing
from argosy.engine import api, nodes
from argosy.engine.nodes import Node

FIELDS = ("name", "displayName", "templateName", "phase", "id")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the verb's arguments."""
    asking.add_run(parser)
    parser.add_argument("--restart-successful", action="store_true", help="do steps again that succeeded, too")
    parser.add_argument("--node-field-selector", metavar="SELECTOR", help="which of them, such as displayName=train")
    parser.add_argument(
        "--as-begun",
        action="store_true",
        help="go on with the files the run began with, though its model's folder has changed",
    )
    executing.add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Retry one run; returns 0 or the code of the first step that failed."""
    if arguments.restart_successful != bool(arguments.node_field_selector):
        raise errors.UsageError(
            "--restart-successful and --node-field-selector go together: one says that, the other which"
        )
    if cluster.is_meant(arguments):
        return cluster_runs.retry(arguments)
    options = executing.options(arguments)
    folder = asking.found(arguments.run)
    manifest = folder.manifest()
    meta, known = folder.state()
    phase = asking.phase_of(folder, meta)
    if phase not in ("Failed", "Error") and not (phase == "Succeeded" and arguments.restart_successful):
        hint = f"; `argosy resume {folder.run}` goes on with it" if phase in ("Killed", "Interrupted") else ""
        raise errors.UsageError(f"run {folder.run} is {phase}; only a run that failed is tried again{hint}")
    executing.refuse_other_files(folder, arguments)
    chosen = (
        selected(arguments.node_field_selector, known, manifest["workflow"]) if arguments.restart_successful else []
    )
    return executing.carry_out(
        arguments,
        options.home,
        manifest["workflow"],
        lambda observer: api.resume(options.home, folder.run, options, observer, again=chosen),
        of_model=executing.is_of_model(manifest["metadata"]),
    )


def selected(selector: str, known: dict[str, Node], workflow: str) -> list[str]:
    """The names of the nodes that *selector* fits. Raises UsageError where it makes no sense or fits none."""
    conditions = [_condition(part) for part in selector.split(",")]
    fitting = [
        node.name
        for node in known.values()
        if all((_fields(node, workflow)[field] == value) is equal for field, equal, value in conditions)
    ]
    if not fitting:
        raise errors.UsageError(f"no node of the run fits {selector!r}; `argosy get` shows their names")
    return fitting


def _condition(part: str) -> tuple[str, bool, str]:
    match = re.fullmatch(r"\s*(\w+)\s*(==|!=|=)\s*(.*?)\s*", part)
    if not match or match[1] not in FIELDS:
        raise errors.UsageError(f"{part!r} is not FIELD=VALUE with one of the fields {', '.join(FIELDS)}")
    return match[1], match[2] != "!=", match[3]


def _fields(node: Node, workflow: str) -> dict[str, str]:
    name = nodes.local_name(node.name, workflow)
    return {
        "name": name,
        "displayName": node.display_name,
        "templateName": node.template,
        "phase": str(node.phase),
        "id": nodes.node_id(workflow, node.name),
    }
