"""What a failure is called, and where that is explained."""

import json
from pathlib import Path

import pytest

from argosy.cli import main


def test_a_failure_has_a_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Asked for JSON, a program finds it on standard error, below the line for people; `explain` takes it."""
    monkeypatch.setenv("ARGOSY_HOME", str(tmp_path))
    assert main.run(["why", "--json"]) == 2
    out = capsys.readouterr()
    said, told = out.err.splitlines()[-2:]
    found = json.loads(told)["error"]
    assert (out.out, found["exitCode"], f"error: {found['message']}") == ("", 2, said)
    assert main.run(["explain", found["code"]]) == 0
    assert capsys.readouterr().out.startswith(f"{found['code']}: exit code 2\n")
    assert main.run(["why"]) == 2
    assert "{" not in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "begins"),
    [
        ("78", "misconfigured: exit code 78"),
        ("unavailable", "unavailable: exit code 75"),
        ("disk/engine", "disk/engine"),
    ],
)
def test_what_is_explained(given: str, begins: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A code, its first part, or an exit code."""
    assert main.run(["explain", given]) == 0
    assert capsys.readouterr().out.startswith(begins)


@pytest.mark.parametrize(
    ("given", "meant"), [("misconfigurd", "misconfigured"), ("usage/engin", "engine"), ("79", "codes"), ("", "codes")]
)
def test_what_is_no_code(given: str, meant: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Says what there is."""
    assert main.run(["explain", given]) == 2
    assert meant in capsys.readouterr().err


def test_all_codes(capsys: pytest.CaptureFixture[str]) -> None:
    """As a list, and as JSON."""
    assert main.run(["explain"]) == 0
    assert "…/engine" in capsys.readouterr().out
    assert main.run(["explain", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["kinds"]["unavailable"]["retried"] is True
