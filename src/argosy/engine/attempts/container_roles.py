"""The containers of a pod: those of a container set, or the one that works, with what runs before it and beside it.

What each is told to do is here, as a template of it alone; running them is ``pod_containers``'s business.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from argosy.argo import MAIN
from argosy.engine import durations
from argosy.engine.attempts.workspace import container_of
from argosy.engine.nodes import Json


class Role(Enum):
    """When a container of a pod runs."""

    BEFORE = "initContainers"
    MAIN = "main"
    BESIDE = "sidecars"


@dataclass(frozen=True)
class PodContainer:
    """One container of a pod. *template*: what a template of this container alone would be."""

    name: str
    role: Role
    template: Json
    after: tuple[str, ...] = ()
    """The containers of its set that must have ended well before it starts."""
    tries: int = 1
    """How often its program is started until it ends well."""
    pause: float = 0.0
    """Seconds between two tries."""
    mirrors: bool = False
    """Whether it is shown the input artifacts of the main container."""
    apart: bool = True
    """Whether its files and its process are on record beside the pod's, not as the pod's."""

    def node(self, pod: str) -> str:
        """Under which name it is on record, in the pod of the node *pod*."""
        return f"{pod}.{self.name}" if self.apart else pod


def containers_of_pod(template: Json) -> list[PodContainer]:
    """The containers of a pod of *template*, in the order of the manifest."""
    if "containerSet" in template:
        return _of_set(template)
    main = PodContainer(MAIN, Role.MAIN, template, apart=False)
    if not template.get("initContainers") and not template.get("sidecars"):
        return [main]
    return [*_around(template, Role.BEFORE), main, *_around(template, Role.BESIDE)]


def _of_set(template: Json) -> list[PodContainer]:
    container_set = template["containerSet"]
    shared = container_set.get("volumeMounts") or []
    tries, pause = _tries(container_set.get("retryStrategy") or {})
    return [
        PodContainer(
            container["name"],
            Role.MAIN,
            _alone(template, _mounting(container, shared), whole=container["name"] == MAIN),
            after=tuple(container.get("dependencies") or ()),
            tries=tries,
            pause=pause,
        )
        for container in container_set["containers"]
    ]


def _tries(strategy: Mapping[str, Any]) -> tuple[int, float]:
    """How often a program of a set is started, and the pause in between. What Argo calls retries counts the first try too."""
    if "{{" in str(strategy):
        return 1, 0.0  # looked at before the workflow runs
    duration = strategy.get("duration")
    return int(strategy.get("retries", 1)), durations.seconds(str(duration)) if duration else 0.0


def _around(template: Json, role: Role) -> list[PodContainer]:
    mounts = container_of(template).get("volumeMounts") or []
    found = []
    for container in template.get(role.value) or []:
        mirrors = bool(container.get("mirrorVolumeMounts"))
        alone = _alone(template, _mounting(container, mounts if mirrors else []), whole=False)
        found.append(PodContainer(container["name"], role, alone, mirrors=mirrors))
    return found


def _mounting(container: Mapping[str, Any], mounts: list[Json]) -> Json:
    return {**container, "volumeMounts": [*(container.get("volumeMounts") or []), *mounts]}


def _alone(template: Json, container: Json, *, whole: bool) -> Json:
    """*template* as if it had *container* only; *whole*: with its inputs and outputs."""
    kept = ("name", "metadata", *(("inputs", "outputs") if whole else ()))
    return {**{key: template[key] for key in kept if key in template}, "container": container}
