"""What an init container copies out of the model store."""

from pathlib import Path

import pytest

from argosy import errors
from argosy.adapters.file_artifacts import FileArtifacts
from argosy.serving import fetch


def test_each_address_goes_to_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bundle, and the online store that belongs to it."""
    monkeypatch.setenv("ARGOSY_STORE_URI", f"file://{tmp_path}/store")
    store = FileArtifacts(f"file://{tmp_path}/store")
    words = []
    for name in ("bundle", "online"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(name, encoding="utf-8")
        words += [store.put(tmp_path / name, name), str(tmp_path / "mnt" / name)]
    fetch.run(words)
    assert (tmp_path / "mnt" / "bundle" / "file").read_text(encoding="utf-8") == "bundle"
    assert (tmp_path / "mnt" / "online" / "file").read_text(encoding="utf-8") == "online"


def test_an_address_without_a_folder() -> None:
    """Said before anything is fetched."""
    with pytest.raises(errors.UsageError, match="no folder beside it"):
        fetch.run(["file:///a", "/b", "file:///c"])
