"""``argosy run``, ``runs`` and ``logs`` as a person types them."""

import json
import re
import shlex
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from argosy.cli import main
from argosy.engine.state import runs
from argosy.templates import folder

Shell = Callable[..., tuple[int, str, str]]

MANIFEST = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: greet-}
spec:
  entrypoint: main
  arguments: {parameters: [{name: who, value: world}]}
  templates:
    - name: main
      dag:
        tasks:
          - {name: hello, template: say, withItems: [1, 2], arguments: {parameters: [{name: text, value: "{{workflow.parameters.who}}"}]}}
          - {name: verdict, depends: hello, template: verdict}
    - name: say
      inputs: {parameters: [{name: text}]}
      container:
        image: any
        command: [sh, -c, 'echo "hello $TEXT"; echo "bye $TEXT" >&2']
        env: [{name: TEXT, value: "{{inputs.parameters.text}}"}]
    - name: verdict
      container:
        image: any
        command: [sh, -c, 'echo rejected > /tmp/v; echo sha256:1 > /tmp/d; echo "error: the answer is no"; exit $CODE']
        env: [{name: CODE, value: "0"}]
      outputs:
        parameters:
          - {name: verdict, globalName: verdict, valueFrom: {path: /tmp/v}}
          - {name: digest, globalName: model-digest, valueFrom: {path: /tmp/d}}
"""


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Shell:
    """Run ``argosy`` in a folder with the manifest: the exit code, standard output, standard error."""
    monkeypatch.setenv("ARGOSY_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "greet.yaml").write_text(MANIFEST, encoding="utf-8")

    def run(*words: str) -> tuple[int, str, str]:
        code = main.run(words)
        said = capfd.readouterr()
        return code, said.out, said.err

    return run


def test_json(shell: Shell) -> None:
    """One object on standard output, the verdict and digest that the workflow exported in it; the rest on standard error."""
    code, out, err = shell("run", "-f", "greet.yaml", "--local-image", "*", "--json", "-p", "who=you")
    answer = json.loads(out)
    assert code == 0
    assert {key: answer[key] for key in ("phase", "message", "verdict", "model_digest")} == {
        "phase": "Succeeded",
        "message": "",
        "verdict": "rejected",
        "model_digest": "sha256:1",
    }
    assert set(answer["nodes"]) == {"$", "$.hello", "$.hello(0:1)", "$.hello(1:2)", "$.verdict"}
    assert "Succeeded $.hello(0:1)" in err
    assert "report" not in err, "somebody's workflow ends without a word on models"


def test_a_run_that_is_over_says_what_it_said(shell: Shell) -> None:
    """Who resumes it, because it was killed before its answer was printed, hears the whole answer."""
    first = json.loads(shell("run", "-f", "greet.yaml", "--local-image", "*", "--json")[1])
    again = json.loads(shell("resume", "--json")[1])
    assert again == first
    assert again["verdict"] == "rejected"


def test_runs_and_logs(shell: Shell) -> None:
    """The run is listed; logs are found by task, by node, by template."""
    shell("run", "-f", "greet.yaml", "--local-image", "*")
    code, out, _ = shell("runs")
    assert code == 0
    assert out.startswith("greet-")
    assert "Succeeded" in out
    assert shell("logs", "-", "hello(0:1)")[1] == "hello world\nbye world\n"
    assert shell("logs", "greet", "$.hello(1:2)")[1] == "hello world\nbye world\n"
    assert "$.hello(0:1): hello world" in shell("logs", "-", "say")[1]
    assert "$.hello(0:1): hello world" in shell("logs", "-", "hello", "-f")[1]
    code, _, err = shell("logs", "-", "nobody")
    assert code == 2
    assert "has no step 'nobody'" in err


def test_first_failed_step_gives_the_code(shell: Shell, tmp_path: Path) -> None:
    """The exit code is the step's, and its last words are shown."""
    (tmp_path / "greet.yaml").write_text(MANIFEST.replace('value: "0"', 'value: "10"'), encoding="utf-8")
    code, out, _ = shell("run", "-f", "greet.yaml", "--local-image", "*")
    assert code == 10
    assert "$.verdict: main: Error (exit code 10)" in out
    assert "    error: the answer is no" in out


