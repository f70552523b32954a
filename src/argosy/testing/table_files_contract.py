"""The contract suite of files of rows (the port ``table_files``)."""

import pickle
from pathlib import Path

import pytest

from argosy import errors
from argosy.ports.table_files import TableFiles


def write(files: TableFiles, name: str, content: bytes, over: str | None = None) -> bool:
    """Whether *content* was kept as *name*."""
    with files.draft(name) as draft:
        draft.write_bytes(content)
        return files.keep(name, draft, over)


class TableFilesContract:
    """Inherit, and provide a fixture ``files``: a root without any."""

    def test_what_was_kept_comes_back(self, files: TableFiles) -> None:
        """From any place, under names that people give."""
        name = "date=2026-01-31/our customers.parquet"
        assert write(files, name, bytes(range(256)) * 4)
        with files.open(name, files.version(name)) as stream:
            stream.seek(-16, 2)
            assert stream.read() == bytes(range(240, 256))
            stream.seek(250)
            assert stream.read(10) == bytes([250, 251, 252, 253, 254, 255, 0, 1, 2, 3])
            assert stream.tell() == 260
        assert files.names() == [name]
        assert files.below("date=2026-01-31").names() == ["our customers.parquet"]
        assert files.get(name) == bytes(range(256)) * 4

    def test_a_file_takes_the_place_of_the_one_it_was_meant_for(self, files: TableFiles) -> None:
        """And of no other: who wrote meanwhile is not written over."""
        assert write(files, "a", b"first")
        first = files.version("a")
        assert not write(files, "a", b"new, too")
        assert files.get("a") == b"first"
        assert write(files, "a", b"second", over=first)
        assert not write(files, "a", b"of one that looked before", over=first)
        assert files.get("a") == b"second"
        files.remove("a")
        assert not write(files, "a", b"of what is gone", over=first)
        assert files.version("a") is None

    def test_a_file_that_changes_is_noticed(self, files: TableFiles) -> None:
        """Before it is read, by its version; for years, by its fingerprint."""
        files.put("a", b"one")
        version, fingerprint = files.version("a"), files.fingerprint("a")
        files.put("a", b"two and more")
        assert files.version("a") != version
        assert files.fingerprint("a") != fingerprint
        with pytest.raises(errors.TryAgain, match="changed since"):
            files.open("a", version)
        files.put("a", b"one")
        assert files.fingerprint("a") == fingerprint

    def test_nothing_there(self, files: TableFiles) -> None:
        """Nothing is an answer, except of a whole root."""
        assert files.get("a") is None
        assert files.version("a/b") is None
        files.remove("a")
        with pytest.raises(errors.Misconfigured, match="there is no such"):
            files.below("nowhere").names()

    def test_another_process_has_them_too(self, files: TableFiles) -> None:
        """As it was sent there."""
        files.put("a", b"x")
        sent: TableFiles = pickle.loads(pickle.dumps(files))  # noqa: S301 - made here
        assert (sent.names(), sent.uri) == (["a"], files.uri)

    def test_a_draft_is_nobody_elses_business(self, files: TableFiles) -> None:
        """What was not kept is gone."""
        with files.draft("folder/a") as draft:
            draft.write_bytes(b"x")
        assert not Path(draft).exists()
        assert files.get("folder/a") is None
