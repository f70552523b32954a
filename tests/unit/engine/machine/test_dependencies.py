"""Conditions over tasks that have ended."""

import pytest

from argosy.argo import NodeType, Phase
from argosy.engine.machine import dependencies
from argosy.engine.nodes import Node


def finished(**phases: Phase) -> dict[str, tuple[Node, list[Node]]]:
    """Finished tasks without loops; an underscore stands for a dash."""
    return {name.replace("_", "-"): (Node(name, NodeType.POD, phase, 0.0), []) for name, phase in phases.items()}


@pytest.mark.parametrize(
    ("logic", "phases", "answer"),
    [
        pytest.param("a-b.Succeeded", {"a_b": Phase.SUCCEEDED}, True, id="dash-in-name"),
        pytest.param("a.Errored && !a.Failed", {"a": Phase.ERROR}, True, id="errored"),
        pytest.param("a.Omitted || b.Skipped", {"a": Phase.SUCCEEDED, "b": Phase.SKIPPED}, True, id="or"),
        pytest.param("a.Succeeded && b.Succeeded", {"a": Phase.SUCCEEDED, "b": Phase.FAILED}, False, id="and"),
    ],
)
def test_allows(logic: str, phases: dict[str, Phase], answer: bool) -> None:
    """The condition's value for tasks that ended like this."""
    assert dependencies.allows(logic, finished(**phases)) is answer