def test_parameter_file_and_entrypoint(shell: Shell, tmp_path: Path) -> None:
    """Parameters from a file, beaten by -p; another template to start with."""
    (tmp_path / "p.yaml").write_text("who: file\n", encoding="utf-8")
    assert shell("run", "-f", "greet.yaml", "--local-image", "*", "--parameter-file", "p.yaml", "--name", "own")[0] == 0
    assert "hello file" in shell("logs", "own", "say")[1]
    code, out, _ = shell("run", "-f", "greet.yaml", "--local-image", "*", "--entrypoint", "verdict", "--json")
    assert (code, set(json.loads(out)["nodes"])) == (0, {"$"})


PAYLOADS = {
    "shell": "'; touch marker; echo '",
    "substitution": "$(touch marker) `touch marker` ${HOME} | sh",
    "quotes": '"}],"args":["-c","import os; os.mkdir(1)"],"x":[{"y":"',
    "lines": "a\n      command: [id]\r\n---\nb\t",
    "backslashes": "\\n\\u0041\\",
    "braces": "}} { {workflow.name}} {% id %} %s =1+1",
    "markup": "<script>&amp;\u2028\U0001f600",
    "option": "--help",
}
TELL = "import json, os; names = os.environ['ALL'].split(); told = [[os.environ[n], open('/tmp/' + n, newline='').read()] for n in names]; "


def test_a_parameter_is_data(shell: Shell, tmp_path: Path) -> None:
    """Whatever a value holds, its step has it to the letter, in the environment and in a file; none of it runs, or is read as manifest."""
    passed = [{"name": name, "value": f"{{{{workflow.parameters.{name}}}}}"} for name in PAYLOADS]
    given = {name: f"{{{{inputs.parameters.{name}}}}}" for name in PAYLOADS}
    tell = {
        "name": "tell",
        "inputs": {
            "parameters": [{"name": name} for name in PAYLOADS],
            "artifacts": [{"name": n, "path": f"/tmp/{n}", "raw": {"data": value}} for n, value in given.items()],
        },
        "container": {
            "image": "any",
            "command": ["python", "-c", f"{TELL}open('{tmp_path}/told', 'w').write(json.dumps(told))"],
            "workingDir": str(tmp_path),
            "env": [{"name": n, "value": v} for n, v in {**given, "ALL": " ".join(PAYLOADS)}.items()],
        },
    }
    dag = {"tasks": [{"name": "tell", "template": "tell", "arguments": {"parameters": passed}}]}
    spec = {
        "entrypoint": "main",
        "arguments": {"parameters": [{"name": name} for name in PAYLOADS]},
        "templates": [{"name": "main", "dag": dag}, tell],
    }
    kind = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": "wf"}}
    (tmp_path / "data.yaml").write_text(json.dumps({**kind, "spec": spec}), encoding="utf-8")
    words = [word for name, value in PAYLOADS.items() for word in ("-p", f"{name}={value}")]
    code, _, said = shell("run", "-f", "data.yaml", "--local-image", "*", "--json", *words)
    assert code == 0, said
    assert json.loads((tmp_path / "told").read_text(encoding="utf-8")) == [[value] * 2 for value in PAYLOADS.values()]
    assert not (tmp_path / "marker").exists()


