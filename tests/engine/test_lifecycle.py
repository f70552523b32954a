"""The verbs that look at a run, pause, stop, retry and delete it, as a person types them."""

import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from argosy.cli import main
from argosy.engine.state import control, journal, runs

Shell = Callable[..., tuple[int, str, str]]
UnderWay = Callable[..., AbstractContextManager["subprocess.Popen[str]"]]

ASK = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: ask-}
spec:
  entrypoint: main
  onExit: bye
  templates:
    - name: main
      steps:
        - - {name: ask, template: ask}
        - - {name: use, template: use, arguments: {parameters: [{name: said, value: "{{steps.ask.outputs.parameters.answer}}"}]}}
    - name: ask
      suspend: {}
      outputs:
        parameters:
          - {name: answer, valueFrom: {supplied: {}}}
          - {name: why, valueFrom: {supplied: {}, default: none}}
    - name: use
      inputs: {parameters: [{name: said}]}
      container: {image: any, command: [sh, -c, 'echo "it is $SAID"'], env: [{name: SAID, value: "{{inputs.parameters.said}}"}]}
    - name: bye
      container: {image: any, command: [echo, bye]}
"""

LONG = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: long-}
spec:
  entrypoint: main
  onExit: bye
  templates:
    - name: main
      dag:
        tasks:
          - {name: long, template: long}
          - {name: after, template: long, depends: long}
    - name: long
      retryStrategy: {limit: 3}
      container: {image: any, command: [sh, -c, 'echo begun >> FOLDER/effects; while [ ! -e FOLDER/go ]; do sleep 0.05; done']}
    - name: bye
      container: {image: any, command: [sh, -c, "echo bye >> FOLDER/effects"]}
"""

CRON = """
apiVersion: argoproj.io/v1alpha1
kind: CronWorkflow
metadata: {name: nightly}
spec:
  schedules: ["30 9 * * *"]
  timezone: Europe/Berlin
  suspend: true
  workflowSpec:
    entrypoint: main
    templates: [{name: main, container: {image: any, command: [echo, "due {{workflow.scheduledTime}}"]}}]
"""


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Shell:
    """Run ``argosy`` in a folder with two manifests: the exit code, standard output, standard error."""
    monkeypatch.setenv("ARGOSY_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ask.yaml").write_text(ASK, encoding="utf-8")
    (tmp_path / "long.yaml").write_text(LONG.replace("FOLDER", str(tmp_path)), encoding="utf-8")

    def run(*words: str) -> tuple[int, str, str]:
        code = main.run(words)
        said = capfd.readouterr()
        return code, said.out, said.err

    return run


@pytest.fixture
def under_way(shell: Shell, tmp_path: Path) -> UnderWay:
    """A run of a manifest in an engine of its own, once the node *there* is Running."""

    @contextmanager
    def start(manifest: str, there: str) -> Iterator["subprocess.Popen[str]"]:
        engine = subprocess.Popen(
            [
                sys.executable,
                "-c",
                "from argosy.cli.main import main; main()",
                "run",
                "-f",
                manifest,
                "--local-image",
                "*",
            ],
            env={**os.environ, "ARGOSY_HOME": str(tmp_path / "home")},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=tmp_path,
        )
        with engine:
            try:
                wait_until(lambda: not there or phase_of(tmp_path, there) == "Running" or engine.poll() is not None)
                assert engine.poll() is None, engine.communicate()[0]
                yield engine
            finally:
                engine.kill()

    return start


def wait_until(holds: Callable[[], bool]) -> None:
    """Wait until *holds*."""
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, "it does not come to that"
        time.sleep(0.02)


def phase_of(folder: Path, display_name: str) -> str:
    """The phase of a node of the newest run."""
    known = runs.newest_first(folder / "home")
    nodes = known[0].state()[1] if known and (known[0].path / runs.JOURNAL).exists() else {}
    return next((str(node.phase) for node in nodes.values() if node.display_name == display_name), "")


def ended(engine: "subprocess.Popen[str]") -> tuple[int, str]:
    """The engine's exit code, and what it said."""
    said, _ = engine.communicate(timeout=60)
    return engine.returncode, said


