"""Runs on a cluster, through the verbs that know runs of this machine."""

import getpass
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from argosy import argo, wiring
from argosy.cli import main
from kit import quick_yaml
from kit.fake_workflows import FakeWorkflows

TIMES = {"startedAt": "2026-11-21T02:00:00Z", "finishedAt": "2026-11-21T02:01:30Z"}


def _node(name: str, kind: str, phase: str, *, boundary: str = "", **more: Any) -> tuple[str, dict[str, Any]]:
    workflow = name.split(".", maxsplit=1)[0]
    key = argo.node_id(workflow, name)
    boundaries = {"boundaryID": argo.node_id(workflow, boundary)} if boundary else {}
    shown = name.rpartition(".")[2]
    return key, {
        "id": key,
        "name": name,
        "displayName": shown,
        "type": kind,
        "phase": phase,
        **boundaries,
        **TIMES,
        **more,
    }


def _workflow(name: str, phase: str, **spec: Any) -> dict[str, Any]:
    """A DAG of two tasks: the first with an attempt that was killed and one that went well, the second failed by exit code 10."""
    attempts = [argo.node_id(name, f"{name}.train({number})") for number in (0, 1)]
    found = [
        _node(name, "DAG", phase, children=[argo.node_id(name, f"{name}.train")]),
        _node(f"{name}.train", "Retry", "Succeeded", boundary=name, templateName="train", children=attempts),
        _node(f"{name}.train(0)", "Pod", "Failed", boundary=name, templateName="train", nodeFlag={"retried": True}),
        _node(f"{name}.train(1)", "Pod", "Succeeded", boundary=name, templateName="train", nodeFlag={"retried": True}),
        _node(
            f"{name}.propose",
            "Pod",
            "Failed",
            boundary=name,
            templateName="propose",
            message="Error (exit code 10)",
            outputs={"exitCode": "10"},
        ),
    ]
    outputs = {"parameters": [{"name": "verdict", "value": "reject"}]}
    return {
        "metadata": {"name": name, "creationTimestamp": TIMES["startedAt"]},
        "spec": spec,
        "status": {"phase": phase, "nodes": dict(found), "outputs": outputs, **TIMES},
    }


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> FakeWorkflows:
    """A namespace with a template, a run that failed and one that is suspended."""
    found = FakeWorkflows(
        templates={"flower-model": ["data"]},
        known=[_workflow("flower-b2", "Failed"), _workflow("flower-a1", "Running", suspend=True)],
        logs={argo.pod_name("flower-b2", "flower-b2.propose", "propose"): ["error: one gate failed"]},
    )
    monkeypatch.setattr(wiring, "workflows", lambda _namespace, _context: found)
    return found


def test_submitting_is_what_argo_does(cluster: FakeWorkflows, capsys: pytest.CaptureFixture[str]) -> None:
    """The template of the model, with its parameters; the equivalent command is named."""
    assert main.run(["submit", "flower_model", "--cluster", "-p", "data=s3://raw/day=1"]) == 0
    assert cluster.asked == [("submit", "flower-model", "data=s3://raw/day=1")]
    told = capsys.readouterr()
    assert "argo -n team submit --from workflowtemplate/flower-model -p data=s3://raw/day=1" in told.err
    assert "run flower-model-abcde submitted" in told.out


@pytest.mark.parametrize(
    ("value", "code", "told"),
    [
        pytest.param("x'; curl x | sh", 10, "shell code", id="shell"),
        pytest.param("$(id)", 10, "shell code", id="substitution"),
        pytest.param("{{=sprig.env('HOME')}}", 10, "an expression", id="expression"),
        pytest.param("{{workflow.name}}", 10, "an expression", id="tag"),
        pytest.param("a\nb", 10, "shell code", id="two-lines"),
        pytest.param("x" * 70_000, 10, "longer than 65,536 bytes", id="huge"),
    ],
)
def test_values_that_are_code(
    cluster: FakeWorkflows, capsys: pytest.CaptureFixture[str], value: str, code: int, told: str
) -> None:
    """Nothing is submitted; the parameter is named, and its value is not repeated."""
    assert main.run(["submit", "flower_model", "--cluster", "-p", f"data={value}"]) == code
    said = capsys.readouterr().err
    assert said.startswith("error: parameter data: ")
    assert told in said
    assert "curl" not in said
    assert cluster.asked == []


