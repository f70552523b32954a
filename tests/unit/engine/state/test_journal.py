"""The journal keeps what was committed, whatever happens to its writer."""

import contextlib
import errno
import os
import signal
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from argosy import errors
from argosy.argo import NodeType, Phase
from argosy.engine.nodes import Node, Outputs
from argosy.engine.state import disk, journal
from argosy.engine.state.journal import Attempt, Journal


def node(name: str, phase: Phase = Phase.RUNNING) -> Node:
    """A node with outputs."""
    return Node(name, NodeType.POD, phase, 1.0, outputs=Outputs({"x": "1"}))


def test_round_trip(tmp_path: Path) -> None:
    """Nodes in the order in which they came up, attempts, and what is known of the run."""
    book = Journal(tmp_path / "journal.sqlite")
    book.write(nodes=[node("b"), node("a")], attempts=[Attempt("b", 0, 1.0)], meta={"phase": "Running"})
    book.write(nodes=[node("b", Phase.SUCCEEDED)], attempts=[Attempt("b", 0, 1.0, 7, 8, 2.0, 0)], durable=False)
    book.close()
    again = Journal(tmp_path / "journal.sqlite")
    assert list(again.nodes().values()) == [node("b", Phase.SUCCEEDED), node("a")]
    assert again.attempts() == [Attempt("b", 0, 1.0, 7, 8, 2.0, 0)]
    assert again.meta()["phase"] == "Running"
    assert journal.read(tmp_path / "journal.sqlite")[1]["b"].phase is Phase.SUCCEEDED
    assert journal.read_attempts(tmp_path / "journal.sqlite") == again.attempts()
    again.forget(["b"])
    assert list(again.nodes()) == ["a"]
    again.close()


@pytest.mark.parametrize("durable", [True, False], ids=["durable", "not-durable"])
def test_committed_is_kept_after_kill(durable: bool, tmp_path: Path) -> None:
    """A writer killed right after a commit, and in the middle of the next one, leaves the first and nothing of the second."""
    child = os.fork()
    if child == 0:
        book = Journal(tmp_path / "journal.sqlite")
        book.write(nodes=[node("a")], durable=durable)
        book._database.execute("BEGIN IMMEDIATE")
        book._write_rows([node("b")], [], {})
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    again = Journal(tmp_path / "journal.sqlite")
    assert list(again.nodes()) == ["a"]
    again.close()


def test_other_schema(tmp_path: Path) -> None:
    """A journal of another version is refused."""
    book = Journal(tmp_path / "journal.sqlite")
    book.write(meta={"schema": "99"})
    book.close()
    with pytest.raises(errors.Misconfigured, match="has schema 99; this version of argosy reads 1"):
        Journal(tmp_path / "journal.sqlite")


@pytest.mark.parametrize(
    "failure",
    [
        pytest.param(OSError(errno.ENOSPC, "No space left on device", "/x"), id="no-space"),
        pytest.param(OSError(errno.EDQUOT, "Disk quota exceeded"), id="quota"),
        pytest.param(sqlite3.OperationalError("database or disk is full"), id="sqlite"),
    ],
)
def test_full_disk(failure: Exception) -> None:
    """A full disk is one error with one way out."""
    with (
        pytest.raises(errors.LocalDisk, match=r"cannot write it.*Free space there, then `argosy resume`"),
        disk.guarded("write it"),
    ):
        raise failure


def test_other_failures_are_not_the_disk(tmp_path: Path) -> None:
    """What is not a full disk stays what it is."""
    with pytest.raises(FileNotFoundError), disk.guarded("read it"):
        (tmp_path / "none").read_text(encoding="utf-8")


