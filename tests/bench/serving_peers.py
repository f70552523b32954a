"""The model server beside others that serve the same model to the same callers: requests for each second of CPU time, and latency.

    python tests/bench/serving_peers.py [--environments FOLDER] [--only NAME,…] [--rounds N] [--rows N] [--columns]

The peers (``tests/bench/peer_servers.py``) run in environments of their own, which are built below FOLDER the first time (4 GB; the package
index has to be reachable). The model is the churn example's: its customers and features, with categories as codes, which is what these
servers take. Ours proves its bundle, asks who calls and holds to a rate, checks every value against the signature, logs every prediction
and counts; they do none of it.

All are called in round by round, each held to one core with all of its processes where the kernel allows. What a busy machine changes
least is CPU time, user's and system's, of everything that the server started: the ratios are of that, over eight connections. Latency is
that of a caller alone. Rows: an object a row; MLServer's protocol has none, and gets a tensor a feature. Columns: a list a feature.
"""

import argparse
import csv
import http.client
import json
import math
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import peer_servers
import serving
import xgboost

from argosy.domain import bundle
from argosy.domain.data import FeatureColumn
from argosy.domain.model_settings import EntitySplit
from argosy.ml.predictor import Predictor
from kit.serving_kit import bins

TREES, DEPTH, ROUNDS, ALONE = 300, 5, 5, 200
CUSTOMERS = Path(__file__).parents[2] / "data" / "churn" / "customers.csv"
ENVIRONMENTS = Path.home() / ".cache" / "argosy" / "bench-peers"
FIRST_PORT = 18471
V1, V2 = "/v1/models/leaving:predict", "/v2/models/leaving/infer"
Row = dict[str, float | None]


def customers() -> tuple[list[Row], list[bool]]:
    """The churn example's rows, texts as codes, and who left."""
    with CUSTOMERS.open(encoding="utf-8", newline="") as lines:
        found = list(csv.DictReader(lines))
    names = [name for name in found[0] if name not in {"customer_id", "churn", "female"}]
    columns = {name: _coded([row[name] for row in found]) for name in names}
    rows = [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]
    return rows, [row["churn"] == "Yes" for row in found]


def _coded(texts: list[str]) -> list[float | None]:
    try:
        return [float(text) if text else None for text in texts]
    except ValueError:
        codes = {text: float(code) for code, text in enumerate(sorted(set(texts)))}
        return [codes[text] for text in texts]


def write_bundle(folder: Path) -> str:
    """A model of those customers; returns its digest."""
    rows, label = customers()
    names = list(rows[0])
    matrix = np.array([[math.nan if row[name] is None else row[name] for name in names] for row in rows], np.float32)
    settings = {"nthread": 1, "seed": 1, "max_depth": DEPTH, "eta": 0.05, "objective": "binary:logistic"}
    booster = xgboost.train(settings, xgboost.DMatrix(matrix, label=label, feature_names=names), num_boost_round=TREES)
    signature = bundle.Signature(
        model="leaving",
        task="binary",
        features=[FeatureColumn(name=name, type="number", view="v") for name in names],
        join_keys=["customer_id"],
        classes=["no", "yes"],
        threshold=0.5,
        split=EntitySplit(by="entity", holdout=0.2),
        xgboost=xgboost.__version__,
    )
    folder.mkdir(parents=True)
    (folder / bundle.MODEL).write_bytes(bytes(booster.save_raw("ubj")))
    signature.write(folder / bundle.SIGNATURE)
    sample: list[dict[str, float | str | None]] = [dict(row) for row in rows[:5]]
    bins(sample).write(folder / bundle.BINS)
    bundle.Golden(rows=[]).write(folder / bundle.GOLDEN)
    answers = Predictor.load(folder, bundle.digest(folder)).predict(sample)
    golden = [
        bundle.GoldenRow(features=row, prediction=[float(answer)]) for row, answer in zip(sample, answers, strict=True)
    ]
    bundle.Golden(rows=golden).write(folder / bundle.GOLDEN)
    return bundle.digest(folder)


@dataclass
class Measured:
    """One server at one case."""

    pid: int
    port: int
    work: serving.Work
    head: dict[str, str]
    costs: list[float] = field(default_factory=list)
    """Seconds of CPU a request, a round each."""
    latencies: list[float] = field(default_factory=list)
    """Of a caller alone, in ms."""

    def go(self) -> None:
        """One round."""
        before = peer_servers.tree_cpu_seconds(self.pid)
        count = serving.load(self.port, self.work, self.head)
        self.costs.append((peer_servers.tree_cpu_seconds(self.pid) - before) / count)
        self.latencies += alone(self.port, self.work, self.head)

    def per_cpu_second(self) -> float:
        """Requests for each second of CPU."""
        return 1 / statistics.median(self.costs)


