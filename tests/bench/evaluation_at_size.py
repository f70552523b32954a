"""What it costs to measure a model on a large holdout and to hold it against another, beside the loop that a statistics tutorial gives.

    python tests/bench/evaluation_at_size.py [--rows 1000000]

Two binary models of 20 features answer so many rows: every measurement, table and search of `evaluate` but the trial server's, then the
champion comparison by three scores, a calibration and a fairness margin, 2,000 draws, what a promotion would change, and the champion's own
robustness. The tutorial's page draws rows and scores both models by scikit-learn's AUC, 2,000 times in a loop, for one interval: a few
draws are timed, and multiplied. Ends 1 where ours takes more than 30 CPU seconds or 4 GB, or the loop less than 20 times as long as the
whole comparison (of few rows, where a loop does, it will).
"""

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import numpy as np
import pyarrow as pa
from sklearn.metrics import roc_auc_score

sys.path.insert(0, str(Path(__file__).parents[1]))
from argosy.domain.data import FeatureColumn, FeatureSchema
from argosy.domain.measuring import AS_EVER
from argosy.domain.model_settings import ModelSettings
from argosy.domain.policy import ComparisonPolicy, Margin
from argosy.ml import boosting, bundling, evaluation, frames, trainers
from argosy.ml.encoding import Encoder
from argosy.ml.frames import Examples
from argosy.ml.predictor import Predictor
from argosy.ml.xgboost_trainer import BoosterModel
from argosy.steps.evaluate import champion_comparison
from kit.examples import MOMENT, make_settings

MOST_SECONDS, MOST_BYTES, LEAST_TIMES = 30.0, 4e9, 20.0
TRAINED, NUMBERS, KINDS, LEVELS, DRAWS, TIMED = 20_000, 14, 6, 5, 2000, 3
Result = TypeVar("Result")

SETTINGS: ModelSettings = make_settings(
    "binary",
    ["no", "yes"],
    "log_loss",
    evaluation={"slices": ["k0", "k1"], "sensitive": ["k2"], "business": {"true_positive": 250, "false_positive": -40}},
)
POLICY = ComparisonPolicy(
    metric="auc",
    margin=0.01,
    beside=["f1", "log_loss"],
    resamples=DRAWS,
    margins=[
        Margin(metric="calibration.ece", margin=0.01, why="w"),
        Margin(metric="fairness.k2.demographic_parity_ratio", margin=0.05, why="w"),
    ],
)
LIMITED = ["robustness.noise_drop", "robustness.missing_drop", "robustness.flip_rate", "explainability.top_share"]


def examples(rows: int, seed: int) -> Examples:
    """Rows of numbers and categories, and a label that half of them tell."""
    random = np.random.default_rng(seed)
    numbers, kinds = random.normal(size=(rows, NUMBERS)), random.integers(0, LEVELS, (rows, KINDS))
    logit = numbers[:, :7].sum(axis=1) * 0.4 + (kinds[:, 0] == 1) * 0.8 - 1
    labels = (random.random(rows) < 1 / (1 + np.exp(-logit))).astype(np.float64)
    levels = [f"l{level}" for level in range(LEVELS)]
    features = [FeatureColumn(name=f"n{place}", type="number", view="v") for place in range(NUMBERS)]
    features += [FeatureColumn(name=f"k{place}", type="category", levels=levels, view="v") for place in range(KINDS)]
    columns = {f"n{place}": pa.array(numbers[:, place]) for place in range(NUMBERS)}
    for place in range(KINDS):
        codes = pa.array(kinds[:, place].astype(np.int32))
        columns[f"k{place}"] = pa.DictionaryArray.from_arrays(codes, levels).cast(pa.string())
    columns |= {"id": pa.array(np.arange(rows)), frames.TIME: pa.array([MOMENT] * rows)}
    schema = FeatureSchema(
        features=features, context=[], join_keys=["id"], rows_train=TRAINED, rows_holdout=rows, online_digest=""
    )
    table = pa.table(columns)
    return Examples(schema, table, Encoder(features).table(table), labels)


def model(folder: Path, train: Examples, depth: int) -> Predictor:
    """A model of 60 trees."""
    data = boosting.data(Encoder(train.schema.features), train.matrix, train.labels, nthread=1)
    fitted = boosting.fit(
        boosting.parameters(trainers.learning(SETTINGS, train.schema.features), {"max_depth": depth}), data, 60
    )
    digest = bundling.pack(
        folder,
        settings=SETTINGS,
        model=BoosterModel(fitted.booster, train.schema.features),
        threshold=0.4,
        train=train,
        holdout=train,
    )
    return Predictor.load(folder, digest)


def timed(name: str, call: Callable[[], Result]) -> tuple[Result, float]:
    """What *call* gives, and its CPU seconds."""
    started = time.process_time()
    found = call()
    seconds = time.process_time() - started
    print(f"{name:<60} {seconds:8.1f} CPU s   peak {_peak() / 1e9:.2f} GB", flush=True)
    return found, seconds


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024.0


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    rows = parser.parse_args().rows
    with tempfile.TemporaryDirectory() as folder:
        train = examples(TRAINED, 1)
        candidate, champion = (model(Path(folder) / str(depth), train, depth) for depth in (4, 3))
    holdout = examples(rows, 2)
    print(f"{rows:,} rows of {NUMBERS + KINDS} features; before anything is measured: peak {_peak() / 1e9:.2f} GB")
    nothing = pa.table({})
    figures, measured = timed("measured", lambda: evaluation.measure(SETTINGS, candidate, holdout))
    standing, compared = timed(
        f"compared with the champion, {DRAWS:,} draws, by five measurements",
        lambda: champion_comparison.hold(
            SETTINGS, POLICY, candidate, champion, holdout, nothing, predictions=figures.predictions
        ),
    )
    asked = standing.answered
    if asked is None:
        raise SystemExit("the champion could not be asked: nothing was measured")
    _, changes = timed(
        "what a promotion would change",
        lambda: champion_comparison.impact(
            SETTINGS, POLICY, candidate, champion, asked, holdout, AS_EVER.smallest_slice
        ),
    )
    _, alone = timed(
        "robustness and explainability of the champion",
        lambda: champion_comparison.alone(SETTINGS, AS_EVER, LIMITED, champion, asked, holdout.labels),
    )
    answers = asked.candidate.predictions, asked.champion.predictions

    def loop() -> list[float]:
        random, found = np.random.default_rng(1), []
        for _ in range(TIMED):
            drawn = random.integers(0, rows, rows)
            one, two = (roc_auc_score(holdout.labels[drawn], each[drawn]) for each in answers)
            found.append(float(one - two))
        return found

    _, few = timed(f"the tutorial's loop, {TIMED} draws of {DRAWS:,}, one measurement", loop)
    whole, total = few / TIMED * DRAWS, measured + compared + changes + alone
    times, peak = whole / compared, _peak()
    print(f"AUC better by {standing.result.difference:+.5f} [{standing.result.low:+.5f}, {standing.result.high:+.5f}]")
    print(
        f"ours {total:.1f} CPU s and {peak / 1e9:.2f} GB in all; the loop would take {whole:,.0f} s: {times:.0f} times the comparison"
    )
    return int(total > MOST_SECONDS or peak > MOST_BYTES or times < LEAST_TIMES)


if __name__ == "__main__":
    sys.exit(main())