def test_approve_with_a_parameter(shell: Shell, under_way: UnderWay) -> None:
    """The step that waits is shown with the command that lets it go on; what is given with that is its output."""
    with under_way("ask.yaml", "ask") as engine:
        code, out, _ = shell("get", "-")
        assert code == 0
        assert "Phase:     Running" in out
        assert "'$[0].ask'`" in out
        assert shell("approve", "-", "-p", "answer=42")[0] == 0
        assert ended(engine)[0] == 0
    assert shell("logs", "-", "use")[1] == "it is 42\n"
    nodes = json.loads(shell("get", "-", "--json")[1])["nodes"]
    assert nodes["$[0].ask"]["outputs"]["parameters"] == {"answer": "42", "why": "none"}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param((), "asks for answer; give each with -p", id="needs-a-value"),
        pytest.param(("-p", "answr=1"), "asks for no parameter 'answr'; did you mean 'answer'", id="mistyped"),
        pytest.param(("-p", "answer"), "'answer' is not NAME=VALUE", id="no-value"),
        pytest.param(("nobody",), r"no step 'nobody' that waits for an approval; these do: $[0].ask", id="no-step"),
    ],
)
def test_wrong_approvals(words: tuple[str, ...], message: str, shell: Shell, under_way: UnderWay) -> None:
    """A wrong approval is one line and 2; the step goes on waiting."""
    with under_way("ask.yaml", "ask") as engine:
        code, _, err = shell("approve", "-", *words)
        assert code == 2
        assert message in err
        assert engine.poll() is None
        assert shell("terminate", "-")[0] == 0
        ended(engine)


def test_suspend_and_resume(shell: Shell, under_way: UnderWay, tmp_path: Path) -> None:
    """Nothing begins while the run is suspended, though what ran has ended; resume goes on in the engine that is there."""
    with under_way("long.yaml", "long(0)") as engine:
        assert shell("suspend", "-")[1].endswith(" suspended\n")
        assert "Suspended" in shell("runs")[1]
        (tmp_path / "go").touch()
        wait_until(lambda: phase_of(tmp_path, "long(0)") == "Succeeded")
        time.sleep(0.5)
        assert (tmp_path / "effects").read_text(encoding="utf-8") == "begun\n"
        assert shell("resume", "-")[1].endswith(" goes on\n")
        assert ended(engine)[0] == 0
    assert (tmp_path / "effects").read_text(encoding="utf-8") == "begun\nbegun\nbye\n"


