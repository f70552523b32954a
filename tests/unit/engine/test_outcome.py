"""What a run's end means: its exit code, and what a resume does again."""

from argosy.engine import outcome
from argosy.engine.machine.workflow import Ending
from argosy.engine.nodes import Node, NodeType, Outputs, Phase


def node(name: str, phase: Phase, kind: NodeType = NodeType.POD, *, code: int | None = None, **fields: object) -> Node:
    """A finished node."""
    outputs = Outputs(exit_code=str(code)) if code is not None else None
    return Node(name, kind, phase, 0.0, outputs=outputs, **fields)  # type: ignore[arg-type]


def by_name(*known: Node) -> dict[str, Node]:
    """Nodes by name."""
    return {one.name: one for one in known}


def test_first_failure_decides() -> None:
    """The step that failed first gives the code."""
    known = by_name(
        node("b", Phase.FAILED, code=75, finished=2.0),
        node("a", Phase.FAILED, code=10, finished=1.0),
        node("c", Phase.SUCCEEDED, code=0),
    )
    assert outcome.exit_code(Ending(Phase.FAILED, ""), known) == 10


def test_failures_that_were_retried_do_not_count() -> None:
    """An attempt that was followed by another is not what stopped the run."""
    known = by_name(
        node("r", Phase.SUCCEEDED, NodeType.RETRY),
        node("r(0)", Phase.FAILED, code=75, finished=1.0, parent="r"),
        node("r(1)", Phase.SUCCEEDED, code=0, finished=2.0, parent="r"),
        node("x", Phase.FAILED, code=3, finished=3.0),
    )
    assert outcome.exit_code(Ending(Phase.FAILED, ""), known) == 3


def test_success_and_interruption() -> None:
    """0 and 130, whatever failed on the way; 1 where nothing has a code."""
    known = by_name(node("a", Phase.FAILED, code=3))
    assert outcome.exit_code(Ending(Phase.SUCCEEDED, ""), known) == 0
    assert outcome.exit_code(None, known) == 130
    assert outcome.exit_code(Ending(Phase.ERROR, ""), {}) == 1


def test_to_do_again() -> None:
    """What failed, what was omitted for it, what encloses it, and its exit handler; not what was answered by continueOn."""
    known = by_name(
        node("wf", Phase.FAILED, NodeType.DAG),
        node("wf.good", Phase.SUCCEEDED, parent="wf"),
        node("wf.bad", Phase.FAILED, parent="wf"),
        node("wf.bad.onExit", Phase.SUCCEEDED, parent="wf.bad", hooked=True),
        node("wf.left", Phase.OMITTED, NodeType.SKIPPED, parent="wf"),
        node("wf.skipped", Phase.SKIPPED, NodeType.SKIPPED, parent="wf"),
        node("wf.answered", Phase.SUCCEEDED, NodeType.STEPS, parent="wf"),
        node("wf.answered[0].x", Phase.FAILED, parent="wf.answered"),
        node("wf.retried", Phase.SUCCEEDED, NodeType.RETRY, parent="wf"),
        node("wf.retried(0)", Phase.FAILED, parent="wf.retried"),
    )
    assert set(outcome.to_do_again(known)) == {"wf", "wf.bad", "wf.bad.onExit", "wf.left"}
