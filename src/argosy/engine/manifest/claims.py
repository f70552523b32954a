"""The volumes that a pod may mount: the workflow's, the template's own, and those of the workflow's claims."""

from argosy.argo import Phase
from argosy.engine.manifest.model import Spec, Template
from argosy.engine.manifest.pod_model import Volume

ON_SUCCESS, ON_COMPLETION = STRATEGIES = ("OnWorkflowSuccess", "OnWorkflowCompletion")


def own(spec: Spec, workflow: str) -> dict[str, str]:
    """The names of the claims that the ``volumeClaimTemplates`` of *spec* make, as the controller has them, by their volumes'."""
    names = [template.metadata.name for template in spec.volume_claim_templates]
    return {name: f"{workflow}-{name}" for name in names}


def are_done_with(spec: Spec, phase: Phase) -> bool:
    """True where the workflow's own claims are removed now that it ended in *phase*."""
    strategy = spec.volume_claim_gc.strategy or ON_SUCCESS
    return bool(spec.volume_claim_templates) and (strategy == ON_COMPLETION or phase is Phase.SUCCEEDED)


def all_of(spec: Spec, template: Template, workflow: str) -> list[Volume]:
    """Every volume that *template* may mount."""
    claimed = [
        Volume({"name": name, "persistentVolumeClaim": {"claimName": claim}})
        for name, claim in own(spec, workflow).items()
    ]
    return [*spec.volumes, *claimed, *template.volumes]
