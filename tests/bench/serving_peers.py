"""The model server beside others that serve the same model to the same callers: CPU time for each request, and requests a second.

    python tests/bench/serving_peers.py PYTHON [--rounds N] [--rows N]

PYTHON is the interpreter of an environment in which ``kserve`` 0.21, ``xgboost`` and ``pandas`` are installed, outside this repository.
The peers are KServe's own loop, with a DMatrix for each request as its xgboost server has it, and FastAPI round a pickled model. Ours
proves its bundle, checks every value against the signature, logs every prediction and counts; they do none of it. All are called in
round by round, each held to one core where the kernel allows, over eight connections. What a busy machine changes least is CPU time, so
the ratios are of that.

Named: each row an object; KServe's takes objects of lists only, and makes a data frame of each. Bare: rows as lists of numbers, which is
the quickest that KServe takes. Columns: a list a feature.
"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import serving
import xgboost

from argosy.domain import bundle
from argosy.domain.data import FeatureColumn
from argosy.domain.model_settings import EntitySplit
from argosy.ml.predictor import Predictor
from kit.serving_kit import bins

FEATURES, TREES, DEPTH, ROUNDS = 19, 300, 5, 5
NAMES = [f"feature_{place}" for place in range(FEATURES)]
PREDICT = "/v1/models/leaving:predict"
KSERVE = """
import os, sys
import xgboost
from kserve import Model, ModelServer
from kserve.utils.utils import get_predict_input, get_predict_response

class Served(Model):
    def __init__(self, path):
        super().__init__("leaving")
        self.booster = xgboost.Booster(model_file=path)
        self.booster.feature_names = None  # else it takes no bare numbers
        self.ready = True

    def predict(self, payload, headers=None):
        matrix = xgboost.DMatrix(get_predict_input(payload), nthread=1)
        return get_predict_response(payload, self.booster.predict(matrix), self.name)

ModelServer(http_port=int(sys.argv[2]), enable_grpc=False, workers=1, access_log_format=None).start([Served(sys.argv[1])])
"""
FASTAPI = """
import pickle, sys
import numpy as np, uvicorn, xgboost
from fastapi import FastAPI
from pydantic import BaseModel

class Rows(BaseModel):
    instances: list[dict[str, float | None]]

booster = pickle.loads(pickle.dumps(xgboost.Booster(model_file=sys.argv[1])))
names = sys.argv[3].split(",")
app = FastAPI()

@app.get("/v1/models/leaving")
def ready():
    return {}

@app.post("/v1/models/leaving:predict")
async def predict(rows: Rows):
    matrix = np.array([[row[name] for name in names] for row in rows.instances], dtype=np.float32)
    return {"predictions": booster.inplace_predict(matrix).tolist()}

uvicorn.run(app, port=int(sys.argv[2]), log_level="warning")
"""


def write_bundle(folder: Path) -> str:
    """A model of the size that the bench's cases have; returns its digest."""
    random = np.random.default_rng(0)
    matrix = random.normal(size=(2000, FEATURES)).astype(np.float32)
    label = matrix[:, 0] + matrix[:, 1] * matrix[:, 2] > 0
    settings = {"nthread": 1, "seed": 1, "max_depth": DEPTH, "objective": "binary:logistic"}
    booster = xgboost.train(settings, xgboost.DMatrix(matrix, label=label, feature_names=NAMES), num_boost_round=TREES)
    signature = bundle.Signature(
        model="leaving",
        task="binary",
        features=[FeatureColumn(name=name, type="number", view="v") for name in NAMES],
        join_keys=["customer_id"],
        classes=["no", "yes"],
        threshold=0.5,
        split=EntitySplit(by="entity", holdout=0.2),
        xgboost=xgboost.__version__,
    )
    folder.mkdir(parents=True)
    (folder / bundle.MODEL).write_bytes(bytes(booster.save_raw("ubj")))
    signature.write(folder / bundle.SIGNATURE)
    sample: list[dict[str, float | str | None]] = [
        dict(zip(NAMES, row, strict=True)) for row in matrix[:5].astype(float).tolist()
    ]
    bins(sample).write(folder / bundle.BINS)
    bundle.Golden(rows=[]).write(folder / bundle.GOLDEN)
    answers = Predictor.load(folder, bundle.digest(folder)).predict(sample)
    golden = [
        bundle.GoldenRow(features=row, prediction=[float(answer)]) for row, answer in zip(sample, answers, strict=True)
    ]
    bundle.Golden(rows=golden).write(folder / bundle.GOLDEN)
    return bundle.digest(folder)


