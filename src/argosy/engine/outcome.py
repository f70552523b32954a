"""The outcome of a run: its exit code, and the nodes that a resume does again."""

import re
from collections.abc import Collection, Mapping

from argosy import errors
from argosy.argo import NodeType, Phase
from argosy.engine.nodes import Node
from argosy.ports import runs

_AWAITED = re.compile(r'dependency "[^"]+" exited with non-zero code: (\d+)')
_OWN = re.compile(r"[^\s:]+: \w+ \(exit code (\d+)\)")
"""The controller's message on a pod of which a container failed: of one that waited for another, or of itself."""
_ATTEMPT = re.compile(r"\((\d+)\)")
"""The end of an attempt's name, after that of what is tried."""


def exit_code(phase: str, nodes: Mapping[str, runs.Node]) -> int:
    """The exit code of a run that is in *phase*: 0 where it succeeded, that of the first step that failed for good where it failed,
    130 where it did not come to its end."""
    if phase not in runs.OVER:
        return errors.INTERRUPTED
    if phase == Phase.SUCCEEDED:
        return errors.DONE
    failed = sorted(_failed_for_good(nodes), key=lambda node: node.finished or 0.0)
    return next((code for code in map(_code, failed) if code), errors.BUG)


def _code(node: runs.Node) -> int:
    """The exit code that the pod *node* failed with; 0 where it ended by none. Of several containers it is that of the first to fail."""
    said = _AWAITED.search(node.message) or _OWN.match(node.message)
    if said:
        return int(said[1])
    return int(node.outputs.exit_code or 0)


def _failed_for_good(nodes: Mapping[str, runs.Node]) -> list[runs.Node]:
    """The pods that failed and whose retries did not succeed after all."""
    failed = [node for node in nodes.values() if node.type is NodeType.POD and node.phase is Phase.FAILED]
    return [node for node in failed if not _was_retried(node, nodes)]


def _was_retried(node: runs.Node, nodes: Mapping[str, runs.Node]) -> bool:
    parent = nodes.get(node.parent or "")
    if parent is None or parent.type is not NodeType.RETRY:
        return False
    attempt = _ATTEMPT.fullmatch(
        node.name.removeprefix(parent.name)
    )  # hooks of what is retried lie beside its attempts
    return attempt is not None and f"{parent.name}({int(attempt[1]) + 1})" in nodes


def to_do_again(nodes: Mapping[str, Node]) -> list[str]:
    """The nodes of a run that failed which a resume does again: what failed, what was left out because of it, and all that encloses them.

    A failure inside something that succeeded all the same (``continueOn``, an attempt before the good one) was answered, and stays.
    """
    return [name for name, node in nodes.items() if _is_open(node, nodes)]


def _is_open(node: Node, nodes: Mapping[str, Node]) -> bool:
    if node.phase in (Phase.SUCCEEDED, Phase.SKIPPED):
        return _enclosing_failed_handler(node, nodes)
    enclosing = nodes.get(node.parent or "")
    while enclosing is not None:
        if enclosing.phase is Phase.SUCCEEDED:
            return False
        enclosing = nodes.get(enclosing.parent or "")
    return True


def _enclosing_failed_handler(node: Node, nodes: Mapping[str, Node]) -> bool:
    """True where *node* is the exit handler of something that is done again: it will run after it again."""
    handled = nodes.get(node.parent or "") if node.hooked else None
    return handled is not None and handled.phase.unsuccessful


def restarted(nodes: Mapping[str, Node], chosen: Collection[str]) -> list[str]:
    """The nodes to do again so that *chosen* are.

    With all that is inside them, what encloses them, and what began after them or after what encloses them: it may have used their outputs.
    """
    again: set[str] = set()
    pending = [nodes[name] for name in chosen if name in nodes]
    while pending:
        node = pending.pop()
        if node.name in again:
            continue
        again |= _with_what_is_inside(node, nodes)
        around = [nodes[name] for name in _enclosing(node, nodes)]
        again |= {enclosing.name for enclosing in around if enclosing.type is not NodeType.RETRY}
        pending += [enclosing for enclosing in around if enclosing.type is NodeType.RETRY]
        pending += [other for other in nodes.values() if any(_began_after(other, ended) for ended in (node, *around))]
    return [name for name in nodes if name in again]


def _began_after(other: Node, node: Node) -> bool:
    return other.boundary == node.boundary and other is not node and other.started >= (node.finished or node.started)


def _with_what_is_inside(node: Node, nodes: Mapping[str, Node]) -> set[str]:
    return {name for name in nodes if name == node.name or node.name in _enclosing(nodes[name], nodes)}


def _enclosing(node: Node, nodes: Mapping[str, Node]) -> set[str]:
    found: set[str] = set()
    pending = [node.parent, node.boundary]
    while pending:
        name = pending.pop()
        if name and name in nodes and name not in found:
            found.add(name)
            pending += [nodes[name].parent, nodes[name].boundary]
    return found
