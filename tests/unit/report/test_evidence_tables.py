"""What a run read, and what its speed was measured on, as tables of the evidence."""

from pathlib import Path

from argosy.domain.data import SnapshotManifest, TableManifest
from argosy.domain.evidence import DECISIONS, GateResult, Table
from argosy.domain.provenance import Provenance
from argosy.domain.source_settings import Source
from argosy.files import processors
from argosy.report import evidence_markdown, evidence_tables
from argosy.report.record import RunReport

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


def test_a_reviewer_with_a_minute(report: RunReport) -> None:
    """First the doubt, each dimension with every gate, what fails before what holds, and what decisions change; then the rest."""
    names = [f"fairness.{letter} of a rather long name.ratio" for letter in "abcdefghi"]
    gates = [
        GateResult(
            gate=name, dimension="fairness", passed=".i " not in name, measured=0.5, limit=">= 0.4", reason="So."
        )
        for name in names
    ]
    table = Table(title=DECISIONS, dimension="performance", header=["Decision", "Rows"], rows=[["all", "7"]])
    assert report.evidence
    found = report.evidence.model_copy(
        update={"gates": gates, "tables": [table, table.model_copy(update={"title": "x"})], "provenance": Provenance()}
    )
    above, _, below = evidence_markdown.report(found).partition("\n## Gates\n")
    assert above.index("cannot be made again") < above.index("## At a glance") < above.index("## Against the champion")
    (row,) = [line for line in above.splitlines() if line.startswith("| fairness ")]
    assert row.startswith("| fairness | 1 of 9 FAIL | i of a rather long name.<wbr>ratio 0.5 (&gt;= 0.4); ")
    assert row.count("ratio") == 9
    assert f"**{DECISIONS}**\n\n| Decision | Rows |" in above
    assert DECISIONS not in below
    assert "<summary>x</summary>" in below
