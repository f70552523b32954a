"""The search and the training of the churn model, beside a plain script that does the same by hand.

    python tests/bench/search.py [--seeds 5] [--trials 100] [--skip-plain]

For each seed both sides get the same new split into training and test side, in turn, each as a process of its own from interpreter start
to test scores. Ours runs the steps' own code, a forked process a task and two at a time, as the engine does; starting the engine, reading
the data and what comes after training are not in it. Printed for each seed: seconds, scores, memory, and when our search was first as good
as the plain script was at its end; then the paired differences with their 95 % intervals (Student's t).

``cv_f1`` is the mean over the folds: of the plain script at 0.5, the very number it chose its trial by; of ours at the model's threshold,
while its trial was chosen by log loss.
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
MODEL = ROOT / "workflows" / "churn"
CUSTOMERS = ROOT / "data" / "churn"
SCORES = ("cv_f1", "f1", "auc", "log_loss")


def main() -> None:
    """Run both sides seed by seed and print what came out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--skip-plain", action="store_true", help="our side only")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        features = _features(Path(scratch))
        pairs = [_pair(features, Path(scratch), seed, given) for seed in range(1, given.seeds + 1)]
    if not given.skip_plain and len(pairs) > 1:
        _differences(pairs)


def _pair(features: Path, scratch: Path, seed: int, given: argparse.Namespace) -> tuple[dict[str, Any], dict[str, Any]]:
    folder = _split(features, scratch / f"seed-{seed}", seed, given.trials)
    load = os.getloadavg()[0]
    ours = _timed([sys.executable, str(Path(__file__).with_name("steps_script.py")), str(folder)])
    ours |= _scores(folder)
    print(f"seed {seed} (load {load:.1f})\n  ours  {_line(ours)}; {ours['pruned']} pruned", flush=True)
    if given.skip_plain:
        return ours, ours
    plain = _timed(
        [
            *(sys.executable, str(Path(__file__).with_name("plain_script.py")), str(CUSTOMERS / "customers.csv")),
            *("--seed", str(seed), "--trials", str(given.trials), "--holdout", str(folder / "holdout.txt")),
        ]
    )
    reached = next((at for at, best in _trace(folder, ours["marks"]) if best >= plain["cv_f1"]), math.nan)
    print(f"  plain {_line(plain)}\n  ours was as good in cross-validation after {reached:.1f} s", flush=True)
    return ours, plain


def _scores(folder: Path) -> dict[str, Any]:
    """Our bundle on the test side, and what its training record says."""
    from argosy.domain.search import SearchHistory
    from argosy.domain.training_record import TrainingRecord
    from argosy.ml import frames, metrics
    from argosy.ml.predictor import Predictor

    record = TrainingRecord.read(folder / "training" / "training.json")
    model = Predictor.load(folder / "bundle", record.model_digest)
    test = frames.read(folder / "features", "holdout")
    answers, cut = model.predict_matrix(test.matrix), record.threshold
    assert cut is not None
    trials = SearchHistory.read(folder / "all.json").trials
    return {
        **{
            name: metrics.score("binary", name, test.labels, answers, threshold=cut)
            for name in ("f1", "auc", "log_loss")
        },
        "cv_f1": statistics.fmean(record.fold_metrics["f1"]),
        "pruned": sum(trial.state == "pruned" for trial in trials),
    }


def _trace(folder: Path, marks: Sequence[float]) -> list[tuple[float, float]]:
    """Cross-validated F1 of the best trial so far, at the end of each round. Not on our clock: nobody needs it."""
    from argosy.domain.model_settings import ModelSettings
    from argosy.domain.search import SearchHistory
    from argosy.ml import frames, refit, rounds

    settings = ModelSettings.read(folder / "settings.json")
    history, train = SearchHistory.read(folder / "all.json"), frames.read(folder / "features", "train")
    trace = []
    for number, mark in enumerate(marks, start=1):
        so_far = history.trials[: number * settings.search.per_round]
        choice = rounds.choose(history.model_copy(update={"trials": so_far}))
        trace.append(
            (mark, statistics.fmean(refit.fold_scores(refit.fit(train, choice, settings), train, settings)["f1"]))
        )
    return trace


