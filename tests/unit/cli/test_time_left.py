"""How far a run is, and about how long it still takes, for whoever waits at a terminal."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from argosy.argo import NodeType, Phase
from argosy.cli import progress, time_left
from argosy.cli.time_left import PastRun, TimeLeft
from argosy.engine.nodes import Node as KeptNode
from argosy.engine.state.journal import Journal
from argosy.engine.state.runs import RunFolder
from argosy.ports.runs import Node

PAST = PastRun({"$.ingest": 10.0, "$.trial(0:1)": 30.0, "$.trial(1:2)": 30.0, "$.train": 10.0}, seconds=50.0)


def pod(name: str, phase: Phase, started: float = 0.0) -> Node:
    """A pod of the run ``w``, first attempt."""
    return Node(f"w.{name}(0)", NodeType.POD, phase, started)


@pytest.mark.parametrize(
    ("nodes", "line"),
    [
        pytest.param([], "0 of 4 steps done, about 50 s left", id="begins"),
        pytest.param([pod("ingest", Phase.SUCCEEDED)], "1 of 4 steps done, about 44 s left", id="one-done"),
        pytest.param([pod("ingest", Phase.RUNNING, 94.0)], "0 of 4 steps done, about 46 s left", id="under-way"),
        pytest.param([pod("ingest", Phase.RUNNING, 0.0)], "0 of 4 steps done, about 44 s left", id="longer-than-ever"),
        pytest.param(
            [pod(name, Phase.SUCCEEDED) for name in ("ingest", "trial(0:1)", "trial(1:2)", "train", "new")],
            "5 of 5 steps done",
            id="more-than-then",
        ),
    ],
)
def test_at_the_pace_of_before(nodes: list[Node], line: str) -> None:
    """80 seconds of work took 50: what is left goes at that pace."""
    left = TimeLeft("w", [PAST])
    for node in nodes:
        left.node_changed(node)
    assert left.line(now=100.0) == line


def test_nothing_is_made_up() -> None:
    """Without an earlier run nobody knows; a run that took everything from the cache is none."""
    assert TimeLeft("w", []).line(0.0) == "0 steps done"
    cached = KeptNode("w.a(0)", NodeType.POD, Phase.SUCCEEDED, 1.0, finished=2.0, cached=True)
    assert time_left.of_nodes([cached], "w") is None


@pytest.mark.parametrize(
    ("done", "seconds", "said"),
    [
        pytest.param(1, 10.0, ", about 30 s left", id="a-quarter"),
        pytest.param(1, 200.0, ", about 10 min 00 s left", id="minutes"),
        pytest.param(1, 1.0, "", id="too-early"),
        pytest.param(4, 10.0, "", id="over"),
    ],
)
def test_equal_parts(done: int, seconds: float, said: str) -> None:
    """Parts of one size take one time."""
    assert time_left.by_share(done, 4, seconds) == said


def test_at_a_narrow_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """40 columns, no colour: a line a node, cut short; the last says how long it still takes."""
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setattr(time_left, "LEAST_SECONDS", -1.0)
    for run, nodes in {"toy-1": [("ingest", 4.0), ("train", 60.0)], "toy-2": list[tuple[str, float]]()}.items():
        folder = RunFolder(tmp_path / "runs" / run)
        folder.path.mkdir(parents=True)
        folder.write_manifest({"workflow": run, "metadata": {"annotations": {"argosy.dev/model": "toy"}}})
        journal = Journal(folder.path / "journal.sqlite")
        spans = [(f"{run}.{name}(0)", 100.0, 100.0 + seconds) for name, seconds in nodes]
        journal.write(
            nodes=[KeptNode(name, NodeType.POD, Phase.SUCCEEDED, start, finished=end) for name, start, end in spans]
        )
        journal.close()
    picture = progress.LiveTree("toy-2", tmp_path)
    picture.node_changed(Node("toy-2", NodeType.DAG, Phase.RUNNING, 1e12, display_name="toy-2"))
    name = "a-step-whose-name-is-longer-than-a-line"
    picture.node_changed(Node(f"toy-2.{name}(0)", NodeType.POD, Phase.RUNNING, 1e12, display_name=name, parent="toy-2"))
    screen = io.StringIO()
    Console(file=screen, width=40, force_terminal=True).print(picture.draw())
    lines = screen.getvalue().splitlines()
    assert len(lines) == 4
    assert all(len(line) <= 40 for line in lines)
    assert lines[2].endswith("…")
    assert "0 of 3 steps done, about 6" in lines[3]
    assert "\x1b[3" not in screen.getvalue()
