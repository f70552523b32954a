"""All of a state folder is lost but the environment repo, the model store and the keys: serving goes on, and so do promotions."""

import datetime
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from argosy import errors, wiring
from argosy.adapters.memory_registry import MemoryRegistry
from argosy.cli import main
from argosy.promotion import approval
from argosy.settings import Settings
from kit.offered import offer
from kit.toy import make_toy


@pytest.fixture
def elsewhere(here: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings with the environment repo, the store and the keys outside the state folder, as on a cluster."""
    (tmp_path / "secret").mkdir()
    for name in ("signing.pem", "signing.pub.pem", "ids.key"):
        if (here.home / "keys" / name).exists():
            shutil.copy2(here.home / "keys" / name, tmp_path / "secret" / name)
    given: Mapping[str, str] = {
        "ARGOSY_HOME": str(here.home),
        "ARGOSY_DATA_ROOT": str(here.data_root),
        "ARGOSY_FORGE_URI": f"local:{tmp_path}/git/environment.git",
        "ARGOSY_STORE_URI": f"file://{tmp_path}/bucket",
        "ARGOSY_SIGNING_KEY_FILE": str(tmp_path / "secret" / "signing.pem"),
        "ARGOSY_VERIFYING_KEY_FILE": str(tmp_path / "secret" / "signing.pub.pem"),
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    found = Settings.from_environment()
    wiring.forge(found, make=True)
    return found


def _registry(monkeypatch: pytest.MonkeyPatch) -> MemoryRegistry:
    registry = MemoryRegistry(datetime.datetime.now(datetime.UTC))
    monkeypatch.setattr(wiring, "registry", lambda _settings: registry)
    return registry


def _promoted(toy: Any, here: Settings, registry: MemoryRegistry, first: int) -> None:
    offer(toy, here, registry)
    for number in (first, first + 1):
        assert main.run(["pr", "merge", str(number), "--as", "ada"]) == 0


@pytest.mark.parametrize("rebuilt", [True, False])
def test_all_but_git_and_bucket_is_lost(
    elsewhere: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    rebuilt: bool,
) -> None:
    """What was approved is found and proven; the next version gets the next number, and without that it is refused as older."""
    registry = _registry(monkeypatch)
    for number, name in enumerate(("one", "two")):
        _promoted(make_toy(tmp_path / name, name), elsewhere, registry, 2 * number + 1)
    before = approval.find(wiring.forge(elsewhere), "toy", "production")
    shutil.rmtree(elsewhere.home)

    registry = _registry(monkeypatch)
    assert approval.find(wiring.forge(elsewhere), "toy", "production") == before
    approval.fetch_proven_bundle(wiring.artifacts(elsewhere), before.version, tmp_path / "served")
    if rebuilt:
        capsys.readouterr()
        assert main.run(["pr", "sync-registry", "--rebuild"]) == 0
        assert capsys.readouterr().out.splitlines() == [
            "registry: toy: knows again of version 1, 2",
            "registry: toy: champion is version 2",
        ]
        _promoted(make_toy(tmp_path / "three", "three"), elsewhere, registry, 5)
        assert approval.find(wiring.forge(elsewhere), "toy", "production").version.version == 3
        assert main.run(["pr", "sync-registry", "--rebuild"]) == 0
        assert "lacks no version of main's" in capsys.readouterr().out
    else:
        offer(make_toy(tmp_path / "three", "three"), elsewhere, registry)
        assert main.run(["pr", "merge", "5", "--as", "ada"]) == errors.Rejected.exit_code
        assert "newer: version 1, production has 2" in capsys.readouterr().err
