"""Take away what was made here: `make kind-down`. The whole cluster where kind made it, else the parts that were installed.

Refuses every cluster that is not marked as disposable, whatever is said: what lies on its disks goes too.
"""

import argparse
import sys
from collections.abc import Sequence

from argosy import errors
from argosy_kind import install, site, up
from argosy_kind.controllers import CONTROLLERS
from argosy_kind.kube import Kubectl
from argosy_kind.site import ENVIRONMENTS, OURS, OWNER, PIPELINES

SECONDS = 300


def run(arguments: argparse.Namespace) -> None:
    """Remove it."""
    kubectl = Kubectl(arguments.context)
    context = site.context_of(kubectl)
    check(kubectl, context)
    if context == up.CONTEXT:
        up.script("down")
        return
    remove_parts(kubectl)
    print(
        f"removed from {context} what make kind-install put there; Argo CD keeps what it was told of InferenceServices"
    )


def check(kubectl: Kubectl, context: str) -> None:
    """Raises UsageError where the cluster is not one to throw away."""
    try:
        found = kubectl.get("namespace", "kube-system")
    except errors.TryAgain as error:
        raise errors.Misconfigured(
            f"no cluster answers at context {context!r}: {error}; nothing was removed"
        ) from error
    if not site.is_disposable(found):
        raise errors.UsageError(
            f"context {context!r} is not marked as a cluster to throw away (label {site.DISPOSABLE}=true of namespace kube-system); "
            "nothing was removed"
        )


def remove_parts(kubectl: Kubectl) -> None:
    """Remove every namespace that was made here, and what was made outside of them."""
    argocd = CONTROLLERS["argo-cd"].namespace
    for namespace in ENVIRONMENTS.values():  # its Applications go with it, and what they made
        kubectl.run("delete", "applicationset", namespace, "--namespace", argocd, "--ignore-not-found")
    kubectl.wait_for("Applications are still there", lambda: not applications(kubectl), SECONDS)
    for namespace in ENVIRONMENTS.values():
        kubectl.run("delete", "appproject", namespace, "--namespace", argocd, "--ignore-not-found")
    kubectl.run("delete", "secret", "argosy-forge", "--namespace", argocd, "--ignore-not-found")
    kubectl.run("delete", "clusterrole,clusterrolebinding", f"--selector={OURS}={OWNER}")
    ours = [one["metadata"]["name"] for one in kubectl.list("namespaces", selector=f"{OURS}={OWNER}")]
    for name in sorted(
        ours, key=lambda one: one != PIPELINES
    ):  # pipelines first, so that nothing of them is left running
        kubectl.run("delete", "namespace", name, f"--timeout={SECONDS}s", seconds=SECONDS + 30)


def applications(kubectl: Kubectl) -> list[str]:
    """The Applications of our environments that are still there."""
    if kubectl.get("customresourcedefinition", CONTROLLERS["argo-cd"].definition) is None:
        return []
    found = kubectl.list("applications", CONTROLLERS["argo-cd"].namespace)
    ours = set(ENVIRONMENTS.values())
    return [one["metadata"]["name"] for one in found if one["spec"]["destination"].get("namespace") in ours]


def parser() -> argparse.ArgumentParser:
    """What may be said."""
    found = argparse.ArgumentParser(prog="make kind-down", description=(__doc__ or "").splitlines()[0])
    found.add_argument("--context", default="", help="a context of KUBECONFIG; default the current one")
    return found


def main(words: Sequence[str] | None = None) -> int:
    """Run, and say in one line what goes wrong."""
    return install.ended(lambda: run(parser().parse_args(words)))


if __name__ == "__main__":
    sys.exit(main())
