"""What the tests of the engine share: running a manifest in a home of its own."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from argosy.engine import api
from argosy.engine.options import Place, RunOptions, RunResult

Run = Callable[..., RunResult]


@pytest.fixture(autouse=True)
def allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps tell a test what they do through files of its folder, as a user's steps may who allows it."""
    monkeypatch.setenv("ARGOSY_ALLOW", f"{tmp_path}:rw")


@pytest.fixture
def options(tmp_path: Path) -> Callable[..., RunOptions]:
    """Options with a home of the test's own, every image run as a process."""

    def make(**given: Any) -> RunOptions:
        defaults: dict[str, Any] = {
            "home": tmp_path / "home",
            "parallelism": 4,
            "process_images": ("*",),
            "working_folder": tmp_path,
            "allowed": (Place(tmp_path, writable=True),),
        }
        return RunOptions(**{**defaults, **given})

    return make


@pytest.fixture
def run(options: Callable[..., RunOptions], tmp_path: Path) -> Run:
    """Run a manifest, given as a path or as text."""

    def run_manifest(manifest: Path | str, **given: Any) -> RunResult:
        if isinstance(manifest, str):
            path = tmp_path / "manifest.yaml"
            path.write_text(manifest, encoding="utf-8")
            manifest = path
        chosen = options(**given)
        return api.run(api.prepare(api.load([manifest]), chosen), chosen)

    return run_manifest