def works(rows: int) -> dict[str, dict[str, serving.Work]]:
    """By case and server, what is asked; a server without a case does not take it."""
    random = np.random.default_rng(1)
    numbers = random.normal(size=(rows, FEATURES)).round(4).tolist()
    found: dict[str, dict[str, serving.Work]] = {}
    for count in (1, rows):
        sample = numbers[:count]
        named = [dict(zip(NAMES, row, strict=True)) for row in sample]
        lists = [{name: [value] for name, value in row.items()} for row in named]
        columns = dict(zip(NAMES, map(list, zip(*sample, strict=True)), strict=True))
        tensors = [
            {"name": name, "shape": [count], "datatype": "FP64", "data": values} for name, values in columns.items()
        ]
        label = f"{count} row{'s' * (count > 1)}"
        ours, instances = _posted({"instances": named}), _posted({"instances": sample})
        found[f"{label}, named"] = {"ours": ours, "kserve": _posted({"instances": lists}), "fastapi": ours}
        found[f"{label}, bare"] = {"ours": instances, "kserve": instances}
        found[f"{label}, columns"] = {
            "ours": ("/v2/models/leaving/infer", json.dumps({"inputs": tensors}).encode()),
            "kserve": _posted({"instances": [columns]}),
        }
    return found


def _posted(body: Any) -> serving.Work:
    return PREDICT, json.dumps(body).encode()


@contextmanager
def peer(python: Path, program: str, model: Path, port: int) -> Iterator[tuple[int, int]]:
    """Process id and port of a peer."""
    command = [str(python), "-c", program, str(model), str(port), ",".join(NAMES)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            for _ in range(600):
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/models/leaving", timeout=5).read()
                    break
                except (urllib.error.URLError, OSError):
                    time.sleep(0.1)
            if hasattr(os, "sched_setaffinity"):
                os.sched_setaffinity(process.pid, {0})
            yield process.pid, port
        finally:
            process.terminate()


def main() -> None:
    """Measure, and print a line for each case and server."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("python", type=Path, help="interpreter of the peers")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--rows", type=int, default=100)
    given = parser.parse_args()
    source = Path(__file__).parents[2] / "src"
    make = f"import sys, pathlib; sys.path.insert(0, {str(Path(__file__).parent)!r}); import serving_peers as bench; "
    with tempfile.TemporaryDirectory() as scratch, ExitStack() as stack:
        home = Path(scratch) / "ours"
        serving.MAKE = make + "print(bench.write_bundle(pathlib.Path(sys.argv[1])))"
        servers = {"ours": stack.enter_context(serving.serving(source, home))}
        model = home / "bundle" / bundle.MODEL
        servers["kserve"] = stack.enter_context(peer(given.python, KSERVE, model, 18471))
        servers["fastapi"] = stack.enter_context(peer(given.python, FASTAPI, model, 18472))
        for name, asked in works(given.rows).items():
            _compare(name, asked, servers, given.rounds)


def _compare(name: str, asked: dict[str, serving.Work], servers: dict[str, tuple[int, int]], rounds: int) -> None:
    costs: dict[str, list[float]] = {server: [] for server in asked}
    rates: dict[str, list[float]] = {server: [] for server in asked}
    for number in range(rounds):
        for server in list(asked)[:: 1 if number % 2 else -1]:
            pid, port = servers[server]
            before = serving.cpu_seconds(pid)
            count = serving.load(port, asked[server])
            costs[server].append(1e6 * (serving.cpu_seconds(pid) - before) / count)
            rates[server].append(count / serving.SECONDS)
    for server, cost in costs.items():
        ratio = statistics.median(theirs / own for theirs, own in zip(cost, costs["ours"], strict=True))
        print(
            f"{name:<19} {server:<8} {statistics.median(cost):8.0f} µs of CPU a request ({min(cost):.0f} to {max(cost):.0f})"
            f" {statistics.median(rates[server]):8.0f} requests/s {ratio:7.1f} times ours",
            flush=True,
        )


if __name__ == "__main__":
    main()
