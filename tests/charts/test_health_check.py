"""What Argo CD will say of an InferenceService: the Lua check, run by Argo CD's own program where it is installed."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from kit.inference_chart import CHART

KEY = "resource.customizations.health.serving.kserve.io_InferenceService"
UNREADY = [{"type": "Ready", "status": "False", "message": "MinimumReplicasUnavailable"}]
OURS = {"labels": {"argosy.dev/model": "churn"}, "annotations": {"serving.kserve.io/autoscalerClass": "external"}}


def health(folder: Path, status: dict[str, Any], **metadata: Any) -> str:
    """The health of an InferenceService of generation 2 with *status*."""
    argocd = shutil.which("argocd")
    if argocd is None:
        pytest.skip("argocd is not installed")
    lua = (CHART / "argo-cd" / "health-inferenceservice.lua").read_text(encoding="utf-8")
    config = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "argocd-cm", "namespace": "argocd", "labels": {"app.kubernetes.io/part-of": "argocd"}},
        "data": {KEY: lua},
    }
    service = {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {"name": "churn", "namespace": "ml", "generation": 2, **metadata},
        "status": status,
    }
    (folder / "cm.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    (folder / "service.yaml").write_text(json.dumps(service), encoding="utf-8")
    words = ["admin", "settings", "resource-overrides", "health", str(folder / "service.yaml")]
    done = subprocess.run(
        [argocd, *words, "--argocd-cm-path", str(folder / "cm.yaml")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return next(line.split(":", 1)[1].strip() for line in done.stdout.splitlines() if line.startswith("STATUS"))


@pytest.mark.parametrize(
    ("status", "metadata", "expected"),
    [
        pytest.param({"observedGeneration": 1, "conditions": UNREADY}, OURS, "Progressing", id="not-taken-in-yet"),
        pytest.param(
            {"observedGeneration": 2, "conditions": UNREADY}, OURS, "Healthy", id="a-rollout-stands-behind-it"
        ),
        pytest.param(
            {"observedGeneration": 2, "modelStatus": {"transitionStatus": "InvalidSpec"}},
            OURS,
            "Degraded",
            id="refused",
        ),
        pytest.param({"observedGeneration": 2, "conditions": UNREADY}, {}, "Degraded", id="no-rollout"),
        pytest.param({"observedGeneration": 2}, {}, "Progressing", id="no-rollout-nor-conditions"),
        pytest.param(
            {"observedGeneration": 2, "conditions": [{"type": "Ready", "status": "True"}]}, {}, "Healthy", id="ready"
        ),
    ],
)
def test_health(tmp_path: Path, status: dict[str, Any], metadata: dict[str, Any], expected: str) -> None:
    """It waits for KServe, and leaves it to the Rollout whether pods answer; without one, conditions decide."""
    assert health(tmp_path, status, **metadata) == expected