@pytest.mark.parametrize("value", ["{{workflow.name}}", "a{{=sprig.env('HOME')}}"])
def test_an_expression_is_no_value(shell: Shell, tmp_path: Path, value: str) -> None:
    """Argo works it out wherever a value is passed on, so none is taken: of the command line, or of a file; it is not repeated."""
    (tmp_path / "p.yaml").write_text(json.dumps({"who": value}), encoding="utf-8")
    for words in (("-p", f"who={value}"), ("--parameter-file", "p.yaml")):
        code, _, said = shell("run", "-f", "greet.yaml", "--local-image", "*", *words)
        assert (code, value in said) == (10, False)
        assert said.startswith("error: parameter who: it holds an expression ({{…}})")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(("run",), "name a model, or a manifest with -f", id="nothing-named"),
        pytest.param(("run", "wf.yaml", "-f", "wf.yaml"), "not both: is 'wf.yaml' one more -f", id="two-named"),
        pytest.param(
            ("run", __file__), "is a file, and no model's folder; a manifest is named with -f", id="a-file-for-a-model"
        ),
        pytest.param(("run", "nobody"), "there is no model 'nobody'", id="no-model"),
        pytest.param(("run", "-f", "greet.yaml", "-p", "who"), "'who' is not NAME=VALUE", id="no-value"),
        pytest.param(("run", "-f", "greet.yaml", "--parallelism", "0"), "at least one step", id="no-parallelism"),
        pytest.param(
            ("run", "-f", "greet.yaml", "--name", "../up"), "'../up' cannot be a workflow's name", id="name-that-climbs"
        ),
        pytest.param(("resume", "nothing"), "there is no run 'nothing'", id="no-run"),
    ],
)
def test_usage(words: tuple[str, ...], message: str, shell: Shell) -> None:
    """What cannot be understood is one line and 2."""
    code, _, err = shell(*words)
    assert code == 2
    assert message in err


def test_resuming_takes_the_same_images_for_processes(shell: Shell, tmp_path: Path) -> None:
    """As the command that a message names is typed: without the options that the run began with."""
    (tmp_path / "greet.yaml").write_text(MANIFEST.replace('value: "0"', 'value: "10"'), encoding="utf-8")
    assert shell("run", "-f", "greet.yaml", "--local-image", "*")[0] == 10
    code, out, _ = shell("resume")
    assert code == 10
    assert "container engine" not in out


def test_resuming_what_has_succeeded_changes_nothing(shell: Shell, tmp_path: Path) -> None:
    """Not when it ended, either, from which reports and `argosy runs` reckon how long it took."""
    shell("run", "-f", "greet.yaml", "--local-image", "*", "--name", "own")
    folder = runs.find(tmp_path / "home", "own")
    before = folder.state()
    assert before[0]["phase"] == "Succeeded"
    assert shell("resume", "own")[0] == 0
    assert folder.state() == before


def test_what_a_workflow_exports_is_shown_at_its_end(shell: Shell, tmp_path: Path) -> None:
    """Each line under its name, without what a terminal obeys, and not hundreds of them."""
    several = MANIFEST.replace(
        "echo rejected > /tmp/v", 'printf "one: no drift\\033[2J\\ntwo: drift" > /tmp/v; seq 30 > /tmp/d'
    )
    (tmp_path / "greet.yaml").write_text(several.replace("echo sha256:1 > /tmp/d; ", ""), encoding="utf-8")
    code, out, _ = shell("run", "-f", "greet.yaml", "--local-image", "*")
    lines = out.splitlines()
    end = next(number for number, line in enumerate(lines) if "(3 steps, 0 cached" in line)
    assert code == 0
    assert lines[end + 1 : end + 4] == ["  verdict: one: no drift[2J", "  verdict: two: drift", "  model-digest: 1"]
    assert lines[-1] == "  model-digest: and 10 lines more"


def test_cached_run_starts_nothing(shell: Shell, tmp_path: Path) -> None:
    """A second run with nothing changed takes every cached step's answer, and none of it with --no-cache."""
    cached = MANIFEST.replace(
        "    - name: say\n", '    - name: say\n      metadata: {annotations: {argosy.dev/cache: "true"}}\n'
    )
    (tmp_path / "greet.yaml").write_text(cached, encoding="utf-8")
    words = ("run", "-f", "greet.yaml", "--local-image", "*")
    assert "(3 steps, 0 cached" in shell(*words)[1]
    assert "(3 steps, 2 cached" in shell(*words)[1]
    assert "(3 steps, 0 cached" in shell(*words, "--no-cache")[1]
    assert "(3 steps, 0 cached" in shell(*words, "-p", "who=else")[1]


READER = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: read-}
spec:
  entrypoint: main
  arguments: {parameters: [{name: file}]}
  templates:
    - name: main
      container: {image: any, command: [sh, -c, 'cat "$FILE"; ls "${FILE%/*}"'], env: [{name: FILE, value: "{{workflow.parameters.file}}"}]}
