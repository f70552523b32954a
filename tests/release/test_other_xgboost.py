"""A model that one XGBoost saved and another would serve: the gate that no policy can leave out fails, and says why.

XGBoost itself says nothing: the older one reads the newer one's file, and answers otherwise.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from argosy.adapters.child_server import ChildServer
from argosy.domain import bundle, gates
from argosy.domain.bundle import Signature
from argosy.domain.model_settings import Task
from kit import serving_kit

OTHER = "2.1.4"
WHOLE = "ARGOSY_OTHER_XGBOOST"


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the other XGBoost."""
    folder = tmp_path_factory.mktemp("other-xgboost")
    wanted = f"xgboost-cpu=={OTHER}"
    install = [
        str(Path(sys.executable).with_name("uv")),
        "pip",
        "install",
        "--quiet",
        "--python",
        sys.executable,
        "--no-deps",
    ]
    subprocess.run([*install, "--target", str(folder), wanted], check=True, timeout=300)
    return folder


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
@pytest.mark.skipif(WHOLE not in os.environ, reason=f"installs another XGBoost (14 MB) and serves with it; {WHOLE}=1")
def test_another_xgboost_fails_parity(task: Task, other: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its version, which the signature names; and where that were forged, by its answers to the golden rows."""
    folder = tmp_path / "bundle"
    digest = serving_kit.write_bundle(folder, task)
    assert gates.parity(ChildServer().replay(folder, digest).difference).passed
    monkeypatch.setenv("PYTHONPATH", str(other))
    by_version = gates.parity(ChildServer().replay(folder, digest).difference)
    assert (by_version.passed, f"here is {OTHER}: its predictions could silently differ" in by_version.reason) == (
        False,
        True,
    )
    signature = Signature.read(folder / bundle.SIGNATURE)
    signature.model_copy(update={"xgboost": OTHER}).write(folder / bundle.SIGNATURE)
    by_answer = gates.parity(ChildServer().replay(folder, bundle.digest(folder)).difference)
    assert not by_answer.passed
    assert "the model answers otherwise here than where it was trained (golden row 0" in by_answer.reason


def test_a_bundle_that_the_server_refuses_is_an_answer(tmp_path: Path) -> None:
    """No retry mends it: the gate fails, with the server's words; no time is measured."""
    folder = tmp_path / "bundle"
    serving_kit.write_bundle(folder)
    signature = Signature.read(folder / bundle.SIGNATURE)
    signature.model_copy(update={"xgboost": OTHER}).write(folder / bundle.SIGNATURE)
    replayed = ChildServer().replay(folder, bundle.digest(folder))
    assert (replayed.p50_ms, replayed.p99_ms) == (None, None)
    assert replayed.difference
    assert replayed.difference.startswith("the server does not serve it: the model in ")
    assert f"was fitted by XGBoost {OTHER}, here is " in replayed.difference
