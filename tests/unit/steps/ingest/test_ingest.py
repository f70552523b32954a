"""Sources in, an immutable snapshot out: what its digest depends on, what is kept aside, and what is told of files that are not there."""

import contextlib
import datetime
import json
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pyarrow.parquet as pq
import pytest

from argosy import errors
from argosy.domain.data import Lineage, SnapshotManifest
from argosy.settings import Settings
from kit.examples import make_settings

Ingest = Callable[..., Any]


def source(name: str, **more: Any) -> dict[str, Any]:
    """A source with an id and a number."""
    columns = [
        {"name": "id", "type": "string", "meaning": "Which one."},
        {"name": "x", "type": "integer", "meaning": "How many.", "nullable": True},
    ]
    return {
        "name": name, "file": f"{name}.csv", "entity": ["id"], "observed_at": "2020-01-01T00:00:00Z", "columns": columns, **more,
    }  # fmt: skip


NEGATIVE = {"source": "rows", "when": "x < 0", "reason": "counted backwards"}
GOOD = "id,x\na,1\nb,-2\nc,\n"


@pytest.fixture
def ingest(run_step: Callable[..., Any], here: Settings, tmp_path: Path) -> Ingest:
    """The step over files in the data folder, given by name; *data*: what the run's parameter says."""

    def attempt(
        data: str,
        files: dict[str, str],
        *,
        sources: list[Any] | None = None,
        reject: Any = (),
        as_of: str = "",
        **more: Any,
    ) -> Any:
        label = {"source": "rows", "sql": "x > 1", "classes": ["few", "many"], "columns": ["x"]}
        changes = {"sources": sources or [source("rows")], "reject": list(reject), "label": label, **more}
        make_settings("binary", ["few", "many"], "auc", **changes).write(tmp_path / "model.yaml")
        for name, content in files.items():
            (here.data_root / name).parent.mkdir(parents=True, exist_ok=True)
            (here.data_root / name).write_text(content, encoding="utf-8")
        return run_step("ingest", {"settings": tmp_path / "model.yaml"}, data=data, as_of=as_of)

    return attempt


def test_rows_that_break_a_rule_are_kept_aside(ingest: Ingest) -> None:
    """Counted by the rule's reason, readable as they came, and in nobody's snapshot."""
    ran = ingest("rows.csv", {"rows.csv": GOOD}, reject=[NEGATIVE])
    assert (ran.code, ran.said) == (0, "")
    assert [row["id"] for row in pq.read_table(ran.out("snapshot") / "rows.parquet").to_pylist()] == ["a", "c"]
    aside = pq.read_table(ran.out("rejected") / "rows.parquet").to_pylist()
    assert len(aside) == 1
    assert {"b", "-2", "counted backwards"} <= {str(value) for value in aside[0].values()}
    lineage = Lineage.read(ran.out("lineage"))
    assert lineage.sources[0].rejected_by_reason == {"counted backwards": 1}
    assert (lineage.sources[0].rows_read, lineage.sources[0].rows_kept, lineage.anomaly_rate) == (3, 2, 1 / 3)
    assert lineage.sources[0].bytes_read == len(GOOD)


def test_the_digest_is_of_content_alone(ingest: Ingest) -> None:
    """The same rows read again, from another place: the same snapshot, byte for byte. Another value: another."""
    first = ingest("rows.csv", {"rows.csv": GOOD})
    again = ingest("else/where.csv", {"else/where.csv": GOOD})
    other = ingest("rows.csv", {"rows.csv": GOOD.replace("a,1", "a,3")})
    for name in ("manifest.json", "rows.parquet"):
        assert (first.out("snapshot") / name).read_bytes() == (again.out("snapshot") / name).read_bytes()
    digests = [ran.result("snapshot-digest") for ran in (first, again, other)]
    assert digests[0] == digests[1] != digests[2]
    assert digests[0] == SnapshotManifest.read(first.out("snapshot") / "manifest.json").content_digest()
    assert Lineage.read(first.out("lineage")).snapshot_digest == digests[0]


