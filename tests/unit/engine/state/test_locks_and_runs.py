"""Locks exclude, and go with their holder; runs are found by the beginning of their names."""

import fcntl
import os
import threading
from pathlib import Path

import pytest

from argosy import errors
from argosy.argo import NodeType, Phase
from argosy.engine.nodes import Node, Outputs
from argosy.engine.state import runs
from argosy.engine.state.locks import FileLock, Mutexes
from argosy.engine.state.object_store import ObjectStore


def test_lock_excludes(tmp_path: Path) -> None:
    """One holder at a time."""
    first, second = FileLock(tmp_path / "lock"), FileLock(tmp_path / "lock")
    assert first.try_acquire()
    assert not second.try_acquire()
    first.release()
    assert second.try_acquire()
    second.release()


def test_who_only_looks_keeps_nobody_out(tmp_path: Path) -> None:
    """An engine begins while somebody lists the runs: it is not told that another engine is there."""
    path = tmp_path / "lock"
    lock = FileLock(path)
    assert not lock.is_held()
    path.touch()
    looks = threading.Barrier(2)
    done = threading.Event()

    def look() -> None:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH)
            looks.wait()
            done.wait(0.2)

    looking = threading.Thread(target=look)
    looking.start()
    looks.wait()
    assert not FileLock(path).is_held()
    assert lock.try_acquire()
    assert FileLock(path).is_held()
    assert not FileLock(path).try_acquire()
    looking.join()
    lock.release()
    assert not FileLock(path).is_held()


def test_all_mutexes_or_none(tmp_path: Path) -> None:
    """Who does not get all of its mutexes holds none."""
    mutexes = Mutexes(tmp_path)
    assert mutexes.try_acquire("one", {"b": 1})
    assert not mutexes.try_acquire("two", {"a": 1, "b": 1})
    assert mutexes.try_acquire("three", {"a": 1})
    mutexes.release("one")
    mutexes.release("three")
    assert mutexes.try_acquire("two", {"a": 1, "b": 1})
    mutexes.release("two")


def test_ids_sort_and_are_safe(tmp_path: Path) -> None:
    """An id begins with the name, without what a file system minds."""
    run = runs.new_id("my/model: a-")
    assert run.startswith("my-model-a-")
    assert runs.create(tmp_path, run).path == tmp_path / "runs" / run


def test_find(tmp_path: Path) -> None:
    """The newest by default; a beginning will do where it is unique."""
    names = ["b-261101-000000-aaaa", "a-261102-000000-aaaa", "a-261101-000000-aaaa"]
    for name in names:
        runs.create(tmp_path, name)
    assert runs.find(tmp_path, None).run == "a-261102-000000-aaaa"
    assert runs.find(tmp_path, "b-").run == names[0]
    with pytest.raises(errors.UsageError, match="2 runs begin with 'a-'"):
        runs.find(tmp_path, "a-")
    with pytest.raises(errors.UsageError, match="there is no run 'c'"):
        runs.find(tmp_path, "c")


def test_the_newest_of_one_second(tmp_path: Path) -> None:
    """Two runs of one second are told apart by their manifests, not by what is random in their names."""
    names = ["a-261101-000000-ffff", "a-261101-000000-0000"]
    for moment, name in enumerate(names):
        folder = runs.create(tmp_path, name)
        folder.write_manifest({})
        os.utime(folder.path / runs.MANIFEST, (moment, moment))
    assert [folder.run for folder in runs.newest_first(tmp_path)] == names[::-1]


def test_no_runs(tmp_path: Path) -> None:
    """An empty home has no newest run."""
    with pytest.raises(errors.UsageError, match="no run under"):
        runs.find(tmp_path, None)


def test_never_started(tmp_path: Path) -> None:
    """A folder without a manifest is a run that never began."""
    with pytest.raises(errors.Misconfigured, match="never started"):
        runs.create(tmp_path, "x").manifest()


def test_artifact(tmp_path: Path) -> None:
    """An artifact of a node is found in the store."""
    (tmp_path / "x").write_text("x", encoding="utf-8")
    digest = ObjectStore(tmp_path / "objects").take(tmp_path / "x")
    node = Node(
        "wf",
        NodeType.POD,
        Phase.SUCCEEDED,
        0.0,
        outputs=Outputs(artifacts={"f": {"name": "f", "stored": {"digest": digest}}}),
    )
    found = runs.artifact(tmp_path, node, "f")
    assert found is not None
    assert found.read_text(encoding="utf-8") == "x"
    assert runs.artifact(tmp_path, node, "g") is None
