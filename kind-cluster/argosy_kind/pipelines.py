"""Where pipelines run and models are served: namespaces, Secrets, and the chart `platform` with the addresses of everything else."""

import hashlib
import json
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from argosy import errors
from argosy.domain import access_rules
from argosy.domain.access_rules import AccessKey
from argosy_kind import forge, kube, services, site
from argosy_kind.site import ENVIRONMENTS, MONITORING, PIPELINES, RESTRICTED, ROOT, Site

RELEASE = "argosy"
CALLERS = "argosy-callers"
"""The Secret with the key of those who call models."""
OLD = 36500
REGION = "us-east-1"
"""Of a store that has none: S3 clients want a name."""


def install(at: Site, _name: str, seconds: float) -> None:
    """Install the chart, and the Secrets that it leaves to others."""
    at.make_namespace(PIPELINES, labels=RESTRICTED)
    for environment, namespace in ENVIRONMENTS.items():
        at.make_namespace(namespace, labels={"argosy.dev/environment": environment})
    held = at.credentials()
    for namespace, name, content in secrets_of(held):
        at.kubectl.apply([kube.secret(name, namespace, content, ANNOTATIONS.get(name))])
    _helm(at, site.merged(values(), at.choices.platform), seconds)
    at.kubectl.wait_rolled_out("deployment", "argosy-exporter", PIPELINES, seconds)
    bring_rules(at, seconds)


def bring_rules(at: Site, seconds: float) -> None:
    """Give our Prometheus, if there is one, the rules as the chart has rendered them; a ConfigMap is its namespace's."""
    rules = at.kubectl.get("configmap", "argosy-rules", PIPELINES)
    if rules is None or at.kubectl.get("deployment", "prometheus", MONITORING) is None or not at.is_ours(MONITORING):
        return
    at.kubectl.apply([services.files("argosy-rules", rules["data"])])
    checksum = hashlib.sha256(json.dumps(rules["data"], sort_keys=True).encode()).hexdigest()[:16]
    # Read as it starts: other rules, another pod.
    patch = {"spec": {"template": {"metadata": {"annotations": {"argosy.dev/rules": checksum}}}}}
    where = ("--namespace", MONITORING, "--type=merge", "--patch", json.dumps(patch))
    at.kubectl.run("patch", "deployment", "prometheus", *where)
    at.kubectl.wait_rolled_out("deployment", "prometheus", MONITORING, seconds)


def values() -> dict[str, Any]:
    """The values of the chart: where everything is, and what is switched on."""
    return {
        "endpoints": {
            "trackingUri": f"http://{services.in_services('mlflow')}",
            "storeUri": "s3://models/store",
            "predictionsUri": "s3://predictions/log",
            "monitoringUri": "s3://monitoring/looks",
            "forgeUri": forge.uri(),
            "s3Endpoint": f"http://{services.in_services('objects')}",
            "s3Region": REGION,
        },
        "artifacts": {"bucket": "artifacts", "endpoint": services.in_services("objects"), "insecure": True},
        "serving": {
            "createNamespaces": False,
            "environments": [{"name": name, "namespace": namespace} for name, namespace in ENVIRONMENTS.items()],
        },
        "converge": {"image": services.of_ours("promote")},
        # The sample's customers are of some years ago, and their features as old.
        "alerts": {"features": [{"model": "churn", "environment": name, "days": OLD} for name in ENVIRONMENTS]},
        "events": {"enabled": True, "models": [{"name": "churn"}], "bus": {"replicas": 1}},
    }


def secrets_of(held: Mapping[str, str]) -> list[tuple[str, str, dict[str, str]]]:
    """Every Secret that pipelines and servers name: namespace, name and content."""
    access = {"AWS_ACCESS_KEY_ID": held["objects-access-key"], "AWS_SECRET_ACCESS_KEY": held["objects-secret-key"]}
    database = f"postgres:{held['postgresql-password']}@{services.in_services('postgresql')}"
    here = {
        "argosy-signing": {"ARGOSY_SIGNING_KEY": held[site.SIGNING]},
        "argosy-store": access,
        "argosy-data": access,
        "argosy-predictions": {**access, "ARGOSY_HASH_KEY": held["hash-key"]},
        "argosy-scores": {**access, "ARGOSY_HASH_KEY": held["hash-key"]},
        "argosy-search": {"ARGOSY_SEARCH_STORAGE_URI": f"postgresql+psycopg://{database}/search"},
        "argosy-loop": {"ARGOSY_LOOP_STORAGE_URI": f"postgresql://{database}/loop"},
        "argosy-online": {"ARGOSY_ONLINE_STORE_URI": f"postgresql://{database}/online"},
        "argosy-forge": {"ARGOSY_FORGE_TOKEN": held["forge-token"]},
        "argosy-forge-reader": {"ARGOSY_FORGE_TOKEN": held["forge-reader-token"]},
        "argosy-artifacts": {"accesskey": held["objects-access-key"], "secretkey": held["objects-secret-key"]},
        "argosy-events": {"alertmanager": held["alertmanager-token"], "push": held["push-secret"]},
    }
    where = {"AWS_ENDPOINT_URL": f"http://{services.in_services('objects')}", "AWS_REGION": REGION}
    served = {
        "store": access,
        "argosy-predictions": {**access, **where},
        "argosy-ids": {"ids.key": held["hash-key"]},
        "argosy-online": here["argosy-online"],
        "argosy-access": {"access.yaml": _rules(held[site.CALLERS_KEY])},
        CALLERS: {"KEY": held[site.CALLERS_KEY]},
    }
    found = [(PIPELINES, name, content) for name, content in here.items()]
    return found + [
        (namespace, name, content) for namespace in ENVIRONMENTS.values() for name, content in served.items()
    ]


def _rules(key: str) -> str:
    """The rules by which whoever has *key* may ask every model."""
    rule = AccessKey(name="callers", digest=access_rules.key_digest(key), models=[access_rules.EVERY_MODEL])
    return yaml.safe_dump({"keys": [rule.model_dump(mode="json", exclude_none=True)]})


ANNOTATIONS = {
    "store": {
        "serving.kserve.io/s3-endpoint": services.in_services("objects"),
        "serving.kserve.io/s3-usehttps": "0",
        "serving.kserve.io/s3-region": REGION,
    }
}
"""How KServe reads the keys of a bucket."""


def _helm(at: Site, wanted: Mapping[str, Any], seconds: float) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "values.yaml"
        file.write_text(yaml.safe_dump(dict(wanted)), encoding="utf-8")
        context = ["--kube-context", at.kubectl.context] if at.kubectl.context else []
        words = ["upgrade", "--install", RELEASE, str(ROOT / "charts" / "platform"), "--values", str(file)]
        try:
            done = subprocess.run(
                ["helm", *context, *words, "--namespace", PIPELINES],
                capture_output=True,
                text=True,
                check=False,
                timeout=seconds,
            )
        except FileNotFoundError as error:
            raise errors.Misconfigured("helm is not installed; it has to be on PATH") from error
        except subprocess.TimeoutExpired as error:
            raise errors.TryAgain(f"helm gave no answer within {seconds:.0f} s") from error
    if done.returncode != 0:
        raise errors.Misconfigured(f"the chart platform cannot be installed: {' '.join(done.stderr.split())}")