@pytest.mark.parametrize("value", ["s3://raw/day=1", "data/it's here (2)", '{"a": [1, 2]}', "0.5", ""])
def test_values_that_are_data(cluster: FakeWorkflows, value: str) -> None:
    """Places, numbers, JSON and quotes are values."""
    assert main.run(["submit", "flower_model", "--cluster", "-p", f"data={value}"]) == 0


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The working folder is a project with one model."""
    model = tmp_path / "workflows" / "flower_model"
    model.mkdir(parents=True)
    (model / "pipeline.py").touch()
    monkeypatch.chdir(tmp_path)


def test_a_slip_in_the_name_is_said_before_a_missing_cluster(
    project: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever mistypes a model is told what was meant, though there is no cluster to ask; both reasons are there."""
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    assert main.run(["submit", "flower_modle"]) == 78
    said = capsys.readouterr().err
    assert said.startswith(
        "error: there is no model 'flower_modle' in workflows/; did you mean 'flower_model'. On the cluster: no cl"
    )


def test_a_slip_in_the_name_on_a_cluster(
    project: None, cluster: FakeWorkflows, capsys: pytest.CaptureFixture[str]
) -> None:
    """The cluster is asked first: it may have templates that the project has not."""
    assert main.run(["submit", "flower", "--cluster"]) == 78
    assert (
        "no model 'flower' in workflows/; did you mean 'flower_model'. On the cluster: namespace team has no"
        in capsys.readouterr().err
    )


MANIFEST = """
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: flower-model}
spec:
  entrypoint: main
  automountServiceAccountToken: false
  executor: {serviceAccountName: argosy-executor}
  arguments: {parameters: [{name: data, value: here}]}
  templates:
  - name: main
    container: {image: "argosy/data:dev", command: [python]}
"""


