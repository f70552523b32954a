"""The containers of a pod: those of a container set, or the one that works, with what runs before it and beside it.

What each is told to do is here, as a template of it alone; running them is ``pod_containers``'s business.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from argosy.argo import MAIN
from argosy.engine import durations
from argosy.engine.manifest.model import Template
from argosy.engine.manifest.pod_model import Container, SetRetryStrategy, UserContainer, VolumeMount
from argosy.engine.nodes import Json


class Role(Enum):
    """The role of a container in its pod: init container, one that works, sidecar."""

    BEFORE = "initContainers"
    MAIN = "main"
    BESIDE = "sidecars"


@dataclass(frozen=True)
class PodContainer:
    """One container of a pod. *template*: what a template of this container alone would be."""

    name: str
    role: Role
    template: Template
    after: tuple[str, ...] = ()
    """The containers of its set that must have ended well before it starts."""
    tries: int = 1
    """The most starts of its program until it ends well."""
    pause: float = 0.0
    """Seconds between two tries."""
    mirrors: bool = False
    """True where the container is shown the input artifacts of the main container."""
    apart: bool = True
    """True where the container's files and process are on record beside the pod's, not as the pod's."""

    def node(self, pod: str) -> str:
        """Under which name it is on record, in the pod of the node *pod*."""
        return f"{pod}.{self.name}" if self.apart else pod


def containers_of_pod(template: Template) -> list[PodContainer]:
    """The containers of a pod of *template*, in the order of the manifest."""
    if template.kind == "containerSet":
        return _of_set(template)
    main = PodContainer(MAIN, Role.MAIN, template, apart=False)
    return [
        *_around(template, template.init_containers, Role.BEFORE),
        main,
        *_around(template, template.sidecars, Role.BESIDE),
    ]


def _of_set(template: Template) -> list[PodContainer]:
    shared = template.container_set.volume_mounts
    tries, pause = _tries(template.container_set.retry_strategy)
    return [
        PodContainer(
            container.name,
            Role.MAIN,
            _alone(template, _mounting(container, shared), whole=container.name == MAIN),
            after=tuple(container.dependencies),
            tries=tries,
            pause=pause,
        )
        for container in template.container_set.containers
    ]


def _tries(strategy: SetRetryStrategy) -> tuple[int, float]:
    """The most starts of a program of a set, and the pause in between. What Argo calls retries counts the first try too."""
    if "{{" in str(strategy.written):
        return 1, 0.0  # looked at before the workflow runs
    pause = durations.seconds(strategy.duration) if strategy.duration else 0.0
    return int(strategy.retries if strategy.retries is not None else 1), pause


def _around(template: Template, containers: Sequence[UserContainer], role: Role) -> list[PodContainer]:
    found = []
    for container in containers:
        mounts = template.main_container.volume_mounts if container.mirror_volume_mounts else []
        alone = _alone(template, _mounting(container, mounts), whole=False)
        found.append(PodContainer(container.name, role, alone, mirrors=container.mirror_volume_mounts))
    return found


def _mounting(container: Container, mounts: Sequence[VolumeMount]) -> Json:
    mounted = [mount.written for mount in (*container.volume_mounts, *mounts)]
    return {**container.written, "volumeMounts": mounted}


def _alone(template: Template, container: Json, *, whole: bool) -> Template:
    """*template* as if it had *container* only; *whole*: with its inputs and outputs."""
    kept = ("name", "metadata", *(("inputs", "outputs") if whole else ()))
    return Template({**{key: template.written[key] for key in kept if key in template.written}, "container": container})
