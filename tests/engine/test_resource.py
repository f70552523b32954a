"""``resource`` templates: through a kubectl that the test plays, on a cluster that the caller named and on no other."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from argosy import errors
from argosy.engine.attempts import object_conditions
from argosy.engine.options import Cluster, RunResult
from kit.manifests import TEMPLATES

Run = Callable[..., RunResult]

MANIFEST = (
    TEMPLATES
    + """\
    - name: main
      inputs: {parameters: [{name: count, value: "3"}]}
      resource:
        action: create
        manifest: |
          apiVersion: batch/v1
          kind: Job
          metadata: {name: "job-{{inputs.parameters.count}}"}
        successCondition: status.succeeded > 0
        failureCondition: status.failed in (1, 2)
      outputs:
        parameters: [{name: said, valueFrom: {jsonPath: "{.status.message}"}}]
"""
)

KUBECTL = """#!/bin/sh
echo "$*" >> "{log}"
case "$*" in
  *" create "*) cat "{log}.created" ;;
  *jsonpath*) printf done ;;
  *" get "*) n=$(cat "{log}.n" 2>/dev/null || echo 0); n=$((n + 1)); echo $n > "{log}.n"; cat "{log}.state.$n" ;;
  *) echo "error: unknown command" >&2; exit 1 ;;
esac
"""


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """A kubectl on PATH that answers with *states* of the job, one a look; returns the file with its calls."""

    def answering(*states: dict[str, object]) -> Path:
        log = tmp_path / "calls"
        job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "job-3", "namespace": "team"}}
        (tmp_path / "calls.created").write_text(json.dumps(job), encoding="utf-8")
        for number, state in enumerate(states, start=1):
            (tmp_path / f"calls.state.{number}").write_text(json.dumps({**job, "status": state} if state else ""))
        folder = tmp_path / "bin"
        folder.mkdir()
        (folder / "kubectl").write_text(KUBECTL.replace("{log}", str(log)), encoding="utf-8")
        (folder / "kubectl").chmod(0o755)
        monkeypatch.setenv("PATH", str(folder), prepend=":")
        monkeypatch.setattr("argosy.engine.attempts.resource.INTERVAL", 0.01)
        return log

    return answering


def test_it_acts_waits_and_reads(run: Run, cluster: Callable[..., Path]) -> None:
    """On the context and namespace that were named, then in the namespace that the object came to lie in."""
    calls = cluster({}, {"active": 1}, {"succeeded": 1})
    result = run(MANIFEST, cluster=Cluster("kind", "jobs"))
    (node,) = result.nodes.values()
    assert (result.phase, str(node.type)) == ("Succeeded", "Pod")
    assert node.outputs is not None
    assert node.outputs.parameters == {"said": "done"}
    created, first, *_, last = calls.read_text(encoding="utf-8").splitlines()
    assert created.startswith("--context kind --namespace jobs create -f ")
    assert created.endswith("manifest.yaml -o json")
    assert first == "--context kind --namespace team get job.batch/job-3 --ignore-not-found -o json"
    assert last == "--context kind --namespace team get job.batch/job-3 -o jsonpath={.status.message}"


def test_a_failure_condition_ends_it(run: Run, cluster: Callable[..., Path]) -> None:
    """With the condition that came true."""
    cluster({"active": 1}, {"failed": 2})
    result = run(MANIFEST, cluster=Cluster("kind"))
    (node,) = result.nodes.values()
    assert result.phase == "Failed"
    assert node.message == "main: Error (exit code 64): failure condition '{status.failed in [1 2]}' evaluated true"


def test_what_kubectl_refuses_is_told(run: Run, cluster: Callable[..., Path]) -> None:
    """In its own words."""
    cluster()
    result = run(MANIFEST.replace("action: create", "action: apply"), cluster=Cluster("kind"))
    assert [node.message for node in result.nodes.values()] == [
        "main: Error (exit code 64): no more retries unknown command"
    ]


def test_no_cluster_is_changed_that_nobody_named(run: Run, cluster: Callable[..., Path]) -> None:
    """Whatever context is current."""
    calls = cluster()
    with pytest.raises(errors.Misconfigured, match=r"templates\[0\].resource: changes a cluster; .*--context"):
        run(MANIFEST)
    assert not calls.exists()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        pytest.param(("action: create", "action: scale"), "resource.action: must be one of get, create", id="action"),
        pytest.param(("jsonPath: ", "path: "), "jsonPath or jqFilter must be specified for resource", id="output"),
        pytest.param(
            ("> 0", "~ 0"), "resource.successCondition: 'status.succeeded ~ 0' is no condition", id="condition"
        ),
        pytest.param(("action: create", "setOwnerReference: true"), "setOwnerReference: not supported", id="owner"),
    ],
)
def test_refused(change: tuple[str, str], message: str, run: Run, cluster: Callable[..., Path]) -> None:
    """Before anything is done."""
    calls = cluster()
    with pytest.raises(errors.Misconfigured, match=message):
        run(MANIFEST.replace(*change), cluster=Cluster("kind"))
    assert not calls.exists()


FOUND = {"status": {"phase": "Running", "succeeded": 2, "ready": True, "conditions": [{"type": "A"}], "none": None}}


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        pytest.param("status.phase == Running", True, id="equal"),
        pytest.param("status.phase != Running", False, id="unequal"),
        pytest.param("status.gone != x", True, id="absent-is-unequal"),
        pytest.param("status.succeeded > 1, status.succeeded < 3", True, id="all"),
        pytest.param("status.phase > 1", False, id="no-number"),
        pytest.param("status.phase in (Pending, Running)", True, id="in"),
        pytest.param("status.phase notin (Pending, Running)", False, id="notin"),
        pytest.param("status.ready = true", True, id="boolean"),
        pytest.param("status.conditions.0.type == A", True, id="of-a-list"),
        pytest.param("!status.gone", True, id="not-there"),
        pytest.param("status.phase", True, id="there"),
    ],
)
def test_conditions(condition: str, holds: bool) -> None:
    """A selector of labels, its keys paths in the object."""
    assert all(part.holds(FOUND) for part in object_conditions.parsed(condition)) is holds


@pytest.mark.parametrize("condition", ["status.phase ~ x", "status.n > many", "a b"])
def test_conditions_that_are_none(condition: str) -> None:
    """Are an error, not a wait without end."""
    with pytest.raises(object_conditions.SelectorError, match=r"is no condition|only whole numbers"):
        object_conditions.parsed(condition)
