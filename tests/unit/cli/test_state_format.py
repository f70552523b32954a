"""The state folder's format: older ones are brought up to date once, with what that changes kept; newer ones are refused."""

import json
from pathlib import Path

import pytest

from argosy import errors
from argosy.cli import main, state_folder, state_format
from argosy.settings import Settings


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state folder of before formats had numbers: a run, logged predictions in the layout of then, and some of today's."""
    home = tmp_path / "state"
    monkeypatch.setenv("ARGOSY_HOME", str(home))
    (home / "runs").mkdir(parents=True)
    for folder in ("open", "2026-11-20", "version=1/date=2026-11-20/hour=03"):
        (home / "predictions" / "toy" / "production" / folder).mkdir(parents=True)
        (home / "predictions" / "toy" / "production" / folder / "a.parquet").write_text(folder)
    return home


def test_an_older_one_is_brought_up_to_date_once(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What nothing reads any more is kept aside, and said; the second verb finds nothing to do."""
    assert main.run(["runs"]) == 0
    assert "format 2" in capsys.readouterr().err
    aside = home / "backups" / "format-1" / "predictions" / "toy" / "production"
    assert sorted(path.name for path in aside.iterdir()) == ["2026-11-20", "open"]
    assert (aside / "2026-11-20" / "a.parquet").read_text() == "2026-11-20"
    assert [path.name for path in (home / "predictions" / "toy" / "production").iterdir()] == ["version=1"]
    assert json.loads((home / "state.json").read_text())["format"] == state_format.FORMAT
    assert main.run(["runs"]) == 0
    assert capsys.readouterr().err == ""


def test_what_was_put_aside_before_stays(home: Path) -> None:
    """An earlier version that is used again between two upgrades loses nothing either time."""
    assert list(state_format.adopt(home))
    (home / "state.json").unlink()
    (home / "predictions" / "toy" / "production" / "open").mkdir()
    assert list(state_format.adopt(home))
    aside = home / "backups" / "format-1" / "predictions" / "toy" / "production"
    assert {path.name for path in aside.iterdir()} == {"2026-11-20", "open", "open.2"}


def test_a_newer_one_is_refused(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """In one line, with both ways out, and before anything is read or written."""
    (home / "state.json").write_text('{"format": 99, "argosy": "9.1.0"}')
    assert main.run(["runs"]) == errors.Misconfigured.exit_code
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "as argosy 9.1.0 wrote it" in said
    assert "ARGOSY_HOME" in said
    assert not (home / "backups").exists()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": "two"}', '{"format": 2}', '{"format": null, "argosy": 1}'])
def test_a_damaged_file_is_one_line(home: Path, text: str) -> None:
    """It says what to write, and nothing is guessed."""
    (home / "state.json").write_text(text)
    with pytest.raises(errors.Misconfigured, match=r"state\.json cannot be read; write"):
        list(state_format.adopt(home))


def test_nothing_is_made_by_looking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A verb that only looks makes no state folder, and marks none that is empty."""
    for home in (tmp_path / "none", tmp_path / "empty"):
        monkeypatch.setenv("ARGOSY_HOME", str(home))
        if home.name == "empty":
            home.mkdir()
        assert main.run(["runs"]) == 0
        assert not home.exists() or list(home.iterdir()) == []


def test_one_that_may_only_be_read(home: Path) -> None:
    """Who cannot write there can look, as before."""
    home.chmod(0o555)
    try:
        assert main.run(["runs"]) == 0
    finally:
        home.chmod(0o755)


def test_a_new_one_says_its_format(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that an earlier argosy, from this one on, can refuse it."""
    monkeypatch.setenv("ARGOSY_HOME", str(tmp_path / "new"))
    state_folder.ensure_places(Settings.from_environment())
    assert json.loads((tmp_path / "new" / "state.json").read_text())["format"] == state_format.FORMAT


def test_a_cluster_has_no_state_folder(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A verb about a cluster asks nothing of this machine's state."""
    (home / "state.json").write_text('{"format": 99, "argosy": "9.1.0"}')
    monkeypatch.setenv("KUBECONFIG", str(home / "none"))
    assert main.run(["runs", "--cluster"]) == errors.Misconfigured.exit_code
    assert main.run(["lint", str(home / "nothing.yaml")]) != 0
