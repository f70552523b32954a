"""What the committed pipelines compile to, and what must hold for every one of them."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from argosy.cli import local_run
from argosy.templates import compiler, folder, lint, retrain_workflow
from kit import quick_yaml

WORKFLOWS = Path(__file__).parents[2] / "workflows"
MODELS = sorted(path.parent for path in WORKFLOWS.glob("*/pipeline.py"))
REGENERATE = "ARGOSY_REGENERATE"

each_model = pytest.mark.parametrize("model", MODELS, ids=lambda path: path.name)


def test_there_are_pipelines_to_test() -> None:
    """An empty list would pass every test below."""
    assert len(MODELS) >= 2


@each_model
def test_compiles_to_committed_yaml(model: Path, tmp_path: Path) -> None:
    """The YAML next to a pipeline is what that pipeline compiles to, byte for byte."""
    text = compiler.compile_folder(model)
    if os.environ.get(REGENERATE) == "1":
        assert "CI" not in os.environ, "CI never rewrites what it checks"
        (model / folder.MANIFEST).write_text(text, encoding="utf-8")
    assert text == (model / folder.MANIFEST).read_text(encoding="utf-8"), f"run `argosy compile workflows/{model.name}`"


@each_model
def test_its_retraining_is_committed(model: Path) -> None:
    """So is the template that retrains it, which calls the pipeline and repeats nothing of it but the model's files."""
    text = retrain_workflow.compile_folder(model)
    if os.environ.get(REGENERATE) == "1":
        (model / folder.RETRAINING).write_text(text, encoding="utf-8")
    assert text == (model / folder.RETRAINING).read_text(encoding="utf-8"), (
        f"run `argosy compile workflows/{model.name}`"
    )
    manifest = quick_yaml.load(text)
    assert lint.problems(manifest) == []
    assert [template["name"] for template in manifest["spec"]["templates"] if "container" in template] == [
        "retrain-admission",
        "close-retraining",
    ]


@each_model
def test_lint_finds_nothing(model: Path) -> None:
    """What we ship passes our own rules: no value in code, no privilege, Argo's own models."""
    manifest = quick_yaml.load((model / folder.MANIFEST).read_text(encoding="utf-8"))
    assert lint.problems(manifest) == []


@each_model
def test_no_value_is_pasted_into_code(model: Path) -> None:
    """A parameter that holds `'; curl x | sh` stays a value."""
    manifest = quick_yaml.load((model / folder.MANIFEST).read_text(encoding="utf-8"))
    containers = [template["container"] for template in manifest["spec"]["templates"] if "container" in template]
    assert len(containers) >= 7
    for container in containers:
        assert "{{" not in str(container["command"]) + str(container.get("args", ""))


@each_model
def test_a_tag_is_pulled_from_nowhere(model: Path) -> None:
    """`argosy/…:dev` without a registry would be Docker Hub's, and of whoever has that name there; its containers are handed keys."""
    names = (folder.MANIFEST, folder.RETRAINING, folder.WATCH, folder.SCORING)
    texts = [(model / name).read_text(encoding="utf-8") for name in names if (model / name).exists()]
    containers = [
        template["container"]
        for text in texts
        for body in quick_yaml.load_all(text)
        for template in body["spec"].get("templates", [])
        if "container" in template
    ]
    assert len(containers) > 7
    tags = [one for one in containers if "@sha256:" not in one["image"]]
    assert {one.get("imagePullPolicy") for one in tags} <= {"Never"}


@each_model
def test_no_value_is_made_up(model: Path) -> None:
    """A parameter without a default has to be given: a step never runs with the text `null` in its place."""
    manifest = quick_yaml.load((model / folder.MANIFEST).read_text(encoding="utf-8"))
    parameters = [
        parameter
        for template in manifest["spec"]["templates"]
        for parameter in (template.get("inputs") or {}).get("parameters", [])
    ]
    assert len(parameters) >= 5
    assert [one["name"] for one in parameters if one.get("default") in ("null", "None")] == []


