"""Fifty pipelines at once on a cluster: when they end, what the controller asks of the API server, its memory, and who is throttled.

    KUBECONFIG=… python tests/bench/cluster_fleet.py IMAGE [--models 50] [--metrics ADDRESS] [--pid PID] [--namespace NAME]
    python tests/bench/cluster_fleet.py IMAGE --dry-run FOLDER

Each model is a folder of its own, compiled as `argosy compile` does; of what was compiled the commands alone are replaced, by a shell of
*IMAGE* (one that nodes have) that writes the outputs that the step declares; requests are made small. So the DAG, the
accounts, retries, mutexes, volumes, inputs and outputs are a pipeline's, and the steps do nothing. They need an artifact repository, as
every pipeline does, with its Secret in the namespace, and the chart `platform` there: it is installed for the time of the bench unless
--namespace names one. No more of them work at once than the chart's semaphore lets.

ADDRESS is that of the controller's metrics; without it only the times are printed. Its peak memory is printed where it is the process PID
here, or its metrics say it. --dry-run writes the workflows into FOLDER and asks no cluster.
"""

import argparse
import json
import re
import shlex
import ssl
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "bench")]

from kit import fleet  # noqa: E402 - the path is this program's own

Object = dict[str, Any]
SAMPLE = re.compile(r"^(?P<name>[A-Za-z_:][\w:]*)(?:\{(?P<labels>.*)\})? (?P<value>\S+)(?: \d+)?$", re.MULTILINE)
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
VALUES = {"batches": '["0:0-1"]', "verdict": "promote", "version": "1"}
"""What outputs hold that others depend on; any other holds a word."""
SMALL = {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"memory": "64Mi"}}
OF_RETRIES = {"429", "TooManyRequests"}
LOOK_SECONDS = 2.0
PATIENCE_SECONDS = 3600.0


def workflows(folder: Path, models: int, image: str) -> list[Object]:
    """A workflow for each of *models* models, compiled in *folder* from the first one's settings with one round of two trials."""
    written = fleet.write(folder, ROOT, models)
    for model in written:
        settings = model / "model.yaml"
        text = settings.read_text(encoding="utf-8")
        for name, value in (("trials", 2), ("per_round", 2), ("per_task", 2)):
            text = re.sub(rf"^  {name}: \d+$", f"  {name}: {value}", text, count=1, flags=re.MULTILINE)
        settings.write_text(text, encoding="utf-8")
    names = [str(model.relative_to(folder)) for model in written]
    command = [sys.executable, "-m", "argosy.cli.main", "compile", *names]
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    compiled = (yaml.safe_load((model / "pipeline.yaml").read_text(encoding="utf-8")) for model in written)
    return [hollow(template, image) for template in compiled]


