"""The nodes of a run, with phases and outputs, named exactly as in Argo's ``status.nodes``.

Only data lives here, its JSON form for the journal, and its form for those who look. What moves a node from one phase to the next is
``machine``'s business.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from argosy.argo import NodeType, Phase
from argosy.ports import runs

Json = dict[str, Any]

POD_ADDRESS = "127.0.0.1"
"""The address of every pod on this machine."""


@dataclass
class Outputs:
    """The outputs of a node. An artifact is Argo's own JSON for one, its location a digest in the object store."""

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
    def from_json(cls, stored: Json) -> "Outputs":
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
    """True where the node goes on beside what follows it, until the node it belongs to ends."""
    hooked: bool = False
    retried: bool = False
    cached: bool = False
    memo: Json | None = None
    """Argo's ``memoizationStatus``: ``hit``, ``key``, ``cacheName``."""
    ends: list[str] = field(default_factory=list)
    """The phases in which its last nodes ended: what a task that is skipped after it inherits."""
    exports: dict[str, dict[str, str]] = field(default_factory=dict)
    """The names under which outputs of it are the workflow's, too: by ``parameters`` or ``artifacts``, and by their own names."""

    @property
    def fulfilled(self) -> bool:
        """True where nothing more happens to the node."""
        return self.phase.fulfilled

    def seen(self) -> runs.Node:
        """The node of this moment, as those see it who only look."""
        outputs = self.outputs or Outputs()
        return runs.Node(
            name=self.name,
            type=self.type,
            phase=self.phase,
            started=self.started,
            template=self.template,
            display_name=self.display_name,
            boundary=self.boundary,
            parent=self.parent,
            message=self.message,
            finished=self.finished,
            outputs=runs.Outputs(dict(outputs.parameters), outputs.result, outputs.exit_code),
            retried=self.retried,
            cached=self.cached,
            memo=self.memo or {},
        )

    def to_json(self) -> Json:
        """As stored in the journal."""
        stored: Json = {key: value for key, value in vars(self).items() if key != "outputs"}
        stored["outputs"] = self.outputs.to_json() if self.outputs else None
        if not self.exports:
            del stored["exports"]
        return stored

    @classmethod
    def from_json(cls, stored: Json) -> "Node":
        """The inverse of :meth:`to_json`."""
        fields = dict(stored)
        fields["type"] = NodeType(fields["type"])
        fields["phase"] = Phase(fields["phase"])
        fields["outputs"] = Outputs.from_json(fields["outputs"]) if fields["outputs"] else None
        return cls(**fields)


@dataclass(frozen=True)
class Ending:
    """The end of the workflow."""

    phase: Phase
    message: str


_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_RESOURCE = re.compile(rf"{_LABEL}(\.{_LABEL})*")


def is_resource_name(name: str) -> bool:
    """True where Kubernetes takes *name* as that of a resource. Such a name is that of a folder, too, and leads out of none."""
    return len(name) <= 253 and _RESOURCE.fullmatch(name) is not None
