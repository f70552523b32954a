"""Runs of a state folder that has many: in order, and by their names."""

import os
from pathlib import Path

import pytest

from argosy import errors
from argosy.engine.state import journal, runs
from argosy.engine.stored_runs import StoredRuns

NAMES = ["b-260101-000001-00aa", "a-260101-000002-00aa", "z-260101-000001-00bb", "odd", "a-251231-235959-ffff"]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """Runs of two in one second, of one before, and one with a name of its own; and what is no run."""
    for second, name in enumerate(NAMES):
        folder = tmp_path / "runs" / name
        folder.mkdir(parents=True)
        (folder / runs.MANIFEST).write_text("{}", encoding="utf-8")
        os.utime(folder / runs.MANIFEST, (second, second))
    (tmp_path / "runs" / ".collected").mkdir()
    (tmp_path / "runs" / "a-file").touch()
    return tmp_path


def test_the_newest_come_first(home: Path) -> None:
    """By the second in the name; within one by when they were written down; those without a second last."""
    assert [each.run for each in runs.newest_first(home)] == [NAMES[1], NAMES[2], NAMES[0], NAMES[4], NAMES[3]]
    assert next(runs.from_newest(home)).run == NAMES[1]
    assert not runs.newest_first(home / "nowhere")


def test_only_those_that_began_together_are_looked_into(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A list of twenty of ten thousand runs must not look at ten thousand."""
    looked: list[str] = []

    def written(path: Path) -> tuple[int, str]:
        looked.append(path.name)
        return 0, path.name

    monkeypatch.setattr(runs, "_written", written)
    list(runs.from_newest(home))
    assert sorted(looked) == sorted([NAMES[0], NAMES[2]])
    monkeypatch.setattr(runs, "from_newest", lambda _: pytest.fail("the whole name needs no look at the others"))
    assert runs.find(home, NAMES[0]).run == NAMES[0]


def test_a_page_reads_its_own_runs_alone(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last of ten thousand are listed without a look at those before them, and without anybody's nodes."""
    for name in NAMES:
        (home / "runs" / name / runs.JOURNAL).touch()
    read: list[str] = []

    def noted(path: Path) -> dict[str, str]:
        read.append(path.parent.name)
        return {}

    monkeypatch.setattr(journal, "read_meta", noted)
    monkeypatch.setattr(journal, "read", lambda _: pytest.fail("a list shows no nodes"))
    at = StoredRuns(home, lambda *_: pytest.fail("nothing is carried out"), lambda _: None)
    assert [run.name for run in at.newest_first(3)] == [NAMES[4], NAMES[3]]
    assert read == [NAMES[4], NAMES[3]]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        pytest.param("od", "odd", id="beginning"),
        pytest.param(None, NAMES[1], id="newest"),
        pytest.param("a-26", NAMES[1], id="only-one"),
        pytest.param("a-2", None, id="two"),
        pytest.param("", None, id="empty"),
        pytest.param("../runs", None, id="a-path"),
        pytest.param(".collected", None, id="hidden"),
        pytest.param("a-file", None, id="no-folder"),
    ],
)
def test_by_name(name: str | None, found: str | None, home: Path) -> None:
    """The whole name, or a beginning that only one has; no path leads out of the folder."""
    if found:
        assert runs.find(home, name).run == found
        return
    with pytest.raises(errors.UsageError):
        runs.find(home, name)
