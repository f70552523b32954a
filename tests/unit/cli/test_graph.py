"""`argosy graph`: which manifest it draws, and what it says of the rest."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from argosy.argo import NodeType, Phase
from argosy.cli import main, task_graphs
from argosy.ports.runs import Node, Run

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No run yet."""
    monkeypatch.setenv("ARGOSY_HOME", str(tmp_path / "home"))


def _manifest(folder: Path, templates: list[dict[str, Any]]) -> Path:
    head = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": "it"}}
    file = folder / "it.yaml"
    file.write_text(yaml.safe_dump({**head, "spec": {"entrypoint": "main", "templates": templates}}), encoding="utf-8")
    return file


def test_a_model_is_drawn(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """By what its pipeline.yaml says."""
    monkeypatch.chdir(ROOT)
    assert main.run(["graph", "churn"]) == 0
    drawn = capsys.readouterr().out
    assert "├─╮\n● │ compare-data\n│ ● build-features\n├─╯\n● tune\n│     ● suggest-0\n" in drawn


def test_a_manifest_of_steps_is_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each group waits for the one before; a template that calls itself is not followed for ever."""
    steps = [
        [{"name": "a", "template": "work"}, {"name": "b", "template": "work"}],
        [{"name": "again", "template": "main"}],
    ]
    file = _manifest(tmp_path, [{"name": "main", "steps": steps}, {"name": "work", "container": {"image": "x"}}])
    assert main.run(["graph", str(file)]) == 0
    assert capsys.readouterr().out == "it\n● a\n│ ● b\n├─╯\n● again\n"
    assert main.run(["graph", str(file), "--svg", str(tmp_path / "it.svg")]) == 0
    assert "again after a and b" in (tmp_path / "it.svg").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nosuch"], "'nosuch' is no model of this project and no manifest, and "),
        (["{file}"], "it has no tasks that wait for each other"),
        (["{folder}/none.yaml"], "is no model of this project and no manifest"),
    ],
)
def test_what_cannot_be_drawn(words: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line says why."""
    file = _manifest(tmp_path, [{"name": "main", "container": {"image": "x"}}])
    assert main.run(["graph", *(word.format(file=file, folder=tmp_path) for word in words)]) != 0
    assert said in capsys.readouterr().err


def test_a_manifest_that_argo_would_not_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The field that is wrong is named, as `argosy run` names it."""
    file = _manifest(tmp_path, [{"name": "main", "dag": {"tasks": [1]}}])
    assert main.run(["graph", str(file)]) == 78
    assert "spec.templates[0].dag.tasks[0]: expected an object" in capsys.readouterr().err


@pytest.mark.parametrize("kind", [NodeType.TASK_GROUP, NodeType.RETRY])
def test_what_is_within_each_item_is_not_said_to_be_left_out(kind: NodeType) -> None:
    """It has a node in every item, or attempt, and none of its own name: how it stands is that of the whole."""
    each = {"name": "each", "template": "inner", "withItems": [1, 2]}
    inner = {"name": "inner", "steps": [[{"name": "one", "template": "work"}]]}
    graph = task_graphs.of_spec(
        {"entrypoint": "main", "templates": [{"name": "main", "dag": {"tasks": [each]}}, inner]}, {}
    )
    nodes = [
        Node("it.each", kind, Phase.SUCCEEDED, 5.0, finished=6.0),
        Node("it.each(0:1)[0].one", NodeType.POD, Phase.SUCCEEDED, 5.0, finished=6.0),
    ]
    standings = graph.standings(Run("it", "Succeeded", root="it", nodes={node.name: node for node in nodes}))
    assert [standings[path].state for path in (("each",), ("each", "one"))] == ["done", ""]


def test_tasks_that_wait_for_one_another(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Are named instead of drawn."""
    tasks = [{"name": "a", "template": "w", "depends": "b"}, {"name": "b", "template": "w", "depends": "a"}]
    file = _manifest(tmp_path, [{"name": "main", "dag": {"tasks": tasks}}, {"name": "w", "container": {"image": "x"}}])
    assert main.run(["graph", str(file)]) == 78
    assert "it: a, b wait for one another" in capsys.readouterr().err


def test_a_run_says_how_far_it_is() -> None:
    """By the names of its nodes, whatever a task is: a loop by its items, a step by its group, what never began by the run's end."""
    loop = {"name": "each", "template": "work", "withItems": [1, 2]}
    inner = {"name": "inner", "steps": [[{"name": "one", "template": "work"}]]}
    dag = {"name": "main", "dag": {"tasks": [loop, {"name": "in", "template": "inner", "depends": "each"}]}}
    graph = task_graphs.of_spec({"entrypoint": "main", "templates": [dag, inner]}, {})
    nodes = [
        Node("it.each", NodeType.TASK_GROUP, Phase.RUNNING, 5.0),
        Node("it.each(0:1)", NodeType.POD, Phase.SUCCEEDED, 5.0, parent="it.each", finished=6.0),
        Node("it.each(1:2)", NodeType.POD, Phase.RUNNING, 5.0, parent="it.each"),
    ]
    run = Run("it", "Failed", root="it", nodes={node.name: node for node in nodes})
    standings = graph.standings(run)
    assert (standings["each",].state, standings["each",].ended, standings["each",].items) == ("works", 1, 2)
    assert standings["in", "one"].state == "left out"
    assert graph.nodes["in", "one"] == ".in[0].one"
    begun = Run("it", "Running", root="it", nodes={})
    assert graph.standings(begun)["in",].state == "waits"
