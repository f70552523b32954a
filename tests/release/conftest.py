"""What the tests of a release share: the wheel of this checkout, and an environment with it."""

from pathlib import Path

import pytest

from kit import wheels


@pytest.fixture(scope="session")
def wheel(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, by the time at which files of it are always made."""
    return wheels.build(root, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel. It lies among temporary files, as a trial may."""
    return wheels.install(wheel, tmp_path_factory.mktemp("environment") / "venv")
