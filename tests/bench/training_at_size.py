"""What a task of trials, train and the measurements of evaluate take as the examples grow: CPU seconds and peak memory of each.

    python tests/bench/training_at_size.py FEATURES [--sizes 7043 70430 704300] [--model workflows/flight_delay] [--rounds N]

FEATURES: the output `features` of a run of the model. Fewer rows than it has are spread evenly over it; more repeat them under ids of their
own, with a little noise on their numbers, so that no row is there twice. Every figure is that of a process of its own, imports included.
*growth* is the exponent of CPU seconds over rows from one size to the next.
"""

import argparse
import json
import math
import os
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

POINT = {"learning_rate": 0.1, "max_depth": 6, "min_child_weight": 5.0, "subsample": 0.8, "colsample_bytree": 0.8}
TRIALS = 5
STEPS = ("trial", "train", "evaluate")


def _generate(features: Path, rows: int, out: Path) -> None:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    from argosy.ml import frames, holdout

    schema, table = frames.schema(features), pq.read_table(features / frames.ROWS)
    (key, *_), random = schema.join_keys, np.random.default_rng(7)
    out.mkdir()
    sides: list[str] = []
    with pq.ParquetWriter(out / frames.ROWS, table.schema, compression="zstd") as writer:
        for start in range(0, rows, table.num_rows):
            count = min(table.num_rows, rows - start)
            part = table.take(np.linspace(0, table.num_rows - 1, count).astype(np.int64))
            if start:
                ids = [f"{start}-{number}" for number in range(count)]
                part = part.set_column(part.schema.get_field_index(key), key, pa.array(ids))
                for name in [each.name for each in schema.features if each.type == "number"]:
                    values = part.column(name).to_numpy()
                    noisy = values + random.normal(0, 0.01 * (np.nanstd(values) or 1), count)
                    noise = pa.array(noisy, from_pandas=True)
                    part = part.set_column(part.schema.get_field_index(name), name, noise)
            writer.write_table(part, row_group_size=131_072)
            sides += part.column(frames.SIDE).to_pylist()
    counted = {f"rows_{side}": sides.count(side) for side in (holdout.TRAIN, holdout.HOLDOUT, holdout.RECENT)}
    schema.model_copy(update=counted).write(out / frames.SCHEMA)


def _child(step: str, model: Path, features: Path, work: Path, rounds_at_most: int | None) -> None:
    from argosy.domain.search import Asked, Choice
    from argosy.files import model_folder
    from argosy.ml import rounds

    settings = model_folder.load_settings(model / "model.yaml")
    if rounds_at_most is not None:
        search = settings.search.model_copy(update={"max_boost_rounds": rounds_at_most})
        settings = settings.model_copy(update={"search": search})
    choice = Choice(trial=0, score=0.0, metric=settings.search.metric, parameters=dict(POINT), boost_rounds=100)
    if step == "trial":
        from argosy.adapters.memory_search_storage import MemorySearchStorage
        from argosy.steps.trial import run as trial

        rounds.empty(settings).write(work / "history.json")
        asked = [Asked(number=number, parameters={**POINT, "reg_lambda": 1.0 + number}) for number in range(TRIALS)]
        batch = json.dumps([point.model_dump(mode="json") for point in asked])
        trial.run(settings=settings, features=features, history=work / "history.json", batch=batch,
                  storage=MemorySearchStorage())  # fmt: skip
    elif step == "train":
        from argosy.steps.train import run as train

        choice.write(work / "choice.json")
        train.run(settings=settings, features=features, choice=work / "choice.json", out_bundle=work / "bundle",
                  out_training=work / "training")  # fmt: skip
    else:
        from argosy.domain import bundle
        from argosy.ml import evaluation, frames
        from argosy.ml.predictor import Predictor

        predictor = Predictor.load(work / "bundle", bundle.digest(work / "bundle"))
        evaluation.measure(settings, predictor, frames.read(features, "holdout"))
    used = resource.getrusage(resource.RUSAGE_SELF)
    print(used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def _measured(step: str, asked: argparse.Namespace, features: Path, work: Path) -> tuple[float, float]:
    (work / "training").mkdir(parents=True, exist_ok=True)
    command = [sys.executable, __file__, str(features), "--child", step, "--model", str(asked.model)]
    command += [] if asked.rounds is None else ["--rounds", str(asked.rounds)]
    done = subprocess.run([*command, "--work", str(work)], capture_output=True, text=True, check=False, env=os.environ)
    if done.returncode:
        raise SystemExit(f"{step} ended {done.returncode}\n{done.stderr[-2000:]}")
    seconds, peak = done.stdout.split()[-2:]
    return float(seconds), float(peak)


def main() -> None:
    """Print a line for each size and step."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("features", type=Path)
    parser.add_argument("--sizes", type=int, nargs="+", default=[7_043, 70_430, 704_300])
    parser.add_argument("--model", type=Path, default=Path("workflows/flight_delay"))
    parser.add_argument("--steps", nargs="+", choices=STEPS, default=STEPS)
    parser.add_argument("--rounds", type=int, help="of boosting at most, where memory alone is asked for")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--child", choices=STEPS, help=argparse.SUPPRESS)
    parser.add_argument("--generate", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.generate:
        _generate(asked.features, asked.generate, asked.work)
    elif asked.child:
        _child(asked.child, asked.model, asked.features, asked.work, asked.rounds)
    else:
        before: dict[str, tuple[int, float]] = {}
        for rows in asked.sizes:
            with tempfile.TemporaryDirectory(dir=asked.folder, prefix="argosy-bench-") as place:
                made, work = Path(place) / "features", Path(place) / "work"
                command = [sys.executable, __file__, str(asked.features), "--generate", str(rows), "--work", str(made)]
                subprocess.run(command, check=True)
                for step in asked.steps:
                    seconds, peak = _measured(step, asked, made, work)
                    grown = ""
                    if step in before:
                        grown = f", growth {math.log(seconds / before[step][1]) / math.log(rows / before[step][0]):.2f}"
                    before[step] = rows, seconds
                    print(f"{rows:>9,} rows  {step:<9} {seconds:7.1f} s of CPU, {peak:6,.0f} MiB{grown}", flush=True)


if __name__ == "__main__":
    main()
