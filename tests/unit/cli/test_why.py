"""`argosy why`: the first cause of how a run stands, and what helps; a rejection is told from a crash."""

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from argosy import errors, wiring
from argosy.argo import NodeType, Phase
from argosy.cli import main, run_ends, run_facts, why
from argosy.ports.runs import Line, Node, Outputs, Run
from kit.fake_workflows import FakeWorkflows


def pod(name: str, phase: Phase, at: float, **more: object) -> Node:
    """A step of the run ``w``, which ended *at* a moment."""
    template = name.partition("(")[0]
    values: dict[str, object] = {"template": template, "display_name": name, "finished": at + 1, **more}
    return Node(f"w.{name}", NodeType.POD, phase, at, **values)  # type: ignore[arg-type]


def run_of(*nodes: Node, phase: str = "Failed") -> Run:
    """A run with *nodes*."""
    return Run("w-1", phase, root="w", nodes={node.name: node for node in nodes})


VERDICT = Outputs(parameters={"verdict": "reject"})


@pytest.mark.parametrize(
    ("found", "word"),
    [
        pytest.param(run_of(pod("train(0)", Phase.FAILED, 1), pod("train(1)", Phase.SUCCEEDED, 2), phase="Succeeded"), "", id="went-well"),
        pytest.param(
            run_of(
                pod("train(0)", Phase.FAILED, 1),
                pod("train(1)", Phase.SUCCEEDED, 2),
                pod("sign", Phase.FAILED, 3, message="Error (exit code 75)"),
            ),
            "failed in sign",
            id="made-good-by-a-later-attempt",
        ),
        pytest.param(
            run_of(pod("a", Phase.FAILED, 5, message="x"), pod("b", Phase.ERROR, 2, message="y")), "failed in b", id="the-first"
        ),
        pytest.param(run_of(pod("validate", Phase.FAILED, 1, message="Error (exit code 10)")), "refused by validate", id="refused"),
        pytest.param(
            run_of(pod("evaluate", Phase.SUCCEEDED, 1, outputs=VERDICT), pod("propose", Phase.FAILED, 2, message="Error (exit code 10)")),
            "rejected",
            id="rejected",
        ),
        pytest.param(
            run_of(pod("evaluate", Phase.SUCCEEDED, 1, outputs=VERDICT), pod("sign", Phase.FAILED, 2, outputs=Outputs(exit_code="137"))),
            "failed in sign",
            id="a-crash-after-the-verdict",
        ),
        pytest.param(
            run_of(pod("evaluate", Phase.SUCCEEDED, 1, outputs=Outputs(parameters={"verdict": "promote"})), phase="Succeeded"),
            "proposed",
            id="proposed",
        ),
        pytest.param(run_of(pod("train", Phase.RUNNING, 1), phase="Running"), "", id="goes-on"),
        pytest.param(run_of(), "", id="nothing-is-known"),
    ],
)  # fmt: skip
def test_the_end_of_a_run(found: Run, word: str) -> None:
    """What failed first and stayed so is the cause, unless its verdict is the news."""
    assert run_ends.of(found).word == word


class Logs:
    """Runs elsewhere, of which each step wrote the same."""

    keeps_reports = False
    words = ("--cluster",)

    def __init__(self, *lines: str) -> None:
        self.lines = lines

    def log(self, _name: str, _step: str | None, *, follow: bool) -> Iterator[Line]:
        """What was written; of a pod that never began nothing is kept."""
        if not self.lines:
            raise errors.UsageError("no log")
        assert not follow
        return iter([Line(text) for text in self.lines])


