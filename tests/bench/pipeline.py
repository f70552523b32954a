"""The whole churn pipeline beside one plain script: from the file to a verdict, and again with nothing changed. Or as its rows grow.

    python tests/bench/pipeline.py [--rounds 3]
    python tests/bench/pipeline.py --rows 7043 70430 [--trials 100] [--model flight_delay] [--folder PLACE]

Interleaved rounds (ours, the script, ours again with nothing changed). Ours does far more than the script: it validates, joins features as
of a time, measures six dimensions, registers, signs and proposes. Memory is the peak of all its processes together.

With rows: one run of each size by itself, nothing from a cache, and the CPU seconds of each step, as steps say them; *rest* is the engine
and steps that tell no time. *growth* is the exponent of CPU seconds over rows. Flights are real, up to 336,776 of them and no row twice;
churn repeats its 7,043 customers under ids of their own, which boosting likes better than it should: the same row is then on both sides
of a fold.
"""

import argparse
import importlib.util
import json
import math
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from argosy.domain import step_times

ROOT = Path(__file__).parents[2]
ARGOSY = str(Path(sys.executable).with_name("argosy"))
SCRIPT = [sys.executable, str(Path(__file__).with_name("plain_script.py")), "data/churn/customers.csv"]


@dataclass
class Cost:
    """What one command took."""

    seconds: float
    peak_megabytes: float


def _measure(command: list[str], environment: dict[str, str]) -> Cost:
    process = subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )
    peak: list[float] = [0.0]
    watcher = threading.Thread(target=_watch, args=(process, peak), daemon=True)
    started = time.perf_counter()
    watcher.start()
    output, _ = process.communicate()
    seconds = time.perf_counter() - started
    if process.returncode != 0:
        sys.exit(f"{' '.join(command)} ended {process.returncode}\n{output[-3000:]}")
    return Cost(seconds, peak[0])


def _watch(process: subprocess.Popen[str], peak: list[float]) -> None:
    """Sum of what all processes of the command hold, looked at ten times a second; a page that several share counts once in all (PSS)."""
    while process.poll() is None:
        total = sum(_pss(pid) for pid in _family(process.pid))
        peak[0] = max(peak[0], total / 1024)
        time.sleep(0.1)


def _family(root: int) -> list[int]:
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue  # it ended while we looked
    members = {root}
    while more := {pid for pid, parent in parents.items() if parent in members} - members:
        members |= more
    return sorted(members)


def _pss(pid: int) -> float:
    try:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return float(line.split()[1])
    except OSError:
        pass  # it ended while we looked
    return 0.0


