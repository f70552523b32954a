"""A snapshot beside the one before it: accepted and kept, noted, or refused; what is refused is held against nobody."""

import datetime
import json
import os
import urllib.parse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from argosy.adapters.file_artifacts import FileArtifacts
from argosy.domain import snapshot_layout
from argosy.domain.data import SnapshotManifest, TableManifest, ValidationResult
from argosy.domain.data_comparison import DataComparison, SinceChampion
from argosy.domain.evidence import ChampionRef
from argosy.settings import Settings
from kit.examples import make_settings

Compare = Callable[..., Any]


@pytest.fixture
def compare(run_step: Callable[..., Any], tmp_path: Path) -> Compare:
    """The step over rows (id to plan); *previous*: the limits; *champion*: digest of its data."""
    make_settings(
        "binary",
        ["few", "many"],
        "auc",
        sources=[
            {
                "name": "rows", "file": "rows.csv", "entity": ["id"], "observed_at": "2020-01-01T00:00:00Z",
                "columns": [
                    {"name": "id", "type": "string", "meaning": "Which one.", "personal": True},
                    {"name": "plan", "type": "string", "meaning": "Which plan.", "owner": "billing"},
                ],
            }
        ],
        label={"source": "rows", "sql": "plan = 'x'", "classes": ["few", "many"], "columns": ["plan"]},
    ).write(tmp_path / "model.yaml")  # fmt: skip

    def attempt(
        rows: dict[str, str],
        *,
        previous: dict[str, Any] | None = None,
        champion: str | None = None,
        as_of: datetime.datetime | None = None,
    ) -> Any:
        place = tmp_path / f"{len(list(tmp_path.iterdir()))}-inputs"
        (place / "snapshot").mkdir(parents=True)
        pq.write_table(pa.table({"id": list(rows), "plan": list(rows.values())}), place / "snapshot" / "rows.parquet")
        content = json.dumps(rows)
        table = TableManifest(
            source="rows", path="rows.parquet", digest=content, rows=len(rows), bytes=1, columns={"id": "string"}
        )
        manifest = SnapshotManifest(model="toy", tables=[table], as_of=as_of)
        manifest.write(place / "snapshot" / "manifest.json")
        ValidationResult(snapshot_digest=manifest.content_digest(), results=[]).write(
            place / "validation" / "validation.json"
        )
        ChampionRef(model="toy", policy_digest="p", snapshot_digest=champion).write(
            place / "champion" / "champion.json"
        )
        (place / "expectations.json").write_text(
            json.dumps({"suites": {}, "previous": previous or {}}), encoding="utf-8"
        )
        names = {
            "snapshot": "snapshot",
            "validation": "validation",
            "champion": "champion",
            "expectations": "expectations.json",
        }
        inputs = {name: place / file for name, file in names.items()}
        return run_step("compare_data", {"settings": tmp_path / "model.yaml", **inputs})

    return attempt


def kept(here: Settings) -> int:
    """How many snapshots the model store has."""
    return len(list(FileArtifacts(here.store_uri).folders(snapshot_layout.SNAPSHOTS)))


def test_the_first_passes_and_says_so(compare: Compare, here: Settings) -> None:
    """There is nothing to hold it against; it is what the next one is held against."""
    ran = compare({"a": "x"}, previous={"critical": {"rows_lost": 0}})
    assert (ran.code, ran.said) == (0, "")
    found = DataComparison.read(ran.out("comparison") / "comparison.json")
    assert (found.previous_digest, found.changes, found.results) == (None, [], [])
    assert "none before it" in (ran.out("comparison") / "comparison.md").read_text(encoding="utf-8")
    assert kept(here) == 1


def test_a_change_is_noted_and_accepted(compare: Compare, here: Settings) -> None:
    """The report names it, the run goes on; ids are counted and never told."""
    compare({"a": "x", "b": "x"})
    ran = compare({"a": "x", "somebody": "new"})
    assert (ran.code, kept(here)) == (0, 2)
    found = DataComparison.read(ran.out("comparison") / "comparison.json")
    assert {(each.expectation, each.critical) for each in found.results} == {
        ("distribution_as_before", False),
        ("levels_as_before", False),
    }
    page = (ran.out("comparison") / "report.html").read_text(encoding="utf-8")
    assert "new" in page
    assert "somebody" not in page


