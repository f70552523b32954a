"""How often `argosy drift` cries wolf, and how small a shift it finds.

    python tests/bench/drift_alarms.py [--windows 1000] [--models few_scores,churn]

Models are trained as the step ``train`` does, on seven small data sets that are drawn here and on the two of this repository. Then rows
that no model has seen are drawn without any change, a thousand windows of 400 to 200,000 rows, and each is reported on as ``argosy drift``
would: at most the stated significance may be called drift, at every size. Afterwards one column is moved by a stated size, and the share
of windows that are called drift is printed: the power.

Of the data sets in this repository there are no new rows. A quarter of those that the model has not seen is the reference and windows are
drawn from the rest with replacement, for many choices of the quarter: a little harder than life, because the rest is a sample itself.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

sys.path.insert(0, str(Path(__file__).parents[1]))
from argosy.domain import bundle, drift
from argosy.domain.data import FeatureSchema
from argosy.domain.model_settings import ModelSettings
from argosy.domain.search import Choice
from argosy.ml import bins as binning
from argosy.ml import bundling, frames, refit
from argosy.ml import drift as measures
from argosy.ml.encoding import Encoder
from argosy.ml.predictor import Predictor
from kit.examples import make_settings, write_features

ROOT = Path(__file__).parents[2]
POWER = {"churn": ("tenure", "contract"), "flight_delay": ("temp", "carrier")}
"""The models of this repository, and which columns are moved."""
SHIFTS = (0.1, 0.25, 0.5, 1.0)
ABOUT = drift.About(model="toy", environment="bench", model_digest="sha256:0")
SIZES = (400, 2_000, 20_000, 200_000)
POOL = 300_000
REFERENCES = 20
POINT = Choice(trial=0, score=0.0, metric="m", parameters={"max_depth": 3, "eta": 0.2}, boost_rounds=25)

Random = np.random.Generator
Columns = dict[str, Any]
Drawn = tuple[Columns, npt.NDArray[np.float64]]


@dataclass(frozen=True)
class Subject:
    """A model with its reference, and rows that it has not seen."""

    name: str
    predictor: Predictor
    bins: bundle.Bins
    rows: pa.Table
    """A column a feature."""


@dataclass(frozen=True)
class Counted:
    """Rows as the numbers of the cells that they fall in: a window is a draw of lines, and counts of them."""

    subject: Subject
    cells: list[npt.NDArray[np.int64]]
    """Of the prediction, then of each feature; 0 is missing."""
    scores: npt.NDArray[np.float64]

    @classmethod
    def of(cls, subject: Subject, rows: pa.Table) -> "Counted":
        """*rows*, answered by the model."""
        answers = subject.predictor.predict_table(rows)
        multiclass = subject.predictor.signature.task == "multiclass"
        said = pa.array(subject.predictor.decide(answers)) if multiclass else pa.array(answers)
        features = [binning.cells(rows.column(each.column).combine_chunks(), each) for each in subject.bins.columns]
        return cls(
            subject,
            [binning.cells(said, subject.bins.prediction), *features],
            answers.max(axis=1) if multiclass else answers,
        )

    def report(self, random: Random, size: int) -> drift.DriftReport:
        """What is said of a window of *size* of these rows."""
        lines = random.integers(0, len(self.scores), size)
        bins = self.subject.bins
        prediction, *columns = [
            _counted(histogram, numbers[lines])
            for histogram, numbers in zip([bins.prediction, *bins.columns], self.cells, strict=True)
        ]
        scores = binning.moments(self.scores[lines])
        window = drift.Window(rows=size, columns=columns, prediction=prediction, scores=scores)
        reference = drift.holdout(bins)
        return drift.report(
            ABOUT,
            window,
            measures.differences(window, reference.window),
            reference,
            thresholds=drift.Thresholds(minimum_rows=200),
        )


def _counted(histogram: bundle.Histogram, cells: npt.NDArray[np.int64]) -> bundle.Histogram:
    missing, *counts = np.bincount(cells, minlength=len(histogram.counts) + 1).tolist()
    return histogram.model_copy(update={"counts": counts, "missing": missing})


# The made-up data sets: columns and labels.


def few_scores(random: Random, size: int) -> Drawn:
    """Three small columns and so a few hundred answers: the tutorial's model."""
    plan, seats = random.choice(["free", "team", "pro"], size), random.integers(1, 61, size)
    tickets = random.integers(-1, 5, size).astype(float)
    chance = 0.08 + 0.25 * (plan == "team") + 0.006 * seats
    columns = {"plan": plan.tolist(), "seats": seats.astype(float).tolist(), "tickets": _absent(tickets, tickets < 0)}
    return columns, (random.random(size) < chance).astype(float)


