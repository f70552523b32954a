"""`argosy backfill`: which runs are made, gone on with, and taken as they are. Runs are real, of one step that ends as its moment says."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from argosy import errors
from argosy.cli import backfill, main, models
from argosy.engine.state.runs import RunFolder
from argosy.settings import Settings
from argosy.templates import folder

PIPELINE = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata:
  generateName: toy-
  annotations: {argosy.dev/model: toy, argosy.dev/sources: "sha256:files"}
spec:
  entrypoint: main
  arguments:
    parameters:
    - {name: as-of, value: ""}
    - {name: provenance, value: ""}
    - {name: asked-by, value: ""}
    - {name: data, value: data/toy}
  templates:
  - name: main
    container: {image: argosy/data:dev, command: [sh, -c], args: ["exit $(cat {{workflow.parameters.as-of}})"]}
"""
MOMENT = "2013-01-01T00:00:00Z"
ASKED = ["backfill", "toy", "--from", "2013-01-01", "--to", "2013-03-01", "--json"]


@dataclass
class Children:
    """Carries out in this process what a backfill would in others; *codes*: what the run of a moment ends with."""

    codes: dict[str, int] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    said: str = "it broke off"

    def start(self, moment: Any, words: Sequence[str]) -> Any:
        verb, about = words[0], words[1]
        self.asked.append(f"{verb} {moment:%m}")
        manifest = PIPELINE.replace("$(cat {{workflow.parameters.as-of}})", str(self.codes.get(f"{moment:%m}", 10)))
        Path("toy.yaml").write_text(manifest, encoding="utf-8")
        if verb == "watch":
            return _Ended(moment, 0, self.said)
        typed = ["run", "-f", "toy.yaml", "-p", f"as-of={words[3]}"] if verb == "run" else ["resume", about]
        return _Ended(moment, main.run(typed), self.said)


@dataclass
class _Ended:
    moment: Any
    code: int
    said: str

    @property
    def process(self) -> Any:
        return self

    def poll(self) -> int:
        return self.code

    def end(self) -> tuple[int, str]:
        return self.code, self.said


@pytest.fixture
def children(here: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Children:
    """A project with the model toy."""
    monkeypatch.setenv("ARGOSY_HOME", str(here.home))
    monkeypatch.chdir(tmp_path)
    Path("toy").mkdir()
    Path("toy", folder.MANIFEST).write_text(PIPELINE, encoding="utf-8")
    made = Children()
    monkeypatch.setattr(models, "folder_of", Path)
    monkeypatch.setattr(folder, "sources_digest", lambda _model: "sha256:files")
    monkeypatch.setattr(backfill._Child, "start", made.start)
    return made


def rows(capsys: pytest.CaptureFixture[str]) -> list[dict[str, str]]:
    """The runs of the JSON that is printed last."""
    found: list[dict[str, str]] = json.loads(capsys.readouterr().out.splitlines()[-1])["runs"]
    return found


def test_nothing_is_run_twice(children: Children, capsys: pytest.CaptureFixture[str], here: Settings) -> None:
    """A moment that has its answer, here data that the model refuses, is taken as it is; new moments alone are run."""
    assert main.run(ASKED) == errors.DONE
    assert children.asked == ["run 01", "run 02", "run 03"]
    first = rows(capsys)
    assert main.run([*ASKED[:5], "2013-04-01", "--json"]) == errors.DONE
    assert children.asked[3:] == ["run 04"]
    found = rows(capsys)
    assert found[:3] == first
    assert [row["as of"] for row in found] == ["2013-01-01", "2013-02-01", "2013-03-01", "2013-04-01"]
    assert (here.home / "backfills" / "toy.html").read_text(encoding="utf-8").count("2013-04-01") >= 1


def test_what_broke_off_goes_on(children: Children, capsys: pytest.CaptureFixture[str]) -> None:
    """The others are run all the same; the code is the first that came to no answer, and the same line goes on with it."""
    children.codes = {"02": 75}
    assert main.run(ASKED) == 75
    found = rows(capsys)
    assert found[1]["outcome"] == "it broke off"
    assert main.run(ASKED) == 75
    assert children.asked == ["run 01", "run 02", "run 03", "resume 02"]


def test_a_step_that_failed_is_the_cause(children: Children, capsys: pytest.CaptureFixture[str]) -> None:
    """Where the run's process had no error of its own, the message of the step that stopped it is told."""
    children.codes, children.said = {"02": 75}, ""
    main.run(ASKED)
    assert "exit code 75" in rows(capsys)[1]["outcome"]


def test_a_run_that_somebody_is_at_is_waited_for(
    children: Children, here: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a kill of the backfill, whose runs go on: nobody begins another."""
    children.codes = {"02": 75}
    main.run(ASKED)
    monkeypatch.setattr(RunFolder, "is_locked", lambda _run: True)
    main.run(ASKED)
    assert children.asked[3:] == ["watch 02"]


def test_another_data_or_parameter_is_another_run(children: Children) -> None:
    """What a run is taken for is what is asked for."""
    main.run(ASKED)
    main.run([*ASKED, "-p", "data=elsewhere"])
    assert children.asked[3:] == ["run 01", "run 02", "run 03"]


def test_what_others_typed_is_no_run_of_a_backfill(
    children: Children, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A parameter that the backfill leaves alone has its default in its runs; of several such runs one with an answer counts."""
    pipeline = PIPELINE.replace("- {name: data", "- {name: level, value: high}\n    - {name: data")
    (tmp_path / "toy" / "pipeline.yaml").write_text(pipeline, encoding="utf-8")
    outcomes = []
    for level, code in (("low", 10), ("high", 10), ("high", 75)):
        manifest = pipeline.replace("$(cat {{workflow.parameters.as-of}})", str(code))
        (tmp_path / "other.yaml").write_text(manifest, encoding="utf-8")
        typed = ["-p", f"as-of={MOMENT}", "-p", f"level={level}"]
        assert main.run(["run", "-f", "other.yaml", *typed]) == code
        main.run(["backfill", "toy", "--from", MOMENT, "--to", MOMENT, "--json", "--dry-run"])
        outcomes.append(rows(capsys)[0]["outcome"])
    assert outcomes[0] == "not run yet"
    assert outcomes[1] == outcomes[2] != "not run yet"


def test_dry_run(children: Children, capsys: pytest.CaptureFixture[str], here: Settings) -> None:
    """Says which would be made, and makes none."""
    assert main.run([*ASKED, "--dry-run"]) == errors.DONE
    assert {row["outcome"] for row in rows(capsys)} == {"not run yet"}
    assert (children.asked, (here.home / "backfills").exists()) == ([], False)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["--at-once", "0"], "at least one run at a time", id="none-at-once"),
        pytest.param(["--to", "2999-01-01"], "is still to come", id="the-future"),
        pytest.param(["-p", "as-of=2013-01-01"], "a backfill gives each run its own", id="its-own-parameter"),
    ],
)
def test_slips(children: Children, capsys: pytest.CaptureFixture[str], words: list[str], said: str) -> None:
    """One line each, before anything is run."""
    assert main.run([*ASKED, *words]) == errors.UsageError.exit_code
    assert said in capsys.readouterr().err
    assert children.asked == []


def test_a_language_model_has_no_backfill(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """It is said at once: its documents have no past."""
    monkeypatch.chdir(Path(__file__).parents[3])
    assert main.run(["backfill", "support_answers", "--from", "2013-01-01", "--to", "2013-02-01"]) == 2
    assert "a backfill trains a model of tables" in capsys.readouterr().err
