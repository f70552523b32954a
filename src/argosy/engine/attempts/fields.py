"""The downward fields of a pod: what a container may be told of itself, in a variable or in a file, as far as one machine has an answer."""

import platform
import re
import uuid
from collections.abc import Mapping

from argosy.engine.manifest.pod_model import Metadata
from argosy.engine.nodes import POD_ADDRESS

_ONE_OF_MANY = re.compile(r"metadata\.(labels|annotations)\['[^']+'\]")


def of_pod(metadata: Metadata, *, pod: str, namespace: str, workflow: str, account: str) -> dict[str, str]:
    """The downward fields of the pod *pod* of *workflow*. *account*: its service account; *metadata*: what the manifest gives it."""
    labels = {
        **metadata.labels,
        "workflows.argoproj.io/completed": "false",
        "workflows.argoproj.io/workflow": workflow,
    }
    facts = {
        "metadata.name": pod,
        "metadata.namespace": namespace,
        "metadata.uid": str(uuid.uuid5(uuid.NAMESPACE_OID, f"{workflow}/{pod}")),
        "spec.nodeName": platform.node(),
        "spec.serviceAccountName": account,
        **dict.fromkeys(("status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"), POD_ADDRESS),
    }
    for field, values in (("labels", labels), ("annotations", metadata.annotations)):
        facts |= {f"metadata.{field}['{key}']": value for key, value in values.items()}
        facts[f"metadata.{field}"] = "\n".join(f"{key}={_quoted(value)}" for key, value in sorted(values.items()))
    return facts


def value_of(field: str, facts: Mapping[str, str]) -> str | None:
    """The value of *field*: empty, where it is a label that the pod has not; None, where it has no meaning here."""
    return facts.get(field, "" if _ONE_OF_MANY.fullmatch(field) else None)


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


SAMPLE = of_pod(Metadata({}), pod="", namespace="", workflow="", account="")
"""The downward fields of a pod of which nothing is known."""