@pytest.mark.parametrize(
    ("message", "first"),
    [
        ("Error (exit code 75)", "argosy retry w-1 --cluster   # the outside world failed: the same again may work"),
        ("Error (exit code 74)", "argosy retry w-1 --cluster   # after some room was made"),
        ("Error (exit code 78)", "argosy retry w-1 --cluster   # after what the message names is mended"),
        ("OOMKilled (exit code 137)", "raise resources.train.memory in model.yaml"),
        ("Error (exit code 1)", "argosy logs w-1 '$.train' --cluster"),
    ],
)
def test_what_helps(message: str, first: str) -> None:
    """The exit code says it; the step's own error is the cause, and what it wrote last is shown."""
    found = why.why(Logs("reading", "error: no such table"), run_of(pod("train", Phase.FAILED, 1, message=message)))  # type: ignore[arg-type]
    assert (found.cause, found.step, found.last_lines) == (
        "no such table",
        "train",
        ["reading", "error: no such table"],
    )
    assert found.next[0] == first
    assert found.next[-1] == "argosy logs w-1 '$.train' --cluster"


def test_a_step_that_wrote_nothing() -> None:
    """Its message is all that is known."""
    found = why.why(Logs(), run_of(pod("train", Phase.ERROR, 1, message="pod deleted")))  # type: ignore[arg-type]
    assert (found.cause, found.last_lines) == ("pod deleted", [])


@pytest.mark.parametrize(
    ("found", "cause", "command"),
    [
        (run_of(phase="Killed"), "whoever carried it out is gone", "argosy resume w-1 --cluster"),
        (run_of(phase="Suspended"), "somebody suspended it", "argosy resume w-1 --cluster"),
        (run_of(phase="Running"), "it goes on", "argosy watch w-1 --cluster"),
        (
            run_of(Node("w.gate", NodeType.SUSPEND, Phase.RUNNING, 1), phase="Running"),
            "it waits for an approval of $.gate",
            "argosy approve w-1 '$.gate' --cluster",
        ),
    ],
)
def test_no_step_stopped_it(found: Run, cause: str, command: str) -> None:
    """A run that waits, goes on or was cut off has a cause too."""
    answer = why.why(Logs(), found)  # type: ignore[arg-type]
    assert (answer.cause, answer.next) == (cause, [command])


def test_typed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Of a cluster as of this machine; one line for a run that is not there, and no state folder is made to say it."""
    monkeypatch.setattr(
        wiring, "workflows", lambda _namespace, _context: FakeWorkflows(templates={}, known=[], logs={})
    )
    assert main.run(["why", "--cluster"]) == errors.UsageError.exit_code
    assert main.run(["why", "nothing"]) == errors.UsageError.exit_code
    said = capsys.readouterr()
    assert len(said.err.splitlines()) == 2
    assert said.out == ""


@pytest.mark.parametrize(
    ("content", "score"),
    [
        ('{"task": "binary", "metrics": {"performance.auc": 0.81234}}', "auc 0.8123"),
        ('{"task": "multiclass", "metrics": {"performance.auc": 0.9, "performance.accuracy": 0.5}}', "accuracy 0.5000"),
        ('{"task": "regression", "metrics": {"performance.r2": -0.1}}', "r2 -0.1000"),
        ('{"task": "binary", "metrics": {"performance.auc": null}}', ""),
        ("{", ""),
        (None, ""),
    ],
)
def test_the_score_of_a_run(content: str | None, score: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is its task's; a document that is damaged or gone is no reason to list no runs."""
    if content is not None:
        (tmp_path / "evidence.json").write_text(content, encoding="utf-8")
    monkeypatch.setattr(run_facts.runs, "artifact", lambda _home, _node, _name: tmp_path)
    folder = SimpleNamespace(state=lambda: ({}, {"evaluate": None}))
    assert run_facts._score(tmp_path, folder) == score  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("provenance", "commit"),
    [(json.dumps({"commit": "abc"}), "abc"), (json.dumps({"commit": "unknown"}), ""), ("", ""), (None, "")],
)
def test_the_commit_of_a_run(provenance: str | None, commit: str) -> None:
    """It is the one that the run was told; where none was known, nothing."""
    given = {"arguments": {"parameters": [{"name": "data", "value": "x"}, {"name": "provenance", "value": provenance}]}}
    assert run_facts._commit(given) == commit
    assert run_facts._commit({}) == ""
