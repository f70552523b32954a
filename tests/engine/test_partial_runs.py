"""Part of a workflow: up to a task, and one task alone with what another run gave to it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from argosy.cli import main, partial_run
from argosy.domain import asker, provenance
from argosy.engine.state import runs

Shell = Callable[..., tuple[int, str, str]]

MANIFEST = """
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: made, annotations: {argosy.dev/model: made}}
spec:
  entrypoint: main
  arguments:
    parameters: [{name: size, value: "1"}]
    artifacts: [{name: settings, raw: {data: "depth: 3"}}]
  onExit: tell
  templates:
    - name: main
      dag:
        tasks:
          - {name: ingest, template: say, arguments: {parameters: [{name: text, value: "rows {{workflow.parameters.size}}"}]}}
          - {name: tune, depends: ingest, template: tuning}
          - name: train
            depends: tune
            template: say
            arguments: {parameters: [{name: text, value: "model of {{tasks.ingest.outputs.parameters.said}}"}]}
          - {name: propose, depends: train, template: say, arguments: {parameters: [{name: text, value: asked}]}}
    - name: tuning
      dag: {tasks: [{name: trial-0, template: say, arguments: {parameters: [{name: text, value: one}]}}]}
    - name: tell
      container: {image: any, command: [sh, -c, "exit 1"]}
    - name: say
      inputs: {parameters: [{name: text}]}
      container:
        image: any
        command: [sh, -c, 'echo "$TEXT" > /tmp/said; test "$TEXT" != "rows 13"']
        env: [{name: TEXT, value: "{{inputs.parameters.text}}"}]
      outputs: {parameters: [{name: said, valueFrom: {path: /tmp/said}}]}
"""


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Shell:
    """Run ``argosy`` in a folder with the manifest: the exit code, standard output, standard error."""
    monkeypatch.setenv("ARGOSY_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    # No model's folder: what is tried is the engine's part and what the verb says of it.
    (tmp_path / "made.yaml").write_text(
        MANIFEST.replace("annotations: {argosy.dev/model: made}", "annotations: {}"), encoding="utf-8"
    )

    def run(*words: str) -> tuple[int, str, str]:
        code = main.run(words)
        said = capfd.readouterr()
        return code, said.out, said.err

    return run


def run_made(shell: Shell, *words: str) -> tuple[int, str, str]:
    """Run the manifest with *words*."""
    return shell("run", "-f", "made.yaml", "--local-image", "*", *words)


def steps(out: str) -> dict[str, str]:
    """The phase of each pod that ``--json`` shows, by name."""
    nodes = json.loads(out)["nodes"]
    return {name: node["phase"] for name, node in nodes.items() if node["type"] == "Pod"}


def test_who_asks_is_no_parameter_that_changed() -> None:
    """Nor is where the code is from: nobody chose them."""
    given = {"size": "1", asker.PARAMETER: "Ann", provenance.PARAMETER: "{}"}
    found = partial_run._parameters({"parameters": [{"name": name, "value": text} for name, text in given.items()]})
    assert found == {"size": "1"}


def test_until_then_only(shell: Shell, tmp_path: Path) -> None:
    """--until ends after its step and is told apart from a whole run; --only takes what comes before from there, and runs one step."""
    code, out, _ = run_made(shell, "--until", "tune")
    first = runs.find(tmp_path / "home", None).run
    assert code == 0
    assert "not run, as asked: train, propose" in out
    assert "until tune" in shell("runs")[1]
    assert json.loads(shell("why", "--json")[1])["outcome"] == "until tune"

    code, out, err = run_made(shell, "--only", "train", "--from", first, "-p", "size=2", "--json")
    assert code == 0
    assert f"all that it takes is of run {first}" in err
    assert "since then: parameter size: 1 -> 2" in err
    assert set(steps(out)) == {"$.ingest", "$.tune.trial-0", "$.train"}
    answer = json.loads(out)["nodes"]
    assert answer["$.train"]["outputs"]["parameters"]["said"] == "model of rows 1"
    assert answer["$.ingest"]["message"] == f"from run {first}"
    assert "propose" not in answer
    assert f"only train, with what run {first} gave" in shell("runs")[1]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(["--until", "trian"], "no task 'trian'; did you mean 'train'?", id="misspelt"),
        pytest.param(["--until", "trial"], "it is part of 'tune', which runs whole", id="inside-another"),
        pytest.param(["--until", "zzz"], "it has ingest, tune, train, propose", id="unlike-any"),
        pytest.param(["--from", "made-1"], "--from names the run that gives to --only STEP", id="from-alone"),
        pytest.param(["--only", "propose"], "would ask reviewers for a model that no whole run made", id="propose"),
        pytest.param(["--only", "train", "--from", "made-1"], "there is no run 'made-1'", id="no-such-run"),
    ],
)
def test_slips(shell: Shell, words: list[str], message: str) -> None:
    """A slip is one line that says what was probably meant, and nothing runs."""
    code, out, err = run_made(shell, *words)
    assert code == 2
    assert message in err.splitlines()[-1]
    assert not out


def test_a_run_that_did_not_come_so_far(shell: Shell) -> None:
    """A run that failed before gives nothing; the message says what does."""
    run_made(shell, "-p", "size=13")
    code, _, err = run_made(shell, "--only", "train", "--from", "made")
    assert code == 2
    assert "ingest is Failed there; name a run that came so far, or make one with --until ingest" in err


def test_a_draft_of_a_model_that_answers_in_words_ends_with_its_own_evaluation(shell: Shell, tmp_path: Path) -> None:
    """Which step judges depends on the pipeline; a language model's has a name of its own."""
    manifest = (tmp_path / "made.yaml").read_text(encoding="utf-8")
    manifest = manifest.replace("name: train\n", "name: evaluate-answers\n").replace(
        "depends: train,", "depends: evaluate-answers,"
    )
    manifest += "    - {name: evaluate-answers, container: {image: any, command: [sh, -c, 'true']}}\n"
    (tmp_path / "made.yaml").write_text(manifest, encoding="utf-8")
    code, said, wrong = shell("run", "-f", "made.yaml", "--local-image", "*", "--draft")
    assert code == 0, wrong
    assert "not run, as asked: propose" in said
