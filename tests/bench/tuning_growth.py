"""What trials cost as the data grows, in CPU time: on all rows, and on a draw of `search.rows`. Real flights, no row twice.

    python tests/bench/tuning_growth.py FEATURES [POINTS]

FEATURES: the output `features` of a run of flight_delay. Prints both sides at a tenth, a third and all of its training rows, and how
often the cost of the smallest the largest is: with a draw it must not grow beyond the reading of the rows. Ends 1 where it grows by half.
"""

import sys
import time
from pathlib import Path

from argosy.domain.model_settings import ModelSettings, Search
from argosy.domain.search import Asked, SearchHistory
from argosy.files import model_folder
from argosy.ml import frames, rounds, splits
from argosy.ml.crossvalidation import CrossValidation
from argosy.ml.frames import Examples
from argosy.ml.pruning import PercentilePruner

MODEL = Path(__file__).parents[2] / "workflows" / "flight_delay" / "model.yaml"
POINT = {"learning_rate": 0.1, "max_depth": 6, "min_child_weight": 5.0, "subsample": 0.8, "colsample_bytree": 0.8}
MOST_GROWTH = 1.5


def main(features: Path, points: int) -> int:
    """Measure, print, and say whether it holds."""
    settings = model_folder.load_settings(MODEL)
    rows = frames.schema(features).rows_train
    smallest = rows // 10
    costs: dict[str, list[float]] = {"all rows": [], f"{smallest:,} rows": []}
    for share in (0.1, 1 / 3, 1.0):
        for name, wanted in zip(costs, (int(share * rows), smallest), strict=True):
            costs[name].append(_cost(splits.to_search(features, _with(settings, wanted)), settings, points))
        print(
            f"{int(share * rows):>9,} rows: " + ", ".join(f"{name} {spent[-1]:.1f} s" for name, spent in costs.items()),
            flush=True,
        )
    growth = {name: spent[-1] / spent[0] for name, spent in costs.items()}
    print(
        f"{points} trials, CPU seconds; grown: " + ", ".join(f"{name} {times:.1f}x" for name, times in growth.items())
    )
    return int(growth[f"{smallest:,} rows"] > MOST_GROWTH)


def _with(settings: ModelSettings, wanted: int) -> ModelSettings:
    search: Search = settings.search.model_copy(update={"rows": wanted})
    return settings.model_copy(update={"search": search})


def _cost(examples: Examples, settings: ModelSettings, points: int) -> float:
    history: SearchHistory = rounds.empty(settings)
    bar, folds = PercentilePruner(history, settings.search), CrossValidation(examples, settings)
    started = time.process_time()
    for number in range(points):
        folds.score(Asked(number=number, parameters={**POINT, "reg_lambda": 1.0 + number}), bar)
    return time.process_time() - started


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 3))
