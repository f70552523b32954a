"""The command as a person gets it wrong: one line that says what to do, an exit code, and never a traceback."""

import argparse
import errno
import importlib
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import NoReturn

import pytest

from argosy import errors, extras
from argosy.cli import main

Failing = Callable[[OSError], None]


@pytest.fixture
def failing(monkeypatch: pytest.MonkeyPatch) -> Failing:
    """Lets every verb fail with an error of the operating system."""

    def fail_with(error: OSError) -> None:
        def run(_: object) -> int:
            raise error

        verb = SimpleNamespace(__doc__="", add_arguments=lambda _: None, run=run)
        monkeypatch.setattr(importlib, "import_module", lambda _: verb)

    return fail_with


@pytest.mark.parametrize("words", [("setup",), ("pr", "list"), ("serve", "toy"), ("drift", "toy")], ids="-".join)
def test_a_state_folder_that_cannot_be_made(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Where ARGOSY_HOME leads through a file, every verb names the place and the setting, and ends 78."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    home = tmp_path / "file" / "home"
    monkeypatch.setenv("ARGOSY_HOME", str(home))
    assert main.run(words) == 78
    said = capsys.readouterr().err
    assert said.startswith(f"error: the state folder {home} cannot be used: Not a directory at {home}")
    assert said.endswith("Set ARGOSY_HOME to a folder that you may write\n")
    assert said.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(
            ["access", "key", "shop", "--file", "none/access.yaml"],
            "none/access.yaml cannot be used: No such file or directory at none/.access.yaml.new; "
            "make the folder none, or pass another path",
            id="a-draft-in-no-folder",
        ),
        pytest.param(
            ["access", "key", "shop", "--file", "folder"],
            "folder cannot be used: Is a directory; pass another path",
            id="a-folder-for-a-file",
        ),
    ],
)
def test_a_path_that_cannot_be_used(
    words: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line with the path of the command line, whichever verb it was given to."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ARGOSY_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    (tmp_path / "folder").mkdir()
    assert main.run(words) == errors.UsageError.exit_code
    assert capsys.readouterr().err == f"error: {said}\n"


@pytest.mark.parametrize(
    ("given", "refused", "of_it"),
    [
        pytest.param("out", "out/version=1", True, id="in-it"),
        pytest.param("a/b/out", "a", True, id="above-it"),
        pytest.param("a/rules.yaml", "a/.rules.yaml.new", True, id="its-draft"),
        pytest.param("a/rules.yaml", "a/other.yaml", False, id="beside-it"),
        pytest.param("out", "elsewhere/file", False, id="elsewhere"),
    ],
)
def test_a_bug_of_ours_stays_one(given: str, refused: str, of_it: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only an error of a path that was given is the user's to mend."""

    def add_arguments(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("path", type=Path)

    def run(_: object) -> int:
        raise FileNotFoundError(errno.ENOENT, "No such file or directory", refused)

    verb = SimpleNamespace(__doc__="", add_arguments=add_arguments, run=run)
    monkeypatch.setattr(importlib, "import_module", lambda _: verb)
    if of_it:
        assert main.run(["runs", given]) == errors.UsageError.exit_code
    else:
        with pytest.raises(FileNotFoundError):
            main.run(["runs", given])


def test_one_port_for_http_and_grpc(capsys: pytest.CaptureFixture[str]) -> None:
    """Said as what it is: nobody else listens there, though the second could not."""
    assert main.run(["serve", "toy", "--port", "8099", "--grpc-port", "8099"]) == errors.UsageError.exit_code
    said = capsys.readouterr().err
    assert said == "error: --port and --grpc-port are both 8099; gRPC needs a port of its own, pass another\n"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        pytest.param(["pr", "list"], 78, "there is no state folder at HOME yet", id="requests"),
        pytest.param(["pr", "merge", "1"], 78, "there is no state folder at HOME yet", id="merge"),
        pytest.param(["runs"], 0, "no runs yet", id="runs"),
        pytest.param(["retrain", "--list"], 0, "nothing has asked for a retraining yet", id="retrainings"),
        pytest.param(["keys", "list"], 78, "`argosy setup` makes keys", id="keys"),
        pytest.param(["notices", "list"], 0, "every notice was taken", id="notices"),
        pytest.param(["data", "list"], 0, "no snapshot yet", id="snapshots"),
        pytest.param(["why"], 2, "no run under HOME/runs yet", id="why"),
        pytest.param(["diff", "toy/latest", "toy/latest"], 2, "there is no run of 'toy' under HOME/runs", id="diff"),
        pytest.param(["predict", "toy/latest", __file__], 2, "rows come as .csv", id="predict"),
    ],
)
def test_who_only_looks_makes_no_state_folder(
    words: list[str],
    code: int,
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A slip in ARGOSY_HOME stays a slip."""
    home = tmp_path / "mistyped" / "home"
    monkeypatch.setenv("ARGOSY_HOME", str(home))
    assert main.run(words) == code
    told = capsys.readouterr()
    assert said.replace("HOME", str(home)) in told.out + told.err
    assert not home.parent.exists()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="no /proc here")
@pytest.mark.parametrize("words", [["pr", "list"], ["setup"]], ids=" ".join)
@pytest.mark.parametrize("home", ["/proc", "/proc/1"])
def test_a_file_system_in_which_nothing_can_be_made(
    words: list[str], home: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It says that the new folder is not there, which is no help."""
    monkeypatch.setenv("ARGOSY_HOME", home)
    assert main.run(words) == 78
    said = capsys.readouterr().err
    assert said.startswith(f"error: the state folder {home} cannot be used: ")
    assert said.count("\n") == 1


@pytest.mark.parametrize("allowed", [8, 12, 63])
@pytest.mark.parametrize("words", [["runs"], ["pr", "list"], ["run", "-f", "hello.yaml"]], ids=" ".join)
def test_too_few_files_may_be_open(allowed: int, words: list[str], tmp_path: Path) -> None:
    """Said before anything begins, which would break off in the middle."""
    limited = f"ulimit -n {allowed} && exec {shlex.join([sys.executable, '-m', 'argosy.cli.main', *words])}"
    surroundings = {**os.environ, "ARGOSY_HOME": str(tmp_path)}
    done = subprocess.run(
        ["sh", "-c", limited], capture_output=True, text=True, check=False, env=surroundings, timeout=120
    )
    assert (done.returncode, done.stderr) == (
        78,
        f"error: a process may open {allowed} files here (ulimit -n), and Argosy needs 64 at least; `ulimit -n 1024` raises it\n",
    )


def test_files_that_ran_out_on_the_way(failing: Failing, capsys: pytest.CaptureFixture[str]) -> None:
    """Many steps at once can reach any limit."""
    failing(OSError(errno.EMFILE, "Too many open files"))
    assert main.run(["setup"]) == 78
    assert "is the limit (ulimit -n); raise it" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("number", "code"),
    [
        pytest.param(errno.ENOSPC, 74, id="full"),
        pytest.param(errno.EROFS, 74, id="read-only-disk"),
        pytest.param(errno.EACCES, 78, id="not-ours"),
    ],
)
def test_a_disk_that_refuses(
    failing: Failing,
    number: int,
    code: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What the machine or the user has to mend is no traceback: the file is named, and the exit code says whose turn it is."""
    monkeypatch.setenv("ARGOSY_HOME", str(tmp_path))
    failing(OSError(number, "refused", str(tmp_path / "forge" / "lock")))
    assert main.run(["setup"]) == code
    said = capsys.readouterr().err
    assert f"{tmp_path}/forge/lock" in said
    assert "ARGOSY_HOME" in said


@pytest.mark.parametrize("part", ["keys", "forge"])
def test_what_stands_in_the_place_of_a_folder(
    part: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A link to a disk that is not there today, where a folder of the home belongs, is named."""
    (tmp_path / part).symlink_to(tmp_path / "unplugged" / part)
    monkeypatch.setenv("ARGOSY_HOME", str(tmp_path))
    assert main.run(["setup"]) == 78
    assert f"cannot be used: File exists at {tmp_path / part}" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["c#", "100%", "what?", "two\nlines"])
def test_a_state_folder_that_no_address_can_name(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Registry, journals and stores are reached by address: refused before anything is made beside it under half its name."""
    monkeypatch.setenv("ARGOSY_HOME", str(tmp_path / name))
    assert main.run(["setup"]) == 78
    assert re.search("give .* another meaning; name a folder without it", capsys.readouterr().err)
    assert not list(tmp_path.iterdir())


def test_a_home_whose_folders_nobody_may_make(
    failing: Failing, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As of an account without a home of its own: the folder above is what could not be made."""
    monkeypatch.setenv("ARGOSY_HOME", "/nonexistent/.local/share/argosy")
    failing(PermissionError(errno.EACCES, "Permission denied", "/nonexistent"))
    assert main.run(["setup"]) == 78
    assert "cannot be used: Permission denied at /nonexistent. Set ARGOSY_HOME" in capsys.readouterr().err


@pytest.mark.parametrize("words", [("run", "x" * 5000), ("lint", "x" * 5000), ("compile", "x" * 5000), ("runs",)])
def test_a_name_that_no_file_can_have(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One short line, whoever gave the name."""
    if words == ("runs",):
        monkeypatch.setenv("ARGOSY_HOME", "x" * 5000)
    assert main.run(words) == 2
    said = capsys.readouterr().err
    assert "is too long to be the name of a file or folder" in said
    assert len(said) < 120


def test_a_library_of_an_extra_that_is_not_installed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line with the extra that brings it; a module of ours that is missing, or one that no extra brings, is a bug."""
    monkeypatch.setattr(importlib, "import_module", lambda _name: _fails("starlette.routing"))
    assert main.run(["serve", "toy"]) == errors.Misconfigured.exit_code
    assert capsys.readouterr().err == (
        f"error: this needs the library starlette, which is not installed: {extras.advice('serve')}\n"
    )
    for module in ("argosy.gone", "yaml", "nobody_knows"):
        monkeypatch.setattr(importlib, "import_module", lambda _name, module=module: _fails(module))
        with pytest.raises(ModuleNotFoundError):
            main.run(["serve", "toy"])


def _fails(module: str) -> NoReturn:
    raise ModuleNotFoundError(f"No module named {module!r}", name=module)


@pytest.mark.parametrize("place", ["home/missing", "elsewhere"])
def test_a_bug_keeps_its_traceback(
    failing: Failing, place: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that should be there and is not, in a state folder that is there or outside it, is nobody's setting."""
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("ARGOSY_HOME", str(tmp_path / "home"))
    failing(FileNotFoundError(errno.ENOENT, "gone", str(tmp_path / place)))
    with pytest.raises(FileNotFoundError):
        main.run(["setup"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(("serve", "toy", "--port", "99999"), "'99999' is no port; expected a number from 0 to", id="port"),
        pytest.param(("serve", "toy", "--port", "http"), "'http' is no port", id="port-by-name"),
        pytest.param(("drift", "toy", "--minimum", "-5"), "'-5' is no number of rows from 2 on", id="minimum"),
        pytest.param(("drift", "toy", "--since", "yesterday"), "neither a time .* nor an age", id="since"),
        pytest.param(("pr", "view", "first"), "'first' is no request's number; `argosy pr list`", id="request"),
        pytest.param(("pr", "view", "\N{SUPERSCRIPT TWO}"), "is no request's number", id="no-digit"),
    ],
)
def test_values_that_are_none(words: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The argument and what it takes are named; nothing is opened or changed before."""
    with pytest.raises(SystemExit) as ended:
        main.run(words)
    assert ended.value.code == 2
    assert re.search(message, capsys.readouterr().err)


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("online", "list", "nosuch"), id="online"),
        pytest.param(("pr", "view", "1", "--json"), id="option"),
        pytest.param(("env", "check", ".", "nosuch"), id="after-an-optional-one"),
        pytest.param(("platform", "upgrade", "nosuch"), id="platform"),
    ],
)
def test_one_word_too_many(words: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    """The usage shown is that of the action which cannot take the word."""
    with pytest.raises(SystemExit) as ended:
        main.run(words)
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert f"usage: argosy {words[0]} {words[1]} " in said
    assert f"argosy {words[0]} {words[1]}: error: unrecognized arguments: {words[-1]}" in said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(("srve", "toy"), "invalid choice: 'srve'; did you mean 'serve'?", id="verb"),
        pytest.param(("pr", "vew", "1"), "invalid choice: 'vew'; did you mean 'view'?", id="action"),
        pytest.param(("pr", "reject", "1"), "'reject'; did you mean 'close'?", id="other-word"),
        pytest.param(("frobnicate",), "invalid choice: 'frobnicate'. There are: init, demo, ", id="nothing-like-it"),
        pytest.param(("pr", "merge", "1", "--overide", "x"), "--overide x; did you mean '--override'?", id="option"),
        pytest.param(("serve", "toy", "--prot=8"), "--prot=8; did you mean '--port'?", id="option-with-value"),
    ],
)
def test_what_was_probably_meant(words: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A slip is answered with the word that is like it, or that other tools have for it."""
    with pytest.raises(SystemExit) as ended:
        main.run(words)
    assert ended.value.code == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        pytest.param(("serve", "../toy"), "'../toy' cannot be the name of a model", id="path-as-a-model"),
        pytest.param(("serve", "toy", "--env", "prod"), "environments: staging, production", id="environment"),
        pytest.param(("drift", "toy", "--since", "1h", "--until", "2h"), "is not before --until", id="times-swapped"),
        pytest.param(("report", "nosuch"), "`argosy runs` lists them", id="run"),
    ],
)
def test_what_does_not_exist(words: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """One line, exit code 2."""
    assert main.run(words) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.count("\n") == 1
