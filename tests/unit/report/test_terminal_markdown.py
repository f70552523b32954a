"""A request in a terminal: tables stand in columns, nothing is lost, nothing is obeyed."""

import pytest

from argosy.domain.evidence import ChampionRef, Evidence, GateResult, Table
from argosy.report import terminal_markdown
from argosy.report.evidence_markdown import report
from kit import toy

TABLE = "| Gate | Limit | Why |\n| --- | --- | --- |\n| a.b | &lt;= 0.5 | short |\n| longer | >= 1 | because |"


def test_a_table_that_fits_is_columns() -> None:
    """The line of dashes goes, entities are what they stand for."""
    assert terminal_markdown.readable(TABLE, 80) == (
        "Gate    Limit   Why\na.b     <= 0.5  short\nlonger  >= 1    because"
    )


def test_a_long_last_cell_goes_below_its_row() -> None:
    """Wrapped, indented and called as its column is; the figures stay in their columns; no line is wider than the terminal."""
    shown = terminal_markdown.readable(TABLE.replace("because", "because " * 12), 60)
    assert shown.splitlines()[:4] == ["Gate    Limit", "a.b     <= 0.5", "    Why: short", "longer  >= 1"]
    assert " ".join(shown.split()).count("because") == 12
    assert max(map(len, shown.splitlines())) <= 60


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        pytest.param("# a\n\n\n\nb", "# a\n\nb", id="blank-lines"),
        pytest.param("<details><summary>Slices</summary>\n\nx\n\n</details>", "### Slices\n\nx\n", id="details"),
        pytest.param("1 \\* 2 \\# 3 &amp;lt;", "1 * 2 # 3 &lt;", id="escapes-once"),
        pytest.param("|  |  |\n| --- | --- |\n| rows | 5 |", "rows  5", id="no-header"),
        pytest.param("| a |\n| --- |", "a", id="one-column"),
        pytest.param("", "", id="nothing"),
        pytest.param("| no table", "| no table", id="a-line-that-begins-like-one"),
        pytest.param("| a | b |\n| - | - |\n| 1 |\n| 1 | 2 | 3 |", "a  b\n1\n1  2", id="ragged"),
    ],
)
def test_what_our_reports_use(text: str, shown: str) -> None:
    """Headings, folded tables, escapes and tables without a header."""
    assert terminal_markdown.readable(text, 80) == shown


def test_a_whole_report() -> None:
    """Every gate and every table is there, and no markup of tables is left."""
    evidence = Evidence(
        model="toy",
        task="binary",
        model_digest="sha256:a",
        snapshot_digest="sha256:b",
        policy_digest="sha256:c",
        champion=ChampionRef(model="toy", policy_digest="sha256:c"),
        provenance=toy.CLEAN,
        rows_train=80,
        rows_holdout=20,
        metrics={},
        gates=[GateResult(gate="performance.auc", dimension="performance", passed=True, measured=0.8, limit="<= 1", reason="a | b")],
        verdict="promote",
        explanation="Every gate holds.",
        tables=[Table(title="Slices", dimension="performance", header=["Value", "Rows"], rows=[["x_y", "1,045"]])],
    )  # fmt: skip
    shown = terminal_markdown.readable(report(evidence), 100)
    assert "performance.auc  0.8       <= 1   holds  a | b" in shown
    assert "### Slices\n\nValue  Rows\nx_y    1,045\n" in shown
    assert "---" not in shown
    assert "<details>" not in shown
