"""Fifty models in one repository: what the verbs of a project cost, and what a look at a cluster's canaries asks.

    python tests/bench/many_models.py [--models 50] [--only compile,converge,applications]

``compile``: `argosy compile` and `argosy lint` of all folders, each in a process of its own; seconds of processor time, which a loaded
machine does not lengthen, and of the clock. ``converge``: one look of the step at healthy rollouts, over the real client of Kubernetes and
a server that counts. ``applications``: `helm template` of the chart `inference` for every model and environment, where helm is there.
"""

import argparse
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from unittest import mock

from kubernetes import client

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
    """Render what Argo CD renders: the chart for each model and environment."""
    if shutil.which("helm") is None:
        print("applications: skipped, helm is not installed")
        return
    start = time.monotonic()
    for number in range(models):
        for environment in ENVIRONMENTS:
            _render(fleet.name_of(number), environment)
    print(f"applications: {models * len(ENVIRONMENTS)} rendered in {time.monotonic() - start:.1f} s by the clock")


def _render(model: str, environment: str) -> None:
    version = {
        "model": model,
        "environment": environment,
        "modelDigest": f"sha256:{'0' * 64}",
        "storageUri": "s3://bucket/prefix/",
        "image": f"registry/serve@sha256:{'0' * 64}",
        "signature": "signature",
        "verifyingKey": "key",
    }
    given = [word for name, value in version.items() for word in ("--set-string", f"{name}={value}")]
    given += ["--set", "version=1"]
    command = [
        "helm",
        "template",
        model.replace("_", "-"),
        str(ROOT / "charts" / "inference"),
        "--kube-version",
        "1.34.0",
        *given,
    ]
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
