"""Other servers of one XGBoost model, as their own pages say to serve it, each in an environment of its own.

What is compared is what a team would run instead: KServe's loop with its xgboost server's DMatrix for each request, MLServer with its
xgboost runtime, a BentoML service, ``mlflow models serve``, and FastAPI round a pickled model. None of them checks a value against a
signature, asks who calls, or logs a prediction. Each is asked in the form that it takes with names.
"""

import contextlib
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import serving

LOCKS = Path(__file__).parent / "peers"
START_SECONDS = 300.0
"""A peer may take as long on a busy machine to answer for the first time."""

Row = Mapping[str, float | None]
Columns = Mapping[str, Sequence[float | None]]

KSERVE = """
import sys
import xgboost
from kserve import Model, ModelServer
from kserve.utils.utils import get_predict_input, get_predict_response

class Served(Model):
    def __init__(self, path):
        super().__init__("leaving")
        self.booster = xgboost.Booster(model_file=path)
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

class Columns(BaseModel):
    columns: dict[str, list[float | None]]

booster = pickle.loads(pickle.dumps(xgboost.Booster(model_file=sys.argv[1])))
names = booster.feature_names
app = FastAPI()

@app.get("/ready")
def ready():
    return {}

@app.post("/predict")
async def predict(rows: Rows):
    matrix = np.array([[row[name] for name in names] for row in rows.instances], dtype=np.float32)
    return {"predictions": booster.inplace_predict(matrix).tolist()}

@app.post("/columns")
async def columns(given: Columns):
    matrix = np.array([given.columns[name] for name in names], dtype=np.float32).T
    return {"predictions": booster.inplace_predict(matrix).tolist()}

uvicorn.run(app, port=int(sys.argv[2]), log_level="warning")
"""
MLSERVER = """
import asyncio, sys
from mlserver import MLServer
from mlserver.settings import ModelParameters, ModelSettings, Settings
from mlserver_xgboost import XGBoostModel

async def main():
    port = int(sys.argv[2])
    # As it is by default: one process for the protocol, one for the model; without the second it is quicker, so it has none here.
    server = MLServer(Settings(http_port=port, grpc_port=port + 1, metrics_port=port + 2, parallel_workers=0, debug=False))
    model = ModelSettings(name="leaving", implementation=XGBoostModel, parameters=ModelParameters(uri=sys.argv[1]))
    await server.start([model])

if __name__ == "__main__":
    asyncio.run(main())
"""
BENTOML = """
import os
import bentoml, numpy as np, xgboost

@bentoml.service(workers=1)
class Leaving:
    def __init__(self):
        self.booster = xgboost.Booster(model_file=os.environ["PEER_MODEL"])
        self.names = self.booster.feature_names

    @bentoml.api
    def predict(self, instances: list[dict[str, float | None]]) -> list[float]:
        matrix = np.array([[row[name] for name in self.names] for row in instances], dtype=np.float32)
        return self.booster.inplace_predict(matrix).tolist()

    @bentoml.api
    def columns(self, columns: dict[str, list[float | None]]) -> list[float]:
        matrix = np.array([columns[name] for name in self.names], dtype=np.float32).T
        return self.booster.inplace_predict(matrix).tolist()
"""
MLFLOW = """
import os, sys
import mlflow.xgboost, xgboost

path, port, folder = sys.argv[1:4]
mlflow.xgboost.save_model(xgboost.Booster(model_file=path), folder)
words = ["models", "serve", "-m", folder, "-p", port, "-h", "127.0.0.1", "--env-manager", "local", "--workers", "1"]
os.execv(os.path.join(os.path.dirname(sys.executable), "mlflow"), ["mlflow", *words])
"""


@dataclass(frozen=True)
class Peer:
    """A server, how it is started, and how it is asked."""

    lock: str
    """The lock of its environment."""
    ready: str
    """The address that answers once it is ready."""
    rows: tuple[str, Any]
    """Address for rows, and what makes a body of them."""
    columns: tuple[str, Any]
    """The same for columns."""
    program: str

    def command(self, python: Path, model: Path, port: int, scratch: Path) -> list[str]:
        """What starts it, for *model* on *port*; files of its own it has in *scratch*."""
        scratch.mkdir(parents=True)
        program = scratch / "service.py"
        program.write_text(self.program, encoding="utf-8")
        if self.program is BENTOML:
            return [
                str(python.parent / "bentoml"),
                *(
                    "serve",
                    "service:Leaving",
                    "--working-dir",
                    str(scratch),
                    "--port",
                    str(port),
                    "--host",
                    "127.0.0.1",
                ),
            ]
        return [str(python), str(program), str(model), str(port), str(scratch / "model")]


