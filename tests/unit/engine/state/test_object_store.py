"""Artifacts are kept by their content: whole or not at all, unchanged, and checked whenever one is handed out."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from argosy import errors
from argosy.engine.state import object_store
from argosy.engine.state.object_store import ObjectStore


@pytest.fixture
def store(tmp_path: Path) -> ObjectStore:
    """An empty store."""
    return ObjectStore(tmp_path / "objects")


def folder(path: Path) -> Path:
    """A folder with a file, a program, a link and an empty folder."""
    (path / "sub" / "empty").mkdir(parents=True)
    (path / "a").write_text("a", encoding="utf-8")
    (path / "sub" / "run").write_text("#!/bin/sh", encoding="utf-8")
    (path / "sub" / "run").chmod(0o755)
    (path / "sub" / "link").symlink_to("../a")
    return path


def test_file_there_and_back(store: ObjectStore, tmp_path: Path) -> None:
    """A file goes in under the digest of its bytes and comes out as a copy that may be written."""
    source = tmp_path / "x"
    source.write_bytes(b"abc")
    digest = store.take(source)
    assert digest == "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert not source.exists()
    store.deliver(digest, tmp_path / "deep" / "copy")
    (tmp_path / "deep" / "copy").write_bytes(b"changed")
    assert store.path(digest).read_bytes() == b"abc"


def test_folder_there_and_back(store: ObjectStore, tmp_path: Path) -> None:
    """A folder comes out as it went in: modes, links and empty folders too."""
    digest = store.take(folder(tmp_path / "x"))
    store.deliver(digest, tmp_path / "copy")
    assert object_store.digest_of(tmp_path / "copy") == digest
    assert (tmp_path / "copy" / "sub" / "link").readlink() == Path("../a")
    assert os.access(tmp_path / "copy" / "sub" / "run", os.X_OK)


def test_same_content_is_kept_once(store: ObjectStore, tmp_path: Path) -> None:
    """Two folders with the same content are one object, whatever they were called."""
    assert store.take(folder(tmp_path / "x")) == store.take(folder(tmp_path / "y"))


def _rename(path: Path) -> None:
    (path / "a").rename(path / "b")


def _edit(path: Path) -> None:
    (path / "a").write_text("b", encoding="utf-8")


def _turn_off(path: Path) -> None:
    (path / "sub" / "run").chmod(0o644)


def _relink(path: Path) -> None:
    (path / "sub" / "link").unlink()
    (path / "sub" / "link").symlink_to("../b")


def _remove(path: Path) -> None:
    (path / "sub" / "empty").rmdir()


@pytest.mark.parametrize(
    "change", [_rename, _edit, _turn_off, _relink, _remove], ids=lambda change: change.__name__.strip("_")
)
def test_any_change_changes_the_digest(change: Callable[[Path], None], tmp_path: Path) -> None:
    """Names, bytes, the right to run, links and empty folders all count."""
    before = object_store.digest_of(folder(tmp_path / "x"))
    change(tmp_path / "x")
    assert object_store.digest_of(tmp_path / "x") != before


def test_damaged_object(store: ObjectStore, tmp_path: Path) -> None:
    """An object whose bytes changed is not handed out."""
    (tmp_path / "x").write_bytes(b"abc")
    digest = store.take(tmp_path / "x")
    store.path(digest).chmod(0o644)
    store.path(digest).write_bytes(b"abd")
    with pytest.raises(errors.Misconfigured, match=r"is damaged.*--no-cache"):
        store.deliver(digest, tmp_path / "copy")


@pytest.mark.parametrize("inside", ["none", "../x", "sub/../../x"], ids=["missing", "above", "around"])
def test_sub_paths_stay_inside(inside: str, store: ObjectStore, tmp_path: Path) -> None:
    """A part of a folder is a part of that folder."""
    digest = store.take(folder(tmp_path / "x"))
    with pytest.raises(FileNotFoundError, match="in the artifact"):
        store.deliver(digest, tmp_path / "copy", inside)
    store.deliver(digest, tmp_path / "part", "sub/run")
    assert (tmp_path / "part").read_text(encoding="utf-8") == "#!/bin/sh"
