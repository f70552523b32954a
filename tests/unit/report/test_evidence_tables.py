"""What a run read, and what its speed was measured on, as tables of the evidence."""

from pathlib import Path

from argosy.domain.data import SnapshotManifest, TableManifest
from argosy.domain.source_settings import Source
from argosy.files import processors
from argosy.report import evidence_tables

CONTRACT = {
    "entity": ["id"],
    "observed_at": "2026-01-01T00:00:00Z",
    "columns": [{"name": "id", "type": "integer", "meaning": "Which."}],
}


def test_sources() -> None:
    """A file by its name, whatever else by its name in model.yaml: an address or a query is no matter of a request."""
    found = [
        Source.model_validate({"name": "customers", "file": "customers.csv", **CONTRACT}),
        Source.model_validate({"name": "bills", "sql": {"secret": "crm", "table": "private.bills"}, **CONTRACT}),
    ]
    snapshot = SnapshotManifest(
        model="toy",
        tables=[
            TableManifest(source=name, path="x", digest=f"sha256:{name}", rows=7043, bytes=1, columns={})
            for name in ("customers", "bills")
        ],
    )
    assert evidence_tables.sources(found, snapshot).rows == [
        ["customers", "customers.csv", "7,043", "sha256:customers"],
        ["bills", "sql: bills of model.yaml", "7,043", "sha256:bills"],
    ]


def test_speed_on_what() -> None:
    """With the machine and the price; nothing where the server answered nothing."""
    (table,) = evidence_tables.speed([1.5, 2.0, 4.25], 0.017, 0.04, "2 of A Processor, Linux x86_64")
    assert [row[1] for row in table.rows[:4]] == [
        "1.5 ms",
        "2 ms",
        "4.25 ms",
        "0.017 dollars, at 0.04 for an hour of one CPU",
    ]
    assert table.rows[-1] == ["measured on", "2 of A Processor, Linux x86_64"]
    assert evidence_tables.speed([None, None, None], None, 0.04, "") == []


def test_the_machine_in_words(tmp_path: Path) -> None:
    """Its processor by the system's word; where that has none, whatever Python knows."""
    (tmp_path / "cpuinfo").write_text("processor : 0\nmodel name : A Processor @ 2 GHz\nmodel name : Another\n")
    assert " of A Processor @ 2 GHz, " in processors.described(tmp_path / "cpuinfo")
    assert " of " in processors.described(tmp_path / "nothing")
