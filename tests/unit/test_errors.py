"""What a disk that takes no more is, and what a database means: one answer for all that write."""

import errno
import os
import re
import sqlite3
from pathlib import Path

import pytest

from argosy import errors


@pytest.mark.parametrize(
    ("number", "full"),
    [
        pytest.param(errno.ENOSPC, True, id="full"),
        pytest.param(errno.EDQUOT, True, id="quota"),
        pytest.param(errno.EFBIG, True, id="largest-file"),
        pytest.param(errno.EROFS, True, id="read-only"),
        pytest.param(errno.EACCES, False, id="not-allowed"),
        pytest.param(errno.EIO, False, id="broken"),
        pytest.param(None, False, id="no-number"),
    ],
)
def test_what_the_system_says(number: int | None, full: bool) -> None:
    """By its number, and in the words in which other programs pass it on."""
    assert errors.is_disk_full(OSError(number, "")) is full
    assert errors.says_disk_full(f"fatal: cannot write: {os.strerror(number or 0)}") is full


def test_what_sqlite_says(tmp_path: Path) -> None:
    """A database that has no room, and one that may not be written; nothing else."""
    path = tmp_path / "some.db"
    database = sqlite3.connect(path)
    database.execute("CREATE TABLE t (x TEXT)")
    database.execute("PRAGMA max_page_count = 2")
    with pytest.raises(sqlite3.OperationalError) as full:
        database.execute("INSERT INTO t VALUES (?)", ("x" * 100_000,))
    assert errors.says_disk_full(str(full.value))
    database.close()
    database = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    with pytest.raises(sqlite3.OperationalError) as read_only:
        database.execute("INSERT INTO t VALUES (1)")
    assert errors.says_disk_full(str(read_only.value))
    with pytest.raises(sqlite3.OperationalError) as other:
        database.execute("SELECT * FROM nothing")
    assert not errors.says_disk_full(str(other.value))
    database.close()


@pytest.mark.parametrize(
    ("cause", "kind", "says"),
    [
        pytest.param("database or disk is full", errors.LocalDisk, "cannot be written: .* Free space there", id="full"),
        pytest.param("attempt to write a readonly database", errors.LocalDisk, "cannot be written", id="read-only"),
        pytest.param(
            "file is not a database", errors.Misconfigured, "Move the file away; .* only old notes", id="strange"
        ),
        pytest.param("database disk image is malformed", errors.Misconfigured, "Move the file away", id="damaged"),
        pytest.param('FATAL: role "x" does not exist', errors.Misconfigured, "refuses: .*; mend THE_URI", id="no-role"),
        pytest.param("FATAL: password authentication failed", errors.Misconfigured, "mend THE_URI", id="password"),
        pytest.param("database is locked", errors.TryAgain, "the notes at x failed: database is locked", id="locked"),
        pytest.param("connection refused", errors.TryAgain, "failed: connection refused", id="away"),
    ],
)
def test_what_a_database_says(cause: str, kind: type[errors.ArgosyError], says: str) -> None:
    """One answer for all that keep something in one: only what may pass by itself is tried again."""
    found = errors.of_database("the notes at x", cause, forgets="old notes", setting="THE_URI")
    assert type(found) is kind
    assert re.search(says, str(found))
