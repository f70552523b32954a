"""What a model's windows are held against besides its bundle: slices, seasons, and how far windows usually are."""

import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from argosy.domain import bundle, tallies, watch_reference
from argosy.domain.bundle import Bins
from argosy.domain.monitor_settings import Monitor
from argosy.domain.search import Choice
from argosy.domain.tallies import WHOLE, Layout, Tally
from argosy.domain.watch_reference import HOLDOUT, WatchReference
from argosy.ml import bundling, counting, frames, reference_counts, refit
from argosy.ml.predictor import Predictor
from kit.examples import Given

SEASONS = Monitor(window="7d", baseline="season", seasonality={"by": "month"}, slices=["contract"], minimum_rows=8)


def made(given: Given, folder: Path, monitor: Monitor) -> tuple[WatchReference, Bins, Predictor]:
    """The reference of a model of *given*, whose rows are spread over ninety days."""
    table = pq.read_table(given.features / "rows.parquet")
    begin = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    times = [begin + datetime.timedelta(hours=90 * 24 * place // table.num_rows) for place in range(table.num_rows)]
    place = table.schema.get_field_index("event_timestamp")
    features = folder / "features"
    features.mkdir()
    pq.write_table(table.set_column(place, "event_timestamp", pa.array(times)), features / "rows.parquet")
    (features / "schema.json").write_bytes((given.features / "schema.json").read_bytes())
    train, holdout = frames.read(features, "train"), frames.read(features, "holdout")
    point = Choice(trial=0, score=0.0, metric="m", parameters={"max_depth": 3, "eta": 0.3}, boost_rounds=5)
    fitted = refit.fit(train, point, given.settings)
    digest = bundling.pack(
        folder / "bundle", settings=given.settings, model=fitted.model, threshold=None, train=train, holdout=holdout
    )
    answering = Predictor.load(folder / "bundle", digest)
    bins = bundle.read_bins(folder / "bundle" / bundle.BINS)
    reference = reference_counts.of(
        answering,
        bins,
        monitor,
        digest=digest,
        holdout=bundling.servable(answering.signature, holdout),
        train=train,
        out_of_fold=np.asarray(fitted.predictions, np.float64),
    )
    return reference, bins, answering


def test_the_holdout_is_what_the_bundle_counts(each_task: Given, tmp_path: Path) -> None:
    """Without seasons the bins are the bundle's, and so is every count; decision and confidence are beside them."""
    reference, bins, answering = made(each_task, tmp_path, Monitor())
    layout = watch_reference.layout_of(bins, reference)
    window = layout.window(reference.counts[HOLDOUT][WHOLE])
    assert (window.prediction, window.columns, window.scores) == (bins.prediction, bins.columns, bins.scores)
    names = {"binary": ["decision", "confidence"], "multiclass": ["confidence"], "regression": []}
    assert [each.column for each in reference.answers] == names[answering.signature.task]
    assert window.answers == reference.answers
    assert reference.label is not None
    assert sum(reference.label.counts) == bins.rows


def test_seasons_hold_every_row_once(leavers: Given, tmp_path: Path) -> None:
    """Both sides, by month, and each slice of them; in bins that are fine for all seasons and so finer than the bundle's."""
    reference, bins, _ = made(leavers, tmp_path, SEASONS)
    assert sorted(reference.counts) == ["", "month 01", "month 02", "month 03"]
    seasons = [counts for name, counts in reference.counts.items() if name]
    rows = pq.read_table(leavers.features / "rows.parquet").num_rows
    assert sum(counts[WHOLE].rows for counts in seasons) == rows
    for counts in reference.counts.values():
        parts = [tally for name, tally in counts.items() if name]
        assert tallies.total(parts).cells == counts[WHOLE].cells
    assert (
        reference.layout
        == watch_reference.layout_of(bins, reference).digest
        != Layout.of(bins, reference.answers).digest
    )
    for wide, narrow in zip(reference.columns, [bins.prediction, *bins.columns], strict=True):
        assert set(narrow.edges or []) <= set(wide.edges or [])


def test_how_far_windows_were_is_kept_for_each_slice(leavers: Given, tmp_path: Path) -> None:
    """Of each column that can be compared; a small part is usually farther away than the whole."""
    reference, _, _ = made(leavers, tmp_path, SEASONS)
    assert set(reference.usual) >= {"", "contract=Month-to-month"}
    assert set(reference.usual[""]) >= {"prediction", "tenure", "contract", "decision", "confidence"}
    assert all(0 <= distance <= 1 for columns in reference.usual.values() for distance in columns.values())
    assert 0 < reference.usual_mean[""] < 1


def test_groups_are_what_each_is_by_itself(leavers: Given, tmp_path: Path) -> None:
    """One pass over all rows counts what a pass over each part does."""
    reference, bins, answering = made(leavers, tmp_path, Monitor())
    holdout = frames.read(tmp_path / "features", "holdout")
    table = reference_counts.as_logged(answering, holdout, answering.predict_matrix(holdout.matrix))
    layout = watch_reference.layout_of(bins, reference)
    groups = np.arange(table.num_rows) % 3
    together = counting.grouped(table, layout, groups, 4, ["contract"])
    apart = [counting.tallies(table.filter(pa.array(groups == place)), layout, ["contract"]) for place in range(3)]
    assert together[:3] == apart
    assert together[3][WHOLE].rows == 0


def tally(rows: int, *cells: int) -> Tally:
    """Some counts."""
    return Tally(rows=rows, cells=list(cells), scores=bundle.Moments(count=rows, total=rows, squares=rows))


def test_a_mixture_has_the_windows_proportions_and_counts_no_row_twice() -> None:
    """A quarter of the window is of winter, so a quarter of the reference is; as many rows as the scarcer season allows."""
    seasons = {"winter": tally(100, 100, 0), "summer": tally(900, 0, 900)}
    found = watch_reference.mixed(seasons, {"winter": 50, "summer": 150})
    assert found == tally(400, 100, 300)


@pytest.mark.parametrize(
    ("rows", "known"),
    [
        pytest.param({"winter": 100, "spring": 1}, True, id="a-few-rows-of-an-unknown-season"),
        pytest.param({"winter": 100, "spring": 2}, False, id="a-part-of-an-unknown-season"),
        pytest.param({"spring": 5}, False, id="nothing-known"),
    ],
)
def test_an_unknown_season_gives_no_reference(rows: dict[str, int], known: bool) -> None:
    """What a window's rows cannot be compared with is not replaced by something else."""
    assert (watch_reference.mixed({"winter": tally(100, 100)}, rows) is not None) == known


@pytest.mark.parametrize(
    ("moment", "by", "season"),
    [
        pytest.param("2026-11-01T05:30Z", "hour of week", "Sun 00-06", id="first-of-an-hour-that-comes-twice"),
        pytest.param("2026-11-01T06:30Z", "hour of week", "Sun 00-06", id="second-of-it"),
        pytest.param("2026-03-08T06:59Z", "hour of week", "Sun 00-06", id="before-the-hour-that-is-left-out"),
        pytest.param("2026-03-08T07:01Z", "hour of week", "Sun 00-06", id="after-it"),
        pytest.param("2026-07-01T03:59Z", "month", "month 06", id="June-in-New-York"),
        pytest.param("2026-07-01T04:00Z", "month", "month 07", id="July-in-New-York"),
    ],
)
def test_seasons_are_by_peoples_clocks(moment: str, by: str, season: str) -> None:
    """Daylight saving moves people's hours; each hour has one season."""
    seasonality = Monitor.model_validate(
        {"baseline": "season", "seasonality": {"by": by, "timezone": "America/New_York"}}
    ).seasonality
    assert seasonality is not None
    assert watch_reference.season_of(datetime.datetime.fromisoformat(moment), seasonality) == season
