"""Argo's own words and names: the phases and types of nodes, and how it names a node, its id and its pod.

A bottom of its own, because everything that speaks of a run speaks in these: the engine, the ports, the adapters of a cluster.
"""

from enum import StrEnum


class Phase(StrEnum):
    """The phase of a node, in Argo's words."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    ERROR = "Error"
    SKIPPED = "Skipped"
    OMITTED = "Omitted"

    @property
    def completed(self) -> bool:
        """True where the node ran to an end."""
        return self in (Phase.SUCCEEDED, Phase.FAILED, Phase.ERROR)

    @property
    def fulfilled(self) -> bool:
        """True where nothing more happens to the node: it ran to an end, or never will run."""
        return self.completed or self in (Phase.SKIPPED, Phase.OMITTED)

    @property
    def unsuccessful(self) -> bool:
        """True where the node failed or errored."""
        return self in (Phase.FAILED, Phase.ERROR)


class NodeType(StrEnum):
    """The type of a node, in Argo's words."""

    POD = "Pod"
    CONTAINER = "Container"
    DAG = "DAG"
    STEPS = "Steps"
    STEP_GROUP = "StepGroup"
    TASK_GROUP = "TaskGroup"
    RETRY = "Retry"
    SKIPPED = "Skipped"
    SUSPEND = "Suspend"
    HTTP = "HTTP"


MAIN = "main"
"""The container whose exit code, result and outputs are the pod's."""

KILLED_FOR_MEMORY = "OOMKilled"
"""Kubernetes' word for how a container ended."""


def local_name(name: str, workflow: str) -> str:
    """The node's *name* with the workflow's own name replaced by ``$``, so that two runs can be compared."""
    return "$" + name.removeprefix(workflow)


def fnv32a(text: str) -> int:
    """The hash Argo makes node ids and pod names of."""
    digest = 0x811C9DC5
    for byte in text.encode():
        digest = ((digest ^ byte) * 0x01000193) & 0xFFFFFFFF
    return digest


def node_id(workflow: str, name: str) -> str:
    """The id Argo gives the node *name*."""
    return workflow if name == workflow else f"{workflow}-{fnv32a(name)}"


def pod_name(workflow: str, name: str, template: str) -> str:
    """The name Argo gives the pod of the node *name*."""
    if name == workflow:
        return workflow
    longest_prefix = 253 - 10 - 1
    return f"{(f'{workflow}-{template}' if template else workflow)[:longest_prefix]}-{fnv32a(name)}"
