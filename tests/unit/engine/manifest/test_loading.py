"""YAML as Kubernetes reads it, and what is run of several resources."""

from pathlib import Path
from typing import Any

import pytest

from argosy import errors
from argosy.engine.manifest import catalogue, loading

HEAD = "apiVersion: argoproj.io/v1alpha1\n"


def load(tmp_path: Path, *texts: str) -> loading.Manifest:
    """The manifest in files with *texts*."""
    paths = []
    for number, text in enumerate(texts):
        paths.append(tmp_path / f"{number}.yaml")
        paths[-1].write_text(text, encoding="utf-8")
    return loading.load(paths)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        pytest.param("1.0", 1, id="whole-float"),
        pytest.param("1e3", 1000, id="exponent-without-point"),
        pytest.param("0644", 420, id="octal"),
        pytest.param("2024-01-02", "2024-01-02", id="date-stays-text"),
        pytest.param("12:30", "12:30", id="no-base-sixty"),
        pytest.param("off", False, id="boolean"),
        pytest.param("y", True, id="letter"),
    ],
)
def test_scalars(written: str, value: Any, tmp_path: Path) -> None:
    """Scalars have the type that a cluster gives them."""
    manifest = load(tmp_path, f"{HEAD}kind: Workflow\nmetadata: {{name: w}}\nspec: {{entrypoint: m, x: {written}}}\n")
    assert manifest.main.body["spec"]["x"] == value


def test_null_is_not_there(tmp_path: Path) -> None:
    """A field that is null is none, as for a cluster; the items of a loop are data, and keep theirs."""
    spec = "{x: ~, inner: {other: null}, withItems: [{a: null}, ~]}"
    manifest = load(tmp_path, f"{HEAD}kind: Workflow\nmetadata: {{name: w}}\nspec: {spec}\n")
    assert manifest.main.body["spec"] == {"inner": {}, "withItems": [{"a": None}, None]}


def test_the_workflow_is_run(tmp_path: Path) -> None:
    """Of a workflow and templates, the workflow; of templates, the first with an entrypoint; of lists, their items."""
    workflow = f"{HEAD}kind: Workflow\nmetadata: {{name: w}}\nspec: {{}}\n"
    template = f"{HEAD}kind: WorkflowTemplate\nmetadata: {{name: t}}\nspec: {{entrypoint: m}}\n"
    library = f"{HEAD}kind: WorkflowTemplate\nmetadata: {{name: l}}\nspec: {{}}\n"
    assert load(tmp_path, template, workflow).main.name == "w"
    assert load(tmp_path, f"{library}---\n{template}").main.name == "t"
    assert [other.name for other in load(tmp_path, template, library).others] == ["l"]
    other = template.replace("{name: t}", "{name: other}")
    assert load(tmp_path, library, template, other).main.name == "t"
    assert load(tmp_path, other, template).main.name == "other"


def test_two_workflows(tmp_path: Path) -> None:
    """Two workflows are one too many."""
    workflow = f"{HEAD}kind: Workflow\nmetadata: {{name: w}}\nspec: {{}}\n"
    with pytest.raises(errors.Misconfigured, match="expected one Workflow"):
        load(tmp_path, workflow, workflow)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(b"\xff\xfe", "not UTF-8 text", id="encoding"),
        pytest.param(b"- 1\n", "expected a Kubernetes resource, found list", id="a-list"),
        pytest.param(b"x" * (loading.LARGEST_FILE + 1), "a cluster takes at most", id="too-large"),
    ],
)
def test_refused(content: bytes, message: str, tmp_path: Path) -> None:
    """What is no manifest is refused in plain words."""
    (tmp_path / "x.yaml").write_bytes(content)
    with pytest.raises(errors.Misconfigured, match=message):
        loading.load([tmp_path / "x.yaml"])


def test_missing_file(tmp_path: Path) -> None:
    """A file that is not there is named."""
    with pytest.raises(errors.Misconfigured, match=r"cannot read .*none.yaml: No such file"):
        loading.load([tmp_path / "none.yaml"])


def test_merge() -> None:
    """Defaults lie under a template: objects key by key, named lists entry by entry, the rest replaced."""
    defaults = {
        "container": {"image": "i", "args": ["a"], "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]},
        "timeout": "1s",
    }
    own = {"container": {"args": ["b"], "env": [{"name": "A", "value": "3"}]}, "timeout": None}
    assert catalogue.merge(defaults, own) == {
        "container": {"image": "i", "args": ["b"], "env": [{"name": "A", "value": "3"}, {"name": "B", "value": "2"}]},
        "timeout": "1s",
    }


def test_json(tmp_path: Path) -> None:
    """JSON is read as such: characters that it writes in two escapes, numbers as a cluster has them."""
    spec = r'{"a": "\ud83d\ude00", "b": 1.0, "c": 1e21, "d": null, "e": "\/"}'
    manifest = load(
        tmp_path,
        f'{{"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {{"name": "w"}}, "spec": {spec}}}',
    )
    assert manifest.main.body["spec"] == {"a": "\U0001f600", "b": 1, "c": 1e21, "e": "/"}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param('{"a": 1, "a": 2}', "the key 'a' is there twice", id="key-twice"),
        pytest.param('{"a": [' + "[" * 300 + "]" * 300 + "]}", "nested too deeply", id="deep"),
        pytest.param('{"a": NaN}', "kind is None", id="no-number-but-text-to-yaml"),
        pytest.param("{a: 1", "line", id="neither"),
    ],
)
def test_json_that_is_none(content: str, message: str, tmp_path: Path) -> None:
    """What is wrong with it is said with its line."""
    with pytest.raises(errors.Misconfigured, match=message):
        load(tmp_path, content)


@pytest.mark.parametrize("spec", ["text", "[1]", "5", "~"])
def test_a_spec_that_is_none(spec: str, tmp_path: Path) -> None:
    """Whatever stands in the place of a spec: nothing to run, and no traceback."""
    with pytest.raises(errors.Misconfigured, match="found none"):
        load(tmp_path, f"{HEAD}kind: WorkflowTemplate\nmetadata: {{name: t}}\nspec: {spec}\n")
