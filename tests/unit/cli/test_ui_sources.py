"""What the pages of `argosy ui` are made of, where the command line puts it together."""

from pathlib import Path

import pytest

from argosy.cli import ui
from argosy.engine.state import runs
from argosy.templates import folder


def made(home: Path, name: str, model: str) -> None:
    """A run of *model* under *home*."""
    runs.create(home, name).write_manifest({"metadata": {"annotations": {folder.MODEL: model}}})


@pytest.mark.parametrize(
    ("run", "there"),
    [
        pytest.param("toy-261101-100000-aaaa", False, id="the-first"),
        pytest.param("toy-261103-100000-cccc", True, id="the-second"),
        pytest.param("other-261102-100000-bbbb", False, id="the-first-of-another"),
        pytest.param("gone-261102-100000-dddd", False, id="deleted-meanwhile"),
    ],
)
def test_a_run_has_one_before_it_where_its_model_has(tmp_path: Path, run: str, there: bool) -> None:
    """A page links to the run before only where there is one."""
    made(tmp_path, "toy-261101-100000-aaaa", "toy")
    made(tmp_path, "other-261102-100000-bbbb", "other")
    made(tmp_path, "toy-261103-100000-cccc", "toy")
    assert ui._has_before(tmp_path, run) is there
