"""What Argosy says is kept is on the disk when it says so, not only with the operating system: a loss of power takes nothing of it."""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from argosy.adapters import keys
from argosy.adapters.file_artifacts import FileArtifacts
from argosy.adapters.file_objects import FileObjects
from argosy.adapters.local_forge.forge import LocalForge
from argosy.adapters.segment_log.shipper_thread import ThreadShipper
from argosy.adapters.segment_log.writer import SegmentLog
from argosy.engine.state import disk
from argosy.serving.rollback_protection import Counter
from argosy.testing.prediction_log_contract import FEATURES, SERVED, prediction
from kit.toy import TEMPLATE

OURS = str(os.getpid())


def _store(folder: Path) -> None:
    (folder / "given").mkdir()
    (folder / "given" / "model.ubj").write_bytes(b"trees")
    FileArtifacts(f"file://{folder}/store").put(folder / "given", "models/toy/1")


WRITERS = [
    pytest.param(
        lambda folder: disk.write_atomically(folder / "x", "new"), [f".x.{OURS}.partial", "FOLDER"], id="state-of-a-run"
    ),
    pytest.param(lambda folder: Counter(folder / "served").set(7), [f".served.{OURS}"], id="rollback-counter"),
    pytest.param(lambda folder: keys.ensure_secret(folder / "secret"), [f".secret.{OURS}"], id="keys"),
    pytest.param(_store, ["copy", "model.ubj", "toy"], id="model-store"),
]


@pytest.mark.parametrize(("write", "names"), WRITERS)
def test_a_file_is_on_the_disk_before_it_has_its_name(
    write: Callable[[Path], None], names: list[str], tmp_path: Path, synced: list[str]
) -> None:
    """Its content first, under another name; where others are told of it at once, its folder as well."""
    write(tmp_path)
    assert synced == [name.replace("FOLDER", tmp_path.name) for name in names]


def test_what_was_logged_is_on_the_disk_when_the_log_is_closed(tmp_path: Path, synced: list[str]) -> None:
    """The open segment, then the table that it becomes, then the folder that names it."""
    objects = FileObjects(f"file://{tmp_path}/predictions", "ARGOSY_PREDICTIONS_URI")
    log = SegmentLog(tmp_path / "spool", ThreadShipper(tmp_path / "spool", objects), SERVED, FEATURES)
    log.append([prediction(1)])
    log.close()
    segment, table, folder = synced
    assert segment.endswith(".segment")
    assert table == "content"
    assert folder.startswith("hour=")


def test_git_keeps_a_request_through_a_loss_of_power(tmp_path: Path) -> None:
    """Git by itself leaves objects and references to the operating system."""
    LocalForge(tmp_path / "environment.git", TEMPLATE)
    asked = ["git", "-C", str(tmp_path / "environment.git"), "config", "--local", "core.fsync"]
    assert subprocess.run(asked, check=True, capture_output=True, text=True).stdout == "all\n"