def test_write_atomically(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A write that fails leaves what was there, and nothing beside it."""
    disk.write_atomically(tmp_path / "x", "old")

    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(OSError, match="No space"):
        disk.write_atomically(tmp_path / "x", "new")
    assert [entry.name for entry in tmp_path.iterdir()] == ["x"]
    assert (tmp_path / "x").read_text(encoding="utf-8") == "old"


def test_what_must_last_is_on_the_disk(tmp_path: Path, synced: list[str]) -> None:
    """A durable write ends with its log on the disk, one that is not durable touches none; SQLite itself syncs what it folds in."""
    book = Journal(tmp_path / "journal.sqlite")
    (level,) = book._database.execute("PRAGMA synchronous").fetchone()
    assert level >= 1, "a checkpoint would not sync the log before it writes over the database"
    synced.clear()
    book.write(nodes=[node("a")], durable=False)
    assert (synced, book.fsyncs) == ([], 0)
    book.sync()
    assert (synced, book.fsyncs) == (["journal.sqlite-wal"], 1)
    book.write(nodes=[node("b")])
    assert (synced, book.fsyncs) == (["journal.sqlite-wal"] * 2, 2)
    book.close()


def test_without_a_log_each_commit_is_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file system without shared memory has no write-ahead log: SQLite syncs each commit, and nobody asks for a log that is not there."""
    connect = sqlite3.connect

    class Without(sqlite3.Connection):
        def execute(self, sql: str, *rest: Any) -> sqlite3.Cursor:
            return super().execute(sql.replace("journal_mode = WAL", "journal_mode = DELETE"), *rest)

    monkeypatch.setattr(sqlite3, "connect", lambda *given, **named: connect(*given, **named, factory=Without))
    book = Journal(tmp_path / "journal.sqlite")
    book.write(nodes=[node("a")])
    assert book._database.execute("PRAGMA synchronous").fetchone() == (3,)
    assert not (tmp_path / "journal.sqlite-wal").exists()
    assert list(book.nodes()) == ["a"]
    book.close()


def test_power_loss_leaves_whole_rounds(tmp_path: Path) -> None:
    """Whatever of the write-ahead log reached the disk: the journal opens and holds the first rounds, each of them whole."""
    rounds = 6
    book = Journal(tmp_path / "journal.sqlite")
    for number in range(rounds):
        both = [node("a"), node("b")]
        for one in both:
            one.message = str(number)
        book.write(nodes=both, durable=number % 2 == 0)
    log = (tmp_path / "journal.sqlite-wal").read_bytes()
    database = (tmp_path / "journal.sqlite").read_bytes()
    book.close()
    seen = set()
    for cut in [*range(0, len(log), 997), len(log)]:
        folder = tmp_path / str(cut)
        folder.mkdir()
        (folder / "journal.sqlite").write_bytes(database)
        (folder / "journal.sqlite-wal").write_bytes(log[:cut])
        again = Journal(folder / "journal.sqlite")
        messages = {known.message for known in again.nodes().values()}
        again.close()
        assert len(messages) <= 1, f"half a round after {cut} bytes"
        seen |= messages
    assert seen == {str(number) for number in range(rounds)}


def test_reading_a_journal_that_is_being_made(tmp_path: Path) -> None:
    """Whoever looks at a run as it starts sees nothing yet, not an error."""
    sqlite3.connect(tmp_path / "journal.sqlite").close()
    assert journal.read(tmp_path / "journal.sqlite") == ({}, {})
    assert journal.read_attempts(tmp_path / "journal.sqlite") == []


@pytest.fixture
def of_others() -> Iterator[Path]:
    """A folder that this process, which is not root's meanwhile, may read and not write, once it has no permission to write any more."""
    with tempfile.TemporaryDirectory(prefix="argosy-of-others-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)
        Path(folder).chmod(0o755)


@contextlib.contextmanager
def closed(folder: Path) -> Iterator[None]:
    """Nobody may write in *folder* in this block; root might, and is somebody else so long."""
    folder.chmod(0o555)
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_folder_that_is_closed_to_writing(of_others: Path) -> None:
    """A run in a home of somebody else, or on a medium that cannot be written, is read; a log that no engine took up is said."""
    path = of_others / "journal.sqlite"
    written = Journal(path)
    written.write(meta={"phase": "Succeeded"})
    written.close()
    with closed(of_others):
        assert journal.read(path)[0]["phase"] == "Succeeded"
    (of_others / "journal.sqlite-wal").write_bytes(b"left by an engine that was killed")
    with closed(of_others), pytest.raises(errors.Misconfigured, match="Copy the run's folder to a place that you may"):
        journal.read(path)


def test_names_that_mean_something_in_addresses(tmp_path: Path) -> None:
    """A project in a folder `c#` has its own journals, and none beside it under half the name."""
    for name in ("c#", "100%41", "what?mode=rwc"):
        (tmp_path / name).mkdir()
        written = Journal(tmp_path / name / "journal.sqlite")
        written.write(meta={"phase": name})
        assert journal.read(tmp_path / name / "journal.sqlite")[0]["phase"] == name
        written.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["100%41", "c#", "what?mode=rwc"]
