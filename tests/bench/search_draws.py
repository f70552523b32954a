"""What a search loses that scores its trials on a draw (`search.rows`): CPU seconds of the search, and the holdout's scores of its model.

    python tests/bench/search_draws.py FEATURES [--draws 10000 20000 0] [--trials 40] [--seeds 7] [--model workflows/flight_delay]

FEATURES: the output `features` of a run of the model. A draw of 0: all rows. Whatever trials saw, the chosen point is cross-validated, its
rounds counted and the model fitted on all rows, and the holdout, which no search has seen, is answered by it. Sides take turns, seed by
seed.
"""

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path

from argosy.adapters.memory_search_storage import MemorySearchStorage
from argosy.domain.model_settings import ModelSettings
from argosy.files import model_folder
from argosy.ml import frames, metrics, refit, rounds, sampling
from argosy.steps.trial import run as trial

Outcome = dict[str, float]


def main() -> None:
    """Print a line for each seed and draw, and each draw's means."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("features", type=Path)
    parser.add_argument("--draws", type=int, nargs="+", default=[10_000, 20_000, 0])
    parser.add_argument("--trials", type=int, default=40)
    parser.add_argument("--seeds", type=int, nargs="+", default=[7])
    parser.add_argument("--model", type=Path, default=Path("workflows/flight_delay"))
    asked = parser.parse_args()
    settings = model_folder.load_settings(asked.model / "model.yaml")
    found: dict[int, list[Outcome]] = {draw: [] for draw in asked.draws}
    for seed in asked.seeds:
        for draw, outcomes in found.items():
            search = settings.search.model_copy(update={"rows": draw or None, "trials": asked.trials})
            outcomes.append(_outcome(settings.model_copy(update={"search": search, "seed": seed}), asked.features))
            print(f"seed {seed}, {_name(draw)}: {_said(outcomes[-1])}", flush=True)
    if len(asked.seeds) > 1:
        for draw, outcomes in found.items():
            means = {name: statistics.fmean(each[name] for each in outcomes) for name in outcomes[0]}
            print(f"mean, {_name(draw)}: {_said(means)}")


def _name(draw: int) -> str:
    return f"{draw:,} rows" if draw else "all rows"


def _said(outcome: Outcome) -> str:
    return ", ".join(f"{name} {value:.5g}" for name, value in outcome.items())


def _outcome(settings: ModelSettings, features: Path) -> Outcome:
    began, storage = time.process_time(), MemorySearchStorage()
    history = rounds.empty(settings)
    with tempfile.TemporaryDirectory(prefix="argosy-bench-") as folder:
        place = Path(folder) / "history.json"
        for number in range(-(-settings.search.trials // settings.search.per_round)):
            history.write(place)
            asked = sampling.ask(settings, history, round_number=number)
            batch = json.dumps([point.model_dump(mode="json") for point in asked])
            done = trial.run(settings=settings, features=features, history=place, batch=batch, storage=storage)
            history = rounds.merged(history, rounds.finished(f"[{done}]"))
    searched, choice = time.process_time() - began, rounds.choose(history)
    fitted = refit.fit(frames.read(features, "train"), choice, settings)
    trained = time.process_time() - began - searched
    holdout = frames.read(features, "holdout")
    answers = fitted.model.predict(holdout.matrix)
    scores: Outcome = {
        name: metrics.score(settings.task, name, holdout.labels, answers, threshold=fitted.threshold or 0.5)
        for name in ("auc", "log_loss", "pr_auc")
        if name in metrics.METRICS[settings.task]
    }
    spent: Outcome = {"search CPU s": searched, "train CPU s": trained, "trees": fitted.rounds}
    return spent | scores | dict(choice.parameters)


if __name__ == "__main__":
    main()
