"""The cluster that KUBECONFIG names, through `kubectl`: reading, applying, waiting, and ways into it from this machine."""

import contextlib
import json
import re
import select
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from argosy import errors

Object = dict[str, Any]
SECONDS = 120
MANAGER = "argosy-kind"
"""Who fields of objects belong to that were applied here."""
HOPELESS = frozenset({"ErrImageNeverPull", "InvalidImageName", "CreateContainerConfigError"})
"""Reasons of waiting containers that no time mends."""
NOT_YET = ("no matches for kind", "ensure CRDs are installed first", "failed calling webhook")
"""What the API server says of objects whose resource type or webhook came by the same file, a moment ago."""
PATIENCE = 20.0
"""Seconds for which a pod that is about to be replaced may still say so."""
POLL = 2.0


@dataclass(frozen=True)
class Kubectl:
    """One context of KUBECONFIG."""

    context: str
    """Empty: the current one."""

    def run(self, *words: str, given: str | None = None, seconds: float = SECONDS) -> str:
        """What kubectl prints. Raises TryAgain with its own words where it fails."""
        done = self.attempt(*words, given=given, seconds=seconds)
        if done.returncode != 0:
            raise errors.TryAgain(f"kubectl {' '.join(words[:3])}: {last_line(done.stderr)}")
        return done.stdout

    def attempt(
        self, *words: str, given: str | None = None, seconds: float = SECONDS
    ) -> "subprocess.CompletedProcess[str]":
        """How kubectl ended, whichever way."""
        command = [*self._command(), *words]
        try:
            return subprocess.run(command, input=given, capture_output=True, text=True, check=False, timeout=seconds)
        except FileNotFoundError as error:
            raise errors.Misconfigured("kubectl is not installed; it has to be on PATH") from error
        except subprocess.TimeoutExpired as error:
            raise errors.TryAgain(f"kubectl {' '.join(words[:3])} gave no answer within {seconds:.0f} s") from error

    def get(self, kind: str, name: str, namespace: str = "") -> Object | None:
        """One object; None where there is none, or none of its kind can be."""
        at = ("--namespace", namespace) if namespace else ()
        done = self.attempt("get", kind, name, *at, "--output=json", "--ignore-not-found")
        if done.returncode != 0 and "doesn't have a resource type" not in done.stderr:
            raise errors.TryAgain(f"kubectl get {kind} {name}: {last_line(done.stderr)}")
        found: Object | None = json.loads(done.stdout) if done.stdout and done.returncode == 0 else None
        return found

    def list(self, kind: str, namespace: str = "", selector: str = "") -> list[Object]:
        """All objects of *kind* in *namespace* (empty: in all of them) that *selector* selects."""
        at = ("--namespace", namespace) if namespace else ("--all-namespaces",)
        found: list[Object] = json.loads(self.run("get", kind, *at, "--selector", selector, "--output=json"))["items"]
        return found

    def apply(self, objects: Iterable[Mapping[str, Any]], namespace: str = "", *, forced: bool = True) -> None:
        """Apply *objects* on the server. *forced*: also to fields that others manage."""
        at = ("--namespace", namespace) if namespace else ()
        words = ("apply", "--server-side", f"--field-manager={MANAGER}", f"--force-conflicts={str(forced).lower()}")
        self.run(*words, *at, "--filename=-", given=yaml.safe_dump_all(objects), seconds=300)

    def apply_file(self, file: Path, namespace: str, manager: str, seconds: float) -> None:
        """Apply *file* as *manager*. Resource types and webhooks that it brings are given time before what needs them.

        Raises TryAgain with kubectl's words where it fails for anything else, or after *seconds*.
        """
        # What such files hold is larger than the annotation that a client-side apply writes.
        words = ("apply", "--server-side", "--force-conflicts", f"--field-manager={manager}", "--namespace", namespace)
        until = time.monotonic() + seconds
        while (done := self.attempt(*words, f"--filename={file}", seconds=seconds)).returncode != 0:
            if time.monotonic() > until or not any(word in done.stderr for word in NOT_YET):
                raise errors.TryAgain(f"kubectl apply {file.name}: {last_line(done.stderr)}")
            time.sleep(POLL)

    def wait_for(self, what: str, holds: Callable[[], Any], seconds: float, namespace: str = "") -> Any:
        """What *holds* returns once it is true. Raises TryAgain after *seconds*, with the pods of *namespace* that wait, and for what.

        An API server that is away for a moment is asked again.
        """
        began = time.monotonic()
        while True:
            waiting, complaint = [], ""
            try:
                if found := holds():
                    return found
                waiting = list(self.waiting(namespace)) if namespace else []
            except errors.TryAgain as error:
                complaint = str(error)
            waited = time.monotonic() - began
            if waited > PATIENCE and (hopeless := [line for reason, line in waiting if reason in HOPELESS]):
                raise errors.Misconfigured(f"{what}: {'; '.join(hopeless)}")
            if waited > seconds:
                told = complaint or "; ".join([*(line for _, line in waiting), *self._unready(namespace)])
                raise errors.TryAgain(f"{what}: not within {seconds:.0f} s: {told or 'no pod there says why'}")
            time.sleep(POLL)

    def wait_rolled_out(self, kind: str, name: str, namespace: str, seconds: float) -> None:
        """Wait until every pod of *kind* *name* is of its newest template and ready."""

        def done() -> bool:
            found = self.get(kind, name, namespace)
            return found is not None and rolled_out(found)

        self.wait_for(f"{kind} {namespace}/{name} is not ready", done, seconds, namespace)

    def waiting(self, namespace: str) -> Iterator[tuple[str, str]]:
        """What the pods of *namespace* wait for: a reason by name, and in words."""
        for pod in self.list("pods", namespace):
            yield from what_waits(pod)

    def _unready(self, namespace: str) -> Iterator[str]:
        """The last that each container of *namespace* printed that runs and is not ready, or ended again and again."""
        for pod in self.list("pods", namespace) if namespace else []:
            name = pod["metadata"]["name"]
            for container in pod.get("status", {}).get("containerStatuses", []):
                ended = container["state"].get("waiting", {}).get("reason") == "CrashLoopBackOff"
                if ended or ("running" in container["state"] and not container["ready"]):
                    at = ("--namespace", namespace, "--container", container["name"], "--tail=20")
                    said = last_line(self.attempt("logs", name, *at, f"--previous={str(ended).lower()}").stdout)
                    yield f"pod {name}/{container['name']} is not ready and says: {said[:300]}"

    def exec(
        self, workload: str, namespace: str, *words: str, given: str | None = None, seconds: float = SECONDS
    ) -> str:
        """What *words* print, run in a pod of *workload* (``deployment/<name>``)."""
        entered = ("--stdin",) if given is not None else ()
        return self.run(
            "exec", workload, "--namespace", namespace, *entered, "--", *words, given=given, seconds=seconds
        )

    @contextlib.contextmanager
    def forwarded(self, service: str, namespace: str, port: int, *, local: int = 0) -> Iterator[str]:
        """A way to *port* of *service* from this machine, for as long as the block lasts: ``127.0.0.1:<port>``.

        *local*: the port here; any free one where it is 0.
        """
        here = f"{local or ''}:{port}"
        words = ("port-forward", f"service/{service}", "--namespace", namespace, "--address=127.0.0.1", here)
        process = subprocess.Popen(
            [*self._command(), *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        try:
            yield f"127.0.0.1:{_forwarded_port(process, service)}"
        finally:
            process.terminate()
            process.communicate(timeout=30)

    def _command(self) -> Sequence[str]:
        return ("kubectl", "--context", self.context) if self.context else ("kubectl",)


def rolled_out(workload: Mapping[str, Any]) -> bool:
    """True where every pod of a Deployment or StatefulSet is of its newest template and ready."""
    status, wanted = workload.get("status", {}), workload["spec"].get("replicas", 1)
    counts = [status.get(name, 0) for name in ("replicas", "updatedReplicas", "readyReplicas")]
    return status.get("observedGeneration", 0) >= workload["metadata"]["generation"] and counts == [wanted] * 3


def what_waits(pod: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What *pod* waits for: a reason by name, and in words; nothing where it runs."""
    name, status = pod["metadata"]["name"], pod.get("status", {})
    for condition in status.get("conditions", []):
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            yield condition.get("reason", ""), f"pod {name} waits for a node: {condition.get('message', '')}"
    for kind in ("initContainerStatuses", "containerStatuses"):
        for container in status.get(kind, []):
            waits = container["state"].get("waiting")
            if waits and waits.get("reason") != "PodInitializing":
                ended = container.get("lastState", {}).get("terminated")
                code = f" (it ended with {ended['exitCode']})" if ended else ""
                told = f"{waits.get('reason', '')} {waits.get('message', '')}".strip()
                yield waits.get("reason", ""), f"pod {name}/{container['name']} waits: {told}{code}"


def metadata(name: str, namespace: str = "", labels: Mapping[str, str] | None = None) -> Object:
    """An object's metadata."""
    found: Object = {"name": name}
    if namespace:
        found["namespace"] = namespace
    if labels:
        found["labels"] = dict(labels)
    return found


def secret(
    name: str, namespace: str, values: Mapping[str, str], annotations: Mapping[str, str] | None = None
) -> Object:
    """A Secret that holds *values*."""
    head = metadata(name, namespace)
    if annotations:
        head["annotations"] = dict(annotations)
    return {"apiVersion": "v1", "kind": "Secret", "metadata": head, "stringData": dict(values)}


def _forwarded_port(process: "subprocess.Popen[str]", service: str) -> int:
    assert process.stdout  # noqa: S101 - it was asked for
    readable, _, _ = select.select([process.stdout], [], [], SECONDS)
    line = process.stdout.readline() if readable else ""
    if not (found := re.search(r"127\.0\.0\.1:(\d+)", line)):
        process.kill()
        raise errors.TryAgain(f"there is no way to service {service}: {last_line(process.communicate()[1])}")
    return int(found[1])


def last_line(text: str) -> str:
    # What a command in a pod said counts, not that it ended.
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("command terminated with exit")]
    return lines[-1].removeprefix("Error: ").removeprefix("error: ") if lines else "it said nothing"
