"""What a run that ended means: the exit code, and what a resume does again."""

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
    """Whether *node* is the exit handler of something that is done again: it will run after it again."""
    handled = nodes.get(node.parent or "") if node.hooked else None
    return handled is not None and handled.phase.unsuccessful
