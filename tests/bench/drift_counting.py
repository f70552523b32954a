"""What counting and judging a log costs, beside Evidently, and how often the verdicts are those of exact tests.

    python tests/bench/drift_counting.py [--rows 1000000] [--only counting,linear,verdicts,fleet]

``counting``: a log of so many rows of 20 features, in Parquet segments as servers ship them, is read, counted and judged; then Evidently's
DataDriftPreset compares the same rows, as data frames that lie in memory already, with as many of the reference. ``linear``: the same for
ten times the rows. ``verdicts``: a thousand pairs of samples, judged from counts and by SciPy's tests of the values themselves.
``fleet``: 50 models, 24 windows of a day each, merged from hourly counts as the monitoring store has them and judged. Each side runs in a
process of its own, so that its memory is its own.
"""

import argparse
import datetime
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

sys.path.insert(0, str(Path(__file__).parents[1]))
from argosy.domain import drift, tallies
from argosy.domain.bundle import Bins, Histogram
from argosy.domain.tallies import WHOLE, HourCounts, Layout
from argosy.ml import bins as binning
from argosy.ml import counting
from argosy.ml import drift as measures

FEATURES, CATEGORIES, LEVELS = 20, 4, 12
SEGMENT = 50_000
"""Rows of a segment."""
REFERENCE = 100_000
PAIRS = 1_000
MODELS, HOURS, ROWS_AN_HOUR = 50, 48, 2_000
ABOUT = drift.About(model="bench", environment="production", model_digest="sha256:0")
Random = np.random.Generator


def drawn(random: Random, rows: int, shift: float = 0.0) -> pa.Table:
    """Logged rows; the first number is moved by *shift*."""
    columns: dict[str, pa.Array] = {}
    for place in range(FEATURES - CATEGORIES):
        values = (
            random.normal(shift if place == 0 else 0.0, 1, rows) if place % 2 == 0 else random.exponential(size=rows)
        )
        columns[f"x{place:02}"] = pa.array(values, mask=random.random(rows) < 0.02)
    for place in range(CATEGORIES):
        words = np.array([f"level{number}" for number in range(LEVELS)])
        columns[f"c{place}"] = pa.array(words[random.zipf(1.5, rows) % LEVELS])
    scores = random.beta(2, 5, rows)
    return pa.table(
        {
            "time": pa.array(np.full(rows, 1_770_000_000_000_000), pa.timestamp("us", tz="UTC")),
            "score": pa.ListArray.from_arrays(pa.array(np.arange(rows + 1, dtype=np.int32)), pa.array(scores)),
            "decision": pa.array(np.where(scores > 0.5, "yes", "no")),
            "features": pa.StructArray.from_arrays(list(columns.values()), names=list(columns)),
        }
    )


def binned(table: pa.Table) -> Bins:
    """The counts that a bundle would have of *table*."""
    struct = table["features"].combine_chunks()
    columns = [_column(field.name, values) for field, values in zip(struct.type, struct.flatten(), strict=True)]
    scores = counting.scores(table)
    return Bins(
        reference="holdout",
        rows=table.num_rows,
        columns=columns,
        prediction=_column("prediction", pa.array(scores)),
        scores=binning.moments(scores),
    )


def _column(name: str, values: pa.Array) -> Histogram:
    if pa.types.is_string(values.type):
        levels = sorted(values.unique().to_pylist())
        empty = Histogram(column=name, levels=levels, counts=[0] * (len(levels) + 1), missing=0)
    else:
        edges = binning.edges(values.to_numpy(zero_copy_only=False).astype(np.float32))
        empty = Histogram(column=name, edges=edges, counts=[0] * (len(edges) + 1), missing=0)
    return binning.count_column(values, empty)


# Counting, beside Evidently.


def clocks() -> tuple[float, float]:
    """Seconds by the clock, and of this process's own work: the second says the same on a machine that others use too."""
    return time.perf_counter(), time.process_time()


def since(begin: tuple[float, float]) -> dict[str, float]:
    """Both, from *begin* on."""
    now = clocks()
    return {"seconds": now[0] - begin[0], "cpu": now[1] - begin[1]}


