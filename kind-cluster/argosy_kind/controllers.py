"""Controllers of others, as their projects publish them; one that a cluster has already is used and left alone."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from argosy_kind.pins import FOLDER
from argosy_kind.site import CACHE, OWNER, Site

LAID_OVER = "argosy-kind-controllers"


@dataclass(frozen=True)
class Controller:
    """A project's controller."""

    name: str
    """As pins.yaml has it."""
    namespace: str
    definition: str
    """The resource type by which it is known to be there."""
    deployments: Sequence[str]
    over: Sequence[str] = field(default=())
    """Files of this folder that are laid over what its project publishes."""
    tell: Callable[[Site], None] = field(default=lambda _: None)
    """What it is told besides, before its pods are waited for."""


CONTROLLERS = {
    one.name: one
    for one in (
        Controller(
            "argo-workflows", "argo", "workflows.argoproj.io", ("workflow-controller",), over=("controller.yaml",)
        ),
        Controller("argo-rollouts", "argo-rollouts", "rollouts.argoproj.io", ("argo-rollouts",)),
        Controller("argo-events", "argo-events", "sensors.argoproj.io", ("controller-manager",)),
        Controller(
            "argo-cd",
            "argocd",
            "applications.argoproj.io",
            ("argocd-repo-server", "argocd-applicationset-controller", "argocd-server"),
        ),
        Controller(
            "cert-manager",
            "cert-manager",
            "certificates.cert-manager.io",
            ("cert-manager", "cert-manager-cainjector", "cert-manager-webhook"),
        ),
        Controller(
            "kserve",
            "kserve",
            "inferenceservices.serving.kserve.io",
            ("kserve-controller-manager",),
            tell=lambda at: _tell_kserve(at),  # noqa: PLW0108 - it is defined below
        ),
    )
}


def found(at: Site, name: str) -> str:
    """Why *name* need not be installed: somebody else did, or nobody needs it. Empty where it has to be, or was installed here."""
    controller = CONTROLLERS[name]
    if at.is_ours(controller.namespace):
        return ""
    if at.kubectl.get("customresourcedefinition", controller.definition) is not None:
        return f"found, left alone ({_version(at, controller)})"
    # KServe's webhooks need certificates; nothing else here does.
    if name == "cert-manager" and (there := found(at, "kserve")):
        return f"not needed, KServe is {there}"
    return ""


def install(at: Site, name: str, seconds: float) -> None:
    """Install *name* and wait until its pods are ready."""
    controller = CONTROLLERS[name]
    file = at.pins.file(name, CACHE / "downloads")
    at.make_namespace(controller.namespace, labels={})
    at.kubectl.apply_file(file, controller.namespace, OWNER, seconds)
    for over in controller.over:
        # Under a name of its own: the next apply of the project's file must not take these fields back.
        at.kubectl.apply_file(FOLDER / over, controller.namespace, LAID_OVER, seconds)
    controller.tell(at)
    for deployment in controller.deployments:
        at.kubectl.wait_rolled_out("deployment", deployment, controller.namespace, seconds)


def _tell_kserve(at: Site) -> None:
    """No ingress of its own, since nothing here routes from outside, and Deployments rather than Knative."""
    name, namespace = "inferenceservice-config", CONTROLLERS["kserve"].namespace
    config = at.kubectl.get("configmap", name, namespace) or {"data": {}}
    ingress = {**json.loads(config["data"].get("ingress", "{}")), "disableIngressCreation": True}
    told = {"deploy": json.dumps({"defaultDeploymentMode": "Standard"}), "ingress": json.dumps(ingress)}
    if all(config["data"].get(key) == value for key, value in told.items()):
        return
    patch = json.dumps({"data": told})
    at.kubectl.run("patch", "configmap", name, "--namespace", namespace, "--type=merge", "--patch", patch)
    # It reads them as it starts.
    at.kubectl.run("rollout", "restart", "deployment/kserve-controller-manager", "--namespace", namespace)


def _version(at: Site, controller: Controller) -> str:
    """The images of its pods, where it runs as pods."""
    found_there = [at.kubectl.get("deployment", name, controller.namespace) for name in controller.deployments]
    images = {
        container["image"].rpartition("/")[2]
        for one in found_there
        if one
        for container in one["spec"]["template"]["spec"]["containers"]
    }
    if images:
        return ", ".join(sorted(images))
    served = at.kubectl.get("customresourcedefinition", controller.definition) or {}
    versions = [one["name"] for one in served["spec"]["versions"] if one["served"]]
    return f"{controller.definition} {json.dumps(versions)[1:-1]}; its controller is no deployment in {controller.namespace}".replace(
        '"', ""
    )