def _timed(command: list[str]) -> dict[str, Any]:
    started = time.monotonic()
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        sys.exit(f"{' '.join(command)} ended {done.returncode}:\n{done.stderr}")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result | {"wall": time.monotonic() - started}


def _line(result: dict[str, Any]) -> str:
    scores = ", ".join(f"{name} {result[name]:.4f}" for name in SCORES)
    return f"{result['wall']:6.1f} s ({result['seconds']:.1f} s after imports), {scores}, peak {result['peak_mib']:.0f} MiB"


def _differences(pairs: Sequence[tuple[dict[str, Any], dict[str, Any]]]) -> None:
    from scipy import stats

    print(f"\nours - plain over {len(pairs)} paired seeds")
    for name in SCORES:
        values = [ours[name] - plain[name] for ours, plain in pairs]
        half = stats.t.ppf(0.975, len(values) - 1) * statistics.stdev(values) / math.sqrt(len(values))
        mean = statistics.fmean(values)
        print(f"  {name:9} {mean:+.4f}  95 % interval [{mean - half:+.4f}, {mean + half:+.4f}]")
    ratios = sorted(plain["wall"] / ours["wall"] for ours, plain in pairs)
    print(
        f"  time: plain takes {statistics.median(ratios):.1f} times as long (median; {ratios[0]:.1f}-{ratios[-1]:.1f})"
    )


def _features(scratch: Path) -> Path:
    """The examples, by the steps that make them. Bench data was looked at by people: its validation is an empty record."""
    from argosy.domain.data import SnapshotManifest, ValidationResult

    ingest, build = scratch / "ingest", scratch / "build"
    for root in (ingest, build):
        (root / "in").mkdir(parents=True)
        (root / "in" / "settings").symlink_to(MODEL / "model.yaml")
    _step("ingest", ingest, "--data", str(CUSTOMERS))
    snapshot = ingest / "out" / "snapshot"
    digest = SnapshotManifest.read(snapshot / "manifest.json").content_digest()
    ValidationResult(snapshot_digest=digest, results=[]).write(build / "in" / "validation" / "validation.json")
    (build / "in" / "snapshot").symlink_to(snapshot)
    (build / "in" / "definitions").symlink_to(MODEL / "features.py")
    _step("build_features", build)
    return build / "out" / "features"


def _step(name: str, root: Path, *arguments: str) -> None:
    subprocess.run(
        [sys.executable, "-m", f"argosy.steps.{name}", "--root", str(root), *arguments], check=True, cwd=ROOT
    )


def _split(features: Path, folder: Path, seed: int, trials: int) -> Path:
    """The examples split anew by *seed*, the settings of the search with it, and the test side's ids for the plain script."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from argosy.domain.model_settings import EntitySplit
    from argosy.files import model_folder
    from argosy.ml import frames, holdout

    settings = model_folder.load_settings(MODEL / "model.yaml")
    split = EntitySplit(by="entity", holdout=0.2, key=f"bench-{seed}")
    search = settings.search.model_copy(update={"trials": trials})
    settings = settings.model_copy(update={"seed": seed, "split": split, "search": search})
    settings.write(folder / "settings.json")
    table = pq.read_table(features / frames.ROWS)
    sides = holdout.sides(table, settings.entity, frames.TIME, split)
    table = table.set_column(table.column_names.index(frames.SIDE), frames.SIDE, pa.array(sides))
    (folder / "features").mkdir()
    pq.write_table(table, folder / "features" / frames.ROWS)
    frames.schema(features).write(folder / "features" / frames.SCHEMA)
    ids = [
        key for key, side in zip(table.column(settings.entity[0]).to_pylist(), sides, strict=True) if side == "holdout"
    ]
    (folder / "holdout.txt").write_text("\n".join(ids), encoding="utf-8")
    return folder


if __name__ == "__main__":
    main()