def test_a_critical_change_stops_and_is_not_kept(compare: Compare, here: Settings) -> None:
    """Who answers for the column is named; the next snapshot is held against the last that was accepted."""
    compare({"a": "x", "b": "x"})
    limits = {"critical": {"new_levels": 0}}
    ran = compare({"a": "x", "b": "y"}, previous=limits)
    assert (ran.code, kept(here)) == (10, 1)
    assert "levels_as_before of column 'plan' does not hold (1 new: y)" in ran.said
    assert "billing answers for it" in ran.said
    assert (ran.out("comparison") / "comparison.json").exists()
    again = compare({"a": "x", "b": "x", "c": "x"}, previous=limits)
    assert (again.code, kept(here)) == (0, 2)


def test_equal_data_is_accepted_at_once(compare: Compare, here: Settings) -> None:
    """Nothing is fetched, and nothing is kept twice."""
    compare({"a": "x"})
    ran = compare({"a": "x"}, previous={"critical": {"rows_lost": 0}})
    assert (ran.code, kept(here)) == (0, 1)
    assert "is this one" in (ran.out("comparison") / "comparison.md").read_text(encoding="utf-8")


def test_data_that_returns_is_the_newest_again(compare: Compare, here: Settings) -> None:
    """What is accepted a second time is what the next data is held against, not what came in between."""
    store = FileArtifacts(here.store_uri)
    for rows, age in (({"a": "x"}, 2), ({"a": "x", "b": "x"}, 1)):
        compare(rows)
        newest = max(store.folders(snapshot_layout.SNAPSHOTS), key=lambda each: each.at)
        place = Path(urllib.parse.unquote(newest.uri.removeprefix("file://")))
        os.utime(place, (newest.at.timestamp() - 60 * age,) * 2)
    compare({"a": "x"})
    ran = compare({"a": "x", "c": "x"})
    (change,) = DataComparison.read(ran.out("comparison") / "comparison.json").changes
    assert (change.tables[0].rows_before, change.tables[0].rows_after) == (1, 2)


def test_the_champions_data_counts_too(compare: Compare, here: Settings) -> None:
    """Slow change, a little each day, is seen against what the champion was trained on; equal snapshots give an equal document."""
    first = compare({"a": "x", "b": "x", "c": "x", "d": "x"})
    digest = SnapshotManifest.read(first.root / "in" / "snapshot" / "manifest.json").content_digest()
    limits = {"critical": {"rows_lost": 0.3}}
    assert compare({"a": "x", "b": "x", "c": "x"}, previous=limits, champion=digest).code == 0
    ran = compare({"a": "x", "b": "x"}, previous=limits | {"champion": False}, champion=digest)
    assert "held against the snapshot before" in ran.said
    ran = compare({"a": "x", "b": "x", "e": "x"}, previous={"critical": {"rows_lost": 0.2}}, champion=digest)
    assert ran.code == 10
    assert "held against the champion's data" in ran.said
    since = SinceChampion.read(ran.out("since-champion"))
    assert since.change is not None
    assert [(table.rows_before, table.rows_after) for table in since.change.tables] == [(4, 3)]


def test_a_champions_data_that_was_not_kept(compare: Compare) -> None:
    """As that of a version from before snapshots were: nothing to say of it, and no failure."""
    ran = compare({"a": "x"}, champion=f"sha256:{'0' * 64}")
    assert ran.code == 0
    assert SinceChampion.read(ran.out("since-champion")).change is None


def test_data_of_an_earlier_moment_are_held_against_none(compare: Compare, here: Settings) -> None:
    """They are kept nowhere either: tomorrow's data come after today's, whatever was looked back at meanwhile."""
    compare({"a": "x", "b": "x", "c": "x"})
    ran = compare(
        {"a": "x"}, previous={"critical": {"rows_lost": 0}}, as_of=datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    )
    assert (ran.code, kept(here)) == (0, 1)
    found = DataComparison.read(ran.out("comparison") / "comparison.json")
    assert (found.previous_digest, found.changes) == (None, [])
    assert "as of 2020-01-01T00:00:00Z" in (ran.out("comparison") / "comparison.md").read_text(encoding="utf-8")
