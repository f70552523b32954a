"""What a shell is offered where a line of `argosy` may go on."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from argosy.engine.state.runs import RunFolder

PIPELINE = """
spec:
  entrypoint: main
  templates:
    - {name: main, dag: {tasks: [{name: ingest, template: a}, {name: train, template: a}]}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of two models, one of which ran once."""
    for model in ("upsell", "churn"):
        folder = tmp_path / "workflows" / model
        folder.mkdir(parents=True)
        (folder / "pipeline.py").touch()
        (folder / "pipeline.yaml").write_text(PIPELINE, encoding="utf-8")
    run = RunFolder(tmp_path / "home" / "runs" / "upsell-260101-000000-aaaa")
    run.path.mkdir(parents=True)
    return tmp_path


@pytest.mark.parametrize(
    ("line", "offered"),
    [
        pytest.param(
            "argosy re", {"resume", "retrain", "retry", "report", "reproduce", "restore", "retire"}, id="verbs"
        ),
        pytest.param("argosy run ", {"churn", "upsell"}, id="models"),
        pytest.param("argosy run churn --until ", {"ingest", "train"}, id="steps"),
        pytest.param("argosy run churn --no-c", {"--no-cache"}, id="options"),
        pytest.param("argosy diff up", {"upsell-260101-000000-aaaa", "upsell/latest"}, id="runs"),
        pytest.param("argosy logs nothing ", set(), id="of-no-run"),
    ],
)
def test_what_is_offered(line: str, offered: set[str], project: Path) -> None:
    """Nothing is said on the terminal, whatever cannot be found out."""
    answer = project / "answer"
    environment = {
        **os.environ,
        "ARGOSY_HOME": str(project / "home"),
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_IFS": "\n",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(answer),
        "COMP_LINE": line,
        "COMP_POINT": str(len(line)),
        "COMP_TYPE": "9",
    }
    done = subprocess.run(
        [sys.executable, "-m", "argosy.cli.main"],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("", "")
    found = {word.strip() for word in answer.read_text(encoding="utf-8").split("\n") if word.strip()}
    assert {word for word in found if not word.startswith("-") or line.endswith("-c")} == offered