def classes(random: Random, size: int) -> Drawn:
    """Three classes from six columns, two of them noise."""
    columns = {f"x{place}": random.normal(size=size) for place in range(6)}
    seen = columns["x0"] + 0.7 * columns["x1"] - columns["x2"] * (columns["x3"] > 0) + random.normal(size=size)
    return {name: values.tolist() for name, values in columns.items()}, np.digitize(seen, [-0.8, 0.9]).astype(float)


def prices(random: Random, size: int) -> Drawn:
    """A regression on a skewed value."""
    area, rooms = random.lognormal(4.5, 0.4, size), random.poisson(3, size).astype(float)
    district = random.choice(list("abcdefgh"), size, p=[0.3, 0.2, 0.15, 0.1, 0.1, 0.08, 0.05, 0.02])
    value = 1000 * area * (1 + 0.1 * rooms) * (1 + 0.5 * (district == "a")) * random.lognormal(0, 0.3, size)
    return {"area": area.tolist(), "rooms": rooms.tolist(), "district": district.tolist()}, value


def ties(random: Random, size: int) -> Drawn:
    """Columns of a few whole numbers, most of them 0."""
    columns = {f"n{place}": random.poisson(0.2 * (place + 1), size).astype(float) for place in range(8)}
    chance = 1 / (1 + np.exp(2 - columns["n3"] - 0.5 * columns["n7"]))
    return {name: values.tolist() for name, values in columns.items()}, (random.random(size) < chance).astype(float)


def rare(random: Random, size: int) -> Drawn:
    """One row in fifty is positive: scores near 0, with a long tail."""
    columns = {f"x{place}": random.exponential(size=size) for place in range(5)}
    chance = 1 / (1 + np.exp(6 - columns["x0"] - columns["x1"]))
    return {name: values.tolist() for name, values in columns.items()}, (random.random(size) < chance).astype(float)


def gaps(random: Random, size: int) -> Drawn:
    """Most values of most columns are missing."""
    full = {f"x{place}": random.normal(size=size) for place in range(8)}
    label = full["x0"] + full["x1"] + random.normal(size=size) > 0
    columns = {
        name: _absent(values, random.random(size) < 0.1 + 0.1 * place)
        for place, (name, values) in enumerate(full.items())
    }
    return columns, label.astype(float)


def many_levels(random: Random, size: int) -> Drawn:
    """A town out of hundreds, of which training has not seen all; the server refuses those rows."""
    towns = random.zipf(1.3, size) % 900
    shops = random.integers(0, 250, size)
    label = random.random(size) < 0.2 + 0.5 * (towns % 7 == 0)
    return {"town": [f"t{each}" for each in towns], "shop": [f"s{each}" for each in shops]}, label.astype(float)


def _absent(values: npt.NDArray[np.float64], missing: npt.NDArray[np.bool_]) -> list[float | None]:
    return [None if gone else float(value) for value, gone in zip(values, missing, strict=True)]


MADE_UP: dict[str, tuple[Callable[[Random, int], Drawn], str]] = {
    "few_scores": (few_scores, "binary"),
    "classes": (classes, "multiclass"),
    "prices": (prices, "regression"),
    "ties": (ties, "binary"),
    "rare": (rare, "binary"),
    "gaps": (gaps, "binary"),
    "many_levels": (many_levels, "binary"),
}
METRICS = {"binary": "log_loss", "multiclass": "log_loss", "regression": "rmse"}


