"""Argo's selectors of nodes: a list of ``field=value`` and ``field!=value``, separated by commas, all of which have to hold."""

import re
from collections.abc import Mapping

from argosy import argo, errors
from argosy.ports.runs import Node

FIELDS = ("name", "displayName", "templateName", "phase", "id")


def selected(selector: str, known: Mapping[str, Node], workflow: str) -> list[str]:
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
    name = argo.local_name(node.name, workflow)
    return {
        "name": name,
        "displayName": node.display_name,
        "templateName": node.template,
        "phase": str(node.phase),
        "id": argo.node_id(workflow, node.name),
    }
