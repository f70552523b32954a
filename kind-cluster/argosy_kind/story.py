"""Who plays in the demonstration, and how: a data scientist, a reviewer, callers, and the clock of the platform's own jobs."""

import base64
import contextlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import boto3.exceptions
import yaml
from botocore.exceptions import BotoCoreError, ClientError

from argosy import errors
from argosy_kind import customers, delivery, forge, kube, pins, pipelines, services, site, ways
from argosy_kind.controllers import CONTROLLERS
from argosy_kind.kube import Object
from argosy_kind.site import ENVIRONMENTS, MONITORING, PIPELINES, ROOT, SERVICES, Site

MODEL = customers.MODEL.name
SMALL = {"search": {"trials": 40, "per_round": 20, "per_task": 10}}
BUCKET = "sources"
CALLERS = "callers"
RATE = "10"
CALLER_SECURITY = {"runAsNonRoot": True, "runAsUser": 10001, "seccompProfile": {"type": "RuntimeDefault"}}


@dataclass(frozen=True)
class Story:
    """The demonstration on one site; *folder* holds its project and what it remembers."""

    at: Site
    folder: Path

    @property
    def project(self) -> Path:
        """The data scientist's checkout."""
        return self.folder / "project"

    # What is remembered between steps, so that one that failed can be done again.

    def remembered(self) -> dict[str, Any]:
        """All of it."""
        file = self.folder / "story.json"
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
        return found

    def remember(self, **more: Any) -> None:
        """Add to it."""
        self.folder.mkdir(parents=True, exist_ok=True)
        written = self.folder / ".story.json"
        written.write_text(json.dumps({**self.remembered(), **more}), encoding="utf-8")
        written.replace(self.folder / "story.json")

    # Ways into the cluster.

    def argosy(self, *words: str, reviewer: bool = False, quiet: bool = False) -> str:
        """What `argosy` prints; shown as it comes, unless *quiet*. Raises TryAgain where it fails, with its own words."""
        if not quiet:
            print(f"  $ argosy {' '.join(words)}", flush=True)
        token = "reviewer-token" if reviewer else "forge-reader-token"
        home = {"ARGOSY_HOME": str(self.folder / "home"), "ARGOSY_DATA_ROOT": str(self.project)}
        command = [str(Path(sys.executable).with_name("argosy")), *words]
        with ways.environment(self.at, token) as more, tempfile.TemporaryFile("w+") as complaints:
            with subprocess.Popen(
                command,
                env={**os.environ, "PYTHONUNBUFFERED": "1", **more, **home},
                cwd=self.project,
                stdout=subprocess.PIPE,
                stderr=complaints,
                text=True,
            ) as process:
                lines = list(_shown(process.stdout or (), quiet=quiet))
            complaints.seek(0)
            said = complaints.read().strip().removeprefix("error: ") or "it said nothing"
        if process.returncode != 0:
            raise errors.TryAgain(f"argosy {' '.join(words[:3])} ended with {process.returncode}: {said}")
        return "".join(lines)

    @property
    def where(self) -> tuple[str, ...]:
        """The words by which a verb of `argosy` is about this cluster's pipelines."""
        context = self.at.kubectl.context
        return ("--namespace", PIPELINES, *(("--context", context) if context else ()))

    # The data scientist.

    def begin_project(self) -> None:
        """A checkout of a project of one model, small enough for a laptop, whose customers are dated."""
        shutil.rmtree(self.project, ignore_errors=True)
        shutil.copytree(customers.MODEL, self.project / "workflows" / MODEL)
        shutil.copytree(ROOT / "gitops-env", self.project / "gitops-env")
        (self.project / "images").mkdir()
        shutil.copy(services.LOCK, self.project / "images" / services.LOCK.name)
        customers.name_the_time(self.project)
        self.change_settings(data=f"s3://{BUCKET}/{MODEL}", **SMALL, **customers.settings())
        git = forge.Git(self.project, {})
        git.run("init", "--quiet", "--initial-branch=main")
        self.argosy("compile", f"workflows/{MODEL}", quiet=True)
        git.run("add", "--all")
        git.run("commit", "--quiet", "--message", "A project of one model")

    def change_settings(self, **changes: Any) -> None:
        """Change settings of the model, or what they name within them."""
        file = self.project / "workflows" / MODEL / "model.yaml"
        written = site.merged(yaml.safe_load(file.read_text(encoding="utf-8")), changes)
        file.write_text(yaml.safe_dump(written, sort_keys=False), encoding="utf-8")

    def upload_customers(self, *, changed: bool) -> None:
        """Bring the customers of today to the bucket that pipelines read."""
        file = self.folder / "data" / customers.CUSTOMERS.name
        customers.write_customers(file, changed=changed)
        with self._bucket() as objects:
            objects.upload_file(str(file), BUCKET, f"{MODEL}/{file.name}")

    def install_pipeline(self) -> None:
        """Install what was compiled, with its commit written into it."""
        stamped = self.argosy("compile", "--stamp", f"workflows/{MODEL}", quiet=True)
        self.at.kubectl.apply([one for one in yaml.safe_load_all(stamped) if one], PIPELINES)

    def ended(self, run: str) -> Object:
        """Wait for *run*; what it came to. Raises Rejected where it did not end well."""
        self.argosy("watch", run, *self.where)
        found: Object = json.loads(self.argosy("get", run, "--json", *self.where, quiet=True))
        return found

    # The reviewer.

    def open_request(self, environment: str) -> Object | None:
        """The request that is open for *environment*."""
        lines = self.argosy("pr", "list", "--json", quiet=True).splitlines()
        found = [each for each in map(json.loads, lines) if each["subject"]["environment"] == environment]
        return found[0] if found else None

    def wait_request(self, environment: str, seconds: float) -> Object:
        """The request for *environment*, once it is open."""

        def opened() -> Object | None:
            if (there := self.open_request(environment)) is None and environment == "production":
                self.look_at_canaries()
            return there

        found: Object = self.at.kubectl.wait_for(f"no request for {environment}", opened, seconds, PIPELINES)
        return found

    def merge(self, request: Object, *, by_hand: bool) -> None:
        """Check the request, show that on its page, and merge it; *by_hand*: wait until somebody has clicked."""
        number = str(request["number"])
        self.argosy("pr", "check", number, "--report", reviewer=True)
        if by_hand:
            self._wait_for_click(number)
        else:
            self.argosy("pr", "merge", number, "--as", forge.REVIEWER, reviewer=True)
        delivery.refresh(self.at)

    def _wait_for_click(self, number: str) -> None:
        page = f"http://localhost:3000/{forge.BOT}/{forge.ENVIRONMENT}/pulls/{number}"
        print(f"  waiting for your click: {page} as {forge.REVIEWER} (`make kind-open` opens it and has the password)")

        def merged() -> bool:
            with forge.opened(self.at) as gitea:
                return bool(gitea.call("GET", f"repos/{forge.BOT}/{forge.ENVIRONMENT}/pulls/{number}")["merged"])

        self.at.kubectl.wait_for(f"request {number} is not merged", merged, 3600)
        print(f"  request {number} is merged", flush=True)

    # What the platform does by the clock, done now.

    def look_at_canaries(self) -> None:
        """`converge`, which comes every two minutes: a healthy staging opens production's request."""
        for environment in ENVIRONMENTS:
            job = f"argosy-converge-{environment}-{uuid.uuid4().hex[:6]}"
            self.at.kubectl.run(
                "create", "job", job, f"--from=cronjob/argosy-converge-{environment}", "--namespace", PIPELINES
            )
            self.at.kubectl.wait_for(f"job {job} goes on", partial(self._job_ended, job), 300, PIPELINES)

    def _job_ended(self, job: str) -> bool:
        found = self.at.kubectl.get("job", job, PIPELINES) or {}
        conditions = found.get("status", {}).get("conditions", [])
        return any(each["type"] in {"Complete", "Failed"} and each["status"] == "True" for each in conditions)

    def look_at_predictions(self) -> str:
        """`watch-drift`, which comes every quarter of an hour: its verdict."""
        name = f"{MODEL}-watch-drift"
        spec = (self.at.kubectl.get("cronworkflow", name, PIPELINES) or {})["spec"]["workflowSpec"]
        head = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow"}
        run = f"{name}-{uuid.uuid4().hex[:6]}"
        self.at.kubectl.apply([{**head, "metadata": kube.metadata(run, PIPELINES), "spec": spec}])
        found = self.at.kubectl.wait_for(f"workflow {run} goes on", lambda: self.ended_workflow(run), 600, PIPELINES)
        if found["status"]["phase"] != "Succeeded":
            raise errors.TryAgain(
                f"workflow {run}: {found['status'].get('message')}; see argosy logs {run} -n {PIPELINES}"
            )
        return "\n".join(values_of(found, "watch-drift").values())

    def ended_workflow(self, name: str) -> Object | None:
        """The workflow *name*, once it has ended."""
        found = self.at.kubectl.get("workflow", name, PIPELINES)
        return found if found and found.get("status", {}).get("phase") in {"Succeeded", "Failed", "Error"} else None

    def retrainings(self) -> list[Object]:
        """The workflows that events have started."""
        return self.at.kubectl.list("workflows", PIPELINES, f"workflows.argoproj.io/workflow-template={MODEL}-retrain")

    # What is served.

    def wait_served(self, environment: str, digest: str, seconds: float) -> None:
        """Until every pod of *environment* answers with the model *digest*, and Rollouts and Argo CD call it healthy."""
        namespace = ENVIRONMENTS[environment]

        def served() -> bool:
            rollout = (self.at.kubectl.get("rollout", MODEL, namespace) or {}).get("status", {})
            if rollout.get("abort"):
                raise errors.Rejected(f"{environment}'s canary was given up: {rollout.get('message')}")
            return (
                rollout.get("phase") == "Healthy"
                and set(self._ready(namespace)) == {digest}
                and self._settled(environment)
            )

        self.at.kubectl.wait_for(
            f"{environment} does not serve {digest[:19]} from every pod", served, seconds, namespace
        )

    def _ready(self, namespace: str) -> "Counter[str]":
        pods = self.at.kubectl.list("pods", namespace, f"app=isvc.{MODEL}-predictor")
        return Counter(
            pod["metadata"]["annotations"].get("argosy.dev/model-digest", "")
            for pod in pods
            if "deletionTimestamp" not in pod["metadata"]
        )

    def _settled(self, environment: str) -> bool:
        found = self.at.kubectl.get("application", f"{MODEL}-{environment}", CONTROLLERS["argo-cd"].namespace) or {}
        status = found.get("status", {})
        return (status.get("sync", {}).get("status"), status.get("health", {}).get("status")) == ("Synced", "Healthy")

    def golden(self) -> Object:
        """A row of features as callers of staging send it, from the bundle that it serves."""
        with forge.opened(self.at) as gitea:
            place = f"repos/{forge.BOT}/{forge.ENVIRONMENT}/contents/models/{MODEL}/staging/version.yaml"
            found = gitea.call("GET", place)
        if found is None:
            raise errors.UsageError("staging serves nothing yet; begin at --from staging")
        where = yaml.safe_load(base64.b64decode(found["content"]))["storageUri"].removeprefix("s3://")
        bucket, _, prefix = where.partition("/")
        with self._bucket() as objects:
            body = objects.get_object(Bucket=bucket, Key=f"{prefix.rstrip('/')}/golden.json")["Body"]
            features: Object = json.loads(body.read())["rows"][0]["features"]
        return features

    # Callers.

    def call(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Send *rows* to staging all the time, from a pod, in place of whatever was sent before."""
        namespace = ENVIRONMENTS["staging"]
        self.stop_calling()
        bodies = [{"instances": rows[first : first + 20]} for first in range(0, len(rows), 20)]
        files = {"load.py": customers.PROGRAM.read_text(encoding="utf-8"), "bodies.json": json.dumps(bodies)}
        head = kube.metadata(CALLERS, namespace)
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": head,
            "spec": caller(namespace, self.at.choices.pull_policy),
        }
        self.at.kubectl.apply([{"apiVersion": "v1", "kind": "ConfigMap", "metadata": head, "data": files}, pod])
        self.at.kubectl.wait_for("nobody calls", self.answers, 120, namespace)

    def stop_calling(self) -> None:
        """End the callers."""
        where = ("--namespace", ENVIRONMENTS["staging"], "--ignore-not-found", "--grace-period=5")
        self.at.kubectl.run("delete", "pod", CALLERS, *where)

    def answers(self) -> "Counter[str]":
        """What callers were answered so far: ``<status> <model digest>``."""
        done = self.at.kubectl.attempt("logs", CALLERS, "--namespace", ENVIRONMENTS["staging"])
        found: Counter[str] = Counter()
        for line in done.stdout.splitlines():
            if line.startswith("{"):
                found.update(json.loads(line)["seen"])
        return found

    def firing(self) -> list[str]:
        """The names of the alerts that fire in Prometheus."""
        with self.at.kubectl.forwarded("prometheus", MONITORING, services.MONITORS["prometheus"]) as address:
            alerts = json.loads(pins.download(f"http://{address}/api/v1/alerts"))["data"]["alerts"]
        return sorted(each["labels"]["alertname"] for each in alerts if each["state"] == "firing")

    @contextlib.contextmanager
    def _bucket(self) -> Iterator[Any]:
        held = self.at.credentials()
        with self.at.kubectl.forwarded("objects", SERVICES, services.PORTS["objects"]) as address:
            try:
                yield boto3.client(
                    "s3",
                    endpoint_url=f"http://{address}",
                    aws_access_key_id=held["objects-access-key"],
                    aws_secret_access_key=held["objects-secret-key"],
                    region_name=pipelines.REGION,
                )
            except (boto3.exceptions.Boto3Error, BotoCoreError, ClientError) as error:
                raise errors.TryAgain(f"the buckets: {error}") from error


def _shown(lines: Iterable[str], *, quiet: bool) -> Iterator[str]:
    for line in lines:
        if not quiet:
            print(f"    {line}", end="", flush=True)
        yield line


def caller(namespace: str, pull_policy: str) -> Object:
    """The pod that calls the model of *namespace*."""
    url = f"http://{MODEL}-live.{namespace}/v1/models/{MODEL}:predict"
    environment = {"URL": url, "RATE": RATE, "BODIES": "/load/bodies.json"}
    container = {
        "name": "callers",
        "image": services.of_ours("serve"),
        "imagePullPolicy": pull_policy,
        "command": ["python", "/load/load.py"],
        "env": [
            *({"name": name, "value": value} for name, value in environment.items()),
            {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": pipelines.CALLERS, "key": "KEY"}}},
        ],
        "volumeMounts": [{"name": "load", "mountPath": "/load"}],
        "resources": {"requests": {"cpu": "20m", "memory": "64Mi"}, "limits": {"memory": "256Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
    }
    return {
        "containers": [container],
        "volumes": [{"name": "load", "configMap": {"name": CALLERS}}],
        "securityContext": CALLER_SECURITY,
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
    }


def values_of(workflow: Object, template: str) -> dict[str, str]:
    """The output parameters of the steps of *workflow* that are of *template*."""
    return {
        each["name"]: each["value"]
        for node in workflow["status"].get("nodes", {}).values()
        for each in node.get("outputs", {}).get("parameters", [])
        if node.get("templateName") == template
    }
