"""`argosy reproduce`: a run is run again from what it was begun with, and held against what it came to."""

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from argosy import errors
from argosy.cli import code_identity, kept_surroundings, main, reproduction
from argosy.domain.documents import sha256
from argosy.domain.provenance import Provenance
from argosy.domain.surroundings import FILE, Surroundings
from argosy.engine.state import runs
from kit import toy

Shell = Callable[..., tuple[int, str, str]]

STEP = """
    - name: NAME
      metadata: {annotations: {argosy.dev/cache: "true"}}
      container: {image: any, command: [sh, -c, "SCRIPT > /tmp/said"]}
      outputs: {parameters: [{name: OUTPUT, valueFrom: {path: /tmp/said}}]}"""
MANIFEST = """
apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: toy, annotations: {argosy.dev/model: toy}}
spec:
  entrypoint: main
  arguments: {parameters: [{name: provenance, value: ""}, {name: data, value: ""}]}
  templates:
    - name: main
      dag:
        tasks:
          - {name: champion, template: champion}
          - {name: ingest, template: ingest}
          - {name: train, template: train, depends: ingest}
          - {name: evaluate, template: evaluate, depends: train && champion}
          - {name: register, template: register, depends: evaluate}"""


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Shell:
    """Run ``argosy`` beside a manifest of a model whose data are a file: the exit code, standard output, standard error."""
    monkeypatch.setenv("ARGOSY_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    for path, content in toy.TEMPLATE.items():
        (tmp_path / "gitops-env" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "gitops-env" / path).write_bytes(content)
    data, world = tmp_path / "rows.csv", tmp_path / "world"
    data.write_text("sha256:aaaa", encoding="utf-8")
    world.write_text("none", encoding="utf-8")
    monkeypatch.setenv("ARGOSY_ALLOW", f"{data}:{world}")
    steps = {
        "champion": ("champion-digest", f"cat {world}"),
        "ingest": ("snapshot-digest", f"cat {data}"),
        "train": ("model-digest", "echo sha256:bbbb"),
        "evaluate": ("verdict", "echo promote"),
        "register": ("version", "echo 1"),
    }
    manifest = MANIFEST
    for name, (output, script) in steps.items():
        manifest += STEP.replace("NAME", name).replace("OUTPUT", output).replace("SCRIPT", script)
    (tmp_path / "toy.yaml").write_text(manifest, encoding="utf-8")

    def run(*words: str) -> tuple[int, str, str]:
        code = main.run(words)
        said = capfd.readouterr()
        return code, said.out, said.err

    code, _, said = run("run", "-f", "toy.yaml", "--local-image", "*")
    assert code == errors.DONE, said
    return run


def test_it_comes_out_again(shell: Shell, tmp_path: Path) -> None:
    """Every step up to the evaluation is run anew, the champion is the one of then; the run says what it is, and is none to reproduce."""
    first, kept = runs.find(tmp_path / "home", None).run, _cached(tmp_path / "home")
    assert kept
    (tmp_path / "world").write_text("another", encoding="utf-8")
    code, out, said = shell("reproduce", "toy/latest", "--json")
    assert code == errors.DONE, said
    found = json.loads(out)
    assert found["reproduced"] is True
    assert found["of"] == first
    assert {each["stage"]: each["after"] for each in found["results"]} == {
        "snapshot": "sha256:aaaa",
        "model": "sha256:bbbb",
        "verdict": "promote",
    }
    assert found["standing"]["code"] == found["standing"]["libraries"] == found["standing"]["machine"] == "as it was"
    again = runs.find(tmp_path / "home", found["run"])
    nodes = {node.display_name: node for node in again.state()[1].values()}
    assert "register" not in nodes
    assert not nodes["train"].cached
    assert nodes["champion"].message == f"from run {first}"
    assert _cached(tmp_path / "home") == kept, "the next run is to find what the first one gave"
    assert f"reproduces {first}" in shell("runs")[1]
    assert f"itself reproduces {first}; name that one" in shell("reproduce", found["run"])[2]


def test_verbs_take_a_run_by_its_model(shell: Shell, tmp_path: Path) -> None:
    """As the newest of its model that is no try to reproduce one; of no model, that is said, with those that there are."""
    first = runs.find(tmp_path / "home", None).run
    shell("reproduce", "toy/latest")
    for words in (["get", "toy/latest"], ["why", "toy/latest"], ["report", "toy/latest"]):
        code, out, said = shell(*words)
        assert code == errors.DONE, said
        assert first in out
    code, _, said = shell("get", "tyo/latest")
    assert code == errors.UsageError.exit_code
    assert "there is no run of 'tyo'" in said
    assert "runs are of toy" in said


def _cached(home: Path) -> dict[str, float]:
    """When each answer in the cache of *home* was written."""
    return {path.name: path.stat().st_mtime for path in (home / "cache").rglob("*.json")}


def test_data_that_are_others(shell: Shell, tmp_path: Path) -> None:
    """What differs first is named; with the snapshot that was kept, the same model comes out."""
    (tmp_path / "rows.csv").write_text("sha256:cccc", encoding="utf-8")
    code, out, _ = shell("reproduce", "toy/latest")
    assert code == errors.Rejected.exit_code
    assert "not reproduced, from the snapshot on: 2 of 3 results are equal" in out
    assert "snapshot   aaaa  -> cccc" in out
    assert "nothing that the run kept is otherwise" in out
    first = out.split(",")[0]
    code, out, _ = shell("reproduce", first, "--kept-data")
    assert code == errors.DONE, out
    assert "data       the snapshot that the run kept, as asked" in out


def test_surroundings_that_are_others(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each library that has another version is said before anything runs."""
    file = runs.find(tmp_path / "home", None).path / FILE
    then = Surroundings.read(file)
    then.model_copy(update={"packages": {**then.packages, "xgboost": "0.9"}, "cores": 999}).write(file)
    _, out, _ = shell("reproduce", "toy/latest", "--dry-run")
    assert "libraries  xgboost 0.9 -> " in out
    assert "machine    cores 999 -> " in out
    monkeypatch.setattr(code_identity, "own", lambda: "sha256:1234")
    assert kept_surroundings.here().own_code == "sha256:1234"
    _, out, _ = shell("reproduce", "toy/latest", "--dry-run", "--json")
    assert json.loads(out)["standing"]["code"].endswith("-> 1234")


@pytest.mark.parametrize(
    ("what", "message"),
    [
        pytest.param("other/latest", "there is no run of 'other'", id="no-such-model"),
        pytest.param("toy-9", "there is no run 'toy-9'", id="no-such-run"),
        pytest.param("toy/sha256:12", "a digest is named by seven of its digits at least", id="short-digest"),
        pytest.param("toy/7", "no environment served toy with version 7", id="no-such-version"),
    ],
)
def test_wrong_words(shell: Shell, what: str, message: str) -> None:
    """One line, and nothing runs."""
    code, out, err = shell("reproduce", what)
    assert (code, out) == (errors.UsageError.exit_code, "")
    assert message in err


@pytest.mark.parametrize(
    ("origin", "message"),
    [
        pytest.param({}, "nobody wrote down which commit it was", id="unknown"),
        pytest.param({"tree": sha256(b"x")}, "its files were not those of a commit", id="dirty"),
        pytest.param({"tree": "clean", "manifest": sha256(b"x")}, "cannot be read here", id="no-such-commit"),
    ],
)
def test_a_version_that_cannot_be_made_from_its_commit(
    origin: dict[str, Any], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused with what is missing."""
    monkeypatch.setenv("ARGOSY_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    given = {"commit": "a" * 40, "manifest": sha256(b"m"), **origin} if origin else {}
    wanted = SimpleNamespace(title="toy/7", model="toy", origin=Provenance(**given), evidence=None)
    with pytest.raises(errors.UsageError, match=message):
        reproduction.manifest_of_commit(wanted)  # type: ignore[arg-type]


def test_a_model_that_answers_in_words_is_reproduced_up_to_its_own_evaluation(shell: Shell, tmp_path: Path) -> None:
    """Its step has a name of its own; nothing after it is run."""
    manifest = tmp_path / "toy.yaml"
    text = manifest.read_text(encoding="utf-8")
    manifest.write_text(
        text.replace("name: evaluate", "name: evaluate-answers")
        .replace("template: evaluate", "template: evaluate-answers")
        .replace("depends: evaluate", "depends: evaluate-answers"),
        encoding="utf-8",
    )
    code, _, said = shell("run", "-f", "toy.yaml", "--local-image", "*")
    assert code == errors.DONE, said
    code, out, said = shell("reproduce", "toy/latest", "--json")
    assert code == errors.DONE, said
    again = runs.find(tmp_path / "home", json.loads(out)["run"])
    names = {node.display_name for node in again.state()[1].values()}
    assert "evaluate-answers" in names
    assert "register" not in names