def made_up(name: str, folder: Path, *, seed: int = 1, trained_on: int = 3_000, pool: int = POOL) -> Subject:
    """The model of *trained_on* drawn rows, a fifth of them its holdout; and *pool* new rows."""
    draw, task = MADE_UP[name]
    random = np.random.default_rng(seed)
    columns, labels = draw(random, trained_on)
    write_features(folder / "features", columns, labels.tolist(), task=task)
    names = {"binary": ["no", "yes"], "multiclass": ["a", "b", "c"], "regression": []}[task]
    predictor = _trained(folder, make_settings(task, names, METRICS[task]))
    fresh, _ = draw(random, pool)
    rows = pa.table({column: pa.array(values) for column, values in fresh.items()} | {frames.LABEL: [0] * pool})
    asked = bundling.servable(predictor.signature, _taken(frames.schema(folder / "features"), rows))
    found = bundle.read_bins(folder / "bundle" / bundle.BINS)
    return Subject(name, predictor, found, asked.table.drop_columns(frames.LABEL))


def _trained(folder: Path, settings: ModelSettings, *sides: frames.Examples) -> Predictor:
    """The model of the *sides*, training and holdout; those in the folder where none are given."""
    train, holdout = sides or [frames.read(folder / "features", side) for side in ("train", "holdout")]
    fitted = refit.fit(train, POINT, settings)
    digest = bundling.pack(
        folder / "bundle",
        settings=settings,
        model=fitted.model,
        threshold=fitted.threshold,
        train=train,
        holdout=holdout,
    )
    return Predictor.load(folder / "bundle", digest)


