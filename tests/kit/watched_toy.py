"""A model that is watched: its holdout is of winter, when there are about ten seats; in July there are eighteen."""

import datetime

import numpy as np
import pyarrow as pa

from argosy.domain.bundle import Bins, Histogram
from argosy.domain.data import FeatureColumn
from argosy.domain.monitor_settings import Monitor
from argosy.domain.release import Version
from argosy.domain.tallies import Layout
from argosy.domain.watch_reference import WatchReference
from argosy.ml import bins as binning
from argosy.ml import counting
from argosy.monitoring.watching import Watched
from kit.memory_history import BEGIN, OURS, MemoryHistory, rows

DAY = datetime.timedelta(days=1)
HOUR = datetime.timedelta(hours=1)
JULY = datetime.datetime(2026, 7, 6, tzinfo=datetime.UTC)
SUMMER = {"by": "month"}


def drawn(seed: int, begin: datetime.datetime, count: int, *, seats: float = 10.0, pro: float = 0.5) -> pa.Table:
    """*count* rows of an hour: seats round a mean, and a share of pro plans, who need five more."""
    random = np.random.default_rng(seed)
    plans = np.where(random.random(count) < pro, "pro", "free")
    sizes = random.normal(seats, 3, count) + 5 * (plans == "pro")
    times = [begin + datetime.timedelta(seconds=3599 * place // max(1, count)) for place in range(count)]
    scores = 1 / (1 + np.exp(-(sizes - 12) / 4))
    decisions = ["leaves" if score >= 0.5 else "stays" for score in scores]
    return rows(times, {"seats": sizes.tolist(), "plan": plans.tolist()}, scores.tolist(), decisions)


def counted(name: str, values: pa.Array) -> Histogram:
    """*values* in bins of their own."""
    if pa.types.is_string(values.type):
        levels = sorted(values.unique().to_pylist())
        return binning.count_column(
            values, Histogram(column=name, levels=levels, counts=[0] * (len(levels) + 1), missing=0)
        )
    edges = binning.edges(values.to_numpy().astype(np.float32))
    return binning.count_column(values, Histogram(column=name, edges=edges, counts=[0] * (len(edges) + 1), missing=0))


def watched(monitor: Monitor, *, usual: dict[str, float] | None = None) -> Watched:
    """A model whose holdout is of winter, when there are about ten seats; in July there are eighteen."""
    winter = drawn(1, BEGIN, 4000)
    struct = winter["features"].combine_chunks()
    scores = counting.scores(winter)
    bins = Bins(
        reference="holdout",
        rows=4000,
        columns=[counted(field.name, values) for field, values in zip(struct.type, struct.flatten(), strict=True)],
        prediction=counted("prediction", pa.array(scores)),
        scores=binning.moments(scores),
    )
    answers = [counted(counting.DECISION, winter["decision"].combine_chunks())]
    # As the reference of a model with seasons is made: bins that are fine for all of them.
    struct = pa.concat_tables([winter, drawn(2, JULY, 4000, seats=18)])["features"].combine_chunks()
    wide = [counted(field.name, values) for field, values in zip(struct.type, struct.flatten(), strict=True)]
    layout = Layout(bins.prediction, tuple(wide), tuple(answers))
    slices = ["plan"]
    reference = WatchReference(
        model="toy",
        model_digest=OURS,
        answers=answers,
        columns=[bins.prediction, *wide],
        layout=layout.digest,
        seasonality=monitor.seasonality,
        counts={
            "": counting.tallies(winter, layout, slices),
            "month 07": counting.tallies(drawn(2, JULY, 4000, seats=18), layout, slices),
            "month 03": counting.tallies(drawn(3, BEGIN, 4000), layout, slices),
        },
        usual={"": usual or {}},
    )
    return Watched(
        version=Version(
            model="toy",
            version=3,
            model_digest=OURS,
            storage_uri="file:///store/toy/",
            evidence_digest=OURS,
            policy_digest=OURS,
        ),
        environment="production",
        features=[
            FeatureColumn(name="seats", type="number", view="v"),
            FeatureColumn(name="plan", type="category", levels=["free", "pro"], view="v"),
        ],
        bins=bins,
        monitor=monitor,
        score="chance",
        reference=reference,
    )


def a_day(
    begin: datetime.datetime, *, seed: int = 10, count: int = 100, seats: float = 10.0, pro: float = 0.5
) -> MemoryHistory:
    """A log of a day, an hour a segment."""
    history = MemoryHistory()
    for place in range(24):
        hour = begin + place * HOUR
        history.ship(hour, drawn(seed + place, hour, count, seats=seats, pro=pro))
    return history
