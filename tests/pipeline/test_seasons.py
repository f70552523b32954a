"""Real seasons: flights from New York are late more often in July than in September, and it is warmer. That is no drift."""

import datetime
import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from argosy.adapters.memory_objects import MemoryObjects
from argosy.domain import bundle, task_words
from argosy.domain.looks import Look
from argosy.domain.monitor_settings import Monitor
from argosy.domain.release import Version
from argosy.domain.search import Choice
from argosy.files import model_folder
from argosy.ml import bundling, frames, reference_counts, refit
from argosy.ml.predictor import Predictor
from argosy.monitoring import watching
from argosy.monitoring.watching import Watched
from argosy.ports.prediction_log import Logged, SegmentRef, ServedRelease
from kit.memory_history import MemoryHistory

pytestmark = pytest.mark.slow

WEEK = datetime.timedelta(days=7)
WEEKS = [datetime.datetime(2013, month, day, tzinfo=datetime.UTC) for month, day in ((3, 4), (7, 8), (7, 22), (9, 16))]
POINT = Choice(trial=0, score=0.0, metric="auc", parameters={"max_depth": 6, "eta": 0.1}, boost_rounds=100)


@pytest.fixture(scope="module")
def features(new_project: Callable[[str], Any]) -> Path:
    """The features of all flights, as the pipeline builds them."""
    project = new_project("flight_delay")
    project.edit_settings(r"max_boost_rounds: \d+", "max_boost_rounds: 100")
    assert project.call("run", "flight_delay").returncode in {0, 10}
    return next(project.home.glob("objects/*/*/rows.parquet")).parent


def set_aside(features: Path, folder: Path) -> Path:
    """*features*, of which half of the training side is traffic: flights that the model does not see."""
    table = pq.read_table(features / "rows.parquet")
    halves = [hashlib.sha256(key.encode()).digest()[0] % 2 for key in table["flight_id"].to_pylist()]
    traffic = np.array(halves, bool) & np.asarray(pc.equal(table["side"], "train"))
    sides = pa.array(np.where(traffic, "traffic", table["side"].to_numpy(zero_copy_only=False)).tolist())
    folder.mkdir()
    pq.write_table(table.set_column(table.schema.get_field_index("side"), "side", sides), folder / "rows.parquet")
    (folder / "schema.json").write_bytes((features / "schema.json").read_bytes())
    return folder


def watched(features: Path, settings_file: Path, folder: Path) -> tuple[Watched, MemoryHistory]:
    """The model of the flights that were not set aside, and those as the log of a server."""
    settings = model_folder.load_settings(settings_file)
    assert settings.monitor is not None
    train, holdout, traffic = (frames.read(features, side) for side in ("train", "holdout", "traffic"))
    fitted = refit.fit(train, POINT, settings)
    digest = bundling.pack(
        folder, settings=settings, booster=fitted.booster, threshold=fitted.threshold, train=train, holdout=holdout
    )
    answering, bins = Predictor.load(folder, digest), bundle.read_bins(folder / bundle.BINS)
    reference = reference_counts.of(
        answering,
        bins,
        settings.monitor,
        digest=digest,
        holdout=bundling.servable(answering.signature, holdout),
        train=train,
        out_of_fold=np.asarray(fitted.predictions, np.float64),
    )
    version = Version(
        model="flight_delay",
        version=1,
        model_digest=digest,
        storage_uri="file:///store/flights/",
        evidence_digest=digest,
        policy_digest=digest,
    )
    subject = Watched(
        version=version,
        environment="production",
        signature=answering.signature,
        bins=bins,
        monitor=settings.monitor,
        score=task_words.score("binary", settings.label.classes),
        reference=reference,
    )
    rows = reference_counts.as_logged(answering, traffic, answering.predict_matrix(traffic.matrix))
    return subject, logged(rows, version)


def logged(rows: pa.Table, version: Version) -> MemoryHistory:
    """*rows* of the weeks that are looked at, a segment an hour."""
    history = MemoryHistory()
    hours = pc.floor_temporal(rows["time"], unit="hour")
    served = ServedRelease("flight_delay", "production", 1, version.model_digest)
    for hour in pc.unique(hours).to_pylist():
        if any(week <= hour < week + WEEK for week in WEEKS):
            ref = SegmentRef("flight_delay", "production", 1, version.model_digest, hour, hour.isoformat())
            history.shipped[ref] = Logged(served, rows.filter(pc.equal(hours, pa.scalar(hour, hours.type))))
    return history


def looks_at(subject: Watched, history: MemoryHistory) -> dict[str, Look]:
    """The look at each week, by its first day."""
    objects = MemoryObjects()
    return {
        f"{week:%m-%d}": watching.look(
            subject, history=history, objects=objects, since=week, until=week + WEEK, now=week + WEEK
        )
        for week in WEEKS
    }


def test_a_season_is_drift_without_the_seasonal_baseline_and_none_with_it(
    features: Path, root: Path, tmp_path: Path
) -> None:
    """Each week of the year differs from the holdout of autumn; none differs from its month by more than weeks do."""
    aside = set_aside(features, tmp_path / "features")
    subject, history = watched(aside, root / "workflows" / "flight_delay" / "model.yaml", tmp_path / "bundle")
    seasonal = looks_at(subject, history)
    plain = looks_at(replace(subject, monitor=Monitor(window="7d")), history)
    assert {day: look.verdict for day, look in plain.items()} == dict.fromkeys(seasonal, "drift")
    assert {day: look.verdict for day, look in seasonal.items()} == dict.fromkeys(seasonal, "no drift")
    for ref, part in history.shipped.items():  # an airport stops sending
        kept = pc.not_equal(pc.struct_field(part.table["features"], "origin"), "EWR")
        history.shipped[ref] = Logged(part.served, part.table.filter(kept))
    planted = looks_at(subject, history)
    assert {day: look.verdict for day, look in planted.items()} == dict.fromkeys(seasonal, "drift")
    assert all("origin" in look.report.drifted for look in planted.values())
    means = {day: look.report.mean.mean for day, look in seasonal.items() if look.report.mean}
    assert means["07-08"] > 1.7 * means["09-16"]
