"""What a task waits for, as it is written."""

from argosy.engine.manifest import depends
from argosy.engine.manifest.model import Task


def test_bare_names_are_spelled_out() -> None:
    """A bare name asks for success, being skipped, or what continueOn allows."""
    tasks = {"a": Task({"name": "a", "continueOn": {"failed": True}})}
    assert (
        depends.logic_of(Task({"depends": "a && !a.Failed"}), tasks)
        == "(a.Succeeded || a.Skipped || a.Daemoned || a.Failed) && !a.Failed"
    )
    assert depends.logic_of(Task({"dependencies": ["b"]}), tasks) == "(b.Succeeded || b.Skipped || b.Daemoned)"


def test_names() -> None:
    """Every task once, in order, whatever is asked of it."""
    assert depends.names_of(Task({"depends": "b-1.Failed || (a && b-1)"})) == ["b-1", "a"]