@each_model
def test_the_models_files_travel_with_the_manifest(model: Path) -> None:
    """What a cluster runs is what the folder says, with its digest beside it."""
    manifest = quick_yaml.load((model / folder.MANIFEST).read_text(encoding="utf-8"))
    carried = {entry["name"]: entry["raw"]["data"] for entry in manifest["spec"]["arguments"]["artifacts"]}
    for name, file in folder.artifacts_of(model).items():
        assert carried[name] == (model / file).read_text(encoding="utf-8")
        assert f"{folder.FILE_DIGEST}{file}" in manifest["metadata"]["annotations"]


@each_model
def test_pipelines_take_turns(model: Path) -> None:
    """As many of a namespace go on at once as its platform says, whatever started them; whether to train is asked out of turn."""
    manifest = quick_yaml.load((model / folder.MANIFEST).read_text(encoding="utf-8"))
    waits = {one["name"]: one["synchronization"] for one in manifest["spec"]["templates"] if "synchronization" in one}
    place = {"semaphores": [{"configMapKeyRef": {"name": "argosy-semaphores", "key": "pipelines"}}]}
    assert {name for name, wait in waits.items() if "semaphores" in wait} == {manifest["spec"]["entrypoint"]}
    assert waits[manifest["spec"]["entrypoint"]] == place
    assert "semaphores" not in (model / folder.RETRAINING).read_text(encoding="utf-8")
    assert local_run.PLACES["argosy-semaphores"]["pipelines"].isdecimal()


@each_model
def test_nothing_is_read_for_a_model_that_may_not_be_trained(model: Path) -> None:
    """Whether it is retired, or has no gates, is asked before its sources: of main's word every other step waits."""
    manifest = quick_yaml.load((model / folder.MANIFEST).read_text(encoding="utf-8"))
    (tasks,) = [one["dag"]["tasks"] for one in manifest["spec"]["templates"] if one["name"] == "main"]
    assert [task["name"] for task in tasks if not task.get("depends")] == ["champion"]


@each_model
def test_a_controller_that_runs_templates_only_runs_all(model: Path) -> None:
    """`templateReferencing` refuses a CronWorkflow with steps of its own: each names a template that is installed beside it."""
    names = (folder.MANIFEST, folder.RETRAINING, folder.WATCH, folder.SCHEDULE, folder.SCORING)
    texts = [(model / name).read_text(encoding="utf-8") for name in names if (model / name).exists()]
    bodies = [body for text in texts for body in quick_yaml.load_all(text)]
    installed = {body["metadata"]["name"] for body in bodies if body["kind"] == "WorkflowTemplate"}
    clocks = [body["spec"]["workflowSpec"] for body in bodies if body["kind"] == "CronWorkflow"]
    assert clocks
    assert {name for clock in clocks for name in clock} <= {"workflowTemplateRef", "arguments"}
    assert {clock["workflowTemplateRef"]["name"] for clock in clocks} <= installed


def test_pipelines_differ_only_by_their_folder() -> None:
    """No file of the package names a model: another model is another folder."""
    names = [model.name for model in MODELS] + [model.name.replace("_", "-") for model in MODELS]
    package = WORKFLOWS.parent / "src"
    # By these words a label is guessed in a table that nobody here has seen.
    guesses = package / "argosy" / "domain" / "new_model.py"
    files = [path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    files.remove(guesses)
    assert len(files) > 50
    named = [
        (path.name, name)
        for path in files
        for name in names
        if name in path.read_text(encoding="utf-8", errors="replace").lower()
    ]
    assert named == []


def test_compiling_loads_no_machine_learning() -> None:
    """A laptop that only compiles and submits needs the core alone."""
    code = (
        "import sys; from pathlib import Path; from argosy.templates import compiler; "
        f"compiler.compile_folder(Path({str(MODELS[0])!r})); print(sorted(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(ast.literal_eval(done.stdout))
    assert "hera" in loaded
    assert not loaded & {
        "xgboost",
        "optuna",
        "pandas",
        "numpy",
        "mlflow",
        "feast",
        "great_expectations",
        "duckdb",
        "sklearn",
    }
