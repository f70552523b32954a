"""Fifty models in one repository: what the verbs of a project cost, and what a look at a cluster's canaries asks.

    python tests/bench/many_models.py [--models 50] [--only compile,converge,applications]

``compile``: `argosy compile` and `argosy lint` of all folders, each in a process of its own; seconds of processor time, which a loaded
machine does not lengthen, and of the clock. ``converge``: one look of the step at healthy rollouts, over the real client of Kubernetes and
a server that counts. ``applications``: `helm template` of the chart `inference` for every model and environment, where helm is there.
"""

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from unittest import mock

from kubernetes import client

from argosy.testing import forge_contract

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

from kit import fleet, web_server  # noqa: E402 - the path is this program's own

ENVIRONMENTS = ("staging", "production")


def compiling(models: int) -> None:
    """Compile and lint *models* folders."""
    with tempfile.TemporaryDirectory() as place:
        project = Path(place) / "project"
        folders = [str(folder.relative_to(project)) for folder in fleet.write(project, ROOT, models)]
        seconds = [_measured(project, verb, *folders) for verb in ("compile", "lint")]
    print(
        f"compile {seconds[0][0]:.1f} s and lint {seconds[1][0]:.1f} s of processor time for {models} models, together "
        f"{seconds[0][0] + seconds[1][0]:.1f} s (by the clock {seconds[0][1]:.1f} s and {seconds[1][1]:.1f} s)"
    )


def _measured(project: Path, *words: str) -> tuple[float, float]:
    """Processor time and time of the command."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    subprocess.run(
        [sys.executable, "-m", "argosy.cli.main", *words], cwd=project, check=True, stdout=subprocess.DEVNULL
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, time.monotonic() - start


def converging(models: int) -> None:
    """Count what one look at the canaries of *models* models asks the API server."""
    from argosy.adapters.cluster import rollouts

    place = "/apis/argoproj.io/v1alpha1/namespaces/serving"
    found = [_rollout(fleet.name_of(number)) for number in range(models)]
    pods = [_pods(fleet.name_of(number)) for number in range(models)]
    answers = {
        f"{place}/rollouts?labelSelector=argosy.dev/model%2Cargosy.dev/environment%3Dstaging": web_server.listed(
            *found
        ),
        "/apis/apps/v1/namespaces/serving/replicasets?labelSelector=rollouts-pod-template-hash": web_server.listed(
            *pods
        ),
        f"{place}/analysisruns?labelSelector=rollouts-pod-template-hash": web_server.listed(),
    }
    with web_server.web_server(answers) as api:
        configuration = client.Configuration(host=api.url)
        with mock.patch.object(rollouts, "connect", return_value=client.ApiClient(configuration)):
            seen = rollouts.ClusterRollouts("serving").of("staging")
        print(f"converge: {len(api.asked)} calls of Kubernetes' API for {len(seen)} models")


def _rollout(model: str) -> dict[str, object]:
    labels = {"argosy.dev/model": model, "argosy.dev/environment": "staging"}
    status = {"phase": "Healthy", "currentPodHash": model, "stableRS": model}
    return {"metadata": {"name": model, "labels": labels}, "status": status}


def _pods(model: str) -> dict[str, object]:
    template = {"metadata": {"annotations": {"argosy.dev/model-digest": "sha256:0"}}, "spec": {"containers": []}}
    metadata = {"name": model, "labels": {"rollouts-pod-template-hash": model}}
    return {"metadata": metadata, "spec": {"selector": {}, "template": template}}


def rendering(models: int) -> None:
    """Render what Argo CD renders: the chart for each Application that the ApplicationSets make, by the files that they name."""
    if shutil.which("helm") is None:
        print("applications: skipped, helm is not installed")
        return
    with tempfile.TemporaryDirectory() as place:
        project = Path(place) / "project"
        names = [folder.name for folder in fleet.write(project, ROOT, models)]
        wanted = [(project / "gitops-env", name, environment) for name in names for environment in ENVIRONMENTS]
        for each in wanted:
            _served(*each)
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
        # As the repo server does: a process each, several at a time.
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(lambda each: _render(*each), wanted))
        after, seconds = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - start
    spent = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"applications: {len(wanted)} rendered in {spent:.1f} s of processor time ({seconds:.1f} s by the clock)")


def _served(repo: Path, model: str, environment: str) -> None:
    """Have *environment* serve a version of *model*."""
    folder = repo / "models" / model / environment
    (folder / "evidence").mkdir(parents=True)
    image = f"registry/argosy/serve@sha256:{'0' * 64}"
    changes = {"storage_uri": f"s3://models/{model}/", "image": image}
    version = forge_contract.version("a", model=model).model_copy(update=changes)
    (folder / "version.yaml").write_text(version.yaml(), encoding="utf-8")
    (folder / "evidence" / "bundle.sig").write_text("signature", encoding="utf-8")
    (repo / "keys").mkdir(exist_ok=True)
    (repo / "keys" / "signing.pub.pem").write_text("key", encoding="utf-8")


def _render(repo: Path, model: str, environment: str) -> None:
    """As the ApplicationSet of *environment* has it."""
    folder = repo / "models" / model
    command = [
        "helm",
        "template",
        model.replace("_", "-"),
        str(ROOT / "charts" / "inference"),
        "--kube-version",
        "1.34.0",
    ]
    command += ["--values", str(folder / "values.yaml"), "--values", str(folder / environment / "version.yaml")]
    command += ["--set", f"environment={environment}"]
    command += ["--set-file", f"signature={folder / environment / 'evidence' / 'bundle.sig'}"]
    command += ["--set-file", f"verifyingKey={repo / 'keys' / 'signing.pub.pem'}"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


PARTS: dict[str, Callable[[int], None]] = {"compile": compiling, "converge": converging, "applications": rendering}


def main(argv: Sequence[str] | None = None) -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", type=int, default=50)
    parser.add_argument("--only", default=",".join(PARTS), help="default %(default)s")
    given = parser.parse_args(argv)
    for name in given.only.split(","):
        PARTS[name](given.models)


if __name__ == "__main__":
    main()