def of_this_repository(name: str, folder: Path, random: Random) -> list[Subject]:
    """A model of *name*'s data with many references, each a quarter of the rows it has not seen; the rest is to draw from.

    Where the split is by lot, the model learns from a third of the training side only, so that there are more of these.
    """
    from argosy.files import model_folder

    features = _features(name, folder)
    settings = model_folder.load_settings(ROOT / "workflows" / name / "model.yaml")
    train, holdout = frames.read(features, "train"), frames.read(features, "holdout")
    unseen = holdout.table
    if settings.split.by == "entity":
        learned, left = np.split(random.permutation(len(train)), [len(train) // 3])
        unseen = pa.concat_tables([unseen, train.table.take(left)])
        train = _taken(train.schema, train.table.take(np.sort(learned)))
    predictor = _trained(folder, settings, train, holdout)
    unseen = bundling.servable(predictor.signature, _taken(train.schema, unseen)).table
    return [_referred(name, predictor, holdout.schema, unseen, random) for _ in range(REFERENCES)]


def _referred(name: str, predictor: Predictor, schema: FeatureSchema, unseen: pa.Table, random: Random) -> Subject:
    first, other = np.split(random.permutation(unseen.num_rows), [unseen.num_rows // 4])
    return Subject(name, predictor, binning.of(_taken(schema, unseen.take(first)), predictor), unseen.take(other))


def _taken(schema: FeatureSchema, table: pa.Table) -> frames.Examples:
    labels = np.asarray(table.column(frames.LABEL).cast("float64").to_numpy(), dtype=np.float64)
    return frames.Examples(schema, table, Encoder(schema.features).table(table), labels)


def _features(name: str, folder: Path) -> Path:
    """The examples, by the steps that make them. People have looked at this data: its validation is an empty record."""
    from argosy.domain.data import SnapshotManifest, ValidationResult

    model, ingest, build = ROOT / "workflows" / name, folder / "ingest", folder / "build"
    for root in (ingest, build):
        (root / "in").mkdir(parents=True)
        (root / "in" / "settings").symlink_to(model / "model.yaml")
    _step("ingest", ingest, "--data", str(ROOT / "data" / name))
    snapshot = ingest / "out" / "snapshot"
    digest = SnapshotManifest.read(snapshot / "manifest.json").content_digest()
    ValidationResult(snapshot_digest=digest, results=[]).write(build / "in" / "validation" / "validation.json")
    (build / "in" / "snapshot").symlink_to(snapshot)
    (build / "in" / "definitions").symlink_to(model / "features.py")
    _step("build_features", build)
    return build / "out" / "features"


def _step(name: str, root: Path, *arguments: str) -> None:
    subprocess.run(
        [sys.executable, "-m", f"argosy.steps.{name}", "--root", str(root), *arguments], check=True, cwd=ROOT
    )


# What is counted.


def alarms(pools: Sequence[Counted], random: Random, size: int, windows: int) -> int:
    """How many of *windows* windows of *size* are called drift, an equal number from each of *pools*."""
    drawn = (pool.report(random, size) for pool in pools for _ in range(windows // len(pools)))
    return sum(report.verdict == "drift" for report in drawn)


def moved(subject: Subject, column: str, shift: float) -> Counted:
    """The rows with *column* moved: a number by *shift* standard deviations, of a category *shift* of the rows to its rarest level."""
    values = subject.rows.column(column)
    if pa.types.is_string(values.type):
        found = values.value_counts()
        rarest = found.field("values")[int(np.argmin(found.field("counts").to_numpy()))]
        changed = np.random.default_rng(3).random(len(values)) < shift
        values = pc.if_else(pa.array(changed), rarest, values)
    else:
        values = pc.add(values.cast(pa.float64()), shift * pc.stddev(values.cast(pa.float64())).as_py())
    place = subject.rows.column_names.index(column)
    return Counted.of(subject, subject.rows.set_column(place, column, values))


def _pools(name: str, scratch: Path, random: Random) -> list[Counted]:
    subjects = [made_up(name, scratch / name)] if name in MADE_UP else of_this_repository(name, scratch / name, random)
    return [Counted.of(subject, subject.rows) for subject in subjects]


def _print_alarms(name: str, pools: Sequence[Counted], random: Random, windows: int) -> None:
    counted = [alarms(pools, random, size, windows) for size in SIZES]
    bins, total = pools[0].subject.bins, windows * len(SIZES)
    told = "  ".join(f"{count / windows:8.2%}" for count in counted)
    print(f"{name:14} {len(bins.columns):7} {bins.rows:9,}  {told}  {sum(counted) / total:8.2%}", flush=True)


def _print_power(name: str, pool: Counted, random: Random, windows: int) -> None:
    for column in pool.subject.rows.column_names[:2] if name in MADE_UP else POWER[name]:
        for shift in SHIFTS:
            changed = moved(pool.subject, column, shift)
            found = [alarms([changed], random, size, windows) / windows for size in SIZES[:3]]
            print(f"{name:14} {column:18} {shift:5.2f}  " + "  ".join(f"{share:8.0%}" for share in found), flush=True)


def main() -> None:
    """Print the table of false alarms, then the power."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--windows", type=int, default=1_000, help="of each size; default %(default)s")
    parser.add_argument("--models", default=",".join([*MADE_UP, *POWER]), help="default %(default)s")
    given, random = parser.parse_args(), np.random.default_rng(5)
    with tempfile.TemporaryDirectory() as scratch:
        pools = {name: _pools(name, Path(scratch), random) for name in given.models.split(",")}
        print(
            f"called drift without any, of {given.windows:,} windows of each size; allowed: {drift.Thresholds().significance:.0%}"
        )
        print("model          columns reference  " + "  ".join(f"{size:8,}" for size in SIZES) + "       all")
        for name, each in pools.items():
            _print_alarms(name, each, random, given.windows)
        print(
            "\ncalled drift after one column was moved (number: standard deviations; category: share of rows), by rows"
        )
        for name, each in pools.items():
            _print_power(name, each[0], random, max(20, given.windows // 10))


if __name__ == "__main__":
    main()
