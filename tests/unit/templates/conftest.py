"""What the tests of compiling share."""

from pathlib import Path

import pytest

from argosy.templates import folder

CHURN = Path(__file__).parents[3] / "workflows" / "churn"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A copy of a model's folder, in a project of its own."""
    copy = tmp_path / "workflows" / CHURN.name
    copy.mkdir(parents=True)
    for name in (folder.PIPELINE, *folder.ARTIFACTS.values()):
        (copy / name).write_text((CHURN / name).read_text(encoding="utf-8"), encoding="utf-8")
    return copy
