"""Our side of the search benchmark: the steps of the search and the training, a forked process a task, two at a time.

python tests/bench/steps_script.py FOLDER    # features/ and settings.json in it; see search.py, which starts it
"""

import json
import math
import multiprocessing
import resource
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import alembic.command  # noqa: F401 - what the steps import is imported once, in the process that tasks are forked from

from argosy.adapters.optuna_storage import OptunaStorage
from argosy.domain.model_settings import ModelSettings
from argosy.steps.select import run as select
from argosy.steps.suggest import run as suggest
from argosy.steps.train import run as train
from argosy.steps.trial import run as trial

SIDE_BY_SIDE = 2
FORK = multiprocessing.get_context("fork")


def main() -> None:
    """Search, train, print seconds, memory and when each round ended."""
    folder = Path(sys.argv[1])
    started = time.monotonic()
    settings = ModelSettings.read(folder / "settings.json")
    marks, history, finished = [], None, "[]"
    for number in range(math.ceil(settings.search.trials / settings.search.per_round)):
        out = folder / f"history-{number}.json"
        text = _task(suggest.run, settings=settings, round_number=number, finished=finished, history=history, out=out)
        history = out
        with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
            tasks = [
                pool.submit(_task, _trial, settings, folder, history, json.dumps(batch)) for batch in json.loads(text)
            ]
        finished = json.dumps([json.loads(task.result()) for task in tasks])
        marks.append(time.monotonic() - started)
    assert history is not None
    choice = folder / "choice.json"
    _task(select.run, finished=finished, history=history, out_history=folder / "all.json", out_choice=choice)
    bundle, training = folder / "bundle", folder / "training"
    _task(
        train.run,
        settings=settings,
        features=folder / "features",
        choice=choice,
        out_bundle=bundle,
        out_training=training,
    )
    # The largest task and the process it was forked from; pages they share count twice.
    peak = sum(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_CHILDREN, resource.RUSAGE_SELF)) / 1024
    print(json.dumps({"seconds": time.monotonic() - started, "peak_mib": peak, "marks": marks}))


def _trial(settings: ModelSettings, folder: Path, history: Path, batch: str) -> str:
    storage = OptunaStorage(f"sqlite:///{folder}/optuna.db", settings)
    return trial.run(settings=settings, features=folder / "features", history=history, batch=batch, storage=storage)


def _task(work: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
    """Do *work* in a process of its own and return what it returned."""
    receiver, sender = FORK.Pipe(duplex=False)
    process = FORK.Process(target=lambda: sender.send(work(*arguments, **named)))
    process.start()
    sender.close()
    result = receiver.recv()
    process.join()
    return result


if __name__ == "__main__":
    main()
