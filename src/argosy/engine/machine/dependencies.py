"""Whether a task of a DAG may run, now that those it waits for have ended."""

from collections.abc import Mapping

from argosy.engine.expressions import expr
from argosy.engine.expressions.errors import ExpressionError
from argosy.engine.nodes import Node, Phase


def allows(logic: str, finished: Mapping[str, tuple[Node, list[Node]]]) -> bool:
    """Whether *logic* lets a task run, given its *finished* dependencies, each with its loop's nodes.

    Raises ExpressionError where the condition cannot be evaluated.
    """
    environment = {name.replace("-", "_"): _results(node, items) for name, (node, items) in finished.items()}
    answer = expr.evaluate(logic.replace("-", "_"), environment)
    if not isinstance(answer, bool):
        raise ExpressionError(f"depends {logic!r} is {answer!r}, not true or false")
    return answer


def _results(node: Node, items: list[Node]) -> dict[str, bool]:
    return {
        "Succeeded": node.phase is Phase.SUCCEEDED,
        "Failed": node.phase is Phase.FAILED,
        "Errored": node.phase is Phase.ERROR,
        "Skipped": node.phase is Phase.SKIPPED,
        "Omitted": node.phase is Phase.OMITTED,
        "Daemoned": node.daemoned,
        "AnySucceeded": any(item.phase is Phase.SUCCEEDED for item in items),
        "AllFailed": bool(items) and all(item.phase is Phase.FAILED for item in items),
    }
