"""The volumes that a pod may mount: the workflow's, the template's own, and those of the workflow's claims."""

from collections.abc import Mapping
from typing import Any

from argosy.argo import Phase
from argosy.engine.nodes import Json

CLAIM = "persistentVolumeClaim"
ON_SUCCESS, ON_COMPLETION = STRATEGIES = ("OnWorkflowSuccess", "OnWorkflowCompletion")


def name_of(volume: Mapping[str, Any]) -> str:
    """The name of the claim that *volume* is."""
    return str(volume[CLAIM]["claimName"])


def own(spec: Mapping[str, Any], workflow: str) -> list[Json]:
    """The volumes that the ``volumeClaimTemplates`` of *spec* make, their claims named as the controller names them."""
    names = [template["metadata"]["name"] for template in spec.get("volumeClaimTemplates") or []]
    return [{"name": name, CLAIM: {"claimName": f"{workflow}-{name}"}} for name in names]


def are_done_with(spec: Mapping[str, Any], phase: Phase) -> bool:
    """Whether the workflow's own claims are removed now that it ended in *phase*."""
    strategy = (spec.get("volumeClaimGC") or {}).get("strategy") or ON_SUCCESS
    return bool(spec.get("volumeClaimTemplates")) and (strategy == ON_COMPLETION or phase is Phase.SUCCEEDED)


def all_of(spec: Mapping[str, Any], template: Mapping[str, Any], workflow: str) -> list[Json]:
    """Every volume that *template* may mount."""
    return [*(spec.get("volumes") or []), *own(spec, workflow), *(template.get("volumes") or [])]
