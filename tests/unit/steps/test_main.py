"""The shell round a step: where things are, and which exit code an outcome has."""

import errno
from collections.abc import Callable
from pathlib import Path

import pytest

from argosy import errors
from argosy.steps import main, spec

SPEC = spec.StepSpec(
    name="try-it",
    summary="A step for tests.",
    family="data",
    parameters=(spec.Parameter("how-many", "A number."), spec.Parameter("mode", "A word.", default="plain")),
    inputs=(spec.Artifact("table", "A file."),),
    outputs=(spec.Artifact("copy", "A file."),),
    results=(spec.Result("rows", "A count."),),
)


def _leave(body: Callable[[main.Step], None], root: Path, *more: str) -> int:
    with pytest.raises(SystemExit) as left:
        main.main(SPEC, body, ["--root", str(root), *more])
    assert isinstance(left.value.code, int)
    return left.value.code


def test_inputs_outputs_and_results_lie_under_the_root(tmp_path: Path) -> None:
    """A step finds `in/`, and leaves `out/` and `results/`."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "table").write_text("a\nb\n")

    def body(step: main.Step) -> None:
        text = step.input("table").read_text()
        step.output("copy").write_text(text)
        step.result("rows", step.parameter("how-many") + step.parameter("mode"))

    assert _leave(body, tmp_path, "--how-many", "2") == 0
    assert (tmp_path / "out" / "copy").read_text() == "a\nb\n"
    assert (tmp_path / "results" / "rows").read_text() == "2plain"


def test_a_parameter_comes_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container, where nothing is pasted into the command."""
    monkeypatch.setenv("ARGOSY_PARAMETER_HOW_MANY", "'; exit 7; '")
    seen: list[str] = []
    assert _leave(lambda step: seen.append(step.parameter("how-many")), tmp_path) == 0
    assert seen == ["'; exit 7; '"]


def test_what_another_step_of_the_pod_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Inputs and parameters may lie where the step before wrote them; what is given outright does not count then."""
    for folder, file, text in (("out", "result", "a\n"), ("results", "count", "2")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / file).write_text(text)
    monkeypatch.setenv("ARGOSY_INPUT_TABLE", "out/result")
    monkeypatch.setenv("ARGOSY_PARAMETER_FILE_HOW_MANY", "results/count")
    seen: list[str] = []
    body = lambda step: seen.extend([step.input("table").read_text(), step.parameter("how-many")])  # noqa: E731
    assert _leave(body, tmp_path) == 0
    assert seen == ["a\n", "2"]


@pytest.mark.parametrize(
    ("failure", "code"),
    [
        pytest.param(errors.Rejected("no"), 10, id="rejected"),
        pytest.param(errors.TryAgain("later"), 75, id="try-again"),
        pytest.param(errors.Misconfigured("wrong"), 78, id="misconfigured"),
        pytest.param(OSError(errno.ENOSPC, "No space left on device", "/x"), 74, id="full-disk"),
        pytest.param(KeyboardInterrupt(), 130, id="interrupted"),
    ],
)
def test_an_outcome_has_its_exit_code(tmp_path: Path, failure: BaseException, code: int) -> None:
    """A retry strategy sees nothing but the code."""

    def body(_: main.Step) -> None:
        raise failure

    assert _leave(body, tmp_path) == code


def test_a_bug_keeps_its_traceback(tmp_path: Path) -> None:
    """What is not reported on purpose is not dressed up as if it were."""

    def body(_: main.Step) -> None:
        raise ZeroDivisionError("a bug")

    with pytest.raises(ZeroDivisionError, match="a bug"):
        main.main(SPEC, body, ["--root", str(tmp_path)])


def test_a_missing_input_and_a_missing_parameter_say_what_to_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both are somebody's mistake, and named."""
    assert _leave(lambda step: print(step.input("table")), tmp_path) == 78
    assert _leave(lambda step: print(step.parameter("how-many")), tmp_path) == 78
    told = capsys.readouterr().err
    assert "no input 'table': nothing at" in told
    assert "set ARGOSY_PARAMETER_HOW_MANY or pass --how-many VALUE" in told


def test_an_undeclared_name_is_a_bug(tmp_path: Path) -> None:
    """What the spec does not say, the manifest does not have."""
    with pytest.raises(LookupError, match="does not declare 'other'"):
        main.main(SPEC, lambda step: print(step.output("other")), ["--root", str(tmp_path)])


@pytest.mark.parametrize(
    ("failure", "left"),
    [(errors.Misconfigured("wrong"), "error: wrong"), (ZeroDivisionError("a bug"), "ZeroDivisionError: a bug")],
)
def test_a_pod_leaves_why_it_ended(
    failure: Exception, left: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever looks at the workflow reads it in the node's message, and need not look for a log."""
    monkeypatch.setattr(main, "TERMINATION_MESSAGE", tmp_path / "termination-log")
    (tmp_path / "termination-log").touch()

    def body(_: main.Step) -> None:
        raise failure

    with pytest.raises((SystemExit, ZeroDivisionError)):
        main.main(SPEC, body, ["--root", str(tmp_path)])
    assert (tmp_path / "termination-log").read_text(encoding="utf-8") == left
