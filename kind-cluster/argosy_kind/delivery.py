"""From a merge to pods: the environment repo with this cluster's addresses, the chart it pins, and what Argo CD is told."""

import json
import string
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from argosy_kind import forge, kube, services, site
from argosy_kind.controllers import CONTROLLERS
from argosy_kind.pins import FOLDER
from argosy_kind.site import ENVIRONMENTS, ROOT, VERIFYING, Site

GITOPS = ROOT / "gitops-env"
CHART = ROOT / "charts" / "inference"
WRITTEN = {
    "environment": "https://github.com/example/environment.git",
    "chart": "oci://ghcr.io/example/charts/inference",
}
"""The addresses that gitops-env/ is written with."""
ARGOCD = CONTROLLERS["argo-cd"].namespace


def install(at: Site, _name: str, _seconds: float) -> None:
    """Fill the repositories, as far as they are empty, and have Argo CD follow them."""
    with tempfile.TemporaryDirectory() as folder:
        revision = forge.push(at, forge.CHARTS, files(CHART), Path(folder), "The chart of this checkout")
    # From the first commit on, git is what people made of it.
    if not forge.head(at, forge.ENVIRONMENT):
        with tempfile.TemporaryDirectory() as folder:
            forge.push(at, forge.ENVIRONMENT, environment(at, revision), Path(folder), "Start the environment repo")
    forge.protect(at)
    at.kubectl.apply(checks(at.credentials()[VERIFYING]))
    follow(at)


def follow(at: Site) -> None:
    """Tell Argo CD which repository each environment follows, how it logs in there, and when an InferenceService is healthy."""
    held = at.credentials()
    login = {"url": f"http://{services.in_services('gitea')}/{forge.BOT}", "username": forge.BOT, "type": "git"}
    creds = kube.secret("argosy-forge", ARGOCD, {**login, "password": held["forge-reader-token"]})
    creds["metadata"]["labels"] = {"argocd.argoproj.io/secret-type": "repo-creds", site.OURS: site.OWNER}
    health = yaml.safe_load((GITOPS / "clusters" / "argocd-cm.yaml").read_text(encoding="utf-8"))
    objects = [
        yaml.safe_load(addressed((GITOPS / "clusters" / name / f"{kind}.yaml").read_text(encoding="utf-8")))
        for name in ENVIRONMENTS
        for kind in ("project", "applicationset")
    ]
    at.kubectl.apply([creds, health, *objects])


def checks(key: str) -> list[kube.Object]:
    """What looks at each open request; *key*: the public one that signatures are checked with."""
    text = (FOLDER / "checks.yaml").read_text(encoding="utf-8")
    filled = string.Template(text).substitute(key=json.dumps(key), image=services.of_ours("promote"))
    return list(yaml.safe_load_all(filled))


def refresh(at: Site) -> None:
    """Tell Argo CD that main has changed, as a webhook of the forge would."""
    words = ("annotate", "--namespace", ARGOCD, "--overwrite")
    for name, namespace in ENVIRONMENTS.items():
        flag = "argocd.argoproj.io/application-set-refresh=true"
        at.kubectl.run(*words, f"applicationset/{namespace}", flag)
        which = f"--selector=argosy.dev/environment={name}"
        at.kubectl.run(*words, "applications", which, "argocd.argoproj.io/refresh=normal")


def environment(at: Site, revision: str) -> dict[str, bytes]:
    """The files of a new environment repo."""
    found = {
        path: addressed(content.decode(), revision).encode() if path.startswith("clusters/") else content
        for path, content in files(GITOPS).items()
    }
    for path in [one for one in found if one.startswith("models/") and one.endswith("/values.yaml")]:
        given = yaml.safe_load(found[path])
        wanted = site.merged(site.merged(given, model_values()), at.choices.models)
        found[path] = yaml.safe_dump(wanted, sort_keys=False).encode()
    found[f"keys/{VERIFYING}"] = at.credentials()[VERIFYING].encode()
    return found


def model_values() -> dict[str, Any]:
    """What each model is told of this cluster; small, so that a laptop can hold it, and quick, so that one can watch."""
    return {
        "replicas": 3,
        "resources": {"requests": {"cpu": "20m", "memory": "160Mi"}, "limits": {"cpu": "1", "memory": "768Mi"}},
        "server": {"image": services.of_ours("serve"), "startSeconds": 240},
        "storage": {"credentialsSecret": "store"},
        "predictionLog": {"uri": "s3://predictions/log", "shipSeconds": 5, "spoolMebibytes": 256},
        "onlineFeatures": {"secret": "argosy-online"},
        "canary": {"steps": [25, 50, 100], "stepSeconds": 30},
        "analysis": {
            "prometheus": f"http://{services.in_services('prometheus')}",
            "intervalSeconds": 5,
            "windowSeconds": 30,
            "minimumRequests": 25,
            "errors": {"maximumRatio": 0.05},
            "latency": {"tolerance": 3},
        },
    }


def addressed(text: str, revision: str = "main") -> str:
    """*text* of gitops-env/ with the addresses of this cluster; *revision*: the chart's commit."""
    text = text.replace(WRITTEN["environment"], forge.clone_address(forge.ENVIRONMENT))
    text = text.replace(WRITTEN["chart"], forge.clone_address(forge.CHARTS))
    return text.replace("revision: 0.1.0", f"revision: {revision}")


def files(folder: Path) -> Mapping[str, bytes]:
    """The files of *folder* by their paths in it."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}