def test_where_it_came_from_is_in_the_lineage_only(ingest: Ingest) -> None:
    """Time, place and code version: who reads the snapshot's digest does not depend on them."""
    ran = ingest("rows.csv", {"rows.csv": GOOD})
    lineage = Lineage.read(ran.out("lineage"))
    assert lineage.sources[0].location.endswith("project/rows.csv")
    assert lineage.ingested_at.endswith("+00:00")
    assert lineage.code_version
    manifest = (ran.out("snapshot") / "manifest.json").read_text(encoding="utf-8")
    assert set(json.loads(manifest)["tables"][0]) == {"source", "path", "digest", "rows", "bytes", "columns"}
    assert "project" not in manifest


def test_several_sources_lie_in_a_folder(ingest: Ingest) -> None:
    """Each by the file that the contract names; a snapshot of both."""
    files = {"data/rows.csv": GOOD, "data/more.csv": "id,x\na,9\n"}
    ran = ingest("data", files, sources=[source("rows"), source("more")])
    assert ran.code == 0, ran.said
    manifest = SnapshotManifest.read(ran.out("snapshot") / "manifest.json")
    assert [(table.source, table.rows) for table in manifest.tables] == [("rows", 3), ("more", 1)]


@pytest.mark.parametrize(
    ("data", "code", "told"),
    [
        pytest.param("nowhere.csv", 78, "nowhere.csv", id="no-such-file"),
        pytest.param("empty-handed", 78, "rows.csv", id="folder-without-the-file"),
        pytest.param("ftp://host/rows.csv", 78, "expected a file, a folder or s3://", id="no-such-kind-of-place"),
        pytest.param("half.csv", 10, "no column 'x'", id="missing-column"),
        pytest.param("negative.csv", 10, "every one of the 2 rows", id="all-kept-aside"),
    ],
)
def test_what_cannot_be_read(ingest: Ingest, data: str, code: int, told: str) -> None:
    """78 where somebody has to name another file, 10 where the content is refused; no snapshot appears."""
    files = {
        "empty-handed/other.csv": GOOD,
        "half.csv": "id\na\n",
        "negative.csv": "id,x\na,-1\nb,-2\n",
    }
    ran = ingest(data, files, reject=[NEGATIVE])
    assert ran.code == code, ran.said
    assert told in ran.said
    assert "Traceback" not in ran.said
    assert not ran.out("snapshot").exists()
    assert not ran.out("lineage").exists()


def test_one_file_for_two_sources(ingest: Ingest) -> None:
    """It is not guessed which one is meant: the folder that holds both is asked for."""
    ran = ingest("rows.csv", {"rows.csv": GOOD}, sources=[source("rows"), source("more")])
    assert ran.code == 78
    assert "has 2 sources; name the folder that holds rows.csv, more.csv" in ran.said


def test_everything_absent_is_named_at_once(ingest: Ingest) -> None:
    """Each file of every source, not one a run."""
    ran = ingest("data", {"data/other.csv": GOOD}, sources=[source("rows"), source("more")])
    assert ran.code == 78
    assert "rows.csv" in ran.said
    assert "more.csv" in ran.said


def test_what_is_wrong_in_every_source_is_said_at_once(ingest: Ingest) -> None:
    """Each with its file; still a no, and no snapshot."""
    files = {"data/rows.csv": "id,x\na,one\n", "data/more.csv": "id;y\na;9\n"}
    ran = ingest("data", files, sources=[source("rows"), source("more")])
    assert ran.code == 10
    assert "'one'" in ran.said
    assert "set `delimiter: ';'`" in ran.said
    assert not ran.out("snapshot").exists()


def test_how_a_file_was_found_to_be_written_is_said(ingest: Ingest) -> None:
    """In one line of the log and in the lineage; a setting takes its place, and then nothing is said."""
    sniffed = ingest("rows.csv", {"rows.csv": "\ufeffid;x\na;1,0\n"})
    place = Lineage.read(sniffed.out("lineage")).sources[0].location
    has = "';' between values (`delimiter`) and a decimal comma (`decimal`)"
    assert (sniffed.code, sniffed.said) == (0, f"source 'rows': {place} has {has}; model.yaml may say it otherwise\n")
    assert Lineage.read(sniffed.out("lineage")).sources[0].read_as == has
    told = ingest("rows.csv", {}, sources=[source("rows", delimiter=";", decimal=",")])
    assert (told.code, told.said, Lineage.read(told.out("lineage")).sources[0].read_as) == (0, "", None)