def test_a_manifest_that_is_suspended_waits_to_begin(shell: Shell, under_way: UnderWay, tmp_path: Path) -> None:
    """Nothing of it begins before somebody says so, and that is said."""
    text = (tmp_path / "long.yaml").read_text(encoding="utf-8").replace("spec:\n", "spec:\n  suspend: true\n")
    (tmp_path / "waiting.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "go").touch()
    with under_way("waiting.yaml", "") as engine:
        wait_until(lambda: "Suspended" in shell("runs")[1])
        assert not (tmp_path / "effects").exists()
        assert shell("resume", "-")[1].endswith(" goes on\n")
        code, said = ended(engine)
    assert code == 0
    assert "suspended, as its manifest says; `argosy resume long-" in said
    assert (tmp_path / "effects").read_text(encoding="utf-8") == "begun\nbegun\nbye\n"


def test_a_run_that_says_it_is_suspended_can_be_asked_to_go_on(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The engine listens before anybody can read that it waits."""
    told: list[str] = []
    opened = control.Inbox.__init__

    def listen(inbox: control.Inbox, run: Path) -> None:
        told.append(journal.read(run / runs.JOURNAL)[0]["suspended"])
        opened(inbox, run)
        threading.Timer(0.1, control.ask, (run, {"do": "resume"})).start()

    monkeypatch.setattr(control.Inbox, "__init__", listen)
    text = (tmp_path / "long.yaml").read_text(encoding="utf-8").replace("spec:\n", "spec:\n  suspend: true\n")
    (tmp_path / "waiting.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "go").touch()
    assert shell("run", "-f", "waiting.yaml", "--local-image", "*")[0] == 0
    assert told == [""]


def test_a_cron_workflow_says_its_next_times(shell: Shell, tmp_path: Path) -> None:
    """It runs once, now; five times follow, as the wall of its time zone will show them."""
    (tmp_path / "cron.yaml").write_text(CRON, encoding="utf-8")
    code, _, err = shell("run", "-f", "cron.yaml", "--local-image", "*")
    assert code == 0
    assert err.count(" 09:30 CE") == 5
    assert "next times (suspended: a cluster starts none): " in err
    assert re.fullmatch(r"due \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ\n", shell("logs", "-")[1])


@pytest.mark.parametrize(
    ("verb", "handlers"), [pytest.param("stop", "bye\n", id="stop"), pytest.param("terminate", "", id="terminate")]
)
def test_stop(verb: str, handlers: str, shell: Shell, under_way: UnderWay, tmp_path: Path) -> None:
    """What runs is ended and not retried, nothing more begins; exit handlers run after stop, not after terminate. A retry does it all."""
    with under_way("long.yaml", "long(0)") as engine:
        wait_until(
            lambda: (tmp_path / "effects").exists() and (tmp_path / "effects").read_text(encoding="utf-8") == "begun\n"
        )
        assert shell(verb, "-")[0] == 0
        code, said = ended(engine)
    assert code != 0
    assert f"Stopped with strategy '{verb.title()}'" in said
    assert (tmp_path / "effects").read_text(encoding="utf-8") == f"begun\n{handlers}"
    (tmp_path / "go").touch()
    assert shell("retry", "-", "--local-image", "*")[0] == 0
    assert (tmp_path / "effects").read_text(encoding="utf-8") == f"begun\n{handlers}begun\nbegun\nbye\n"


def test_watch_ends_with_the_run(shell: Shell, under_way: UnderWay, tmp_path: Path) -> None:
    """A line an event, and the run's own exit code."""
    with under_way("long.yaml", "long(0)") as engine:
        (tmp_path / "go").touch()
        code, out, _ = shell("watch", "-")
        assert code == 0
        assert "Succeeded $.after" in out
        ended(engine)


def test_restart_successful(shell: Shell, tmp_path: Path) -> None:
    """The steps that are named run again, and what began after them; what was before them does not."""
    (tmp_path / "go").touch()
    assert shell("run", "-f", "long.yaml", "--local-image", "*")[0] == 0
    words = ("retry", "-", "--local-image", "*", "--restart-successful", "--node-field-selector")
    assert shell(*words, "displayName=after")[0] == 0
    assert (tmp_path / "effects").read_text(encoding="utf-8") == "begun\nbegun\nbye\nbegun\nbye\n"
    assert shell(*words, "displayName=long")[0] == 0
    assert (tmp_path / "effects").read_text(encoding="utf-8").count("begun") == 5


def test_delete(shell: Shell, under_way: UnderWay, tmp_path: Path) -> None:
    """A run under way is not deleted; one that is over is gone from disk and list."""
    with under_way("long.yaml", "long(0)") as engine:
        code, _, err = shell("delete", "-")
        assert (code, "is under way; stop it first" in err) == (2, True)
        shell("terminate", "-")
        ended(engine)
    assert shell("delete", "--completed", "--dry-run")[1].endswith(" would be deleted\n")
    assert shell("delete", "-")[0] == 0
    assert "no runs yet" in shell("runs")[1]
    assert list((tmp_path / "home" / "runs").iterdir()) == []


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(("stop", "-"), "does not run now (it is Succeeded); it is over", id="stop-what-is-over"),
        pytest.param(("suspend", "-"), "does not run now", id="suspend-what-is-over"),
        pytest.param(("terminate", "nothing"), "there is no run 'nothing'", id="terminate-nothing"),
        pytest.param(("approve", "-"), "has no step that waits", id="approve-nothing"),
        pytest.param(("get", "nothing"), "there is no run 'nothing'", id="get-nothing"),
        pytest.param(("watch", "nothing"), "there is no run 'nothing'", id="watch-nothing"),
        pytest.param(("delete",), "name the runs to delete", id="delete-nothing"),
        pytest.param(("delete", "-", "--completed"), "name the runs to delete, or", id="delete-both"),
        pytest.param(("retry", "-"), "is Succeeded; only a run that failed is tried again", id="retry-success"),
        pytest.param(("retry", "-", "--restart-successful"), "go together", id="restart-what"),
        pytest.param(
            ("retry", "-", "--restart-successful", "--node-field-selector", "colour=red"),
            "'colour=red' is not FIELD=VALUE",
            id="no-such-field",
        ),
        pytest.param(
            ("retry", "-", "--restart-successful", "--node-field-selector", "name=red"),
            "no node of the run fits 'name=red'",
            id="no-such-node",
        ),
    ],
)
def test_wrong_words(words: tuple[str, ...], message: str, shell: Shell, tmp_path: Path) -> None:
    """What cannot be done is one line and 2."""
    (tmp_path / "go").touch()
    assert shell("run", "-f", "long.yaml", "--local-image", "*")[0] == 0
    code, _, err = shell(*words)
    assert code == 2
    assert message in err
