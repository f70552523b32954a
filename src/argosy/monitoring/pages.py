"""The page of a look that a person opens: a sample of the rows that were judged beside rows with the counts they were held against."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from argosy.domain import looks
from argosy.domain.drift import Finding
from argosy.ml import drawn_rows
from argosy.monitoring.watching import Judged, Watched
from argosy.ports.drift_pages import DriftPages
from argosy.ports.prediction_log import OTHER, PredictionHistory
from argosy.report import drift_table


def write(path: Path, watched: Watched, judged: Judged, *, history: PredictionHistory, pages: DriftPages) -> None:
    """Draw the whole of *judged* to *path*. Raises Rejected where it has no rows, TryAgain when a store fails."""
    look, reference = judged.look, judged.reference
    pages.write(
        path,
        now=drawn_rows.sample(_tables(watched, judged, history), reference, look.rows),
        before=drawn_rows.of_counts(reference, OTHER),
        findings=_findings(judged),
        drift=look.verdict == "drift",
        title=f"{look.model} in {look.environment}, {look.since:%Y-%m-%d %H:%M} to {look.until:%Y-%m-%d %H:%M %Z}: {look.rows:,} rows, "
        f"held against {look.report.rows_before:,} rows of {look.reference}",
        verdict=f"{look.verdict}: {look.explanation}",
        beside=drift_table.told(look.second) if look.second else [],
    )


def _findings(judged: Judged) -> dict[str, Finding]:
    """What was found of each column that is shown, by the name under which it is."""
    report = judged.look.report
    of = {(finding.difference.of, finding.difference.column): finding for finding in report.features + report.answers}
    found: dict[str, Finding] = {}
    for name, is_answer, histogram in drawn_rows.shown(judged.reference):
        finding = of.get(("answered" if is_answer else "asked", histogram.column))
        if is_answer and histogram is judged.reference.prediction:
            finding = report.prediction
        if finding is not None:
            found[name] = finding
    return found


def _tables(watched: Watched, judged: Judged, history: PredictionHistory) -> Iterator[pa.Table]:
    look = judged.look
    refs = history.segments(look.model, look.environment, since=looks.hour_of(look.since), until=judged.until)
    # Sorted, so that two pages of one look show the same rows.
    for ref in sorted(refs, key=lambda each: (each.hour, each.name)):
        if ref.digest == watched.version.model_digest:
            table = history.read_segment(ref).between(look.since, judged.until).table
            if table.num_rows:
                yield table
