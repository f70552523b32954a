"""What a run's end means: its exit code, and what a resume does again."""

import pytest

from argosy.argo import NodeType, Phase
from argosy.engine import outcome
from argosy.engine.nodes import Node, Outputs
from argosy.ports import runs


def node(name: str, phase: Phase, kind: NodeType = NodeType.POD, *, code: int | None = None, **fields: object) -> Node:
    """A finished node."""
    outputs = Outputs(exit_code=str(code)) if code is not None else None
    return Node(name, kind, phase, 0.0, outputs=outputs, **fields)  # type: ignore[arg-type]


def by_name(*known: Node) -> dict[str, Node]:
    """Nodes by name."""
    return {one.name: one for one in known}


def seen(known: dict[str, Node]) -> dict[str, runs.Node]:
    """The nodes as those see them who only look."""
    return {name: one.seen() for name, one in known.items()}


def test_first_failure_decides() -> None:
    """The step that failed first gives the code."""
    known = by_name(
        node("b", Phase.FAILED, code=75, finished=2.0),
        node("a", Phase.FAILED, code=10, finished=1.0),
        node("c", Phase.SUCCEEDED, code=0),
    )
    assert outcome.exit_code("Failed", seen(known)) == 10


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ('main: Error (exit code 64): dependency "a" exited with non-zero code: 10', 10),
        ("a: Error (exit code 75)", 75),
        ("a: OOMKilled (exit code 137): ", 137),
        ("Pod was active on the node longer than the specified deadline", 64),
    ],
)
def test_of_several_containers_the_one_that_failed_decides(message: str, code: int) -> None:
    """The others gave up because of it; what main ended by is only its own giving up."""
    known = by_name(node("a", Phase.FAILED, code=64, finished=1.0, message=message))
    assert outcome.exit_code("Failed", seen(known)) == code


def test_failures_that_were_retried_do_not_count() -> None:
    """An attempt that was followed by another is not what stopped the run."""
    known = by_name(
        node("r", Phase.SUCCEEDED, NodeType.RETRY),
        node("r(0)", Phase.FAILED, code=75, finished=1.0, parent="r"),
        node("r(1)", Phase.SUCCEEDED, code=0, finished=2.0, parent="r"),
        node("x", Phase.FAILED, code=3, finished=3.0),
    )
    assert outcome.exit_code("Failed", seen(known)) == 3


def test_a_hook_beside_attempts_fails_for_itself() -> None:
    """What is retried has its exit handler and hooks beside its attempts; nothing tries those again."""
    known = by_name(
        node("r", Phase.FAILED, NodeType.RETRY),
        node("r(0)", Phase.FAILED, code=75, finished=1.0, parent="r"),
        node("r(1)", Phase.SUCCEEDED, code=0, finished=2.0, parent="r"),
        node("r.hooks.running", Phase.FAILED, code=4, finished=3.0, parent="r", hooked=True),
        node("r.onExit", Phase.FAILED, code=5, finished=4.0, parent="r", hooked=True),
    )
    assert outcome.exit_code("Failed", seen(known)) == 4


def test_success_and_interruption() -> None:
    """0 and 130, whatever failed on the way; 1 where nothing has a code."""
    known = by_name(node("a", Phase.FAILED, code=3))
    assert outcome.exit_code("Succeeded", seen(known)) == 0
    assert outcome.exit_code(runs.INTERRUPTED, seen(known)) == 130
    assert outcome.exit_code("Error", {}) == 1


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
