"""A model's pipeline on a cluster: a project of a test's own, what stands round its steps, and the forge that both sides see.

What it stands on is named by the environment, and each that is missing skips by name:
ARGOSY_E2E_S3 (http://host:port/bucket) with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; ARGOSY_E2E_TRACKING, an MLflow server;
ARGOSY_E2E_SEARCH, a database URL; ARGOSY_E2E_FORGE, a folder of the node that is a folder of this machine too, for repositories. The
images are on the node as images/images.lock pins them (`make images`, dist/images/import.sh).
ARGOSY_E2E_ONLINE may name a Redis or PostgreSQL for online features, as nodes
and this machine reach it; without it they are files.
"""

import json
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy
import yaml

from argosy.adapters import keys
from argosy.adapters.s3 import client
from e2e import pinned
from e2e.cluster import ROOT, Cluster, Object, helm

NEEDED = (
    "ARGOSY_E2E_S3",
    "ARGOSY_E2E_TRACKING",
    "ARGOSY_E2E_SEARCH",
    "ARGOSY_E2E_FORGE",
    "AWS_ACCESS_KEY_ID",
    "AWS_SECRET_ACCESS_KEY",
)
MODEL = ROOT / "workflows" / "churn"
NEVER = "0 0 30 2 *"
HASH_KEY = "00" * 32
"""Under which servers and whoever joins labels hash ids."""
USER = 10001
"""What our containers run as."""