def write_log(folder: Path, rows: int) -> None:
    """A log of *rows*, and what its reference is."""
    random = np.random.default_rng(7)
    binned(drawn(random, REFERENCE)).write(folder / "bins.json")
    for place in range(max(1, rows // SEGMENT)):
        pq.write_table(drawn(random, min(rows, SEGMENT), 0.3), folder / f"{place:04}.parquet", compression="zstd")


def count_log(folder: Path, times: int) -> dict[str, Any]:
    """Read, count and judge the log in *folder*, *times* over."""
    bins = Bins.read(folder / "bins.json")
    layout = Layout.of(bins)
    segments = sorted(folder.glob("*.parquet")) * times
    begin = clocks()
    total = layout.empty()
    for path in segments:
        total = total.plus(counting.tallies(pq.read_table(path, partitioning=None), layout)[WHOLE])
    report = judged(layout, total, bins)
    return {**since(begin), "rows": report.rows, "said": f"{report.verdict}: {report.drifted}"}


def judged(layout: Layout, total: tallies.Tally, bins: Bins) -> drift.DriftReport:
    """What is said of *total*."""
    window, reference = layout.window(total), drift.holdout(bins)
    found = measures.differences(window, reference.window)
    return drift.report(ABOUT, window, found, reference, thresholds=drift.Thresholds())


def run_evidently(folder: Path, _times: int) -> dict[str, Any]:
    """Evidently's preset on the rows in *folder*, which are read before the clock starts."""
    from argosy.adapters import evidently_pages as evidently

    now = pa.concat_tables([pq.read_table(path, partitioning=None) for path in sorted(folder.glob("*.parquet"))])
    before = drawn(np.random.default_rng(8), now.num_rows)
    frames = [_flat(table) for table in (now, before)]
    begin = clocks()
    snapshot = evidently._snapshot(*frames, "bench")
    said = snapshot.dict()["metrics"]
    return {**since(begin), "rows": now.num_rows, "said": f"{len(said)} metrics"}


def _flat(table: pa.Table) -> pa.Table:
    struct = table["features"].combine_chunks()
    columns = dict(zip([field.name for field in struct.type], struct.flatten(), strict=True))
    return pa.table({**columns, "prediction": pa.array(counting.scores(table))})


SIDES: dict[str, Callable[[Path, int], dict[str, Any]]] = {"counts": count_log, "evidently": run_evidently}


def apart(side: str, folder: Path, times: int = 1) -> dict[str, Any]:
    """What *side* says and costs in a process of its own."""
    words = [sys.executable, __file__, "--side", side, str(folder), "--times", str(times)]
    found: dict[str, Any] = json.loads(
        subprocess.run(words, check=True, capture_output=True, text=True).stdout.splitlines()[-1]
    )
    spent = f"{found['seconds']:>8.2f} s ({found['cpu']:.2f} of CPU) {found['megabytes']:>7.0f} MB"
    print(f"  {side:10} {found['rows']:>11,} rows {spent}  {found['said']}", flush=True)
    return found


def counting_beside_evidently(rows: int) -> None:
    """Both sides on one log."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_log(folder, rows)
        print(f"counting and judging {rows:,} rows of {FEATURES} features")
        ours, theirs = apart("counts", folder), apart("evidently", folder)
        print(
            f"  {theirs['seconds'] / ours['seconds']:.0f} times as fast, {theirs['cpu'] / ours['cpu']:.0f} times less CPU"
        )


def linear(rows: int) -> None:
    """Ten times the rows, ten times the time and the same memory."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_log(folder, rows)
        print(f"counting and judging {rows:,} rows, and ten times as many")
        once, ten = apart("counts", folder), apart("counts", folder, 10)
        print(f"  {ten['seconds'] / once['seconds']:.1f} times the time, {ten['cpu'] / once['cpu']:.1f} times the CPU")


# Verdicts, beside SciPy's exact tests.


def verdicts() -> None:
    """A thousand pairs of samples of one column."""
    from scipy import stats

    random = np.random.default_rng(11)
    thresholds = drift.Thresholds()
    equal, drifted, different = 0, 0, []
    for place in range(PAIRS):
        before, now = _pair(random, place)
        reference = _column("x", pa.array(before))
        found = measures.difference(binning.count_column(pa.array(now), reference), reference)
        (ours,), _ = drift.judge([found], None, thresholds)
        exact_p = (
            float(stats.ks_2samp(now, before, method="asymp").pvalue)
            if found.kind == "number"
            else _exact_categories(stats, now, before)
        )
        (theirs,), _ = drift.judge([found.model_copy(update={"p_value": exact_p})], None, thresholds)
        equal += ours.drifted == theirs.drifted
        drifted += theirs.drifted
        if ours.drifted != theirs.drifted:
            different.append(
                f"{len(now)} rows, distance {found.jensen_shannon:.3f}, p {found.p_value:.3g} beside {exact_p:.3g}"
            )
    print(
        f"verdicts of {PAIRS:,} random pairs: {equal / PAIRS:.2%} are those of SciPy's tests of the values ({drifted} of them drift)"
    )
    print("".join(f"  {line}\n" for line in different), end="")


def _pair(random: Random, place: int) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """A reference and a window, of any size, shape and shift."""
    sizes = (10 ** random.uniform(2.5, 5, 2)).astype(int)
    shift = random.choice([0.0, 0.02, 0.1, 0.3, 1.0]) * random.uniform(0.5, 1.5)
    if place % 4 == 3:
        levels = int(random.integers(2, 40))
        weights = random.dirichlet(np.ones(levels))
        moved = weights * np.exp(random.normal(0, shift, levels))
        words = np.array([f"l{number}" for number in range(levels)])
        return random.choice(words, sizes[0], p=weights), random.choice(words, sizes[1], p=moved / moved.sum())
    draw = [
        random.normal,
        random.lognormal,
        lambda mean, _, size: random.poisson(np.exp(1 + mean), size).astype(float),
    ][place % 4]
    return draw(0.0, 1.0, sizes[0]), draw(shift, 1.0, sizes[1])


def _exact_categories(stats: Any, now: npt.NDArray[Any], before: npt.NDArray[Any]) -> float:
    _, codes = np.unique(np.concatenate([now, before]), return_inverse=True)
    sides = (codes[: len(now)], codes[len(now) :])
    observed = np.array([np.bincount(side, minlength=int(codes.max()) + 1) for side in sides])
    return float(stats.chi2_contingency(observed, correction=False).pvalue)


# A fleet.


def fleet() -> None:
    """Hourly counts, as bytes in the store, merged to windows of a day and judged."""
    random = np.random.default_rng(3)
    bins = binned(drawn(random, REFERENCE))
    layout = Layout.of(bins)
    hour = drawn(random, ROWS_AN_HOUR)
    begin_of_log = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    counted = counting.tallies(hour, layout)
    kept = [
        HourCounts(
            model_digest="sha256:0",
            hour=begin_of_log + datetime.timedelta(hours=place),
            layout=layout.digest,
            segments=[f"{place:064x}"],
            tallies=counted,
        )
        .canonical_json()
        .encode()
        for place in range(HOURS)
    ]
    begin = clocks()
    said = [word for _ in range(MODELS) for word in _windows(kept, layout, bins)]
    spent = since(begin)
    print(
        f"{MODELS} models, {len(said) // MODELS} windows each of 24 hours, {FEATURES} features: {spent['seconds']:.1f} s "
        f"({spent['cpu']:.1f} of CPU), {1000 * spent['cpu'] / len(said):.1f} ms a window; {len(kept[0]):,} bytes an hour"
    )


def _windows(kept: list[bytes], layout: Layout, bins: Bins) -> Iterator[str]:
    hours = [found.whole for content in kept if (found := tallies.parse(content))]
    for place in range(HOURS - 24):
        yield judged(layout, tallies.total(hours[place : place + 24]), bins).verdict


PARTS: dict[str, Callable[[int], None]] = {
    "counting": counting_beside_evidently,
    "linear": linear,
    "verdicts": lambda _: verdicts(),
    "fleet": lambda _: fleet(),
}


def main() -> None:
    """Run the parts that were asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--side", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--times", type=int, default=1, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.side:
        side, folder = arguments.side
        found = SIDES[side](Path(folder), arguments.times)
        print(json.dumps({**found, "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))
        return
    for name in arguments.only.split(","):
        PARTS[name](arguments.rows)


if __name__ == "__main__":
    main()
