"""What a user can get wrong: one clear error, the exit code that says what kind it is, nothing half written."""

import shlex
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow


def _customers(project: Any, folder: Path, change: Callable[[list[str]], list[str]]) -> str:
    """A file in *folder* like the customers', changed; the first line is the header."""
    lines = (project.folder / "data" / "churn" / "customers.csv").read_text(encoding="utf-8").splitlines()
    path = folder / "bad.csv"
    path.write_text("".join(f"{line}\n" for line in change(lines)), encoding="utf-8")
    return str(path)


def _without_column(name: str) -> Callable[[list[str]], list[str]]:
    def change(lines: list[str]) -> list[str]:
        position = lines[0].split(",").index(name)
        return [",".join(cell for index, cell in enumerate(line.split(",")) if index != position) for line in lines]

    return change


def _with_cell(name: str, row: int, value: str) -> Callable[[list[str]], list[str]]:
    def change(lines: list[str]) -> list[str]:
        cells = lines[row].split(",")
        cells[lines[0].split(",").index(name)] = value
        return [*lines[:row], ",".join(cells), *lines[row + 1 :]]

    return change


def _one_class(lines: list[str]) -> list[str]:
    position = lines[0].split(",").index("churn")
    return [lines[0], *(line for line in lines[1:] if line.split(",")[position] == "No")]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        pytest.param(_without_column("tenure"), "tenure", id="missing-column"),
        pytest.param(_with_cell("tenure", 17, "a while"), "tenure", id="wrong-type"),
        pytest.param(lambda lines: lines[:1], "no rows", id="only-a-header"),
        pytest.param(lambda lines: [], "empty", id="empty-file"),
        pytest.param(_one_class, "one class", id="one-class"),
    ],
)
def test_bad_data_is_rejected_with_its_reason(
    project: Any, tmp_path: Path, change: Callable[[list[str]], list[str]], told: str
) -> None:
    """The answer is no (10), said once, and no model comes of it."""
    done = project.call("run", "churn", "-p", f"data={_customers(project, tmp_path, change)}")
    assert done.returncode == 10, done.stderr[-3000:]
    assert told in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert project.call("pr", "list").stdout.count("staging") == 0


def test_a_file_that_is_not_there(project: Any) -> None:
    """Somebody has to write the right path (78)."""
    done = project.call("run", "churn", "-p", "data=nowhere.csv")
    assert done.returncode == 78
    assert "nowhere.csv" in done.stdout + done.stderr


def test_a_typo_in_the_settings(own_project: Any) -> None:
    """File, line, and the word that was meant, before any step runs."""
    own_project.edit_settings((r"(?m)^  trials: ", "  trails: "))
    done = own_project.call("run", "churn")
    assert done.returncode == 78
    assert "unknown setting 'search.trails'; did you mean 'trials'?" in done.stderr
    assert "model.yaml:" in done.stderr


def test_an_unsupported_field(project: Any, tmp_path: Path) -> None:
    """The path of the field, before any step runs."""
    manifest = tmp_path / "odd.yaml"
    manifest.write_text(
        "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {generateName: odd-}\nspec:\n  entrypoint: main\n"
        "  templates:\n  - name: main\n    container: {image: 'argosy/x:dev', command: [sh], stdinn: true}\n",
        encoding="utf-8",
    )
    done = project.call("run", "-f", str(manifest))
    assert done.returncode == 78
    assert "spec.templates[0].container.stdinn" in done.stderr


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        pytest.param(("run", "chrun"), 2, "there is no model 'chrun'", id="unknown-model"),
        pytest.param(
            ("run", "churn", "-p", "dta=x"), 2, "no parameter 'dta'; did you mean 'data'?", id="unknown-parameter"
        ),
        pytest.param(("run", "-f", "nowhere.yaml"), 78, "cannot read nowhere.yaml", id="unknown-file"),
        pytest.param(("resume", "no-such-run"), 2, "there is no run 'no-such-run'", id="unknown-run"),
        pytest.param(("logs", "no-such-run", "train"), 2, "there is no run 'no-such-run'", id="logs-of-unknown-run"),
        pytest.param(("frobnicate",), 2, "invalid choice: 'frobnicate'", id="unknown-verb"),
    ],
)
def test_a_wrong_word(project: Any, words: tuple[str, ...], code: int, told: str) -> None:
    """One line that names it; no traceback."""
    done = project.call(*words)
    assert done.returncode == code, done.stderr[-2000:]
    assert told in done.stderr
    assert "Traceback" not in done.stderr


