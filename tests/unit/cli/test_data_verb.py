"""The verb ``data``: snapshots found by what people call them, shown, fetched and compared."""

import json
import os
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from argosy import wiring
from argosy.adapters.file_artifacts import FileArtifacts
from argosy.cli import main
from argosy.domain import snapshot_layout
from argosy.domain.data import SnapshotManifest, TableManifest
from argosy.settings import Settings

ROOT = Path(__file__).parents[3]


def stored(here: Settings, place: Path, model: str, rows: list[str]) -> str:
    """The digest of a snapshot of *model* that the model store has."""
    place.mkdir(parents=True)
    pq.write_table(
        pa.table({"customer_id": rows, "contract": [f"of {row}" for row in rows]}), place / "customers.parquet"
    )
    table = TableManifest(
        source="customers",
        path="customers.parquet",
        digest="-",
        rows=len(rows),
        bytes=1,
        columns={"customer_id": "string", "contract": "string"},
    )
    manifest = SnapshotManifest(model=model, tables=[table])
    manifest.write(place / snapshot_layout.MANIFEST)
    FileArtifacts(here.store_uri).put(place, snapshot_layout.store_name(model, manifest.content_digest()))
    return manifest.content_digest().removeprefix("sha256:")


@pytest.fixture
def two(here: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The digests of two snapshots of churn, in its project; the second is the newer."""
    monkeypatch.setenv("ARGOSY_HOME", str(here.home))
    monkeypatch.chdir(ROOT)
    found = [
        stored(here, tmp_path / name, "churn", rows)
        for name, rows in (("one", ["C1", "C2"]), ("two", ["C2", "C3", "C4"]))
    ]
    folder = Path(here.store_uri.removeprefix("file://")) / "snapshots" / "churn"
    os.utime(folder / found[0], (1, 1))
    return found


def test_a_list_of_snapshots(two: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """The newest first, a line each, for machines an object each."""
    assert main.run(["data", "list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [two[1][:12], two[0][:12]]
    assert "customers 3" in lines[0]
    assert main.run(["data", "list", "--model", "other", "--json"]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("name", ["latest", "digest", "beginning", "whole"])
def test_a_snapshot_by_what_people_call_it(two: list[str], name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A digest with or without its algorithm, the beginning of it, or the newest."""
    called = {"latest": "latest", "digest": two[1], "beginning": two[1][:8], "whole": f"sha256:{two[1]}"}[name]
    assert main.run(["data", "show", called, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["digest"] == f"sha256:{two[1]}"


@pytest.mark.parametrize(
    ("argv", "told"),
    [
        pytest.param(["show", "lates"], "'lates' is no snapshot", id="slip"),
        pytest.param(["show", "deadbeef"], "'deadbeef' is no snapshot", id="digest"),
        pytest.param(["diff", "latest", "{file}"], "say with --model", id="file-of-no-model"),
        pytest.param(["get", "latest", "--into", "{file}"], "is there already", id="taken"),
        pytest.param(["show", "champion", "--model", "churn"], "production serves no churn yet", id="champion"),
    ],
)
def test_what_cannot_be_found(
    two: list[str], argv: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line, exit code 2."""
    (tmp_path / "some.csv").write_text("id\n", encoding="utf-8")
    wiring.forge(Settings.from_environment(), make=True)
    assert main.run(["data", *(word.format(file=tmp_path / "some.csv") for word in argv)]) == 2
    said = capsys.readouterr().err
    assert told in said
    assert said.count("\n") == 1


def test_the_snapshots_of_one_model(two: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Named at once or by the option; another's are none."""
    lines = {}
    for words in (["list"], ["list", "churn"], ["list", "--model", "churn"], ["list", "another"]):
        assert main.run(["data", *words]) == 0
        lines[" ".join(words)] = capsys.readouterr().out
    assert lines["list"].count("churn") >= len(two)
    assert lines["list"] == lines["list churn"] == lines["list --model churn"]
    assert lines["list another"] == "no snapshot yet: `argosy run MODEL` makes one\n"


def test_a_difference_for_people_requests_pages_and_machines(
    two: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the keys of the contract; the personal id is counted and never named."""
    page = tmp_path / "page.html"
    assert main.run(["data", "diff", two[0][:12], "latest", "--json"]) == 0
    change = json.loads(capsys.readouterr().out)
    assert change["tables"][0]["keys"] == {
        "added": 2,
        "removed": 1,
        "changed": 0,
        "kept": 1,
        "columns": ["customer_id"],
    }
    assert main.run(["data", "diff", two[0][:12], "latest", "--html", str(page)]) == 0
    terminal = capsys.readouterr().out
    assert "default-src 'none'; style-src 'sha256-" in page.read_text(encoding="utf-8")
    assert main.run(["data", "diff", two[0][:4], "latest", "--markdown"]) == 0
    markdown = capsys.readouterr().out
    assert "| customers | 2 → 3 (+50.0%) | 2 | 1 | 0 | the same |" in markdown
    assert "<details><summary>Columns of customers: 1 differs, 1 the same</summary>" in markdown
    for text in (terminal, markdown, page.read_text(encoding="utf-8")):
        assert "of C3" in text
        assert "'C3'" not in text
        assert " C3," not in text.replace("of C3", "")


def test_a_snapshot_is_fetched(two: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """As it is in the store, to a folder of one's own; and compared from there with itself."""
    assert main.run(["data", "get", two[0][:10], "--into", str(tmp_path / "got")]) == 0
    assert SnapshotManifest.read(tmp_path / "got" / "manifest.json").content_digest() == f"sha256:{two[0]}"
    capsys.readouterr()
    assert main.run(["data", "diff", str(tmp_path / "got"), two[0][:10], "--markdown"]) == 0
    assert "holds the same data" in capsys.readouterr().out


def test_a_file_is_read_by_the_contract(two: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What tomorrow's file would change, before it is anybody's data; one that breaks its contract is refused by it."""
    (tmp_path / "customers.csv").write_text("customer_id,contract\nC1,x\n", encoding="utf-8")
    assert main.run(["data", "diff", "latest", str(tmp_path / "customers.csv"), "--model", "churn"]) == 10
    assert "has no column 'churn'" in capsys.readouterr().err