def test_a_folder_of_partitions(ingest: Ingest) -> None:
    """Named inside the data, or the data itself where it is the one source; what some lack is said, and how many there are is kept."""
    partitioned = {**source("rows"), "folder": "calls"}
    del partitioned["file"]
    files = {"data/calls/day=1/a.csv": "id\na\n", "data/calls/day=2/a.csv": "id,x\nb,2\n"}
    for data in ("data", "data/calls"):
        ran = ingest(data, files, sources=[partitioned])
        assert (ran.code, ran.said.count("no column 'x' in 1 of 2 partitions (day=1/a.csv): missing there")) == (0, 1)
        lineage = Lineage.read(ran.out("lineage")).sources[0]
        assert (lineage.rows_read, lineage.partitions, lineage.location.rpartition("/")[2]) == (2, 2, "calls")
    assert "there is no folder" in ingest("nowhere", {}, sources=[partitioned]).said


def test_a_pointer_of_dvc_is_no_data(ingest: Ingest) -> None:
    """Where only the pointer is, the message says what brings the file."""
    pointer = "outs:\n- md5: 0f343b0931126a20f133d67c2b018a3b\n  size: 10\n  hash: md5\n  path: rows.csv\n"
    ran = ingest("data", {"data/rows.csv.dvc": pointer})
    assert ran.code == errors.Misconfigured.exit_code
    assert "rows.csv, but rows.csv.dvc beside it; `dvc pull " in ran.said


