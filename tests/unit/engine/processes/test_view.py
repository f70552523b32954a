"""What a view makes to mount something at, where others make things too."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from argosy.engine.processes import view


@pytest.mark.parametrize("folder", [True, False], ids=["folder", "file"])
def test_a_container_beside_may_make_the_same_place(
    folder: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a ``/tmp`` that containers share, each makes what it lacks: what is there by then is taken."""
    wanted = tmp_path / "above" / "wanted"
    exists = Path.exists

    def made_after_the_look(path: Path, **given: Any) -> bool:
        found = exists(path, **given)
        if not found and path.is_relative_to(tmp_path):
            path.mkdir() if folder or path != wanted else path.touch()
        return found

    monkeypatch.setattr(Path, "exists", made_after_the_look)
    shown: Any = SimpleNamespace(shared=[])
    one = view.View(shown)
    assert one._room(wanted, folder=folder) == wanted
    assert one._made == []
