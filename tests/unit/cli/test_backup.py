"""`argosy backup` and `argosy restore`: a state folder that is lost is there again, and a copy that is damaged is not put back."""

import datetime
import json
import shutil
import sqlite3
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from argosy import errors, wiring
from argosy.adapters.memory_registry import MemoryRegistry
from argosy.cli import home_copy, main
from argosy.promotion import approval
from argosy.settings import Settings
from kit.offered import offer

STEPS = """
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {generateName: steps-}
spec:
  entrypoint: main
  templates:
  - name: main
    container:
      image: argosy/data:dev
      command: [sh, -c]
      args: ["mkdir -p /tmp/out/empty; echo text > /tmp/out/file; ln -s file /tmp/out/link"]
    outputs: {artifacts: [{name: out, path: /tmp/out}]}
"""


@pytest.fixture
def home(toy: Any, here: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A state folder with a run, its artifact, keys, a bundle, and an open request."""
    monkeypatch.setenv("ARGOSY_HOME", str(here.home))
    monkeypatch.setenv("ARGOSY_DATA_ROOT", str(here.data_root))
    monkeypatch.chdir(tmp_path)
    registry = MemoryRegistry(datetime.datetime.now(datetime.UTC))
    monkeypatch.setattr(wiring, "registry", lambda _settings: registry)
    offer(toy, here, registry)
    Path("steps.yaml").write_text(STEPS)
    assert main.run(["run", "--file", "steps.yaml"]) == 0
    assert main.run(["backup", "create", "copy"]) == 0
    return here.home


def _listing(folder: Path) -> dict[str, bytes]:
    """The files below *folder* that a copy holds, databases by what they say."""
    found = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = str(path.readlink()).encode()
        elif path.is_dir():
            found[name] = b"a folder"
        elif path.is_file() and not home_copy.LEFT_OUT.fullmatch(name):
            found[name] = _dump(path) if home_copy.LIVE.fullmatch(name) else path.read_bytes()
    return found


def _dump(path: Path) -> bytes:
    with sqlite3.connect(path) as database:
        text = "\n".join(database.iterdump())
    database.close()
    return text.encode()


def test_lost_and_put_back(home: Path, here: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    """Everything is there again: runs, artifacts with links and modes, keys, requests, bundles; and work goes on."""
    before = _listing(home)
    modes = {path: (home / path).lstat().st_mode for path in before}
    shutil.move(home, home.with_name("lost"))
    assert main.run(["restore", "copy"]) == 0
    assert "put back" in capsys.readouterr().out
    assert _listing(home) == before
    assert {path: (home / path).lstat().st_mode for path in before} == modes
    assert main.run(["runs"]) == main.run(["pr", "merge", "1", "--as", "ada"]) == 0
    assert approval.find(wiring.forge(here), "toy", "staging").version.version == 1
    assert (home / "keys").stat().st_mode & 0o077 == home.with_name("lost").joinpath("keys").stat().st_mode & 0o077


def test_a_copy_is_for_its_owner(home: Path) -> None:
    """It holds the keys."""
    assert Path("copy").stat().st_mode & 0o077 == 0


def _flip(copy: Path) -> None:
    path = next(path for path in copy.glob("files/store/**/model.ubj"))
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[::-1])


def _lose(copy: Path) -> None:
    next(copy.glob("files/objects/*/*/file")).unlink()


def _add(copy: Path) -> None:
    (copy / "files" / "store" / "models" / "new").write_text("of somebody")


def _damage_database(copy: Path) -> None:
    path = next(copy.glob("files/runs/*/journal.sqlite"))
    path.write_bytes(path.read_bytes()[:1000])
    _say_digest(copy, path)


def _damage_repository(copy: Path) -> None:
    path = max(copy.glob("files/forge/environment.git/objects/??/*"), key=lambda path: path.stat().st_size)
    path.chmod(0o644)
    path.write_bytes(b"nothing")
    _say_digest(copy, path)


def _say_digest(copy: Path, path: Path) -> None:
    """Let the manifest agree: only the database or the repository itself knows."""
    from argosy.engine.state.object_store import digest_of

    said = json.loads((copy / "manifest.json").read_text())
    name = path.relative_to(copy / "files").as_posix()
    next(each for each in said["entries"] if each["path"] == name)["digest"] = digest_of(path)
    (copy / "manifest.json").write_text(json.dumps(said))


def _lead_out(copy: Path) -> None:
    said = json.loads((copy / "manifest.json").read_text())
    said["entries"][0]["path"] = "../../out"
    (copy / "manifest.json").write_text(json.dumps(said))


@pytest.mark.parametrize("damage", [_flip, _lose, _add, _damage_database, _damage_repository, _lead_out])
def test_damage_is_found(home: Path, damage: Callable[[Path], None], capsys: pytest.CaptureFixture[str]) -> None:
    """A copy that is not what was copied is named, and nothing of it is put back."""
    damage(Path("copy"))
    shutil.rmtree(home)
    assert main.run(["backup", "verify", "copy"]) == errors.Rejected.exit_code
    assert main.run(["restore", "copy"]) == errors.Rejected.exit_code
    assert "is damaged, use another copy" in capsys.readouterr().err
    assert not home.exists()


def test_one_that_was_cut_off(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The manifest comes last; without it nothing is a copy."""
    Path("copy/manifest.json").unlink()
    assert main.run(["backup", "verify", "copy"]) == errors.UsageError.exit_code
    assert "cut off" in capsys.readouterr().err


def test_places_that_make_no_sense(home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A folder that is there, one in the state folder itself, a home in use, another home: a line each, and nothing is touched."""
    before = _listing(home)
    for words in (
        ["backup", "create", "copy"],
        ["backup", "create", str(home / "in")],
        ["restore", "copy"],
        ["restore", "none"],
    ):
        assert main.run(words) == errors.UsageError.exit_code
    assert _listing(home) == before
    monkeypatch.setenv("ARGOSY_HOME", str(tmp_path / "other"))
    assert main.run(["restore", "copy"]) == errors.UsageError.exit_code
    assert main.run(["backup", "create", "other"]) == errors.UsageError.exit_code
    assert not (tmp_path / "other").exists()


def test_a_newer_copy(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It names the version that can read it."""
    said = json.loads(Path("copy/manifest.json").read_text())
    Path("copy/manifest.json").write_text(json.dumps({**said, "state_format": 99, "argosy": "9.1.0"}))
    shutil.rmtree(home)
    assert main.run(["restore", "copy"]) == errors.Misconfigured.exit_code
    assert "argosy 9.1.0" in capsys.readouterr().err


def test_while_it_is_written(home: Path, here: Settings) -> None:
    """A copy that is made while requests come and go, and a database is written, is whole, and holds a state that was."""
    forge = wiring.forge(here)
    stop = threading.Event()
    database = home / "search" / "optuna.db"
    database.parent.mkdir(exist_ok=True)

    def write() -> None:
        with sqlite3.connect(database) as rows:
            rows.execute("PRAGMA journal_mode = WAL")
            rows.execute("CREATE TABLE IF NOT EXISTS pairs (a INTEGER, b INTEGER)")
        number = 0
        while not stop.is_set():
            number += 1
            with rows:
                rows.execute("INSERT INTO pairs VALUES (?, ?)", (number, number))
            (forge.close if number % 2 else forge.reopen)(1, by="ada", **({"reason": "x"} if number % 2 else {}))  # type: ignore[operator]
        rows.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for name in ("one", "two"):
            assert main.run(["backup", "create", name]) == 0
    finally:
        stop.set()
        writer.join(60)
    kept = Path("two/files")
    with sqlite3.connect(kept / "search" / "optuna.db") as rows:
        assert rows.execute("SELECT count(*) FROM pairs WHERE a != b").fetchone() == (0,)
    rows.close()
    repository = kept / "forge" / "environment.git"
    listed = subprocess.run(["git", f"--git-dir={repository}", "rev-list", "--all"], capture_output=True, check=True)
    assert listed.stdout