def alone(port: int, work: serving.Work, head: dict[str, str]) -> list[float]:
    """Milliseconds of each of ALONE requests, one after the other."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    found = []
    for _ in range(ALONE):
        began = time.perf_counter()
        connection.request("POST", work[0], work[1], {"Content-Type": "application/json", **head})
        connection.getresponse().read()
        found.append(1000 * (time.perf_counter() - began))
    connection.close()
    return found


def cases(rows: int) -> dict[str, tuple[list[Row], bool]]:
    """By name: the rows that are asked for, and whether they come in columns."""
    sample = customers()[0][:rows]
    return {"1 row": (sample[:1], False), f"{rows} rows": (sample, False), f"{rows} rows in columns": (sample, True)}


def work(server: str, rows: Sequence[Row], *, in_columns: bool) -> serving.Work:
    """What *server* is asked for *rows*."""
    columns: dict[str, Any] = {name: [row[name] for row in rows] for name in rows[0]}
    if server == "ours" and in_columns:
        shape = [len(rows)]
        inputs = [
            {"name": name, "shape": shape, "datatype": "FP64", "data": values} for name, values in columns.items()
        ]
        return V2, json.dumps({"inputs": inputs}).encode()
    if server == "ours":
        return V1, json.dumps({"instances": rows}).encode()
    peer = peer_servers.PEERS[server]
    path, body = peer.columns if in_columns else peer.rows
    return path, json.dumps(body(columns if in_columns else rows)).encode()


@contextmanager
def ours(scratch: Path) -> Iterator[tuple[int, int, dict[str, str], Path]]:
    """Our server with everything on: its process id, port, what proves a caller, and the model that it serves."""
    home = scratch / "ours"
    rules, head = serving.access(scratch)
    make = f"import sys, pathlib; sys.path.insert(0, {str(Path(__file__).parent)!r}); import serving_peers as bench; "
    serving.MAKE = make + "print(bench.write_bundle(pathlib.Path(sys.argv[1])))"
    with serving.serving(serving.SOURCE, home, words=("--access", str(rules))) as (pid, port):
        yield pid, port, head, home / "bundle" / bundle.MODEL


def main() -> None:
    """Measure, print a line for each case and server, and the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--environments", type=Path, default=ENVIRONMENTS, help=f"default {ENVIRONMENTS}")
    parser.add_argument("--only", default=",".join(peer_servers.PEERS), help="peers; default all")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--rows", type=int, default=100)
    parser.add_argument("--columns", action="store_true", help="ask for rows in columns alone")
    given = parser.parse_args()
    names = [name for name in given.only.split(",") if name]
    pythons = {name: peer_servers.environment(given.environments, peer_servers.PEERS[name].lock) for name in names}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        scratch = Path(folder)
        pid, port, head, model = stack.enter_context(ours(scratch))
        servers = {"ours": (pid, port, head)}
        for place, name in enumerate(names):
            port = FIRST_PORT + 10 * place
            peer = peer_servers.started(peer_servers.PEERS[name], pythons[name], model, port, scratch / name)
            servers[name] = (stack.enter_context(peer), port, {})
        table = {}
        for case, (rows, in_columns) in cases(given.rows).items():
            if given.columns and not in_columns:
                continue
            measured = {
                name: Measured(pid, port, work(name, rows, in_columns=in_columns), head)
                for name, (pid, port, head) in servers.items()
            }
            for number in range(given.rounds):
                for name in list(measured)[:: 1 if number % 2 else -1]:
                    measured[name].go()
            table[case] = measured
            _print_case(case, measured)
        _print_table(table)


def _print_case(case: str, measured: dict[str, Measured]) -> None:
    own = measured["ours"]
    for name, one in measured.items():
        ratio = statistics.median(theirs / mine for theirs, mine in zip(one.costs, own.costs, strict=True))
        median, *_, worst = statistics.quantiles(one.latencies, n=100)[49:]
        print(
            f"{case:<20} {name:<9} {one.per_cpu_second():8.0f} a CPU second ({1 / max(one.costs):.0f} to {1 / min(one.costs):.0f})"
            f" {ratio:6.1f} times our cost; alone {median:7.2f} ms, p99 {worst:7.2f} ms",
            flush=True,
        )


def _print_table(table: dict[str, dict[str, Measured]]) -> None:
    names = list(next(iter(table.values())))
    print("\n| a request | " + " | ".join(names) + " |\n" + "|---" * (len(names) + 1) + "|")
    for case, measured in table.items():
        own = measured["ours"]
        cells = [f"{own.per_cpu_second():.0f} a CPU second"]
        for name in names[1:]:
            ratios = [theirs / mine for theirs, mine in zip(measured[name].costs, own.costs, strict=True)]
            cells.append(f"{statistics.median(ratios):.1f} times")
        print(f"| {case} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
