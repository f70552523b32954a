"""Every model store holds the contract; what only a folder of this machine can do is below."""

import multiprocessing
from multiprocessing.synchronize import Barrier
from pathlib import Path

import pytest

from argosy import errors
from argosy.adapters.file_artifacts import FileArtifacts
from argosy.testing.artifacts_contract import ArtifactsContract, make_folder


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """The root of a file store; its name needs quoting in a URI."""
    return tmp_path / "the store"


class TestFileArtifacts(ArtifactsContract):
    """A folder of this machine."""

    @pytest.fixture
    def artifacts(self, store: Path) -> FileArtifacts:
        """A store that does not exist yet."""
        return FileArtifacts(f"file://{store}")


def test_only_its_own_uris(store: Path, tmp_path: Path) -> None:
    """A version file that names a folder elsewhere on the machine gets nothing."""
    outside = make_folder(tmp_path / "outside", secret="s")
    for uri in (f"file://{outside}", f"file://{store}/../outside"):
        with pytest.raises(errors.Misconfigured, match="not in the model store"):
            FileArtifacts(f"file://{store}").get(uri, tmp_path / "back")


@pytest.mark.parametrize("uri", ["s3://bucket/x", "file://host/x", "relative", ""])
def test_other_places_are_refused(uri: str) -> None:
    """What is not a folder of this machine is said at once."""
    with pytest.raises(errors.Misconfigured, match="file:///absolute/path"):
        FileArtifacts(uri)


def test_nothing_half_written_is_left(store: Path, tmp_path: Path) -> None:
    """Scratch copies are removed on both sides."""
    artifacts = FileArtifacts(f"file://{store}")
    artifacts.get(artifacts.put(make_folder(tmp_path / "a", model="m"), "models/m/aa"), tmp_path / "x" / "back")
    assert list((store / ".incoming").iterdir()) == []
    assert [path.name for path in (tmp_path / "x").iterdir()] == ["back"]


def _put(root: Path, folder: Path, barrier: Barrier, rounds: int) -> None:
    artifacts = FileArtifacts(f"file://{root}")
    for number in range(rounds):
        barrier.wait()
        artifacts.put(folder, f"models/m/{number}")


def test_two_processes_at_once(store: Path, tmp_path: Path) -> None:
    """Two processes that put the same folder at the same moment both succeed."""
    folder = make_folder(tmp_path / "a", model="m" * 100_000, sub__part="p")
    context = multiprocessing.get_context("fork")
    barrier = context.Barrier(2, timeout=30)
    processes = [context.Process(target=_put, args=(store, folder, barrier, 50)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0]
    assert len(list((store / "models" / "m").iterdir())) == 50
