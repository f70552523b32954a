"""Names and ids of nodes are Argo's own, and a node survives the journal."""

import pytest

from argosy import argo
from argosy.argo import NodeType, Phase
from argosy.engine.nodes import Node, Outputs


@pytest.mark.parametrize(
    ("text", "digest"),
    [
        pytest.param("", 0x811C9DC5, id="empty"),
        pytest.param("a", 0xE40C292C, id="one-letter"),
        pytest.param("foobar", 0xBF9CF968, id="word"),
    ],
)
def test_fnv32a(text: str, digest: int) -> None:
    """The published test vectors of FNV-1a."""
    assert argo.fnv32a(text) == digest


def test_ids_and_pod_names() -> None:
    """The root's id is the workflow's name; a pod is named by workflow, template and a hash of the node's name."""
    assert argo.node_id("wf", "wf") == "wf"
    assert argo.node_id("wf", "wf.a") == f"wf-{argo.fnv32a('wf.a')}"
    assert argo.pod_name("wf", "wf", "main") == "wf"
    assert argo.pod_name("wf", "wf.a", "say") == f"wf-say-{argo.fnv32a('wf.a')}"
    assert len(argo.pod_name("w" * 300, "w.a", "say").rsplit("-", 1)[0]) == 242


def test_local_name() -> None:
    """The workflow's own name is replaced by a dollar."""
    assert argo.local_name("wf.fan(0:red)", "wf") == "$.fan(0:red)"
    assert argo.local_name("wf", "wf") == "$"


def test_round_trip_through_json() -> None:
    """What the journal keeps of a node is all of it."""
    node = Node(
        "wf.a",
        NodeType.POD,
        Phase.FAILED,
        1.5,
        finished=2.5,
        outputs=Outputs({"x": "1"}, exit_code="3"),
        ends=["Failed"],
    )
    assert Node.from_json(node.to_json()) == node


def test_as_status_leaves_out_what_is_not_there() -> None:
    """A node without outputs or a message has no such field."""
    assert Node("wf", NodeType.DAG, Phase.RUNNING, 0.0).seen().as_status() == {"type": "DAG", "phase": "Running"}
    failed = Node("wf", NodeType.POD, Phase.FAILED, 0.0, message="main: Error (exit code 1)")
    assert failed.seen().as_status() == {"type": "Pod", "phase": "Failed", "message": "main: Error (exit code 1)"}
    artifact = Outputs(artifacts={"f": {"name": "f"}})
    assert "outputs" not in Node("wf", NodeType.DAG, Phase.SUCCEEDED, 0.0, outputs=artifact).seen().as_status()