@pytest.fixture(scope="module")
def set_up(new_project: Callable[[str], Any]) -> Any:
    """A project in which `argosy setup` ran, and nothing else. Tests only ask it."""
    project = new_project("churn")
    assert project.call("setup").returncode == 0
    return project


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        pytest.param(("pr", "merge", "99"), 2, "there is no request 99", id="unknown-request"),
        pytest.param(("serve", "churn"), 10, "no version of churn is approved for production", id="nothing-approved"),
        pytest.param(("drift", "churn"), 10, "no version of churn is approved for production", id="nothing-served"),
    ],
)
def test_what_was_never_proposed(project: Any, set_up: Any, words: tuple[str, ...], code: int, told: str) -> None:
    """Before anything ran here, that is said; then, that of this there is nothing."""
    before = project.call(*words)
    assert before.returncode == 78
    assert "there is no state folder at" in before.stderr
    assert not project.home.exists()
    done = set_up.call(*words)
    assert done.returncode == code, done.stderr[-2000:]
    assert told in done.stderr
    assert "Traceback" not in done.stderr + before.stderr


def test_two_runs_at_once_both_finish(project: Any) -> None:
    """Each in its own folder; one model, so one version and one request."""
    first, second = project.start("run", "churn"), project.start("run", "churn")
    outputs = [first.communicate(timeout=280), second.communicate(timeout=280)]
    assert (first.returncode, second.returncode) == (0, 0), outputs
    assert project.call("pr", "list").stdout.count("staging") == 1


@pytest.mark.parametrize(
    ("step", "anew", "words"),
    [
        pytest.param("validate", ["validate", "build-features"], ["--until", "train"], id="validate"),
        pytest.param("tune", ["suggest", "trial", "select", "train"], ["--until", "train"], id="tune"),
        pytest.param("evaluate", ["evaluate"], [], id="evaluate"),
    ],
)
def test_interrupted_run_can_be_resumed(
    project: Any,
    known: Callable[..., Any],
    finished: tuple[Any, dict[str, Any]],
    step: str,
    anew: list[str],
    words: list[str],
) -> None:
    """Ctrl-C in a step ends with 130 and says how to go on; resume ends with the model of an undisturbed run. Only the step of interest and
    what comes next to it is calculated *anew*."""
    project = known(project, but=anew)
    process = project.start("run", "churn", *words)
    for line in process.stdout:
        if f"Running   $.{step}" in line:
            break
    process.send_signal(signal.SIGINT)
    out, told = process.communicate(timeout=60)
    assert process.returncode == 130, out + told
    assert "argosy resume" in out
    assert "Traceback" not in out + told
    assert project.run_json("resume")["model_digest"] == finished[1]["model_digest"]


@pytest.mark.parametrize(
    "kilobytes",
    [pytest.param(100, id="small-files-only"), pytest.param(1_500, id="nearly-enough")],
)
def test_a_full_disk(
    project: Any, known: Callable[..., Any], finished: tuple[Any, dict[str, Any]], kilobytes: int
) -> None:
    """Exit 74 and what to do; with space again, resume ends with the model of an undisturbed run.

    A limit on the size of files stands for the disk: writes fail in the same way, in whichever step writes a larger one first. That is one
    of the first three, or it would not end so: those after them write nothing, as all is known that they give.
    """
    project = known(project, but=["ingest", "validate", "build-features"])
    words = project.command("run", "churn", "--until", "train")
    limited = f"ulimit -f {kilobytes}; exec {shlex.join(words)}"
    done = subprocess.run(
        ["bash", "-c", limited],
        cwd=project.folder,
        env=project.variables(),
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 74, done.stdout[-3000:] + done.stderr[-3000:]
    assert "Traceback" not in done.stdout + done.stderr
    assert "free space" in (done.stdout + done.stderr).lower()
    assert project.run_json("resume")["model_digest"] == finished[1]["model_digest"]