def _tensors(columns: Columns) -> Any:
    inputs = [
        {"name": name, "shape": [len(values)], "datatype": "FP32", "data": values} for name, values in columns.items()
    ]
    return {"parameters": {"content_type": "pd"}, "inputs": inputs}


def _split(columns: Columns) -> Any:
    """MLflow's second form; its third, of columns, reaches XGBoost as a dictionary unless the model was saved with a signature."""
    return {"dataframe_split": {"columns": list(columns), "data": list(zip(*columns.values(), strict=True))}}


def _in_columns(rows: Sequence[Row]) -> Columns:
    return {name: [row[name] for row in rows] for name in rows[0]}


V2 = "/v2/models/leaving/infer"
V1 = "/v1/models/leaving:predict"
PEERS = {
    "kserve": Peer(
        "kserve",
        "/v1/models/leaving",
        (V1, lambda rows: {"instances": [{name: [value] for name, value in row.items()} for row in rows]}),
        (V1, lambda columns: {"instances": [columns]}),
        KSERVE,
    ),
    "mlserver": Peer(
        "mlserver",
        "/v2/models/leaving/ready",
        (V2, lambda rows: _tensors(_in_columns(rows))),
        (V2, _tensors),
        MLSERVER,
    ),
    "bentoml": Peer(
        "bentoml",
        "/readyz",
        ("/predict", lambda rows: {"instances": rows}),
        ("/columns", lambda columns: {"columns": columns}),
        BENTOML,
    ),
    "mlflow": Peer(
        "mlflow",
        "/ping",
        ("/invocations", lambda rows: {"dataframe_records": rows}),
        ("/invocations", _split),
        MLFLOW,
    ),
    "fastapi": Peer(
        "kserve",  # which brings it
        "/ready",
        ("/predict", lambda rows: {"instances": rows}),
        ("/columns", lambda columns: {"columns": columns}),
        FASTAPI,
    ),
}


def environment(folder: Path, lock: str) -> Path:
    """The interpreter of the environment for *lock* below *folder*, which is built where it is not there yet."""
    home, uv = folder / lock, Path(sys.executable).parent / "uv"
    python, done = home / "bin" / "python", home / "ready"
    if not done.exists():
        sys.stderr.write(f"building {home} (once; needs the package index)\n")
        subprocess.run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, home], check=True)
        install = ["pip", "sync", "--quiet", "--require-hashes", "--python", python, LOCKS / f"{lock}.txt"]
        subprocess.run([uv, *install], check=True)
        done.touch()
    return python


@contextlib.contextmanager
def started(peer: Peer, python: Path, model: Path, port: int, scratch: Path) -> Iterator[int]:
    """*peer* on *port*, in a session of its own; gives its process id."""
    around = os.environ | {"PEER_MODEL": str(model), "BENTOML_DO_NOT_TRACK": "True", "MLFLOW_DISABLE_TELEMETRY": "true"}
    around |= {"PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", serving.PINNED, *peer.command(python, model, port, scratch)]
    with (
        (scratch / "log").open("wb") as log,
        subprocess.Popen(
            command, env=around, cwd=scratch, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        ) as process,
    ):
        try:
            _wait(process, f"http://127.0.0.1:{port}{peer.ready}", scratch / "log")
            yield process.pid
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, 15)
            # Some take longer to leave on a busy machine, which is no reason to lose what was measured.
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, 9)


def _wait(process: "subprocess.Popen[bytes]", url: str, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(urllib.error.URLError, OSError):
            urllib.request.urlopen(url, timeout=5).read()  # noqa: S310 - our own machine
            return
        time.sleep(0.2)
    text = log.read_text(encoding="utf-8", errors="replace")[-2000:]
    raise SystemExit(f"{url} did not answer; what its server said last:\n{text}")


def tree_cpu_seconds(pid: int) -> float:
    """CPU time that process *pid* and all below it have used, those that ended and were waited for included."""
    parents, ticks = {}, {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
            parents[int(path.parent.name)], ticks[int(path.parent.name)] = int(fields[1]), sum(map(int, fields[11:15]))
    family = [pid]
    for member in family:
        family += [child for child, parent in parents.items() if parent == member]
    return sum(ticks[member] for member in family if member in ticks) / os.sysconf("SC_CLK_TCK")