"""


def test_a_file_that_a_parameter_names_is_seen(shell: Shell, tmp_path: Path) -> None:
    """Though it lies where each step has a folder of its own; what lies beside it is not."""
    outside = Path(tempfile.mkdtemp(prefix="argosy-test-"))
    try:
        (outside / "wanted.txt").write_text("here\n", encoding="utf-8")
        (outside / "other.txt").write_text("no\n", encoding="utf-8")
        (tmp_path / "read.yaml").write_text(READER, encoding="utf-8")
        code, _, err = shell("run", "-f", "read.yaml", "--local-image", "*", "-p", f"file={outside / 'wanted.txt'}")
        assert code == 0, err
        assert shell("logs", "-", "main")[1].split() == ["here", "wanted.txt"]
    finally:
        shutil.rmtree(outside)


def test_what_a_message_proposes_can_be_typed(shell: Shell, tmp_path: Path) -> None:
    """The command in a message means what it says to a shell, whatever a step is called."""
    text = MANIFEST.replace("withItems: [1, 2]", 'withItems: ["it\'s late"]').replace(
        '; echo "bye', '; exit 3; echo "bye'
    )
    (tmp_path / "greet.yaml").write_text(text, encoding="utf-8")
    code, out, _ = shell("run", "-f", "greet.yaml", "--local-image", "*")
    (proposed,) = re.findall(r"`argosy (logs [^`]+)`", out)
    assert code == 3
    done = shell(*shlex.split(proposed))
    assert (done[0], "hello world" in done[1]) == (0, True), done


def test_fields_without_effect_are_listed_for_manifests_of_people(shell: Shell, tmp_path: Path) -> None:
    """Of a manifest that somebody wrote they are; of a model's pipeline, the same in every run, they are not."""
    (tmp_path / "greet.yaml").write_text(MANIFEST + "  ttlStrategy: {secondsAfterCompletion: 60}\n", encoding="utf-8")
    assert "changes nothing on one machine: ttlStrategy" in shell("run", "-f", "greet.yaml", "--local-image", "*")[2]
    compiled = (tmp_path / "greet.yaml").read_text(encoding="utf-8")
    annotated = compiled.replace(
        "{generateName: greet-}", f"{{generateName: greet-, annotations: {{{folder.MODEL}: greet}}}}"
    )
    (tmp_path / "greet.yaml").write_text(annotated, encoding="utf-8")
    assert "changes nothing" not in shell("run", "-f", "greet.yaml", "--local-image", "*")[2]


NESTED = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: nested-}
spec:
  entrypoint: main
  templates:
    - name: main
      dag:
        tasks:
          - {name: inner, template: inner}
          - {name: uses, depends: inner, template: uses}
    - name: inner
      dag: {tasks: [{name: gives, template: gives}]}
    - name: gives
      container: {image: any, command: [sh, -c, "echo promote > /tmp/v"]}
      outputs: {parameters: [{name: verdict, globalName: verdict, valueFrom: {path: /tmp/v}}]}
    - name: uses
      container:
        image: any
        command: [sh, -c, "test -e $HERE/may && echo $VERDICT > $HERE/seen"]
        env: [{name: HERE, value: PLACE}, {name: VERDICT, value: "{{workflow.outputs.parameters.verdict}}"}]
"""


def test_what_a_nested_dag_exported_is_there_when_a_run_is_taken_up(shell: Shell, tmp_path: Path) -> None:
    """Nobody visits the tasks of a DAG again that is over: the workflow keeps what they exported, as Argo's own status does."""
    (tmp_path / "nested.yaml").write_text(NESTED.replace("PLACE", str(tmp_path)), encoding="utf-8")
    assert shell("run", "-f", "nested.yaml", "--local-image", "*")[0] != 0
    (tmp_path / "may").touch()
    code, out, _ = shell("resume", "-", "--json")
    assert (code, json.loads(out)["verdict"]) == (0, "promote")
    assert (tmp_path / "seen").read_text(encoding="utf-8") == "promote\n"
