"""What a finished run means to whoever called it: the exit code."""

from collections.abc import Mapping

from argosy import errors
from argosy.engine.machine.workflow import Ending
from argosy.engine.nodes import Node, NodeType, Phase


def exit_code(ending: Ending | None, nodes: Mapping[str, Node]) -> int:
    """0 where the workflow succeeded, 130 where it was interrupted, else the code of the first step that failed for good."""
    if ending is None:
        return errors.INTERRUPTED
    if ending.phase is Phase.SUCCEEDED:
        return errors.DONE
    failed = sorted(_failed_for_good(nodes), key=lambda node: node.finished or 0.0)
    codes = [int(node.outputs.exit_code) for node in failed if node.outputs and node.outputs.exit_code]
    return next((code for code in codes if code), errors.BUG)


def _failed_for_good(nodes: Mapping[str, Node]) -> list[Node]:
    """The pods that failed and whose retries did not succeed after all."""
    failed = [node for node in nodes.values() if node.type is NodeType.POD and node.phase is Phase.FAILED]
    return [node for node in failed if not _was_retried(node, nodes)]


def _was_retried(node: Node, nodes: Mapping[str, Node]) -> bool:
    parent = nodes.get(node.parent or "")
    if parent is None or parent.type is not NodeType.RETRY:
        return False
    stem, _, number = node.name.rpartition("(")
    return f"{stem}({int(number.removesuffix(')')) + 1})" in nodes