def test_rows_of_a_database(ingest: Ingest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside a file, as a source like any other; query and server are in the lineage, the address of nobody's business is not."""
    file = tmp_path / "crm.db"
    with contextlib.closing(sqlite3.connect(file)) as database, database:
        database.execute("CREATE TABLE people (id TEXT, x INTEGER)")
        database.execute("INSERT INTO people VALUES ('a', 9007199254740993)")
    monkeypatch.setenv("ARGOSY_SOURCE_CRM", f"sqlite:///{file}?sesame=1")
    people = {**source("people"), "sql": {"secret": "crm", "table": "people"}}
    del people["file"]
    ran = ingest("rows.csv", {"rows.csv": GOOD}, sources=[source("rows"), people])
    assert (ran.code, ran.said) == (0, "")
    assert [row["x"] for row in pq.read_table(ran.out("snapshot") / "people.parquet").to_pylist()] == [9007199254740993]
    text = ran.out("lineage").read_text(encoding="utf-8")
    reading = Lineage.read(ran.out("lineage")).sources[1].reading
    assert reading is not None
    assert reading.asked == "SELECT id, x FROM people"
    assert "sesame" not in text


class TestAsOf:
    """What was known at a moment, and nothing that came later."""

    ROWS = source(
        "rows", observed_at=None, timestamp="at", created="written",
        columns=[
            {"name": "id", "type": "string", "meaning": "Which one."},
            {"name": "x", "type": "integer", "meaning": "How many.", "nullable": True},
            {"name": "at", "type": "timestamp", "meaning": "When it was true."},
            {"name": "written", "type": "timestamp", "meaning": "When it was written down."},
            {"name": "told", "type": "timestamp", "meaning": "When its label came.", "nullable": True},
        ],
    )  # fmt: skip
    LABELS: ClassVar[dict[str, Any]] = {"source": "rows", "by": "entity", "known": "told"}
    # (id, true, written, label): each but the first two is later than 2020-01-02T00:00Z in one of the three.
    LINES: ClassVar[list[str]] = [
        "a,1,2020-01-01T00:00:00Z,2020-01-01T01:00:00Z,2020-01-01T02:00:00Z",
        "edge,1,2020-01-02T00:00:00Z,2020-01-02T01:00:00+01:00,2020-01-01T19:00:00-05:00",
        "true-later,2,2020-01-02T00:00:00.000001Z,2020-01-01T01:00:00Z,2020-01-01T02:00:00Z",
        "written-later,3,2020-01-01T00:00:00Z,2020-01-03T00:00:00Z,2020-01-01T02:00:00Z",
        "told-later,4,2020-01-01T00:00:00Z,2020-01-01T01:00:00Z,2020-01-09T00:00:00Z",
        "never-told,5,2020-01-01T00:00:00Z,2020-01-01T01:00:00Z,",
    ]

    def look(self, ingest: Ingest, lines: Sequence[str], moment: str = "", **more: Any) -> Any:
        content = "\n".join(["id,x,at,written,told", *lines, ""])
        given = {"sources": [self.ROWS], "labels": self.LABELS, **more}
        return ingest("rows.csv", {"rows.csv": content}, as_of=moment, **given)

    def test_is_what_the_table_was_then(self, ingest: Ingest) -> None:
        """The same rows as a table that holds no others; a label that never comes is for `reject` to say."""
        ran = self.look(ingest, self.LINES, "2020-01-02")
        rows = pq.read_table(ran.out("snapshot") / "rows.parquet")
        assert rows.column("id").to_pylist() == ["a", "edge", "never-told"]
        then = self.look(ingest, [line for line in self.LINES if line.split(",")[0] in {"a", "edge", "never-told"}])
        assert rows.equals(pq.read_table(then.out("snapshot") / "rows.parquet"))
        lineage = Lineage.read(ran.out("lineage"))
        told = (lineage.as_of, lineage.sources[0].rows_read, lineage.sources[0].rows_unknown, lineage.anomaly_rate)
        assert told == (datetime.datetime(2020, 1, 2, tzinfo=datetime.UTC), 3, 3, 0)
        assert Lineage.read(then.out("lineage")).sources[0].rows_unknown is None

    def test_another_moment_is_another_snapshot(self, ingest: Ingest) -> None:
        """Its digest stands in the evidence, so it says which moment it was; the same one by another zone is the same."""
        digests = [
            SnapshotManifest.read(
                self.look(ingest, self.LINES, moment).out("snapshot") / "manifest.json"
            ).content_digest()
            for moment in ("2020-01-02", "2020-01-02T01:00+01:00", "2020-01-02T00:00:01Z", "")
        ]
        assert digests[0] == digests[1]
        assert len(set(digests)) == 3

    def test_rows_of_later_break_no_contract(self, ingest: Ingest) -> None:
        """Who looked then did not see them."""
        ran = self.look(
            ingest,
            [*self.LINES, "odd,many,2020-05-01T00:00:00Z,2020-05-01T00:00:00Z,2020-05-01T00:00:00Z"],
            "2020-01-02",
        )
        assert (ran.code, ran.said) == (0, "")

    def test_before_any_data(self, ingest: Ingest) -> None:
        """One line that names the first moment at which there is any, of all the sources together."""
        other = source("others", observed_at="2021-06-01T00:00:00Z")
        content = "\n".join(["id,x,at,written,told", *self.LINES[3:5], ""])
        files = {"both/rows.csv": content, "both/others.csv": GOOD}
        ran = ingest("both", files, sources=[self.ROWS, other], labels=self.LABELS, as_of="2019-05-01")
        assert ran.code == 10
        assert ran.said.count("\n") == 1
        assert (
            "as of 2019-05-01T00:00:00Z nothing was known of rows (its first row: 2020-01-03T00:00:00Z), others"
            in ran.said
        )
        assert "each has a row is 2021-06-01T00:00:00Z" in ran.said

    def test_what_cannot_be_asked(self, ingest: Ingest) -> None:
        """A slip in `labels.known` names the setting, and a moment that is none the parameter."""
        ran = self.look(ingest, self.LINES, "2020-01-02", labels={**self.LABELS, "known": "tolt"})
        assert ran.code == 78
        assert "`labels.known: tolt` cannot be asked of source 'rows'" in ran.said
        ran = self.look(ingest, self.LINES, "2020-13-45")
        assert ran.code == 78
        assert "parameter as-of: '2020-13-45' is no moment" in ran.said
