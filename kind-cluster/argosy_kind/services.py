"""Our own parts: what the folder parts/ has of each, filled in, applied, and waited for."""

import hashlib
import json
import string
from collections.abc import Callable, Mapping
from typing import Any

import yaml

from argosy import errors
from argosy_kind import kube, site
from argosy_kind.pins import FOLDER
from argosy_kind.site import MONITORING, ROOT, SERVICES, Site

LOCK = ROOT / "images" / "images.lock"
DASHBOARDS = ROOT / "charts" / "platform" / "files" / "dashboards"
BUCKETS = ("artifacts", "mlflow", "models", "monitoring", "predictions", "scores", "sources")
DATABASES = ("mlflow", "search", "loop", "online")
PORTS = {"postgresql": 5432, "objects": 7070, "mlflow": 5000, "gitea": 3000}
MONITORS = {"prometheus": 9090, "alertmanager": 9093, "grafana": 3000}
WEBHOOK = f"argosy-alerts-eventsource-svc.{site.PIPELINES}.svc:12000"
SIZES = {"postgresql": "2Gi", "objects": "10Gi", "gitea": "1Gi", "prometheus": "5Gi"}
"""Parts with a disk, and how large it is."""
DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"


def install(at: Site, name: str, seconds: float) -> None:
    """Install our part *name* and wait until it answers."""
    namespace = MONITORING if name in MONITORS else SERVICES
    at.make_namespace(SERVICES)
    at.make_namespace(namespace)
    at.credentials()
    values = VALUES[name](at) if name in VALUES else {}
    disk, claim = _disk(at, name, namespace)
    at.kubectl.apply([*_before(name), *claim, *render(name, {**_common(at, name), "disk": disk, **values})])
    at.kubectl.wait_rolled_out("deployment", name, namespace, seconds)
    if name in AFTER:
        AFTER[name](at)


def render(name: str, values: Mapping[str, str]) -> list[kube.Object]:
    """The objects of the part *name*. A checksum of all of it starts pods anew whose files have changed."""
    text = (FOLDER / "parts" / f"{name}.yaml").read_text(encoding="utf-8")
    said = json.dumps([text, *sorted(values.items()), *_before(name)])
    checksum = hashlib.sha256(said.encode()).hexdigest()[:16]
    return list(yaml.safe_load_all(string.Template(text).substitute(checksum=checksum, **values)))


def of_ours(target: str) -> str:
    """Our own image *target* as nodes know it. Raises Misconfigured where `make images` has not built it."""
    try:
        known = json.loads(LOCK.read_text(encoding="utf-8"))
        repository, digest = known["repository"], known["images"][target]["digest"]
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise errors.Misconfigured(f"images/images.lock names no image {target!r}; run `make images`") from error
    host = "" if "." in repository.partition("/")[0] else "docker.io/"
    return f"{host}{repository}/{target}@{digest}"


def in_services(name: str) -> str:
    """``host:port`` of our part *name*."""
    if name in MONITORS:
        return site.address(name, MONITORS[name], MONITORING)
    return site.address(name, PORTS[name])


def _common(at: Site, name: str) -> dict[str, str]:
    image = at.choices.images.get("mlflow") or of_ours("tracking") if name == "mlflow" else at.image(name)
    return {"image": image, "pull_policy": at.choices.pull_policy}


def _disk(at: Site, name: str, namespace: str) -> tuple[str, list[kube.Object]]:
    """Where the part keeps its files, as its pod says it, and the claim for it."""
    if name not in SIZES:
        return "", []
    if not at.choices.storage_class and not _has_default_class(at):
        print(f"{'':<16} the cluster has no default StorageClass: what {name} holds ends with its pod", flush=True)
        return "emptyDir: {}", []
    spec: kube.Object = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": SIZES[name]}}}
    if at.choices.storage_class:
        spec["storageClassName"] = at.choices.storage_class
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": kube.metadata(name, namespace),
        "spec": spec,
    }
    return f"persistentVolumeClaim: {{claimName: {name}}}", [claim]


def _has_default_class(at: Site) -> bool:
    classes = at.kubectl.list("storageclasses")
    return any(one["metadata"].get("annotations", {}).get(DEFAULT_CLASS) == "true" for one in classes)


def _before(name: str) -> list[kube.Object]:
    """What a part reads that stands elsewhere in the project."""
    if name == "grafana":
        pages = {file.name: file.read_text(encoding="utf-8") for file in sorted(DASHBOARDS.glob("*.json"))}
        return [files("argosy-dashboards", pages)]
    return []


def files(name: str, content: Mapping[str, str]) -> kube.Object:
    """A ConfigMap that our monitoring mounts."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": kube.metadata(name, MONITORING), "data": dict(content)}


def _make_databases(at: Site) -> None:
    """Make the databases that are not there yet."""
    psql = ("psql", "--username=postgres", "--no-align", "--tuples-only", "--set=ON_ERROR_STOP=1")
    there = at.kubectl.exec("deployment/postgresql", SERVICES, *psql, "--command=SELECT datname FROM pg_database")
    for name in sorted(set(DATABASES) - set(there.split())):
        # A server that was set up in the locale C has SQL_ASCII, of which psycopg makes bytes and MLflow a failure.
        wanted = f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0"
        at.kubectl.exec("deployment/postgresql", SERVICES, *psql, f"--command={wanted}")


def _mlflow(at: Site) -> dict[str, str]:
    held = at.credentials()
    return {
        "password": held["postgresql-password"],
        "access_key": held["objects-access-key"],
        "secret_key": held["objects-secret-key"],
        "database": in_services("postgresql"),
        "objects": in_services("objects"),
    }


VALUES: Mapping[str, Callable[[Site], dict[str, Any]]] = {
    "objects": lambda _: {"buckets": ", ".join(f"/data/{name}" for name in BUCKETS)},
    "mlflow": _mlflow,
    "gitea": lambda at: {"secret_key": at.credentials()["forge-secret-key"]},
    "prometheus": lambda _: {"alertmanager": in_services("alertmanager")},
    "alertmanager": lambda at: {"token": at.credentials()["alertmanager-token"], "webhook": WEBHOOK},
    "grafana": lambda at: {"password": at.credentials()["grafana-password"], "prometheus": in_services("prometheus")},
}
"""What each part's file is filled in with, besides what all have."""
AFTER: Mapping[str, Callable[[Site], None]] = {"postgresql": _make_databases}
"""What is done once the part answers."""
