"""When a model's manifest is compiled anew before it runs."""

import re
import shutil
from pathlib import Path

import pytest

from argosy import errors
from argosy.cli import manifests
from argosy.templates import folder

MODEL = next(iter(sorted((Path(__file__).parents[3] / "workflows").glob("*/pipeline.py")))).parent


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A committed model, in a project of its own."""
    return Path(shutil.copytree(MODEL, tmp_path / "workflows" / MODEL.name))


def test_what_is_up_to_date_is_left_alone(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Also where somebody changed it by hand: what is committed is what runs."""
    manifest = model / folder.MANIFEST
    manifest.write_text(manifest.read_text(encoding="utf-8") + "# by hand\n", encoding="utf-8")
    assert manifests.fresh(model) == manifest
    assert manifest.read_text(encoding="utf-8").endswith("# by hand\n")
    assert capsys.readouterr().err == ""


def test_a_changed_setting_is_what_runs(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody edits model.yaml, runs, and gets the old settings."""
    settings = model / "model.yaml"
    changed, count = re.subn(r"(?m)^  trials: \d+", "  trials: 20", settings.read_text(encoding="utf-8"))
    assert count == 1
    settings.write_text(changed, encoding="utf-8")
    assert "trials: 20" in manifests.fresh(model).read_text(encoding="utf-8")
    assert "not up to date with its folder: compiled" in capsys.readouterr().err
    assert folder.is_fresh(model)
    assert not list(model.glob(".*"))


def test_a_manifest_that_is_not_there_is_compiled(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A new folder needs no second command."""
    (model / folder.MANIFEST).unlink()
    assert manifests.fresh(model).exists()
    assert "was not there: compiled" in capsys.readouterr().err


def test_a_setting_that_is_wrong_is_told_before_anything_runs(model: Path) -> None:
    """And the manifest that was there stays."""
    before = (model / folder.MANIFEST).read_bytes()
    settings = model / "model.yaml"
    settings.write_text(settings.read_text(encoding="utf-8").replace("  trials:", "  trails:"), encoding="utf-8")
    with pytest.raises(errors.Misconfigured, match=r"model\.yaml:\d+.*did you mean 'trials'"):
        manifests.fresh(model)
    assert (model / folder.MANIFEST).read_bytes() == before