@dataclass(frozen=True)
class Pipeline:
    """The pipeline of one model in *namespace*."""

    cluster: Cluster
    namespace: str
    around: Mapping[str, str]
    """NEEDED, with its values."""
    project: Path
    forge: Path
    """The folder of ``environment.git``."""
    environments: Mapping[str, str]
    """The namespace of each environment that is served."""
    platform: Mapping[str, Any] = field(default_factory=dict)
    """Values of the chart `platform` besides those of the main job."""

    @property
    def home(self) -> Path:
        """The state folder of the person who reviews and merges."""
        return self.project / "home"

    @property
    def repository(self) -> Path:
        """The environment repo."""
        return self.forge / "environment.git"

    def prepare(self) -> None:
        """Make the environment repo from the project's gitops-env/, and install what stands round the steps."""
        keys.ensure_signing_pair(self.home / "keys" / "signing.pem", self.home / "keys" / "signing.pub.pem")
        environment = self.project / "gitops-env"
        shutil.copy(self.home / "keys" / "signing.pub.pem", _folder(environment / "keys"))
        self.argosy("env", "pin-image", pinned.image("promote"), "--folder", str(environment))
        self.argosy("setup")
        self.give_forge()
        for each in self._volume():
            self.cluster.apply(each)
        self._install()

    def install_template(self, of: Path = MODEL, **changes: Any) -> None:
        """Install the template of the model in the folder *of*, its settings of these names changed, or what they name within them."""
        model = self.project / "workflows" / of.name
        settings = yaml.safe_load((of / "model.yaml").read_text(encoding="utf-8"))
        for name, value in changes.items():
            settings[name] = {**settings[name], **value} if isinstance(settings.get(name), dict) else value
        (model / "model.yaml").write_text(yaml.safe_dump(settings, sort_keys=False), encoding="utf-8")
        self.argosy("compile", str(model))
        self._commit()
        self.cluster.apply(*self._manifests(of.name))

    def upload(self, folder: Path = ROOT / "data" / MODEL.name, to: str = "data") -> str:
        """The sources in *folder*, in the folder *to* of this namespace in the bucket."""
        bucket = urlsplit(self.around["ARGOSY_E2E_S3"]).path.strip("/")
        for file in sorted(each for each in folder.iterdir() if each.is_file()):
            client.connect().upload_file(str(file), bucket, f"{self.namespace}/{to}/{file.name}")
        return f"s3://{bucket}/{self.namespace}/{to}"

    def argosy(self, *words: str, **more: str) -> str:
        """What `argosy` prints to the person who reviews and merges, with the state that the steps have."""
        return _argosy(words, self.project, {**self._state(), **more})

    def here(self, model: str = MODEL.name) -> dict[str, Any]:
        """What the manifest of *model* gives on this machine, with state of its own."""
        manifest = self.project / "workflows" / model / "pipeline.yaml"
        words = ("run", "--file", str(manifest), "-p", f"data={ROOT / 'data' / model}", "--json")
        home = self.project / "another-home"
        shutil.copytree(self.home / "keys", home / "keys", dirs_exist_ok=True)
        out = _argosy(words, self.project, {"ARGOSY_HOME": str(home)})
        found: dict[str, Any] = json.loads(out.strip().splitlines()[-1])
        return found

    def start_job(self, cron_job: str) -> str:
        """Do now what *cron_job* of the platform does at its time; what it printed."""
        name = f"{cron_job}-{uuid.uuid4().hex[:6]}"
        at = ("--namespace", self.namespace)
        words = ("create", "job", name, f"--from=cronjob/{cron_job}", "--dry-run=client", "--output=json")
        job = json.loads(self.cluster.kubectl(*words, *at))
        _mount(job["spec"]["template"]["spec"])
        self.cluster.apply(job)

        def ended() -> set[str]:
            conditions = self.cluster.get("job", name, self.namespace).get("status", {}).get("conditions", [])
            return {each["type"] for each in conditions if each["status"] == "True"} & {"Complete", "Failed"}

        how = self.cluster.wait(f"{name} to end", ended, 300)
        said = self.cluster.kubectl("logs", f"job/{name}", *at)
        assert how == {"Complete"}, said
        return said

    def start_cron_workflow(self, name: str, template: str) -> str:
        """Do now what the CronWorkflow *name* does at its time; what its pod of *template* printed."""
        spec = self.cluster.get("cronworkflow", name, self.namespace)["spec"]["workflowSpec"]
        run = f"{name}-{uuid.uuid4().hex[:6]}"
        head = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow"}
        self.cluster.apply({**head, "metadata": {"name": run, "namespace": self.namespace}, "spec": spec})
        found = self.ended_workflow(run, 600)
        assert found["status"]["phase"] == "Succeeded", found["status"].get("message")
        nodes = [node for node in found["status"]["nodes"].values() if node.get("templateName") == template]
        verdicts: list[str] = [
            each["value"] for node in nodes for each in node.get("outputs", {}).get("parameters", [])
        ]
        return "\n".join(verdicts)

    def ended_workflow(self, name: str, seconds: float) -> Object:
        """The workflow *name*, once it has ended."""

        def ended() -> Object | None:
            found = self.cluster.get("workflow", name, self.namespace)
            return found if found.get("status", {}).get("phase") in {"Succeeded", "Failed", "Error"} else None

        found: Object = self.cluster.wait(f"{name} to end", ended, seconds, namespace=self.namespace)
        return found

    def retrainings(self) -> list[str]:
        """The names of the workflows that events started."""
        selector = f"workflows.argoproj.io/workflow-template={MODEL.name}-retrain"
        return [each["metadata"]["name"] for each in self.cluster.list("workflows", self.namespace, selector)]

    def logged(self, environment: str) -> list[str]:
        """The keys of what servers of *environment* have shipped."""
        bucket, _, prefix = self.predictions.removeprefix("s3://").partition("/")
        found = client.connect().list_objects_v2(Bucket=bucket, Prefix=f"{prefix}/{MODEL.name}/{environment}/")
        return [each["Key"] for each in found.get("Contents", [])]

    def mount_forge(self, kind: str, name: str) -> None:
        """Show the forge's volume to the pods of *kind* *name* of the platform."""
        pod = self.cluster.get(kind, name, self.namespace)["spec"]["template"]["spec"]
        _mount(pod)
        patch = {"spec": {"template": {"spec": {"volumes": pod["volumes"], "containers": pod["containers"]}}}}
        self.cluster.kubectl(
            *("patch", kind, name, "--namespace", self.namespace, "--type=merge", "--patch", json.dumps(patch))
        )

    def _commit(self) -> None:
        """Commit the model's folder, as whoever wants it in production does."""
        git = ["git", "-C", str(self.project), "-c", "user.name=ada", "-c", "user.email=ada@example.com"]
        for words in (
            ["init", "--quiet"],
            ["add", "--all", "workflows", "images"],
            ["commit", "--quiet", "--allow-empty", "--message", "change"],
        ):
            subprocess.run([*git, *words], check=True)

    def _volume(self) -> list[Object]:
        """A volume over the forge's folder of the node, and the claim by which pods of this namespace have it."""
        size = {"storage": "1Gi"}
        shared = {"accessModes": ["ReadWriteMany"], "storageClassName": ""}
        claimed = {"name": "forge", "namespace": self.namespace}
        volume = {"capacity": size, "hostPath": {"path": str(self.forge)}, "claimRef": claimed, **shared}
        claim = {"resources": {"requests": size}, "volumeName": self.namespace, **shared}
        return [
            {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": self.namespace}, "spec": volume},
            {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": claimed, "spec": claim},
        ]

    def remove(self) -> None:
        """Remove what does not go with the namespace."""
        self.cluster.try_kubectl("delete", "persistentvolume", self.namespace, "--wait=false", "--ignore-not-found")
        for kind in ("validatingadmissionpolicybinding", "validatingadmissionpolicy"):
            self.cluster.try_kubectl("delete", kind, f"{self.namespace}-executors", "--ignore-not-found")

    def give_forge(self) -> None:
        """Let the steps write what was written here."""
        subprocess.run(["chown", "-R", f"{USER}:{USER}", str(self.forge)], check=True)

    @property
    def access(self) -> dict[str, str]:
        """What opens the bucket."""
        return {name: self.around[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}

    @property
    def online(self) -> dict[str, str]:
        """The Secret of the database for online features; nothing where they are files."""
        uri = os.environ.get("ARGOSY_E2E_ONLINE")
        return {"ARGOSY_ONLINE_STORE_URI": uri} if uri else {}

    def s3(self) -> dict[str, str]:
        """The environment of whoever reads the bucket."""
        s3 = urlsplit(self.around["ARGOSY_E2E_S3"])
        return {**self.access, "AWS_ENDPOINT_URL": f"{s3.scheme}://{s3.netloc}", "AWS_REGION": "us-east-1"}

    def _state(self) -> dict[str, str]:
        return {
            **self.s3(),
            "ARGOSY_HOME": str(self.home),
            "ARGOSY_FORGE_URI": f"local:{self.repository}",
            "ARGOSY_TRACKING_URI": self.around["ARGOSY_E2E_TRACKING"],
            "ARGOSY_STORE_URI": self.store,
            "ARGOSY_PREDICTIONS_URI": self.predictions,
            "ARGOSY_HASH_KEY": HASH_KEY,
            "ARGOSY_NEXT_REQUEST": "healthy",
        }

    @property
    def store(self) -> str:
        """Where bundles are kept."""
        return f"s3://{urlsplit(self.around['ARGOSY_E2E_S3']).path.strip('/')}/{self.namespace}/store"

    @property
    def scores(self) -> str:
        """Where the results of tables go."""
        return self.store.removesuffix("store") + "scores"

    @property
    def predictions(self) -> str:
        """Where servers ship what they answered."""
        return self.store.removesuffix("store") + "predictions"

    def _install(self) -> None:
        file = self.project / "platform.values.yaml"
        file.write_text(yaml.safe_dump(self._values()), encoding="utf-8")
        chart = str(ROOT / "charts" / "platform")
        helm("upgrade", "--install", "platform", chart, "--namespace", self.namespace, "--values", str(file))

    def _values(self) -> dict[str, Any]:
        s3 = urlsplit(self.around["ARGOSY_E2E_S3"])
        access = self.access
        signing = (self.home / "keys" / "signing.pem").read_text(encoding="utf-8")
        return {
            "endpoints": {
                "trackingUri": self.around["ARGOSY_E2E_TRACKING"],
                "storeUri": self.store,
                "forgeUri": "local:/forge/environment.git",
                "dataRoot": "/forge",
                "s3Endpoint": f"{s3.scheme}://{s3.netloc}",
                "s3Region": "us-east-1",
                "predictionsUri": self.predictions,
                "monitoringUri": self.predictions.replace("predictions", "monitoring"),
            },
            "secrets": {
                "argosy-signing": {"ARGOSY_SIGNING_KEY": signing},
                "argosy-store": access,
                "argosy-data": access,
                "argosy-predictions": {**access, "ARGOSY_HASH_KEY": HASH_KEY},
                "argosy-scores": {**access, "ARGOSY_HASH_KEY": HASH_KEY},
                "argosy-loop": {"ARGOSY_LOOP_STORAGE_URI": self.loop_storage()},
                "argosy-search": {"ARGOSY_SEARCH_STORAGE_URI": self.around["ARGOSY_E2E_SEARCH"]},
                **({"argosy-online": self.online} if self.online else {}),
                "argosy-artifacts": {
                    "accesskey": access["AWS_ACCESS_KEY_ID"],
                    "secretkey": access["AWS_SECRET_ACCESS_KEY"],
                },
            },
            "artifacts": {
                "bucket": s3.path.strip("/"),
                "endpoint": s3.netloc,
                "insecure": s3.scheme == "http",
            },
            "serving": {
                "createNamespaces": False,
                "environments": [{"name": name, "namespace": found} for name, found in self.environments.items()],
            },
            # When a test says so, and not in between.
            "converge": {"schedule": NEVER, "image": pinned.image("promote")},
            "exporter": {"enabled": False},
            "onlinePrune": {"enabled": bool(self.online), "schedule": NEVER},
            **self.platform,
        }

    def loop_storage(self) -> str:
        """A schema of this test's own in the database of trials: what is remembered of retrainings goes by the model's name."""
        schema, address = self.namespace.replace("-", "_"), self.around["ARGOSY_E2E_SEARCH"]
        engine = sqlalchemy.create_engine(address)
        with engine.begin() as connection:
            connection.execute(sqlalchemy.text(f"CREATE SCHEMA IF NOT EXISTS {schema}"))
        engine.dispose()
        return f"{address}?options=-csearch_path%3D{schema}"

    def _manifests(self, model: str) -> list[Object]:
        """What `compile --stamp` prints; the forge's volume is mounted by a patch of pods, nothing else differs."""
        found: list[Object] = list(yaml.safe_load_all(self.argosy("compile", "--stamp", f"workflows/{model}")))
        patch: dict[str, Any] = {"containers": [{"name": "main"}]}
        _mount(patch)
        for manifest in found:
            manifest["metadata"]["namespace"] = self.namespace
            spec = manifest["spec"]
            spec.get("workflowSpec", spec)["podSpecPatch"] = json.dumps(patch)
            if manifest["kind"] == "CronWorkflow":  # when a test says so, and not in between
                spec["suspend"] = True
        return found


def make_project(folder: Path) -> Path:
    """A project of the model in *folder*."""
    shutil.copytree(MODEL, folder / "workflows" / MODEL.name)
    shutil.copytree(ROOT / "gitops-env", folder / "gitops-env")
    pinned.image("promote")  # or the test is skipped
    (folder / "images").mkdir()
    shutil.copy(pinned.LOCK, folder / "images")
    return folder


def _mount(pod: dict[str, Any]) -> None:
    """Show the volume of the forge at /forge to every container of *pod*; a claim, which the restricted profile allows."""
    pod.setdefault("volumes", []).append({"name": "forge", "persistentVolumeClaim": {"claimName": "forge"}})
    for container in pod["containers"]:
        container.setdefault("volumeMounts", []).append({"name": "forge", "mountPath": "/forge"})


def _argosy(words: tuple[str, ...], project: Path, state: Mapping[str, str]) -> str:
    environment = {**os.environ, "ARGOSY_DATA_ROOT": str(project), **state}
    command = [sys.executable, "-c", f"from argosy.cli import main; main.main({list(words)!r})"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, cwd=project)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _folder(path: Path) -> Path:
    path.mkdir(exist_ok=True)
    return path
