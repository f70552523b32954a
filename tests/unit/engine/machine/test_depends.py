"""Conditions over other tasks, from text to answer."""

import pytest

from argosy.engine.machine import depends
from argosy.engine.nodes import Node, NodeType, Phase


def finished(**phases: Phase) -> dict[str, tuple[Node, list[Node]]]:
    """Finished tasks without loops; an underscore stands for a dash."""
    return {name.replace("_", "-"): (Node(name, NodeType.POD, phase, 0.0), []) for name, phase in phases.items()}


def test_bare_names_are_spelled_out() -> None:
    """A bare name asks for success, being skipped, or what continueOn allows."""
    tasks = {"a": {"name": "a", "continueOn": {"failed": True}}}
    assert (
        depends.logic_of({"depends": "a && !a.Failed"}, tasks)
        == "(a.Succeeded || a.Skipped || a.Daemoned || a.Failed) && !a.Failed"
    )
    assert depends.logic_of({"dependencies": ["b"]}, tasks) == "(b.Succeeded || b.Skipped || b.Daemoned)"


def test_names() -> None:
    """Every task once, in order, whatever is asked of it."""
    assert depends.names_of({"depends": "b-1.Failed || (a && b-1)"}) == ["b-1", "a"]


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
    assert depends.allows(logic, finished(**phases)) is answer
