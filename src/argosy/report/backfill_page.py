"""A backfill for people: one line a run, how the model's score went over time, and the page that has both."""

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from argosy.domain import as_of, figures
from argosy.domain.evidence import Curve, Evidence, Table, tally
from argosy.report import charts, formats, html, page_environment, plain_text, run_outcome
from argosy.report.record import RunReport

HEADER = ("as of", "trained on", "held out", "gates", "run", "outcome")
"""What is as long as it is comes last."""
MOST_GATES = 3
"""Gates that failed that are named of one run."""


@dataclass(frozen=True)
class BackfillLine:
    """One moment of a backfill."""

    moment: datetime.datetime
    report: RunReport | None = None
    """Of its run; None where there is none yet."""
    problem: str = ""
    """Why it has no verdict, where its run does not say."""


def table(model: str, lines: Sequence[BackfillLine]) -> Table:
    """The runs of *model*, one a line."""
    metric = _metric(lines)
    header = [*HEADER[:3], metric.partition(".")[2] or "score", *HEADER[3:]]
    return Table(
        title=f"{model}, run by run", dimension="backfill", header=header, rows=[_row(line, metric) for line in lines]
    )


def text(model: str, lines: Sequence[BackfillLine]) -> str:
    """The table for a terminal."""
    found = table(model, lines)
    rows = [found.header, *([plain_text.line(cell) for cell in row] for row in found.rows)]
    return "\n".join(plain_text.in_columns(rows, range(len(found.header))))


def write(model: str, lines: Sequence[BackfillLine], page: Path) -> None:
    """Write the page to the file *page*, whole or not at all."""
    verdicts = [line.report.evidence.verdict for line in lines if line.report and line.report.evidence]
    content = (
        html.full_environment()
        .get_template("backfill.html.j2")
        .render(
            model=model,
            title=f"{model}, as of {len(lines)} moments",
            detail=f"From {_day(lines[0].moment)} to {_day(lines[-1].moment)}: {len(verdicts)} of {len(lines)} runs came to a verdict, "
            f"{verdicts.count('promote')} of them with every gate held.",
            chart=_chart(lines),
            table=table(model, lines),
            **page_environment.style(),
        )
    )
    page.parent.mkdir(parents=True, exist_ok=True)
    partial = page.with_suffix(".partial")
    partial.write_text(content, encoding="utf-8")
    partial.replace(page)


def _day(moment: datetime.datetime) -> str:
    return as_of.text(moment).removesuffix("T00:00:00Z")


def _row(line: BackfillLine, metric: str) -> list[str]:
    moment, evidence = _day(line.moment), line.report.evidence if line.report else None
    run = line.report.facts.run if line.report else figures.DASH
    if evidence is None:
        return [moment, *[figures.DASH] * 4, run, line.problem or _stopped(line.report)]
    return [
        moment,
        formats.number(evidence.rows_train),
        formats.number(evidence.rows_holdout),
        formats.number(evidence.metrics.get(metric)),
        "hold" if not evidence.failed else tally(evidence.gates),
        run,
        _outcome(evidence),
    ]


def _outcome(evidence: Evidence) -> str:
    """The verdict, and which gates stood against it."""
    names = [each.gate for each in evidence.failed]
    more = f" and {len(names) - MOST_GATES} more" if len(names) > MOST_GATES else ""
    return f"{evidence.verdict}: {', '.join(names[:MOST_GATES])}{more}" if names else evidence.verdict


def _stopped(report: RunReport | None) -> str:
    if report is None:
        return "not run yet"
    found = run_outcome.of(report)
    return f"{found.headline}: {found.detail}" if found.detail else found.headline


def _metric(lines: Sequence[BackfillLine]) -> str:
    """The measurement that the model is compared by, else that of the search; empty where no run got as far."""
    reports = [line.report for line in lines if line.report]
    compared = (report.policy.comparison.metric for report in reports if report.policy)
    searched = (report.history.metric for report in reports if report.history)
    return next((f"performance.{metric}" for metric in (*compared, *searched)), "")


def _chart(lines: Sequence[BackfillLine]) -> charts.Chart | None:
    """The score over time, of rows that were held out and across the folds of the rest; None of fewer than two runs."""
    metric = _metric(lines)
    name = metric.partition(".")[2]
    series: dict[str, list[tuple[float, float]]] = {"held out": [], "cross-validated": [], "limit": []}
    for line in lines:
        if line.report is None or line.report.evidence is None:
            continue
        at, evidence = line.moment.timestamp(), line.report.evidence
        crossed = line.report.training.cross_validated.get(name) if line.report.training else None
        for key, value in (("held out", evidence.metrics.get(metric)), ("cross-validated", crossed)):
            if value is not None:
                series[key].append((at, value))
        series["limit"] += [
            (at, limit) for gate in evidence.gates if gate.gate == metric and (limit := _limit(gate.limit)) is not None
        ]
    if len(series["held out"]) < 2:
        return None
    return charts.over_time(
        Curve(
            title=f"{formats.words(name)} over time",
            dimension="backfill",
            x_label="as of",
            y_label=formats.words(name),
            series={key: points for key, points in series.items() if points},
        )
    )


def _limit(text: str) -> float | None:
    try:
        return float(text.rpartition(" ")[2])
    except ValueError:
        return None
