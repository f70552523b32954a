"""The page about a second version beside the served one: verdict, intervals, disagreements and slices, self-contained."""

from argosy.domain.version_comparison import ArmDifference, VersionComparison
from argosy.report import charts, page_environment, version_comparison_table
from argosy.report.charts import Interval

MARKS = {"promote": "ok", "hold": "no", "inconclusive": "hm"}


def render(found: VersionComparison) -> str:
    """The page as HTML."""
    page = page_environment.environment().get_template("comparison.html.j2")
    return page.render(
        found=found,
        mark=MARKS[found.verdict],
        title=version_comparison_table.title(found),
        arms=list(version_comparison_table.arms(found)),
        agreement=list(version_comparison_table.agreement(found)),
        tables=[
            (name, header, rows)
            for name, header, rows in (
                ("Scores", version_comparison_table.HEADER, list(map(version_comparison_table.line, found.scores))),
                (
                    "What outcomes were worth",
                    version_comparison_table.HEADER,
                    list(map(version_comparison_table.line, found.values)),
                ),
                ("Slices", version_comparison_table.SLICES, list(version_comparison_table.slices(found))),
            )
            if rows
        ],
        drawn=[(one, _interval(one, found), version_comparison_table.line(one)) for one in found.scores],
        **page_environment.style(),
    )


def _interval(one: ArmDifference, found: VersionComparison) -> Interval:
    """Where *one* is drawn; the margin is the policy's, and of its metric alone."""
    limited = found.result is not None and found.result.metric == one.name
    return charts.of_arms(one, found.result.margin if found.result and limited else 0.0)
