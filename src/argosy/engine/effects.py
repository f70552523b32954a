"""Effects that the machine asks of the world, and the world's answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from argosy.argo import Phase
from argosy.engine.manifest.model import Template
from argosy.engine.manifest.pod_model import Volume
from argosy.engine.nodes import Json, Outputs


@dataclass(frozen=True)
class StartPod:
    """Run the container or script of *template* as the node *name*; answer with ``pod_started`` and ``pod_finished``."""

    name: str
    template: Template
    volumes: list[Volume]
    keeps_result: bool
    """True where the standard output is one of the outputs."""
    deadline: float | None
    """The time at which it is stopped, in seconds since 1970."""
    limit: float | None
    """The longest that it may run, in seconds from its start."""

    @property
    def lasts(self) -> bool:
        """True where the pod is a daemon: it goes on until others have ended."""
        return self.template.daemon


@dataclass(frozen=True)
class StopPod:
    """Stop the node's process if it runs, forget it if it waits. No answer."""

    name: str


@dataclass(frozen=True)
class AcquireLocks:
    """Take all of *locks* for the node *name*; answer with ``locks_granted`` once it has them."""

    name: str
    locks: Mapping[str, int]
    """Names, each with how many may hold it at once."""


@dataclass(frozen=True)
class ReleaseLocks:
    """Give back the locks of the node *name*. No answer."""

    name: str


@dataclass(frozen=True)
class Recall:
    """Look up what the memory *cache* holds under *key* for the node *name*, unless it is older than *limit* seconds; answer with
    ``recalled``."""

    name: str
    cache: str
    key: str
    limit: float | None


@dataclass(frozen=True)
class Remember:
    """Keep *outputs* of the node *name* in the memory *cache* under *key*. No answer."""

    name: str
    cache: str
    key: str
    outputs: Outputs


Effect = StartPod | StopPod | AcquireLocks | ReleaseLocks | Recall | Remember


@dataclass(frozen=True)
class ContainerChange:
    """A container of a pod began, or ended. *name*: its node's, where it has one."""

    name: str
    phase: Phase
    message: str = ""


@dataclass(frozen=True)
class PodResult:
    """The end of a pod."""

    phase: Phase
    message: str = ""
    outputs: Outputs = field(default_factory=Outputs)
    cached: bool = False
    made_of: Json | None = None
    """All that the answer depends on, where it was found in the cache or is kept there."""
