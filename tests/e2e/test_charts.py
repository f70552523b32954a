"""Every object that charts make is taken by the API server of a cluster with the real definitions."""

from pathlib import Path

import pytest
import yaml

from e2e.cluster import Cluster

GOLDEN = Path(__file__).parents[1] / "charts" / "golden"
NOT_INSTALLED = {
    "ServiceMonitor": "servicemonitors.monitoring.coreos.com",
    "HTTPRoute": "httproutes.gateway.networking.k8s.io",
}
"""Kinds whose definitions are looked for one by one: clusters run without them."""


@pytest.mark.needs("argo-rollouts", "kserve")
@pytest.mark.parametrize("case", sorted(path.stem for path in GOLDEN.glob("*.yaml")))
def test_the_server_takes_what_is_rendered(cluster: Cluster, namespace: str, case: str) -> None:
    """Checked against the definitions of KServe and Rollouts, strictly, and by their webhooks; nothing is kept."""
    objects = [each for each in yaml.safe_load_all((GOLDEN / f"{case}.yaml").read_text(encoding="utf-8")) if each]
    taken = 0
    for each in objects:
        definition = NOT_INSTALLED.get(each["kind"])
        if definition and cluster.try_kubectl("get", "crd", definition).returncode != 0:
            continue
        each["metadata"]["namespace"] = namespace
        cluster.apply(each, dry_run=True)
        taken += 1
    assert taken >= 6
