"""Manifests of several files: what runs, and what of the rest has to be fit to run here."""

from collections.abc import Callable
from pathlib import Path

import pytest

from argosy import errors
from argosy.engine import api
from argosy.engine.options import RunOptions, RunResult

HEAD = "apiVersion: argoproj.io/v1alpha1\n"
MAIN = f"""{HEAD}kind: Workflow
metadata: {{generateName: uses-one-}}
spec:
  entrypoint: main
  templates:
    - name: main
      steps: [[{{name: hi, templateRef: {{name: library, template: hello}}}}]]
"""
HELLO = "{name: hello, container: {image: any, command: [echo, hello]}}"


def library(*templates: str, more: str = "") -> str:
    """A template of templates."""
    listed = "".join(f"    - {template}\n" for template in templates)
    return f"{HEAD}kind: WorkflowTemplate\nmetadata: {{name: library}}\nspec:\n  templates:\n{listed}{more}"


@pytest.fixture
def run_all(options: Callable[..., RunOptions], tmp_path: Path) -> Callable[..., RunResult]:
    """Run several manifests together."""

    def run(*texts: str) -> RunResult:
        paths = [tmp_path / f"{number}.yaml" for number in range(len(texts))]
        for path, text in zip(paths, texts, strict=True):
            path.write_text(text, encoding="utf-8")
        chosen = options()
        return api.run(api.prepare(api.load(paths), chosen), chosen)

    return run


UNFIT = [
    pytest.param(
        "{name: x, container: {image: any, command: [x], env: [{name: T, valueFrom: {secretKeyRef: {name: chat, key: k}}}]}}",
        "needs the Secret 'chat'",
        id="secret",
    ),
    pytest.param(
        "{name: x, container: {image: any, command: [x], volumeMounts: [{name: v, mountPath: /v}]}}",
        "'v' names no volume",
        id="volume",
    ),
    pytest.param("{name: x, plugin: {slack: {}}}", "plugin: not supported by argosy run", id="field"),
    pytest.param(
        "{name: x, podSpecPatch: '{hostPID: true}', container: {image: any, command: [x]}}",
        "patches 'hostPID'",
        id="patch",
    ),
    pytest.param("{name: x, resource: {action: get, manifest: 'kind: Pod'}}", "no cluster|cluster", id="resource"),
    pytest.param(
        "{name: x, http: {url: 'http://x', headers: [{name: A, valueFrom: {secretKeyRef: {name: chat, key: k}}}]}}",
        "needs the Secret 'chat'",
        id="header",
    ),
    pytest.param(
        "{name: x, container: {image: any, command: [x]}, inputs: {artifacts: [{name: a, path: /a, "
        "s3: {endpoint: e, bucket: b, key: k, accessKeySecret: {name: chat, key: k}}}]}}",
        "needs the Secret 'chat'",
        id="location",
    ),
]


@pytest.mark.parametrize(("template", "message"), UNFIT)
def test_what_nothing_calls(template: str, message: str, run_all: Callable[..., RunResult]) -> None:
    """A library may hold what cannot run here; only what the run comes to has to, whoever leads to it."""
    assert run_all(MAIN, library(HELLO, template)).phase == "Succeeded"
    inner = "{name: hello, steps: [[{name: inner, template: x}]]}"
    with pytest.raises(errors.Misconfigured, match=message):
        run_all(MAIN, library(inner, template))
    by_hook = MAIN.replace(
        "template: hello}", "template: hello}, hooks: {exit: {templateRef: {name: library, template: x}}}"
    )
    with pytest.raises(errors.Misconfigured, match=message):
        run_all(by_hook, library(HELLO, template))


@pytest.mark.parametrize(("template", "message"), UNFIT)
def test_what_nothing_calls_in_the_workflow_itself(
    template: str, message: str, run_all: Callable[..., RunResult]
) -> None:
    """The same of templates of the workflow's own."""
    own = f"{HEAD}kind: Workflow\nmetadata: {{name: wf}}\nspec:\n  entrypoint: hello\n  templates:\n    - {HELLO}\n    - {template}\n"
    assert run_all(own).phase == "Succeeded"
    with pytest.raises(errors.Misconfigured, match=message):
        run_all(own.replace("entrypoint: hello", "entrypoint: hello\n  onExit: x"))
    with pytest.raises(errors.Misconfigured, match=message):
        run_all(own.replace("entrypoint: hello", "entrypoint: x"))


def test_a_template_that_a_variable_names(run_all: Callable[..., RunResult]) -> None:
    """It may be any of its library's: all of them have to be fit to run."""
    any_of_it = MAIN.replace("template: hello}", "template: '{{item}}'}, withItems: [hello]")
    assert run_all(any_of_it, library(HELLO)).phase == "Succeeded"
    with pytest.raises(errors.Misconfigured, match="plugin: not supported"):
        run_all(any_of_it, library(HELLO, "{name: x, plugin: {slack: {}}}"))


def test_inline_templates_are_looked_at(run_all: Callable[..., RunResult]) -> None:
    """What is written inside a step runs like any other template."""
    inline = MAIN.replace("templateRef: {name: library, template: hello}", "inline: {container: {image: any}}")
    with pytest.raises(errors.Misconfigured, match=r"spec\.templates\[0\]: hi\.inline: has no command"):
        run_all(inline)


@pytest.mark.parametrize("wrong", ["{name: x, contaner: {}}", "{name: x, container: {image: 5}}"])
def test_no_template_may_be_wrong(wrong: str, run_all: Callable[..., RunResult]) -> None:
    """What Argo cannot read is refused wherever it is."""
    with pytest.raises(errors.Misconfigured, match=r"unknown field|expected string"):
        run_all(MAIN, library(HELLO, wrong))


def test_what_a_library_says_of_itself(run_all: Callable[..., RunResult]) -> None:
    """Fields of a library's own spec are nothing to a workflow that calls one of its templates; to one that is made from it, they are."""
    with_plugins = library(HELLO, more="  executorPlugins: [{name: x}]\n  entrypoint: hello\n")
    assert run_all(MAIN, with_plugins).phase == "Succeeded"
    made_from_it = f"{HEAD}kind: Workflow\nmetadata: {{name: wf}}\nspec: {{workflowTemplateRef: {{name: library}}}}\n"
    with pytest.raises(errors.Misconfigured, match="executorPlugins: not supported"):
        run_all(made_from_it, with_plugins)


def test_the_first_file_runs(run_all: Callable[..., RunResult]) -> None:
    """Of several templates with an entrypoint, the first that is given."""
    runnable = library(HELLO, more="  entrypoint: hello\n")
    train = runnable.replace("name: library", "name: train")
    assert run_all(train, runnable).workflow.startswith("train-")
    assert run_all(runnable, train).workflow.startswith("library-")