def hollow(template: Mapping[str, Any], image: str) -> Object:
    """The workflow of a compiled WorkflowTemplate, its steps emptied of what they do."""
    spec = json.loads(json.dumps(template["spec"]))
    for step in spec["templates"]:
        if "container" in step:
            _empty(step["container"], step.get("outputs") or {}, image)
    name = template["metadata"]["name"]
    metadata = {"generateName": f"{name}-", "labels": {"argosy.dev/bench": "fleet"}}
    return {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": metadata, "spec": spec}


def _empty(container: Object, outputs: Mapping[str, Any], image: str) -> None:
    lines = ["set -e"]
    for output in outputs.get("parameters", ()):
        path = _place(output["valueFrom"]["path"])
        lines += [f"mkdir -p $(dirname {path})", f"printf %s {shlex.quote(VALUES.get(output['name'], 'x'))} > {path}"]
    for output in outputs.get("artifacts", ()):
        path = _place(output["path"])
        lines += [f"mkdir -p {path}", f"echo x > {path}/content"]
    container |= {
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["sh", "-c"],
        "args": ["\n".join(lines)],
    }
    container["resources"] = SMALL


def _place(path: str) -> str:
    """*path* as the shell finds it: below the variable that says where a step's files are, on a cluster as on a laptop."""
    return f'"$ARGOSY_ROOT"{shlex.quote(path.removeprefix("/argosy"))}'


# The controller


Samples = dict[str, list[tuple[Mapping[str, str], float]]]


def samples(text: str) -> Samples:
    """The samples of a page of metrics, by name."""
    found: Samples = {}
    for matched in SAMPLE.finditer(text):
        labels = dict(LABEL.findall(matched["labels"] or ""))
        found.setdefault(matched["name"], []).append((labels, float(matched["value"])))
    return found


def requests_of(page: Samples) -> Counter[str]:
    """Requests to the API server so far, by verb, kind and answer."""
    counted: Counter[str] = Counter()
    for name, values in page.items():
        if name.endswith("k8s_request_total"):
            for labels, value in values:
                key = " ".join(labels.get(label, "?") for label in ("verb", "kind", "status_code"))
                counted[key] += int(value)
    return counted


@dataclass
class Controller:
    """What the controller says of itself while the pipelines run."""

    address: str | None
    pid: int | None
    asked: Counter[str] = field(default_factory=Counter)
    """Requests to the API server since the watch began."""
    peaks: dict[str, float] = field(default_factory=dict)
    """The largest value of each gauge that tells of load."""
    unread: int = 0
    """Looks at its metrics that got no answer."""

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Look at it again and again."""
        before = requests_of(self._page())
        ended = threading.Event()
        thread = threading.Thread(target=self._watch, args=(ended,))
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
        self.asked = requests_of(self._page())
        self.asked.subtract(before)

    def _watch(self, ended: threading.Event) -> None:
        while not ended.wait(LOOK_SECONDS):
            self.look()

    def look(self) -> None:
        """Take the gauges as they are now."""
        try:
            page = self._page()
        except OSError:
            self.unread += 1
            return
        for name, values in page.items():
            short = name.removeprefix("argo_workflows_")
            if short in {"queue_depth_gauge", "workers_busy_count", "process_resident_memory_bytes"}:
                for labels, value in values:
                    key = " ".join([short, *labels.values()]) if len(values) > 1 else short
                    self.peaks[key] = max(self.peaks.get(key, 0.0), value)

    def _page(self) -> Samples:
        if self.address is None:
            return {}
        context = ssl._create_unverified_context()  # noqa: S323 - the controller signs its own certificate
        with urllib.request.urlopen(self.address, timeout=10, context=context) as answer:  # noqa: S310 - given for it
            return samples(answer.read().decode())

    def lines(self, count: int) -> Iterator[str]:
        """What is to be said of it after *count* workflows."""
        if self.address is None:
            yield "controller: nobody named its metrics (--metrics)"
            return
        total = sum(self.asked.values())
        yield f"controller: {total} requests to the API server, {total / count:.0f} a pipeline"
        for key, number in self.asked.most_common(12):
            yield f"    {number:>6}  {key}"
        refused = sum(number for key, number in self.asked.items() if key.split()[-1] in OF_RETRIES)
        yield f"throttled: {refused} requests were answered 429"
        yield from (f"at its peak: {name} {value:,.0f}" for name, value in sorted(self.peaks.items()) if value)
        if self.unread:
            yield f"{self.unread} looks at its metrics got no answer"
        if self.pid and (line := memory(Path(f"/proc/{self.pid}/status").read_text(encoding="utf-8"))):
            yield line


def memory(status: str) -> str | None:
    """What ``/proc/PID/status`` says of the memory of a process."""
    found = {name: int(value) / 1e3 for name, value in re.findall(r"^(VmHWM|VmRSS):\s+(\d+) kB", status, re.MULTILINE)}
    return f"its memory: {found['VmRSS']:.0f} MB now, {found['VmHWM']:.0f} MB at its peak" if len(found) == 2 else None


# The workflows


def times(found: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """What is to be said of workflows that ended."""
    phases = Counter(str(one["status"].get("phase")) for one in found)
    yield ", ".join(f"{number} {phase}" for phase, number in phases.most_common())
    made, began, ended = (
        _moments(found, place, name)
        for place, name in (("metadata", "creationTimestamp"), ("status", "startedAt"), ("status", "finishedAt"))
    )
    if len(ended) == len(found):
        yield f"all ended {(max(ended) - min(made)).total_seconds():.0f} s after the first was submitted"
        yield f"submitted to begun: {_spread([(b - m).total_seconds() for m, b in zip(made, began, strict=True)])}"
        yield f"begun to ended: {_spread([(e - b).total_seconds() for b, e in zip(began, ended, strict=True)])}"
    retried = sum(
        "retried" in str(node.get("message", ""))
        for one in found
        for node in (one["status"].get("nodes") or {}).values()
    )
    pods = sum(node.get("type") == "Pod" for one in found for node in (one["status"].get("nodes") or {}).values())
    yield f"{pods} pods, {retried} of them again"


def _moments(found: Sequence[Mapping[str, Any]], place: str, name: str) -> list[datetime]:
    return [datetime.fromisoformat(one[place][name]) for one in found if one[place].get(name)]


def _spread(seconds: Sequence[float]) -> str:
    return f"{statistics.median(seconds):.0f} s [{min(seconds):.0f}-{max(seconds):.0f}]"


def submit(namespace: str, submitted: Sequence[Object]) -> list[str]:
    """Start *submitted* in one call; their names."""
    from cluster_steps import kubectl

    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": list(submitted)})
    created = kubectl("create", "--namespace", namespace, "--filename=-", "--output=name", given=text)
    return [line.rpartition("/")[2] for line in created.split()]


def ended(namespace: str, names: Sequence[str]) -> list[Object]:
    """The workflows *names* once all have ended."""
    from cluster_steps import kubectl

    end = time.monotonic() + PATIENCE_SECONDS
    wanted, left, told = set(names), -1, set[str]()
    while time.monotonic() < end:
        listed = json.loads(kubectl("get", "workflows", "--namespace", namespace, "--output=json"))["items"]
        found = [one for one in listed if one["metadata"]["name"] in wanted]
        waiting = sum((one.get("status") or {}).get("phase") not in ("Succeeded", "Failed", "Error") for one in found)
        if waiting == 0 and len(found) == len(wanted):
            return found
        if waiting != left:
            left = waiting
            print(f"{left} of {len(wanted)} go on", file=sys.stderr, flush=True)
        for line in sorted(_in_the_way(namespace) - told):
            told.add(line)
            print(f"a pod waits: {line}", file=sys.stderr, flush=True)
        time.sleep(5)
    raise SystemExit(f"after {PATIENCE_SECONDS:.0f} s not all have ended; namespace {namespace} is left as it is")


def _in_the_way(namespace: str) -> set[str]:
    """Why pods in *namespace* cannot begin, such as a Secret that is not there: they would wait for ever, and say nothing here."""
    from cluster_steps import kubectl

    listed = kubectl("get", "events", "--namespace", namespace, "--field-selector=reason=FailedMount", "--output=json")
    return {str(one["message"]) for one in json.loads(listed)["items"]}


def measure(namespace: str, submitted: Sequence[Object], controller: Controller) -> bool:
    """Run *submitted*, and print what that took; True where all succeeded."""
    with controller.watched():
        found = ended(namespace, submit(namespace, submitted))
    for line in (*times(found), *controller.lines(len(found))):
        print(line, flush=True)
    return all(one["status"]["phase"] == "Succeeded" for one in found)


def main(argv: Sequence[str] | None = None) -> int:
    """Submit, wait, report; 1 where a pipeline did not succeed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("image")
    parser.add_argument("--models", type=int, default=50)
    parser.add_argument("--metrics", metavar="ADDRESS")
    parser.add_argument("--pid", type=int)
    parser.add_argument("--namespace")
    parser.add_argument("--dry-run", type=Path, metavar="FOLDER")
    given = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as place:
        submitted = workflows(Path(place) / "project", given.models, given.image)
    print(f"{len(submitted)} pipelines compiled, {len(json.dumps(submitted)):,} bytes", flush=True)
    if given.dry_run:
        given.dry_run.mkdir(parents=True, exist_ok=True)
        for workflow in submitted:
            path = given.dry_run / f"{workflow['metadata']['generateName']}workflow.yaml"
            path.write_text(yaml.safe_dump(workflow, sort_keys=False), encoding="utf-8")
        return 0
    with ExitStack() as stack:
        namespace = given.namespace
        if namespace is None:
            from cluster_steps import Namespace

            namespace = stack.enter_context(Namespace()).name
        return 0 if measure(namespace, submitted, Controller(given.metrics, given.pid)) else 1


if __name__ == "__main__":
    sys.exit(main())