def _edited(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """What is installed after somebody's *change* of its template, with what an API server adds."""
    found: dict[str, Any] = quick_yaml.load(MANIFEST)
    found["metadata"] |= {"uid": "1", "resourceVersion": "7"}
    found["spec"]["templates"][0] |= {"inputs": {}, "metadata": {}}
    change(found["spec"]["templates"][0])
    return found


@pytest.mark.parametrize(
    ("change", "told"),
    [
        pytest.param(
            lambda template: template["container"].update(image="other:1"),
            r"spec.templates[0] (main).container.image: the cluster has 'other:1', this manifest 'argosy/data:dev'",
            id="changed",
        ),
        pytest.param(
            lambda template: template.update(hostNetwork=True),
            "spec.templates[0] (main).hostNetwork: the cluster has True, this manifest nothing",
            id="added",
        ),
        pytest.param(
            lambda template: template["container"].pop("command"),
            "spec.templates[0] (main).container.command: the cluster has nothing, this manifest 1 entries",
            id="removed",
        ),
    ],
)
def test_a_manifest_that_was_edited_in_the_cluster(
    project: None,
    cluster: FakeWorkflows,
    capsys: pytest.CaptureFixture[str],
    change: Callable[[dict[str, Any]], object],
    told: str,
) -> None:
    """Lint says each difference and ends 10; who submits it is told, and how to install the right one."""
    manifest = Path("workflows/flower_model/pipeline.yaml")
    manifest.write_text(MANIFEST, encoding="utf-8")
    cluster.specs["flower-model"] = _edited(change)
    assert main.run(["lint", "workflows/flower_model", "--namespace", "team"]) == 10
    assert f"{manifest}: installed in team: {told}" in capsys.readouterr().out
    assert main.run(["submit", "flower_model", "--cluster"]) == 0
    said = capsys.readouterr().err
    assert f"note: what runs is what is installed, and that is not {manifest}: {told}" in said
    assert f"compile --stamp {manifest.parent} | kubectl -n team apply --server-side --force-conflicts -f -" in said


def test_a_manifest_that_is_installed_as_it_is(
    project: None, cluster: FakeWorkflows, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the API server adds is no edit."""
    Path("workflows/flower_model/pipeline.yaml").write_text(MANIFEST, encoding="utf-8")
    cluster.specs["flower-model"] = _edited(lambda _: None)
    assert main.run(["lint", "workflows/flower_model", "--namespace", "team"]) == 0
    assert main.run(["submit", "flower_model", "--cluster"]) == 0
    assert "note:" not in capsys.readouterr().err


def test_a_template_that_only_the_cluster_has(project: None, cluster: FakeWorkflows) -> None:
    """Submitted as it is named."""
    cluster.templates["nightly-report"] = []
    assert main.run(["submit", "nightly-report", "--cluster"]) == 0
    assert cluster.asked == [("submit", "nightly-report")]


def test_a_model_that_is_not_installed(
    project: None, cluster: FakeWorkflows, capsys: pytest.CaptureFixture[str]
) -> None:
    """No doubt about its name: what the cluster lacks is all there is to say."""
    cluster.templates.clear()
    assert main.run(["submit", "flower-model", "--cluster"]) == 78
    assert capsys.readouterr().err.startswith("error: namespace team has no WorkflowTemplate 'flower-model'")


def test_a_parameter_nobody_reads(cluster: FakeWorkflows, capsys: pytest.CaptureFixture[str]) -> None:
    """The controller would take a slip without a word."""
    assert main.run(["submit", "flower_model", "--cluster", "-p", "date=x"]) == 2
    assert "takes no parameter 'date'; did you mean 'data'?" in capsys.readouterr().err
    assert cluster.asked == []


@pytest.mark.parametrize("verb", ["get", "status"])
def test_how_a_run_stands(cluster: FakeWorkflows, capsys: pytest.CaptureFixture[str], verb: str) -> None:
    """The same facts, tree and advice as of a run of this machine, and what Argo's own command is."""
    assert main.run([verb, "flower-b", "--namespace", "team"]) == 0
    told = capsys.readouterr()
    assert "# argo -n team get flower-b2" in told.err
    assert "Phase:     Failed" in told.out
    assert "Verdict:   reject" in told.out
    lines = told.out.splitlines()
    train = next(index for index, line in enumerate(lines) if line.endswith("train 90s"))
    assert "train(0)" in lines[train + 1]
    assert "`argo" + "sy logs flower-b2 '$.propose' --namespace team`" in told.out
    assert "`argosy retry flower-b2 --namespace team`" in told.out


def test_a_run_as_json_is_as_the_engine_says_it(cluster: FakeWorkflows, capsys: pytest.CaptureFixture[str]) -> None:
    """Nodes under the names and in the words of the engine, so that two runs can be compared."""
    assert main.run(["get", "flower-b2", "--cluster", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["phase"] == "Failed"
    assert found["nodes"]["$.propose"] == {
        "type": "Pod",
        "phase": "Failed",
        "message": "Error (exit code 10)",
        "outputs": {"exitCode": "10"},
    }
    assert found["nodes"]["$.train"]["type"] == "Retry"


def test_watching_ends_as_the_engine_would(cluster: FakeWorkflows, capsys: pytest.CaptureFixture[str]) -> None:
    """A run that failed leaves with its failed step's code: 10, the answer is no."""
    assert main.run(["watch", "flower-b2", "--cluster"]) == 10
    told = capsys.readouterr().out
    assert "Failed    $.propose: Error (exit code 10)" in told
    assert "  time      90.0 s (" in told


@pytest.mark.parametrize(
    ("message", "told"),
    [
        pytest.param(
            'ImagePullBackOff: Back-off pulling image "argosy/train:dev"',
            '$.train cannot start: ImagePullBackOff: Back-off pulling image "argosy/train:dev"; `make images` builds',
            id="no-image",
        ),
        pytest.param(
            'CreateContainerConfigError: secret "argosy-store" not found',
            'secret "argosy-store" not found; make what it names; `argosy doctor`',
            id="no-secret",
        ),
        pytest.param("Unschedulable: 0/1 nodes are available", "available; `resources` in model.yaml", id="no-room"),
    ],
)
def test_a_step_that_cannot_start(
    cluster: FakeWorkflows, capsys: pytest.CaptureFixture[str], message: str, told: str
) -> None:
    """Argo waits until the deadline; who looks, or watches, is told at once what is missing and what to do."""
    stuck = dict([_node("w", "DAG", "Running"), _node("w.train", "Pod", "Pending", boundary="w", message=message)])
    run = {"metadata": {"name": "w", "creationTimestamp": TIMES["startedAt"]}, "spec": {}}
    cluster.known = [{**run, "status": {"phase": "Running", "nodes": stuck, **TIMES}}]
    assert main.run(["get", "w", "--cluster"]) == 0
    assert told in capsys.readouterr().out
    looks = iter([cluster.known[0], {**run, "status": {"phase": "Failed", "nodes": stuck, **TIMES}}])
    cluster.get = lambda _name: next(looks)  # type: ignore[method-assign]
    assert main.run(["watch", "w", "--cluster"]) == 1
    assert capsys.readouterr().err.count(told) == 1


def test_a_step_that_was_killed_for_memory(cluster: FakeWorkflows, capsys: pytest.CaptureFixture[str]) -> None:
    """Its limit is said, with the setting that raises it."""
    killed = _node(
        "w.train", "Pod", "Failed", boundary="w", message="main: OOMKilled (exit code 137)", templateName="train"
    )
    template = {"name": "train", "container": {"resources": {"limits": {"memory": "1Gi"}}}}
    run = {"metadata": {"name": "w", "creationTimestamp": TIMES["startedAt"]}, "spec": {"templates": [template]}}
    nodes_of_run = dict([_node("w", "DAG", "Failed"), killed])
    cluster.known = [{**run, "status": {"phase": "Failed", "nodes": nodes_of_run, **TIMES}}]
    assert main.run(["get", "w", "--cluster"]) == 0
    assert "killed for memory: its limit is 1Gi; raise resources.train.memory in model.yaml" in capsys.readouterr().out


def test_the_steps_that_share_a_pod(cluster: FakeWorkflows, capsys: pytest.CaptureFixture[str]) -> None:
    """Each container has its log, by the name of the step or of the pod; the code that counts is that of the step that failed."""
    message = 'main: Error (exit code 64): dependency "train" exited with non-zero code: 10'
    found = [
        _node("w", "Pod", "Failed", templateName="fit", message=message, outputs={"exitCode": "64"}),
        _node("w.train", "Container", "Failed", boundary="w", message="train: Error (exit code 10): "),
        _node("w.main", "Container", "Error", boundary="w", message=message),
    ]
    found[2][1]["finishedAt"] = "2026-11-21T02:01:31Z"
    pod = argo.pod_name("w", "w", "fit")
    cluster.logs = {f"{pod}/train": ["error: no"], pod: ["gave up"]}
    status = {"phase": "Failed", "nodes": dict(found), **TIMES}
    cluster.known = [{"metadata": {"name": "w", "creationTimestamp": TIMES["startedAt"]}, "spec": {}, "status": status}]
    assert main.run(["logs", "w", "train", "--cluster"]) == 0
    assert capsys.readouterr().out == "error: no\n"
    assert main.run(["logs", "w", "fit", "--cluster"]) == 0
    assert capsys.readouterr().out.splitlines() == ["$.train: error: no", "$.main: gave up"]
    assert main.run(["watch", "w", "--cluster"]) == 10


def test_the_runs_of_a_namespace(cluster: FakeWorkflows, capsys: pytest.CaptureFixture[str]) -> None:
    """The newest first, a suspended one as such."""
    assert main.run(["runs", "--cluster", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(row["run"], row["phase"]) for row in rows] == [("flower-b2", "Failed"), ("flower-a1", "Suspended")]
    assert rows[0]["seconds"] == "90.0s"


def test_logs_of_pods_that_are_there_and_of_those_that_are_gone(
    cluster: FakeWorkflows, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each line with its step; where a pod is gone, the place where its log is kept."""
    assert main.run(["logs", "flower-b2", "--cluster"]) == 0
    told = capsys.readouterr()
    assert told.out == "$.propose: error: one gate failed\n"
    assert "the pod of train(1) is gone (Succeeded)" in told.err


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        pytest.param(["stop", "flower-a"], ("shut down", "flower-a1", "Stop"), id="stop"),
        pytest.param(["terminate", "flower-a1"], ("shut down", "flower-a1", "Terminate"), id="terminate"),
        pytest.param(["suspend", "flower-a1"], ("suspend", "flower-a1"), id="suspend"),
        pytest.param(["resume", "flower-a1"], ("resume", "flower-a1"), id="resume"),
        pytest.param(["retry", "-"], ("retry", "flower-b2"), id="retry"),
        pytest.param(["delete", "flower-b2"], ("delete", "flower-b2"), id="delete"),
        pytest.param(
            ["retry", "flower-b2", "--restart-successful", "--node-field-selector", "displayName=train"],
            ("retry", "flower-b2", "--restart-successful", "--node-field-selector", "displayName=train"),
            id="retry-more",
        ),
    ],
)
def test_what_is_asked_of_a_run(cluster: FakeWorkflows, words: list[str], asked: tuple[str, ...]) -> None:
    """Each verb does one thing, to the run that is meant."""
    assert main.run([*words, "--cluster"]) == 0
    assert cluster.asked == [asked]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        pytest.param(["stop", "flower-b2"], "it is Failed", id="stop-what-is-over"),
        pytest.param(["resume", "flower-b2"], "`argosy retry flower-b2`", id="resume-what-failed"),
        pytest.param(["retry", "flower-a1"], "only a run that failed", id="retry-what-runs"),
        pytest.param(["get", "nothing"], "the newest is flower-b2", id="no-such-run"),
        pytest.param(["get", "flower"], "fits 2 workflows: flower-b2, flower-a1", id="two"),
        pytest.param(["logs", "flower-b2", "nothing"], "has no step 'nothing'", id="no-such-step"),
    ],
)
def test_what_cannot_be_asked(
    cluster: FakeWorkflows, capsys: pytest.CaptureFixture[str], words: list[str], told: str
) -> None:
    """One line, exit code 2, and nothing done."""
    assert main.run([*words, "--cluster"]) == 2
    assert told in capsys.readouterr().err
    assert cluster.asked == []


@pytest.fixture
def asking(cluster: FakeWorkflows) -> FakeWorkflows:
    """The newest run waits at a step that asks for an answer."""
    asked = [
        {"name": "answer", "valueFrom": {"supplied": {}}},
        {"name": "why", "valueFrom": {"supplied": {}, "default": "none"}},
    ]
    found = [
        _node("ask-1", "DAG", "Running"),
        _node("ask-1.gate", "Suspend", "Running", boundary="ask-1", outputs={"parameters": asked}),
    ]
    status = {"phase": "Running", "nodes": dict(found), "startedAt": TIMES["startedAt"]}
    run = {"metadata": {"name": "ask-1", "creationTimestamp": TIMES["startedAt"]}, "spec": {}, "status": status}
    cluster.known = [run, *cluster.known]
    return cluster


def test_approving_a_step_of_a_cluster(
    asking: FakeWorkflows, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command is named where it waits; what is given goes to that step, on the cluster that is meant."""
    monkeypatch.setattr(getpass, "getuser", lambda: "me")
    assert main.run(["get", "ask-1", "--cluster"]) == 0
    assert "waits: `argosy approve ask-1 '$.gate' --namespace team`" in capsys.readouterr().out
    assert main.run(["approve", "ask-1", "gate", "--cluster", "-p", "answer=42"]) == 0
    assert asking.asked == [("answer", "ask-1", "ask-1.gate", "approved by me", "answer=42")]
    told = capsys.readouterr()
    assert "# argo -n team node set ask-1 --node-field-selector name=ask-1.gate --phase Succeeded" in told.err
    assert told.out == "$.gate of run ask-1 goes on\n"


def test_an_answer_is_no_expression(asking: FakeWorkflows, capsys: pytest.CaptureFixture[str]) -> None:
    """It would be worked out on its way to the steps behind, as a parameter of the whole run would."""
    assert main.run(["approve", "ask-1", "--cluster", "-p", "answer={{workflow.uid}}"]) == 10
    assert "parameter answer: it holds an expression" in capsys.readouterr().err
    assert asking.asked == []


@pytest.mark.parametrize("verb", ["approve", "resume"])
def test_a_step_of_a_cluster_that_needs_an_answer(
    asking: FakeWorkflows, capsys: pytest.CaptureFixture[str], verb: str
) -> None:
    """What it asks for is said, and nothing done."""
    assert main.run([verb, "ask-1", "--cluster"]) == 2
    assert "$.gate asks for answer; give each with -p NAME=VALUE" in capsys.readouterr().err
    assert asking.asked == []


def test_no_runs_as_json(cluster: FakeWorkflows, capsys: pytest.CaptureFixture[str]) -> None:
    """A program that reads objects, one a line, reads none."""
    cluster.known = []
    assert main.run(["runs", "--cluster", "--json"]) == 0
    assert capsys.readouterr().out == ""
    assert main.run(["runs", "--cluster"]) == 0
    assert "namespace team has no workflows" in capsys.readouterr().out


def test_fewer_than_no_runs(cluster: FakeWorkflows, capsys: pytest.CaptureFixture[str]) -> None:
    """Makes no sense, and is said."""
    assert main.run(["runs", "--cluster", "--limit", "-1"]) == 2
    assert "--limit -1" in capsys.readouterr().err


def test_what_installs_is_about_the_same_cluster(
    project: None, cluster: FakeWorkflows, capsys: pytest.CaptureFixture[str]
) -> None:
    """So are kubectl's."""
    Path("workflows/flower_model/pipeline.yaml").write_text(MANIFEST, encoding="utf-8")
    cluster.specs["flower-model"] = _edited(lambda template: template.update(hostNetwork=True))
    assert main.run(["submit", "flower_model", "--context", "other"]) == 0
    assert "kubectl -n team --context other apply --server-side" in capsys.readouterr().err


def test_what_is_named_is_about_the_same_cluster(cluster: FakeWorkflows, capsys: pytest.CaptureFixture[str]) -> None:
    """A context that was asked for is in every command that is named."""
    assert main.run(["get", "flower-b2", "--context", "other"]) == 0
    told = capsys.readouterr()
    assert "# argo -n team --context other get flower-b2" in told.err
    assert "`argosy retry flower-b2 --namespace team --context other`" in told.out
    assert main.run(["retry", "flower-b2", "--context", "other"]) == 0
    assert "`argosy watch flower-b2 --namespace team --context other` shows it" in capsys.readouterr().out
