"""The page of a look that a person opens: a sample of the rows that were logged beside rows with the reference's counts."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from argosy.domain import looks
from argosy.domain.looks import Look
from argosy.ml import drawn_rows
from argosy.monitoring.watching import Watched
from argosy.ports.drift_pages import DriftPages
from argosy.ports.prediction_log import OTHER, PredictionHistory


def write(path: Path, watched: Watched, look: Look, *, history: PredictionHistory, pages: DriftPages) -> None:
    """Draw the whole of *look* to *path*. Raises Rejected where it has no rows, TryAgain when a store fails."""
    reference = watched.holdout().window
    pages.write(
        path,
        now=drawn_rows.sample(_tables(watched, look, history), reference, look.rows),
        before=drawn_rows.of_counts(reference, OTHER),
        title=f"{look.model} in {look.environment}, {look.since:%Y-%m-%d %H:%M} to {look.until:%Y-%m-%d %H:%M %Z}: {look.verdict}",
    )


def _tables(watched: Watched, look: Look, history: PredictionHistory) -> Iterator[pa.Table]:
    refs = history.segments(look.model, look.environment, since=looks.hour_of(look.since), until=look.until)
    # Sorted, so that two pages of one look show the same rows.
    for ref in sorted(refs, key=lambda each: (each.hour, each.name)):
        if ref.digest == watched.version.model_digest:
            logged = history.read_segment(ref)
            if logged.table.num_rows:
                yield logged.table
