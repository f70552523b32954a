"""``reference.json``: what a model's windows are held against besides the counts in its bundle.

Made with the model, from its rows, and kept beside the bundle and not in it: slices and seasons are a choice of who watches, which must not
change the model's name. Who the model is, is in it; without the file, windows are held against the bundle's own counts, as a whole.
"""

import datetime
from collections.abc import Mapping
from zoneinfo import ZoneInfo

from argosy.domain.bundle import Bins, Histogram, Moments
from argosy.domain.data import FeatureViewShape
from argosy.domain.documents import Document
from argosy.domain.monitor_settings import Seasonality
from argosy.domain.tallies import Layout, Tally

FILE = "reference.json"
HOLDOUT = ""
"""The name of the holdout, among seasons."""
RARE = 0.01
"""Share of a window's rows from which on a season decides what the window is held against."""
_BLOCK = 6
"""Hours that are one season of a week."""
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


class WatchReference(Document):
    """Counts of a model's rows, by season and slice, in the bins of its bundle and of what follows from its answers."""

    model: str
    model_digest: str
    answers: list[Histogram]
    """Decision and confidence, on the holdout."""
    label: Histogram | None = None
    """The labels of the holdout."""
    columns: list[Histogram] = []
    """The bins of the prediction and of each feature, where there are seasons: those of the bundle are as fine as the holdout asks, and
    another season may lie beyond them. Empty: the bundle's."""
    layout: str
    """Digest of the layout of the counts."""
    seasonality: Seasonality | None = None
    counts: dict[str, dict[str, Tally]]
    """Season (empty: the holdout) to slice (empty: the whole) to counts. A season's rows are those of both sides, and those of the training
    side are answered by the models of cross-validation, which have not seen them."""
    usual: dict[str, dict[str, float]] = {}
    """Slice to column to the largest distance of a window of training rows from its season."""
    usual_mean: dict[str, float] = {}
    """Slice to the largest relative change of the mean prediction in such a window."""
    views: list[FeatureViewShape] = []
    """How its features were looked up; empty from an earlier Argosy."""


def layout_of(bins: Bins, reference: WatchReference | None) -> Layout:
    """How rows are counted of a model whose bundle has *bins*."""
    if reference is None:
        return Layout.of(bins)
    prediction, *columns = reference.columns or [bins.prediction, *bins.columns]
    return Layout(prediction, tuple(columns), tuple(reference.answers))


def reference_key(model: str, model_digest: str) -> str:
    """The key of the reference in the monitoring store."""
    return f"references/{model}/{model_digest.removeprefix('sha256:')}.json"


def season_of(moment: datetime.datetime, seasonality: Seasonality) -> str:
    """The season of *moment*, by people's clocks: of an hour that comes twice, both are of one."""
    local = moment.astimezone(ZoneInfo(seasonality.timezone))
    if seasonality.by == "month":
        return f"month {local:%m}"
    begin = local.hour // _BLOCK * _BLOCK
    return f"{_DAYS[local.weekday()]} {begin:02}-{begin + _BLOCK:02}"


def mixed(seasons: Mapping[str, Tally], rows: Mapping[str, int]) -> Tally | None:
    """The reference for a window that has so many *rows* of each season: its *seasons*, in the same proportion.

    As large as it can be made without counting a row twice. None where a season that makes up a part of the window is unknown.
    """
    whole = sum(rows.values())
    weights = {name: count / whole for name, count in rows.items() if count > whole * RARE}
    known = {name: seasons[name] for name in weights if name in seasons and seasons[name].rows}
    if not known or len(known) < len(weights):
        return None
    size = min(known[name].rows / weight for name, weight in weights.items())
    return _scaled({name: (tally, weights[name] * size / tally.rows) for name, tally in known.items()})


def _scaled(parts: Mapping[str, tuple[Tally, float]]) -> Tally:
    """Each tally of *parts*, as often as its factor says."""

    factors = [factor for _, factor in parts.values()]
    whole = [
        [each.rows, each.scores.count, each.scores.total, each.scores.squares, *each.cells]
        for each, _ in parts.values()
    ]
    rows, count, total, squares, *cells = (
        round(sum(number * factor for number, factor in zip(numbers, factors, strict=True)))
        for numbers in zip(*whole, strict=True)
    )
    return Tally(rows=rows, cells=cells, scores=Moments(count=count, total=total, squares=squares))
