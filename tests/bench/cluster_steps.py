"""What a step costs on a cluster: a chain compiled as our steps are, beside the same chain written by hand; and many pipelines at once.

    KUBECONFIG=… python tests/bench/cluster_steps.py IMAGE [--steps 6] [--rounds 3] [--at-once 20] [--metrics ADDRESS] [--pid PID]

*IMAGE* is one that nodes have, with a shell. The steps do nothing. *ours* has what the compiler gives every step: the account, the retry
rule, the security context, volumes for its files and for /tmp, the settings as an artifact. *by hand* has a command. Wall seconds of the
workflow over its steps; rounds alternate; medians with minimum and maximum. With --at-once that many of ours are submitted together; with
the ADDRESS of the controller's metrics its requests to the API server are printed, and its peak memory where it is the process PID here.
"""

import argparse
import copy
import json
import re
import ssl
import statistics
import subprocess
import time
import urllib.request
import uuid
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
MANIFEST = ROOT / "workflows" / "churn" / "pipeline.yaml"
Object = dict[str, Any]


def ours(image: str, steps: int) -> Object:
    """A chain of copies of a compiled step, its command replaced."""
    spec = yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))["spec"]
    compiled = next(template for template in spec["templates"] if template["name"] == "validate")
    step = {key: copy.deepcopy(value) for key, value in compiled.items() if key not in ("outputs", "synchronization")}
    step["name"] = "step"
    step["inputs"] = {"artifacts": [{"name": "settings", "path": "/argosy/in/settings"}]}
    step["container"] |= {"image": image, "command": ["sh", "-c", "true"], "imagePullPolicy": "IfNotPresent"}
    step["container"]["resources"] = {"requests": {"cpu": "10m", "memory": "16Mi"}}
    settings = next(each for each in spec["arguments"]["artifacts"] if each["name"] == "settings")
    given = [{"name": "settings", "from": "{{inputs.artifacts.settings}}"}]
    inputs = {"artifacts": [{"name": "settings"}]}
    kept = ("automountServiceAccountToken", "executor", "securityContext", "serviceAccountName", "volumes")
    return {
        **{key: spec[key] for key in kept if key in spec},
        "arguments": {"artifacts": [settings]},
        "entrypoint": "main",
        "templates": [{**_chain(steps, {"arguments": {"artifacts": given}}), "inputs": inputs}, step],
    }


def by_hand(image: str, steps: int) -> Object:
    """The same chain with nothing but a command."""
    container = {"image": image, "imagePullPolicy": "IfNotPresent", "command": ["sh", "-c", "true"]}
    container["resources"] = {"requests": {"cpu": "10m", "memory": "16Mi"}}
    return {
        "entrypoint": "main",
        "executor": {"serviceAccountName": "argosy-executor"},
        "automountServiceAccountToken": False,
        "templates": [_chain(steps, {}), {"name": "step", "container": container}],
    }


def _chain(steps: int, more: Object) -> Object:
    tasks: list[Object] = [{"name": f"s{number}", "template": "step", **more} for number in range(steps)]
    for number, task in enumerate(tasks[1:]):
        task["depends"] = f"s{number}"
    return {"name": "main", "dag": {"tasks": tasks}}


class Namespace:
    """A namespace with what stands round pipelines, for the time of the bench."""

    def __init__(self) -> None:
        self.name = f"bench-{uuid.uuid4().hex[:6]}"

    def __enter__(self) -> "Namespace":
        kubectl("create", "namespace", self.name)
        values = {
            "serving": {"createNamespaces": False, "environments": []},
            "converge": {"enabled": False},
            "exporter": {"enabled": False},
            "networkPolicy": {"enabled": False},
        }
        sets = [word for key, value in values.items() for word in ("--set-json", f"{key}={json.dumps(value)}")]
        chart = str(ROOT / "charts" / "platform")
        _call("helm", "install", "platform", chart, "--namespace", self.name, *sets)
        return self

    def __exit__(self, *_: object) -> None:
        kubectl("delete", "namespace", self.name, "--wait=false")

    def submit(self, spec: Object) -> str:
        """Start a workflow; its name."""
        workflow = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "spec": spec}
        workflow["metadata"] = {"generateName": "bench-", "namespace": self.name}
        return kubectl("create", "--filename=-", "--output=jsonpath={.metadata.name}", given=json.dumps(workflow))

    def seconds(self, workflow: str) -> float:
        """How long *workflow* took, once it has succeeded."""
        while True:
            found = json.loads(kubectl("get", "workflow", workflow, "--namespace", self.name, "--output=json"))
            status = found.get("status", {})
            if status.get("phase") in ("Succeeded", "Failed", "Error"):
                break
            time.sleep(1)
        if status["phase"] != "Succeeded":
            raise SystemExit(f"{workflow} {status['phase']}: {status.get('message')}")
        begin, end = (datetime.fromisoformat(status[name]) for name in ("startedAt", "finishedAt"))
        return (end - begin).total_seconds()


def kubectl(*words: str, given: str | None = None) -> str:
    """What kubectl prints."""
    return _call("kubectl", *words, given=given)


def _call(*command: str, given: str | None = None) -> str:
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command[:3])}: {done.stderr.strip()}")
    return done.stdout


def requests_of(metrics: str) -> float:
    """Requests to the API server since the controller began, which signs its own certificate."""
    context = ssl._create_unverified_context()  # noqa: S323
    with urllib.request.urlopen(metrics, timeout=10, context=context) as answer:  # noqa: S310 - given for it
        text = answer.read().decode()
    return sum(float(value) for value in re.findall(r"(?m)^\S*k8s_request_total\{.*\} (\S+)$", text))


def compare(namespace: Namespace, image: str, steps: int, rounds: int) -> None:
    """Print what a step costs, ours and by hand."""
    kinds = {"ours": ours, "by hand": by_hand}
    taken: dict[str, list[float]] = {name: [] for name in kinds}
    for _ in range(rounds):
        for name, make in kinds.items():
            taken[name].append(namespace.seconds(namespace.submit(make(image, steps))) / steps)
    for name, each in taken.items():
        print(f"{name:<8} {statistics.median(each):.1f} s a step [{min(each):.1f}-{max(each):.1f}]", flush=True)


def many(namespace: Namespace, image: str, count: int, metrics: str | None, pid: int | None) -> None:
    """Print what *count* pipelines of three steps at once took."""
    before = requests_of(metrics) if metrics else 0.0
    began = time.monotonic()
    names = [namespace.submit(ours(image, 3)) for _ in range(count)]
    for name in names:
        namespace.seconds(name)
    print(f"{count} pipelines of 3 steps at once: all succeeded after {time.monotonic() - began:.0f} s")
    if metrics:
        print(f"controller: {requests_of(metrics) - before:.0f} requests to the API server")
    if pid:
        peak = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text(encoding="utf-8"))
        print(f"controller: {int(peak[1]) / 1e3:.0f} MB at its peak" if peak else "controller: memory not known")


def main() -> None:
    """Print the comparison, and many at once where asked."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("image")
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--at-once", type=int, default=20, metavar="COUNT")
    parser.add_argument("--metrics", metavar="ADDRESS")
    parser.add_argument("--pid", type=int)
    arguments = parser.parse_args()
    with Namespace() as namespace:
        if arguments.rounds:
            compare(namespace, arguments.image, arguments.steps, arguments.rounds)
        if arguments.at_once:
            many(namespace, arguments.image, arguments.at_once, arguments.metrics, arguments.pid)


if __name__ == "__main__":
    main()