def main() -> None:
    """Print the rounds and their medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rows", type=int, nargs="+", help="rows of the first source; a run of each size")
    parser.add_argument("--trials", type=int, help="of each search; with --rows (default: the model's own)")
    parser.add_argument("--model", choices=("flight_delay", "churn"), default="flight_delay", help="with --rows")
    parser.add_argument(
        "--folder", type=Path, default=Path(tempfile.gettempdir()), help="with --rows: for all it makes"
    )
    asked = parser.parse_args()
    if asked.model == "churn" and any(rows > 100_000 for rows in asked.rows or ()):
        parser.error("--rows of churn: at most 100,000, since an id of the model's contract has five digits")
    if asked.rows:
        _grow(asked)
    else:
        _beside(asked.rounds)


def _grow(asked: argparse.Namespace) -> None:
    """Run the model at each of its sizes, and print what each step took and how that grows."""
    found: dict[int, dict[str, float]] = {}
    for rows in asked.rows:
        with tempfile.TemporaryDirectory(prefix="argosy-bench-", dir=asked.folder) as place:
            found[rows] = _at_size(Path(place), asked.model, rows, asked.trials)
        print(
            f"{rows:>9,} rows: " + ", ".join(f"{step} {spent:.1f}" for step, spent in found[rows].items()), flush=True
        )
    first, last = asked.rows[0], asked.rows[-1]
    for step in found[last] if last > first else ():
        before, after = found[first].get(step, 0.0), found[last][step]
        if before > 0 and after > 0:
            growth = math.log(after / before) / math.log(last / first)
            print(
                f"{step:<15} {before:7.1f} s -> {after:7.1f} s of CPU, {after / before:5.2f} times, growth {growth:.2f}"
            )


def _at_size(place: Path, model: str, rows: int, trials: int | None) -> dict[str, float]:
    """CPU seconds by step of a run of *model* in a project of its own at *place*."""
    for folder in ("workflows", "gitops-env"):
        shutil.copytree(ROOT / folder, place / folder)
    settings = place / "workflows" / model / "model.yaml"
    text = settings.read_text(encoding="utf-8")
    if trials is not None:
        text = re.sub(r"(?m)^  trials: \d+$", f"  trials: {trials}", text)
    # The draw that a model has which says nothing of it.
    settings.write_text(re.sub(r"(?m)^ +(# Trials are scored on all .*|rows: null)\n", "", text), encoding="utf-8")
    data = place / "data" / model
    _write_data(model, data, rows)
    environment = {**os.environ, "ARGOSY_HOME": str(place / "home")}
    for command in (["compile", f"workflows/{model}"], ["setup"]):
        subprocess.run([ARGOSY, *command], cwd=place, env=environment, check=True, capture_output=True)
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [ARGOSY, "run", model, "--json", "-p", f"data={data}"],
        cwd=place, env=environment, check=False, capture_output=True, text=True,
    )  # fmt: skip
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 10):  # 10: the gates say no
        sys.exit(f"the run of {rows:,} rows ended {done.returncode}\n{done.stderr[-3000:]}")
    steps = _spent(json.loads(done.stdout))
    if "evaluate" not in steps:
        sys.exit(f"the run of {rows:,} rows went no further than {list(steps)[-1]}\n{done.stderr[-3000:]}")
    total = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {**steps, "rest": total - sum(steps.values()), "all": total}


def _spent(run: dict[str, object]) -> dict[str, float]:
    """CPU seconds by step, in the order in which they began; each result tells of the steps before it, too."""
    nodes = run["nodes"]
    assert isinstance(nodes, dict)
    parameters = [((node.get("outputs") or {}).get("parameters") or {}).items() for node in nodes.values()]
    texts = [value for each in parameters for name, value in each if name.startswith("spent-")]
    # A step's tasks are told one by one by themselves, and together by the step after them.
    single = {(time.step, time.began): time for text in texts for time in step_times.parse(text) if time.tasks == 1}
    spent: dict[str, float] = {}
    for (step, _), each in sorted(single.items(), key=lambda pair: pair[0][1]):
        spent[step] = spent.get(step, 0.0) + each.cpu
    return spent


def _write_data(model: str, folder: Path, rows: int) -> None:
    script = ROOT / "workflows" / model / "data.py"
    spec = importlib.util.spec_from_file_location("data_of_the_model", script)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    if model == "flight_delay":
        vars(module)["SAMPLE"] = rows
        module.write(folder)
        return
    module.write(folder)
    file = folder / "customers.csv"
    head, *lines = file.read_text(encoding="utf-8").splitlines()
    with file.open("w", encoding="utf-8") as written:
        print(head, file=written)
        for number in range(rows):
            _, comma, rest = lines[number % len(lines)].partition(",")
            print(f"C{number:05d}{comma}{rest}", file=written)


def _beside(rounds: int) -> None:
    ours, plain, again = [], [], []
    for number in range(rounds):
        with tempfile.TemporaryDirectory(prefix="argosy-bench-") as home:
            environment = {**os.environ, "ARGOSY_HOME": home}
            subprocess.run([ARGOSY, "setup"], env=environment, check=True, capture_output=True)
            ours.append(_measure([ARGOSY, "run", "churn"], environment))
            plain.append(_measure(SCRIPT, environment))
            again.append(_measure([ARGOSY, "run", "churn"], environment))
        print(
            f"round {number + 1}: pipeline {_text(ours[-1])}; plain script {_text(plain[-1])}; nothing changed {_text(again[-1])}",
            flush=True,
        )
    ratio = statistics.median(first.seconds / second.seconds for first, second in zip(ours, plain, strict=True))
    print(
        f"median: pipeline {_median(ours)}; plain script {_median(plain)}; nothing changed {_median(again)}; pipeline / script {ratio:.2f}"
    )


def _text(cost: Cost) -> str:
    return f"{cost.seconds:.1f} s, {cost.peak_megabytes:.0f} MB"


def _median(costs: list[Cost]) -> str:
    return _text(
        Cost(
            statistics.median(cost.seconds for cost in costs), statistics.median(cost.peak_megabytes for cost in costs)
        )
    )


if __name__ == "__main__":
    main()
