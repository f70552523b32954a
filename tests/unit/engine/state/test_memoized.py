"""What ``memoize`` remembers."""

from pathlib import Path

import pytest

from argosy.engine.nodes import Outputs
from argosy.engine.state.memoized import Memory
from argosy.engine.state.object_store import ObjectStore


@pytest.fixture
def memory(tmp_path: Path) -> Memory:
    """An empty memory."""
    return Memory(tmp_path / "memory", ObjectStore(tmp_path / "objects"))


def test_what_is_kept_is_recalled(memory: Memory) -> None:
    """By cache and key; what is kept later takes its place."""
    memory.remember("c", "k", "n", Outputs({"p": "1"}))
    memory.remember("c", "k", "n", Outputs({"p": "2"}))
    assert memory.recall("c", "k", None) == Outputs({"p": "2"})
    assert memory.recall("other", "k", None) is None


def test_what_is_too_old_is_not_recalled(memory: Memory) -> None:
    """The age counts from when it was given, however often it was of use since."""
    memory.remember("c", "k", "n", Outputs())
    assert memory.recall("c", "k", 60) == Outputs()
    assert memory.recall("c", "k", 0) is None


def test_an_entry_whose_artifacts_are_gone_is_none(memory: Memory) -> None:
    """The step runs and gives them again."""
    memory.remember("c", "k", "n", Outputs(artifacts={"a": {"stored": {"digest": "sha256:00"}}}))
    assert memory.recall("c", "k", None) is None


@pytest.mark.parametrize(
    "content", [pytest.param("{", id="cut"), pytest.param("[]", id="not-an-entry"), pytest.param("{}", id="empty")]
)
def test_a_damaged_entry_is_none(content: str, memory: Memory, tmp_path: Path) -> None:
    """The step runs, and what it gives takes the entry's place."""
    memory.remember("c", "k", "n", Outputs())
    (tmp_path / "memory" / "c" / "k").write_text(content, encoding="utf-8")
    assert memory.recall("c", "k", None) is None
