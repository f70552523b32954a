"""What a run is made of: nodes with phases and outputs, named exactly as in Argo's ``status.nodes``.

Only data lives here, and its JSON form for the journal. What moves a node from one phase to the next is ``machine``'s business.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

Json = dict[str, Any]

POD_ADDRESS = "127.0.0.1"
"""The address of every pod on this machine."""


class Phase(StrEnum):
    """Where a node stands. Argo's words."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    ERROR = "Error"
    SKIPPED = "Skipped"
    OMITTED = "Omitted"

    @property
    def completed(self) -> bool:
        """Whether the node ran to an end."""
        return self in (Phase.SUCCEEDED, Phase.FAILED, Phase.ERROR)

    @property
    def fulfilled(self) -> bool:
        """Whether nothing more happens to the node: it ran to an end, or never will run."""
        return self.completed or self in (Phase.SKIPPED, Phase.OMITTED)

    @property
    def unsuccessful(self) -> bool:
        """Whether the node failed or errored."""
        return self in (Phase.FAILED, Phase.ERROR)


class NodeType(StrEnum):
    """What a node stands for. Argo's words."""

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


@dataclass
class Outputs:
    """What a node hands on. An artifact is Argo's own JSON for one, its location a digest in the object store."""

    parameters: dict[str, str] = field(default_factory=dict)
    artifacts: dict[str, Json] = field(default_factory=dict)
    result: str | None = None
    exit_code: str | None = None

    def to_json(self) -> Json:
        """As stored in the journal."""
        return {
            "parameters": self.parameters,
            "artifacts": self.artifacts,
            "result": self.result,
            "exitCode": self.exit_code,
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Outputs":
        """The inverse of :meth:`to_json`."""
        return cls(
            dict(stored["parameters"]), dict(stored["artifacts"]), result=stored["result"], exit_code=stored["exitCode"]
        )


@dataclass
class Node:
    """One node of the run. Times are seconds since 1970, UTC."""

    name: str
    type: NodeType
    phase: Phase
    started: float
    template: str = ""
    display_name: str = ""
    boundary: str | None = None
    """The DAG or Steps node it belongs to."""
    parent: str | None = None
    """The group, retry or boundary node under which a tree shows it."""
    message: str = ""
    finished: float | None = None
    outputs: Outputs | None = None
    daemoned: bool = False
    """Whether it goes on beside what follows it, until the node it belongs to ends."""
    hooked: bool = False
    retried: bool = False
    cached: bool = False
    memo: Json | None = None
    """Argo's ``memoizationStatus``: ``hit``, ``key``, ``cacheName``."""
    ends: list[str] = field(default_factory=list)
    """The phases in which its last nodes ended: what a task that is skipped after it inherits."""

    @property
    def fulfilled(self) -> bool:
        """Whether nothing more happens to it."""
        return self.phase.fulfilled

    def to_json(self) -> Json:
        """As stored in the journal."""
        stored: Json = {key: value for key, value in vars(self).items() if key != "outputs"}
        stored["outputs"] = self.outputs.to_json() if self.outputs else None
        return stored

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Node":
        """The inverse of :meth:`to_json`."""
        fields = dict(stored)
        fields["type"] = NodeType(fields["type"])
        fields["phase"] = Phase(fields["phase"])
        fields["outputs"] = Outputs.from_json(fields["outputs"]) if fields["outputs"] else None
        return cls(**fields)


@dataclass(frozen=True)
class Ending:
    """How the workflow ended."""

    phase: Phase
    message: str


def as_status(node: Node) -> Json:
    """*node* as ``--json`` shows it: what Argo's status would hold."""
    status: Json = {"type": str(node.type), "phase": str(node.phase)}
    if node.message:
        status["message"] = node.message
    if node.outputs:
        outputs: Json = {}
        if node.outputs.parameters:
            outputs["parameters"] = dict(node.outputs.parameters)
        if node.outputs.result is not None:
            outputs["result"] = node.outputs.result
        if node.outputs.exit_code is not None:
            outputs["exitCode"] = node.outputs.exit_code
        if outputs:
            status["outputs"] = outputs
    if node.memo:
        status["memoizationStatus"] = dict(node.memo)
    return status


def local_name(name: str, workflow: str) -> str:
    """The node's *name* with the workflow's own name replaced by ``$``, so that two runs can be compared."""
    return "$" + name.removeprefix(workflow)


_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_RESOURCE = re.compile(rf"{_LABEL}(\.{_LABEL})*")


def is_resource_name(name: str) -> bool:
    """Whether Kubernetes takes *name* as that of a resource. Such a name is that of a folder, too, and leads out of none."""
    return len(name) <= 253 and _RESOURCE.fullmatch(name) is not None


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
