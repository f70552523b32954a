"""``argosy drift``, typed wrong: one clear line each, before anything is asked of a store."""

import re
from pathlib import Path

import pytest

from argosy import wiring
from argosy.cli import main
from argosy.settings import Settings

FAR = "999999999d"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param([], "required: MODEL", id="no-model"),
        pytest.param(["churn", "extra"], "unrecognized arguments: extra", id="a-word-too-many"),
        pytest.param(["churn", "--since", "yesterday"], "'yesterday' is neither a time", id="no-time"),
        pytest.param(["churn", "--since", ""], "'' is neither a time", id="nothing"),
        pytest.param(["churn", "--since", "24x"], "'24x' is neither a time", id="no-unit"),
        pytest.param(["churn", "--since", "2026-02-30"], "'2026-02-30' is neither a time", id="no-day"),
        pytest.param(
            ["churn", "--since", FAR], f"'{FAR}' is neither a time .* from the year 1970 on", id="before-dates"
        ),
        pytest.param(["churn", "--since", f"{FAR}{FAR}"], "is neither a time", id="no-unit-at-its-end"),
        pytest.param(["churn", "--since", f"{'9' * 30}d"], "is neither a time", id="longer-than-time"),
        pytest.param(["churn", "--since", "0001-01-01T00:00+14:00"], "is neither a time", id="before-the-first-year"),
        pytest.param(["churn", "--until", "9999-12-31T23:59Z"], "is neither a time", id="no-hour-after-it"),
        pytest.param(
            ["churn", "--since", "2999-01-01"], r"--since \(2999-01-01 .* is still to come; it is 2", id="to-come"
        ),
        pytest.param(
            ["churn", "--since", "2026-01-02", "--until", "2026-01-01"],
            "--since .* is not before --until",
            id="backwards",
        ),
        pytest.param(["churn", "--minimum", "1"], "'1' is no number of rows from 2 on", id="too-few-rows"),
        pytest.param(["churn", "--minimum", "some"], "'some' is no number of rows", id="no-number"),
        pytest.param(["churn", "--report"], "--report: expected one argument", id="no-file"),
        pytest.param(["churn", "--report", "/"], "'/' is a folder, not a file to write", id="root"),
        pytest.param(["churn", "--report", "."], "'.' is a folder, not a file to write", id="this-folder"),
        pytest.param(["churn", "--report", "folder"], "'folder' is a folder", id="a-folder"),
    ],
)
def test_a_slip_is_answered_in_a_line(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ends 2, says which word it is and what it should be, and shows no traceback."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ARGOSY_HOME", str(tmp_path / "home"))
    (tmp_path / "folder").mkdir()
    answered(words, said, capsys)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(
            ["churn", "--env", "prod"], "no environment 'prod'; environments: staging, production", id="environment"
        ),
        pytest.param(["churn/../x"], "'churn/../x' cannot be the name of a model", id="no-name"),
        pytest.param([""], "'' cannot be the name of a model", id="empty-name"),
    ],
)
def test_a_slip_about_what_is_served(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same, of what the environment repo would know."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ARGOSY_HOME", str(tmp_path / "home"))
    wiring.forge(Settings.from_environment(), make=True)
    answered(words, said, capsys)


def answered(words: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    """*words* are answered with 2 and one line that says what *said* says."""
    try:
        code = main.main(["drift", *words])
    except SystemExit as end:
        code = int(end.code or 0)
    error = capsys.readouterr().err
    assert code == 2, error
    assert re.search(said, error.splitlines()[-1]), error
    assert "Traceback" not in error
